"""Records: lists, contents, states, new versions, and folders that are handed in."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from pilotbase.catalogue.bars import Blocker
from pilotbase.catalogue.my_work import MakesWay, WorkItem
from pilotbase.catalogue.records import load_record
from pilotbase.catalogue.saving import NO_REMARKS, SaveOptions, save_over
from pilotbase.catalogue.wording import listed
from pilotbase.documents.api.records import (
    BarTold,
    Erased,
    MakesWayTold,
    PossibleStep,
    RecordPage,
    WaitingWork,
    Work,
)
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.api.trials import TrialProgress
from pilotbase.documents.api.uploads import HandedInApplication, HandedInScenario, KeptVersion
from pilotbase.documents.lifecycles import transition
from pilotbase.documents.permissions import act_name
from pilotbase.documents.record import CONTENTS, Record
from pilotbase.documents.subjects import commission_subject, scenario_subject
from pilotbase.documents.texts import Language, Text, sentence
from pilotbase.operations import records as declared
from pilotbase.operations.matches import OfRecord
from pilotbase.operations.operation import NoInput
from pilotbase.operations.trials import OfTrial
from pilotbase.worker.intake.versions import take_uploaded_application, take_uploaded_scenario
from pilotbase.worker.jobs.retention import erase_kept_files, kept_files
from pilotbase.worker.operations.binding import Caller, Versioned, does, there
from pilotbase.worker.progress import progress_of
from pilotbase.worker.readings import report_of
from pilotbase.worker.trials.acts import acts_on, work_of
from pilotbase.workspace import listings


def subject_of(kind: str, asked: Any) -> str:
    """Return the subject of an address: owner and name, or the name alone."""
    return f"{kind}:{asked.owner}/{asked.name}" if kind in declared.TWO_NAMES else f"{kind}:{asked.name}"


does(declared.REPORT)(
    lambda caller, asked: there(report_of(caller.view, load_record(caller.view, commission_subject(asked.name))[0]))
)
does(declared.ERASE_KEPT)(
    lambda caller, asked: Erased(
        erased=erase_kept_files(caller.base, caller.view, scenario_subject(asked.owner, asked.name))
    )
)


@does(declared.WORK)
def work(caller: Caller, asked: NoInput) -> Work:
    """Return what the caller can do now, and what still waits for others."""
    found = work_of(caller.base, caller.view)
    return Work(tasks=_waiting(found.tasks, caller.language), held=_waiting(found.held, caller.language))


@does(declared.DOCUMENT)
def document(caller: Caller, asked: declared.OfDigest) -> Any:
    """Return a document by its digest."""
    stored = there(caller.view.get(asked.digest))
    return stored.load(there(declared.READABLE.get(stored.kind)))


@does(declared.PROGRESS)
def progress(caller: Caller, asked: OfTrial) -> TrialProgress:
    """Return the progress of the newest work on a trial."""
    found = progress_of(caller.view, load_record(caller.view, commission_subject(asked.name))[0].subject)
    if found is None:
        return TrialProgress(state=None, position=0, stage=None, reason=None)
    return found.spoken(caller.language)


@does(declared.HAND_IN["scenario"])
def submit_scenario(caller: Caller, asked: HandedInScenario) -> Versioned[Record]:
    """Create a scenario, or a new version of it, from an uploaded folder."""
    remarks, most = SaveOptions(asked.note, caller.seen, asked.new, asked.why_holds), caller.limits.unpacked
    return _handed_in(take_uploaded_scenario(caller.base, caller.view, asked.upload, most, remarks))


@does(declared.HAND_IN["application"])
def submit_application(caller: Caller, asked: HandedInApplication) -> Versioned[Record]:
    """Create an application, or a new version of it, from an uploaded folder."""
    made_for, most = (asked.scenario, SaveOptions(asked.note, caller.seen)), caller.limits.unpacked
    return _handed_in(take_uploaded_application(caller.base, caller.view, asked.upload, most, made_for))


@does(declared.KEPT)
def kept(caller: Caller, asked: OfRecord) -> list[KeptVersion]:
    """Return which files of each version of a scenario the base keeps, and until when."""
    days = timedelta(days=caller.limits.files_days)
    found = kept_files(caller.base, caller.view, scenario_subject(asked.owner, asked.name))
    return [filled(KeptVersion, files, kept_until=stored.stored_at + days) for stored, files in found]


def _bind(kind: str) -> None:
    """Bind the operations that all kinds of records share."""

    @does(declared.LISTS[kind])
    def list_all(caller: Caller, asked: declared.ListAsked) -> RecordPage:
        states = (asked.state,) if asked.state else ()
        query = listings.Query(kind, asked.q, states, asked.sector, owner=asked.owner)
        page = listings.list_page(caller.view, query, asked.after or None, asked.limit)
        items = [listed(one, caller.address_of) for one in page.items]
        return RecordPage(items=items, total=listings.count(caller.view, query), next=page.after)

    @does(declared.CONTENT[kind])
    def content(caller: Caller, asked: Any) -> Any:
        listing = listings.find_listing(caller.view, subject_of(kind, asked))
        stored = caller.view.get(listing.digest) if listing is not None else None
        return there(stored).load(CONTENTS[kind])

    does(declared.STANDS[kind])(lambda caller, asked: load_record(caller.view, subject_of(kind, asked))[0])

    @does(declared.ACTS[kind])
    def acts(caller: Caller, asked: Any) -> list[PossibleStep]:
        record, _ = load_record(caller.view, subject_of(kind, asked))
        return [
            filled(
                PossibleStep,
                one,
                name=act_name(one.act).render(caller.language),
                brings=transition(one.act).brings,
                obstacle=sentence(one.obstacle.text, caller.language) if one.obstacle else None,
                remedies=one.bar.remedies if one.bar is not None else (),
            )
            for one in acts_on(caller.base, caller.view, record)
        ]


def _bind_saving(kind: str) -> None:
    @does(declared.SAVE[kind])
    def save(caller: Caller, asked: Any) -> Versioned[Record]:
        remarks = SaveOptions(new=asked.new, why_holds=asked.why_holds) if kind == "scenario" else NO_REMARKS
        record = save_over(caller.view, asked.content, subject_of(kind, asked), caller.seen, remarks)
        if kind == "organisation":
            caller.roles_changed(asked.name)
        return Versioned(record, asked.content.digest())


for _kind in CONTENTS:
    _bind(_kind)
for _kind in declared.SAVE:
    _bind_saving(_kind)


def _handed_in(record: Record) -> Versioned[Record]:
    return Versioned(record, record.documents[record.kind])


def _waiting(items: Iterable[WorkItem], language: Language) -> list[WaitingWork]:
    def told(what: Text) -> str:
        return sentence(what, language)

    def way_told(way: MakesWay) -> MakesWayTold:
        return filled(MakesWayTold, way, reason=told(way.reason), hint=told(way.hint))

    def bar_told(bar: Blocker) -> BarTold:
        error = bar.error
        return filled(BarTold, bar, code=error.code, reason=told(error.text), hint=told(error.hint))

    return [
        filled(
            WaitingWork,
            item,
            makes_way=way_told(item.makes_way) if item.makes_way is not None else None,
            bar=bar_told(item.bar) if item.bar is not None else None,
        )
        for item in items
    ]
