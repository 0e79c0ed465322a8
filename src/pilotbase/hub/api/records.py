"""Records over the API: lists, contents, where each stands, and new versions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any

import pydantic
from django.http import HttpResponse
from ninja import Path, Query, Router

from pilotbase.catalogue.advancing import Possible
from pilotbase.catalogue.bars import Bar
from pilotbase.catalogue.my_work import MakesWay, WorkItem
from pilotbase.catalogue.records import load_record
from pilotbase.catalogue.saving import NO_REMARKS, Remarks, save
from pilotbase.catalogue.wording import listed
from pilotbase.documents.agreement import Agreement
from pilotbase.documents.api.records import (
    BarTold,
    MakesWayTold,
    PossibleStep,
    RecordPage,
    RemedyTold,
    WaitingWork,
    Work,
)
from pilotbase.documents.api.shapes import InAddress
from pilotbase.documents.api.trials import TrialProgress
from pilotbase.documents.base import Name
from pilotbase.documents.certificate import Acceptance
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.hashes import HEX, Digest
from pilotbase.documents.lifecycles import transition
from pilotbase.documents.organisation import Organisation
from pilotbase.documents.permissions import act_name
from pilotbase.documents.record import ApplicationVersion, Commission, PlanProposal, Record
from pilotbase.documents.report import Report
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.subjects import (
    application_subject,
    commission_subject,
    dataset_subject,
    organisation_subject,
    record_head,
    scenario_subject,
)
from pilotbase.documents.texts import Text, sentence
from pilotbase.documents.thread import Thread
from pilotbase.hub.acting import HubRequest, language
from pilotbase.hub.api.answers import answers, document, once, require_seen
from pilotbase.hub.api.authentication import EVERYBODY, MEMBERS
from pilotbase.hub.base import base, operator_view
from pilotbase.hub.people.invitations import cut_memberships
from pilotbase.hub.shown.addresses import KINDS, address_of
from pilotbase.hub.shown.records import see
from pilotbase.worker.progress import progress_of
from pilotbase.worker.services.seats import seat_told
from pilotbase.worker.trials.acts import acts_on, work_of
from pilotbase.worker.trials.results import report_of
from pilotbase.workspace import listings
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View

router = Router(tags=["records"])
Word = Path[Name]
Sha256 = Path[Digest]
Identity = Path[Annotated[str, pydantic.StringConstraints(pattern=f"^{HEX}$")]]


_WORDS = r"^[a-z0-9_-]*$"


class Asked(InAddress):
    """What a list is asked for."""

    q: str = pydantic.Field("", max_length=200, pattern=r"^[^\x00]*$")
    state: str = pydantic.Field("", max_length=40, pattern=_WORDS)
    sector: str = pydantic.Field("", max_length=40, pattern=_WORDS)
    owner: str = pydantic.Field("", max_length=120, pattern=_WORDS)
    after: str | None = pydantic.Field(None, max_length=200, pattern=r"^[a-z0-9_:/-]*$")
    limit: int = pydantic.Field(50, ge=1, le=listings.MAXIMUM_PAGE)


class Said(InAddress):
    """What is said with a scenario that is saved."""

    new: bool = pydantic.Field(
        False, description="Refused where the name is taken, not made a version of what is there."
    )
    why_holds: bool = pydantic.Field(
        False, description="The reasons beside criteria that were changed hold for the new ones too."
    )


@router.get("/work", auth=MEMBERS, response=answers(Work), summary="What waits for me")
def work(request: HubRequest) -> Work:
    """Return what the caller can do now, what is due first; and what is theirs once others have made way."""
    found = work_of(base(), request.acting.view)
    return Work(tasks=[_waiting(item) for item in found.tasks], held=[_waiting(item) for item in found.held])


def _waiting(item: WorkItem) -> WaitingWork:
    return WaitingWork(
        subject=item.subject,
        act=item.act,
        title=item.title,
        state=item.state,
        since=item.since,
        due=item.due,
        overdue=item.overdue,
        makes_way=_way_told(item.makes_way) if item.makes_way is not None else None,
        bar=_bar_told(item.bar) if item.bar is not None else None,
    )


def _way_told(way: MakesWay) -> MakesWayTold:
    return MakesWayTold(subject=way.subject, act=way.act, reason=_told(way.reason), hint=_told(way.hint))


def _bar_told(bar: Bar) -> BarTold:
    error = bar.error
    return BarTold(code=error.code, reason=_told(error.text), hint=_told(error.hint), remedies=_remedies(bar))


def _remedies(bar: Bar) -> list[RemedyTold]:
    return [
        RemedyTold(subject=one.subject, act=one.act, role=one.role, organisation=one.organisation)
        for one in bar.remedies
    ]


def _told(what: Text) -> str:
    return sentence(what, language())


def _lister(section: str) -> Any:
    def list_records(request: HubRequest, asked: Query[Asked]) -> RecordPage:
        view = request.acting.view
        states = (asked.state,) if asked.state else ()
        query = listings.Query(KINDS[section], asked.q, states, asked.sector, owner=asked.owner)
        page = listings.list_page(view, query, asked.after or None, asked.limit)
        items = [listed(one, address_of) for one in page.items]
        return RecordPage(items=items, total=listings.count(view, query), next=page.after)

    return list_records


TWO_NAMES = ("scenarios", "applications", "datasets")
"""Sections of what an organisation holds: its name stands before the name of each, and visitors see what is open."""
for _section in KINDS:
    _who = EVERYBODY if _section in TWO_NAMES else MEMBERS
    router.get(
        f"/{_section}",
        auth=_who,
        response=answers(RecordPage),
        summary=f"List {_section}",
        url_name=f"list-{_section}",
        operation_id=f"list_{_section}",
    )(_lister(_section))


@router.get("/documents/{digest}", auth=EVERYBODY, response=answers(dict[str, Any]), summary="A document by its digest")
def read_document(request: HubRequest, digest: Sha256) -> HttpResponse:
    """Return any document that the caller sees: content never changes under its digest."""
    stored = request.acting.view.get(digest)
    if stored is None or stored.kind not in READABLE:
        raise NotFoundError("hub.not_found")
    return document(request, stored.load(READABLE[stored.kind]))


READABLE: dict[str, Any] = {
    "scenario": Scenario,
    "application-version": ApplicationVersion,
    "organisation": Organisation,
    "commission": Commission,
    "dataset": Dataset,
    "agreement": Agreement,
    "plan-proposal": PlanProposal,
    "acceptance": Acceptance,
    "record": Record,
    "report": Report,
    "thread": Thread,
}
"""Kinds of documents that are given by digest; those of the vault are not."""


@router.get("/trials/{name}/report", auth=MEMBERS, response=answers(Report), by_alias=True, summary="A report")
def read_report(request: HubRequest, name: Word) -> HttpResponse:
    """Return the report of a trial: full, or in the supplier's view, as the caller may see it."""
    record, _ = load_record(request.acting.view, commission_subject(name))
    found = report_of(request.acting.view, record)
    if found is None:
        raise NotFoundError("hub.not_found")
    return document(request, found)


@router.get("/trials/{name}/progress", auth=MEMBERS, response=answers(TrialProgress), summary="Progress of a trial")
def read_progress(request: HubRequest, name: Word) -> TrialProgress:
    """Return how far the newest work on a trial is."""
    record, _ = load_record(request.acting.view, commission_subject(name))
    found = progress_of(request.acting.view, record.subject)
    if found is None:
        return TrialProgress(state=None, position=0, stage=None, reason=None)
    stage, reason = (text and text.render(language()) for text in (found.stage, found.reason))
    seat = seat_told(found.seat) if found.seat is not None else None
    return TrialProgress(state=found.state, position=found.position, stage=stage, reason=reason, seat=seat)


@router.put(
    "/scenarios/{owner}/{name}", auth=MEMBERS, response=answers(Record), by_alias=True, summary="Save a scenario"
)
def save_scenario(request: HubRequest, content: Scenario, owner: Word, name: Word, said: Query[Said]) -> HttpResponse:
    """Register a scenario, or make its newest version; under If-Match only where nobody was first."""
    remarks = Remarks(new=said.new, why_holds=said.why_holds)
    return _save(request, content, scenario_subject(owner, name), remarks)


@router.put(
    "/applications/{owner}/{name}",
    auth=MEMBERS,
    response=answers(Record),
    by_alias=True,
    summary="Save an application version",
)
def save_application(request: HubRequest, content: ApplicationVersion, owner: Word, name: Word) -> HttpResponse:
    """Register an application, or make its newest version."""
    return _save(request, content, application_subject(owner, name))


@router.put(
    "/organisations/{name}", auth=MEMBERS, response=answers(Record), by_alias=True, summary="Save an organisation"
)
def save_organisation(request: HubRequest, content: Organisation, name: Word) -> HttpResponse:
    """Register an organisation, or edit it."""
    answer = _save(request, content, organisation_subject(name))
    cut_memberships(operator_view(), name)
    return answer


@router.put("/datasets/{owner}/{name}", auth=MEMBERS, response=answers(Record), by_alias=True, summary="Save a dataset")
def save_dataset(request: HubRequest, content: Dataset, owner: Word, name: Word) -> HttpResponse:
    """Register a dataset, edit its draft, or publish a later version of it."""
    return _save(request, content, dataset_subject(owner, name))


def _save(request: HubRequest, content: Any, subject: str, remarks: Remarks = NO_REMARKS) -> HttpResponse:
    def act(view: View) -> HttpResponse:
        if view.outcome() is None:
            found = listings.find_listing(view, subject)
            require_seen(request, found.digest if found else None, subject)
        record = save(view, content, replace(remarks, seen=view.head(record_head(subject))), subject)
        return document(request, record, version=content.digest())

    return once(request, act)


def _read_content(request: HubRequest, subject: str) -> HttpResponse:
    return document(request, see(request.acting.view, subject).document)


def _read_record(request: HubRequest, subject: str) -> HttpResponse:
    record, _ = load_record(request.acting.view, subject)
    return document(request, record)


def _read_acts(request: HubRequest, subject: str) -> list[PossibleStep]:
    record, _ = load_record(request.acting.view, subject)
    return [_possible(one) for one in acts_on(base(), request.acting.view, record)]


def _possible(one: Possible) -> PossibleStep:
    return PossibleStep(
        act=one.act,
        name=act_name(one.act).render(language()),
        brings=transition(one.act).brings,
        obstacle=_told(one.obstacle.text) if one.obstacle else None,
        remedies=tuple(_remedies(one.bar)) if one.bar is not None else (),
    )


def _two_names(read: Callable[[HubRequest, str], Any], kind: str) -> Any:
    def read_one(request: HubRequest, owner: Word, name: Word) -> Any:
        return read(request, f"{kind}:{owner}/{name}")

    return read_one


def _one_name(read: Callable[[HubRequest, str], Any], kind: str) -> Any:
    def read_one(request: HubRequest, name: Word) -> Any:
        return read(request, f"{kind}:{name}")

    return read_one


CONTENTS: dict[str, Any] = {
    "scenarios": Scenario,
    "applications": ApplicationVersion,
    "trials": Commission,
    "organisations": Organisation,
    "datasets": Dataset,
    "agreements": Agreement,
}
for _section, _model in CONTENTS.items():
    _two = _section in TWO_NAMES
    _path, _bind = (f"/{_section}/{{owner}}/{{name}}", _two_names) if _two else (f"/{_section}/{{name}}", _one_name)
    _kind = KINDS[_section]
    router.get(
        _path,
        auth=EVERYBODY if _two else MEMBERS,
        response=answers(_model),
        by_alias=True,
        summary=f"The newest content of one of the {_section}",
        operation_id=f"read_{_kind}",
    )(_bind(_read_content, _kind))
    router.get(
        f"{_path}/record",
        auth=MEMBERS,
        response=answers(Record),
        by_alias=True,
        summary=f"Where one of the {_section} stands",
        operation_id=f"read_{_kind}_record",
    )(_bind(_read_record, _kind))
    router.get(
        f"{_path}/acts",
        auth=MEMBERS,
        response=answers(list[PossibleStep]),
        summary=f"What I may do to one of the {_section} now",
        operation_id=f"read_{_kind}_acts",
    )(_bind(_read_acts, _kind))
