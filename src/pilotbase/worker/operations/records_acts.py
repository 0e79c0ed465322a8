"""Records: what can be done with them, which looks at trials, and folders that are handed in."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from pilotbase.catalogue.bars import Blocker
from pilotbase.catalogue.my_work import MakesWay, WorkItem
from pilotbase.catalogue.records import load_record
from pilotbase.catalogue.saving import SaveOptions
from pilotbase.documents.api.records import BarTold, Erased, MakesWayTold, PossibleStep, WaitingWork, Work
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.api.uploads import HandedInApplication, HandedInScenario, KeptVersion
from pilotbase.documents.lifecycles import transition
from pilotbase.documents.permissions import act_name
from pilotbase.documents.record import CONTENTS, Record
from pilotbase.documents.subjects import scenario_subject
from pilotbase.documents.texts import Language, Text, sentence
from pilotbase.operations import records as declared
from pilotbase.operations.matches import OfRecord
from pilotbase.operations.operation import NoInput
from pilotbase.worker.intake.versions import take_uploaded_application, take_uploaded_scenario
from pilotbase.worker.jobs.retention import erase_kept_files, kept_files
from pilotbase.worker.operations.binding import Caller, Versioned, does
from pilotbase.worker.operations.records import subject_of
from pilotbase.worker.trials.acts import acts_on, work_of

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


for _kind in CONTENTS:
    _bind(_kind)


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
