"""On how many cases an accept rests, and from how many on it may be given.

The evidence alone can suffice after a handful of cases. An owner who has to live with the verdict also wants to have
seen enough of the cases that matter: the plan states how many cases, and how many of the class asked about, an accept
needs at least. Waiting for them never makes a false accept likelier.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.criteria import AcceptFloor
from pilotbase.documents.probes import PANEL
from pilotbase.documents.report import RestsOn
from pilotbase.documents.scenario import Criterion, Scenario
from pilotbase.documents.texts import Text, text
from pilotbase.evidence.plans import unit_text
from pilotbase.measures import Cases, is_resource
from pilotbase.measures.definition import CLASSIFYING
from pilotbase.trial.records import REPEATED, Ints


@dataclass(frozen=True)
class RunningCounts:
    """How much has been scored after each case, in the order of scoring, shape (cases,).

    ``cases``: cases, or units where criteria count units. ``of_label``: those of ``label``, the scarcest class that
    criteria are about; None if they are about none.
    """

    cases: Ints
    unit: str
    label: str | None
    of_label: Ints | None

    @classmethod
    def of(cls, criteria: Sequence[Criterion], cases: Cases, order: Ints) -> RunningCounts:
        units = {one.unit for one in criteria if not is_resource(one.parsed())} - {"case"}
        counted = cases.units if units and cases.units is not None else np.arange(len(cases), dtype=np.int64)
        chosen = _judged(cases)[order]
        everything = _running(counted[order], chosen)
        members = {label: _members(cases, label)[order] & chosen for label in labels_asked(criteria, cases)}
        label = min(members, key=lambda name: int(members[name].sum()), default=None)
        of_label = None if label is None else _running(counted[order], members[label])
        unit = min(units - {REPEATED}, default="case")
        return cls(everything, unit, label, of_label)

    def rests_on(self, scored: int) -> RestsOn:
        """Return what a verdict after ``scored`` cases rests on."""
        counted = _last(self.cases, scored)
        of_label = None if self.of_label is None else _last(self.of_label, scored)
        if self.unit == "case":
            return RestsOn(cases=counted, label=self.label, of_label=of_label)
        return RestsOn(cases=scored, unit=self.unit, units=counted, label=self.label, of_label=of_label)

    def first(self, floor: AcceptFloor | None) -> int:
        """Return after how many cases ``floor`` is reached; one more than there are if it never is."""
        if floor is None:
            return 0
        enough = self.cases >= floor.cases
        if floor.positives is not None and self.of_label is not None:
            enough &= self.of_label >= floor.positives
        return int(np.argmax(enough)) + 1 if enough.any() else len(enough) + 1


def labels_asked(criteria: Sequence[Criterion], cases: Cases) -> tuple[str, ...]:
    """Return the classes that criteria are about: the positive one, and those that they name."""
    if cases.kind not in CLASSIFYING and cases.kind != "labels":
        return ()
    named = [cases.positive, *(one.parsed().label for one in criteria)]
    return tuple(dict.fromkeys(label for label in named if label is not None and label in cases.classes))


def floor_problems(scenario: Scenario, public: Cases, cases: int) -> Iterator[Text]:
    """Yield why an attempt of ``cases`` like the ``public`` ones can't reach the floor, and what it needs."""
    floor = scenario.trial.accept_from
    if floor is None or not len(public):
        return
    panel = scenario.trial.panel
    scored = min(scenario.trial.cases or cases, cases, (panel.cases if panel else None) or cases)
    counts = RunningCounts.of(scenario.criteria, public, np.arange(len(public)))
    rests = counts.rests_on(len(public))
    seen = rests.cases if rests.units is None else rests.units
    for label, wanted, found in ((None, floor.cases, seen), (rests.label, floor.positives, rests.of_label)):
        expected = None if found is None else found * scored / len(public)
        if wanted is None or expected is None or expected >= wanted:
            continue
        needed = math.ceil(wanted * len(public) / found) if found else "∞"
        told = {"wanted": wanted, "expected": math.floor(expected), "scored": scored, "needed": needed}
        code = "trial.floor_cases" if label is None else "trial.floor_positives"
        yield text(code, **told, **({} if label is None else {"label": label}))


def floor_missed(floor: AcceptFloor | None, rests: RestsOn) -> Text | None:
    """Return that an accept needs more cases than there were; None where it does not.

    It does not say how many there were: its supplier reads it too.
    """
    if floor is None:
        return None
    if floor.positives is not None and rests.of_label is not None and rests.of_label < floor.positives:
        return text("trial.reason.floor_positives", wanted=floor.positives, label=rests.label)
    found = rests.cases if rests.units is None else rests.units
    return text("trial.reason.floor_cases", wanted=floor.cases) if found < floor.cases else None


def rests_shown(rests: RestsOn, scored: int) -> Text:
    """Return on how many cases a verdict rests, and that figures are of the ``scored`` ones."""
    told = {"cases": f"{rests.cases:,}", "all": f"{scored:,}"}
    if rests.units is not None:
        return text("report.first.rests_units", units=f"{rests.units:,}", unit=unit_text(rests.unit), **told)
    if rests.of_label is not None:
        return text("report.first.rests_of_class", label=rests.label, of_label=f"{rests.of_label:,}", **told)
    return text("report.first.rests", **told)


def _judged(cases: Cases) -> NDArray[np.bool_]:
    """Return which cases count: where experts judge a sample of the answers, those that they judged."""
    verdicts = cases.given.get(PANEL)
    judged = np.ones(len(cases), dtype=np.bool_) if verdicts is None else np.asarray(verdicts != "")
    return judged if judged.any() else np.ones(len(cases), dtype=np.bool_)


def _members(cases: Cases, label: str) -> NDArray[np.bool_]:
    code = cases.code(label)
    return np.asarray(cases.truth[:, code] == 1 if cases.kind == "labels" else cases.truth == code)


def _running(codes: Ints, chosen: NDArray[np.bool_]) -> Ints:
    """Return how many different codes among the chosen there are up to each place."""
    places = np.flatnonzero(chosen)
    first = np.zeros(len(codes), dtype=np.int64)
    first[places[np.unique(codes[places], return_index=True)[1]]] = 1
    return np.cumsum(first)


def _last(running: Ints, scored: int) -> int:
    return int(running[scored - 1]) if scored else 0
