"""What can be done with records, by whom, and what prevents it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pilotbase.catalogue.bars import Blocker
from pilotbase.catalogue.my_work import MakesWay, WorkItem
from pilotbase.catalogue.records import load_record
from pilotbase.documents.api.records import BarTold, MakesWayTold, PossibleStep, WaitingWork, Work
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.lifecycles import transition
from pilotbase.documents.permissions import act_name
from pilotbase.documents.record import CONTENTS
from pilotbase.documents.texts import Language, Text, sentence
from pilotbase.operations import records as declared
from pilotbase.operations.operation import NoInput
from pilotbase.worker.operations.binding import Caller, does
from pilotbase.worker.operations.records import subject_of
from pilotbase.worker.trials.acts import acts_on, work_of


@does(declared.WORK)
def work(caller: Caller, asked: NoInput) -> Work:
    """Return what the caller can do now, and what still waits for others."""
    found = work_of(caller.base, caller.view)
    return Work(tasks=_waiting(found.tasks, caller.language), held=_waiting(found.held, caller.language))


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
