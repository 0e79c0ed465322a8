"""Records: lists, contents, states, new versions, and folders that are handed in."""

from __future__ import annotations

from typing import Annotated, Any

import pydantic

from pilotbase.documents.api.records import SECTIONS, Erased, PossibleStep, RecordPage, Work
from pilotbase.documents.api.shapes import RequestModel
from pilotbase.documents.api.trials import TrialProgress
from pilotbase.documents.api.uploads import HandedInApplication, HandedInScenario, KeptVersion
from pilotbase.documents.base import Document
from pilotbase.documents.certificate import Acceptance
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.files import File
from pilotbase.documents.hashes import Digest
from pilotbase.documents.permissions import Act, ReadScope
from pilotbase.documents.plan import CaseProspect
from pilotbase.documents.record import CONTENTS, ApplicationVersion, PlanProposal, Record
from pilotbase.documents.report import Report
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.subjects import Organisation
from pilotbase.documents.texts import text
from pilotbase.documents.thread import Thread
from pilotbase.operations.matches import A_SCENARIO, AN_APPLICATION, OfRecord, OfRecordWith
from pilotbase.operations.operation import BODY, PATH, Callers, NoInput, Operation, Out, Repeated
from pilotbase.operations.trials import OfTrial, OfTrialWith

TWO_NAMES = ("demand", "scenario", "application", "dataset")
"""Kinds that belong to an organisation: its name precedes theirs, and visitors see the open ones."""
READABLE: dict[str, type[Document]] = {
    **{kind: model for kind, model in CONTENTS.items() if kind != "application"},
    "application-version": ApplicationVersion,
    "plan-proposal": PlanProposal,
    "acceptance": Acceptance,
    "record": Record,
    "report": Report,
    "thread": Thread,
}
"""Kinds of documents that can be read by digest; those of the vault cannot."""
_WORDS = r"^[a-z0-9_-]*$"


class ListAsked(pydantic.BaseModel):
    """What a list is asked for."""

    q: str = pydantic.Field("", max_length=200, pattern=r"^[^\x00]*$")
    state: str = pydantic.Field("", max_length=40, pattern=_WORDS)
    sector: str = pydantic.Field("", max_length=40, pattern=_WORDS)
    owner: str = pydantic.Field("", max_length=120, pattern=_WORDS)
    after: str | None = pydantic.Field(None, max_length=200, pattern=r"^[a-z0-9_:/-]*$")
    limit: int = pydantic.Field(50, ge=1, le=200)


class OfDigest(RequestModel):
    """Which document."""

    digest: Annotated[Digest, PATH]


class SavedScenario(OfRecord):
    """A scenario that is saved, and what is said with it."""

    sent: Annotated[Scenario, BODY]
    new: bool = pydantic.Field(
        False, description="Refused where the name is taken, not made a version of what is there."
    )
    why_holds: bool = pydantic.Field(
        False, description="The reasons beside criteria that were changed hold for the new ones too."
    )


def named(kind: str) -> tuple[str, type[Any]]:
    """Return the path of one of a kind of records, and which one it is."""
    return (
        (f"/{SECTIONS[kind]}/{{owner}}/{{name}}", OfRecord)
        if kind in TWO_NAMES
        else (f"/{SECTIONS[kind]}/{{name}}", OfTrial)
    )


def _read(kind: str, verb: str, gives: type[Out], **more: Any) -> Operation[Any, Out]:
    path, takes = named(kind)
    where, section = ("" if verb == "content" else f"/{verb}"), text(f"op.records.section.{SECTIONS[kind]}")
    name = f"read_{kind}" if verb == "content" else f"read_{kind}_{verb}"
    said = text(f"op.records.{verb}", records=section)
    return Operation(f"records.{name}", f"GET {path}{where}", takes, gives, words=said, **more)


def _callers(kind: str) -> Callers:
    return Callers.EVERYBODY if kind in TWO_NAMES else Callers.MEMBERS


def _save(kind: str, takes: type[Any], who: Act, example: Any = None) -> Operation[Any, Record]:
    return Operation(
        f"records.save_{kind}", f"PUT {named(kind)[0]}", takes, Record, who=who, marked=True, example=example
    )


def _hand_in(kind: str, takes: type[Any], who: Act) -> Operation[Any, Record]:
    return Operation(
        f"records.hand_in_{kind}",
        f"POST /{SECTIONS[kind]}",
        takes,
        Record,
        who=who,
        marked=True,
        location=f"/api/{SECTIONS[kind]}/{{given.name}}",
    )


_VERSION = {
    "document": "application-version/1",
    "application": AN_APPLICATION,
    "folder": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
}
_OWNER, _FILES = "demand owner of it, operator", "/scenarios/{owner}/{name}/files"
WORK = Operation("records.work", "GET /work", NoInput, Work)
LISTS = {
    kind: Operation(
        f"records.list_{section}",
        f"GET /{section}",
        ListAsked,
        RecordPage,
        callers=_callers(kind),
        words=text("op.records.list", records=text(f"op.records.section.{section}")),
    )
    for kind, section in SECTIONS.items()
}
CONTENT = {kind: _read(kind, "content", model, marked=True, callers=_callers(kind)) for kind, model in CONTENTS.items()}
STANDS = {kind: _read(kind, "record", Record, marked=True) for kind in CONTENTS}
ACTS = {kind: _read(kind, "acts", list[PossibleStep]) for kind in CONTENTS}
DOCUMENT: Operation[OfDigest, Any] = Operation(
    "records.document", "GET /documents/{digest}", OfDigest, dict[str, Any], callers=Callers.EVERYBODY, marked=True
)
REPORT = Operation("records.report", "GET /trials/{name}/report", OfTrial, Report, marked=True)
PROGRESS = Operation("records.progress", "GET /trials/{name}/progress", OfTrial, TrialProgress)
SAVE = {
    "scenario": _save("scenario", SavedScenario, Act.SCENARIO_EDIT, A_SCENARIO),
    "application": _save("application", OfRecordWith[ApplicationVersion], Act.APPLICATION_EDIT, _VERSION),
    "dataset": _save("dataset", OfRecordWith[Dataset], Act.DATASET_EDIT),
    "organisation": _save("organisation", OfTrialWith[Organisation], Act.ORGANISATION_EDIT),
}
HAND_IN = {
    "scenario": _hand_in("scenario", HandedInScenario, Act.SCENARIO_REGISTER),
    "application": _hand_in("application", HandedInApplication, Act.APPLICATION_REGISTER),
}
KIT = Operation(
    "records.kit",
    "GET /scenarios/{owner}/{name}/kit",
    OfRecord,
    File,
    callers=Callers.EVERYBODY,
    refuses=frozenset({403}),
    shared=True,
    visits=30,
    media="application/zip",
)
KEPT = Operation(
    "records.kept_files", f"GET {_FILES}", OfRecord, list[KeptVersion], only=_OWNER, refuses=frozenset({403})
)
PROSPECT = Operation(
    "records.prospect", "GET /scenarios/{owner}/{name}/prospect", OfRecord, CaseProspect, who=ReadScope.BUDGET
)
ERASE_KEPT = Operation(
    "records.erase_kept_files", f"DELETE {_FILES}", OfRecord, Erased, only=_OWNER, repeated=Repeated.HARMLESS
)
