"""What a replay must know of cases that were not scored, without telling any one's label.

How many cases of a class, a group or a unit there are enters the exact tests, so truths that were never scored matter
as counts. They are handed on shuffled among cases with the same answers, groups and unit: every count that a criterion
reads stays as it was, and a case's own label is told no further than its answers, group and unit tell it already.
What people decided would tell it nearly always, and no criterion reads it: of these cases it is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.contract import Prediction
from pilotbase.documents.scenario import Criterion
from pilotbase.evidence import draw_order
from pilotbase.measures import Cases, Observation, coded, is_resource, observe
from pilotbase.trial.answering import without_answers
from pilotbase.trial.records import REPEATED

Ints = NDArray[np.int64]
Unscored = Literal["none", "shuffled", "exact"]
"""``exact``: shuffled truths would change what a criterion reads (a gap between means), so they stand as they are."""

_LABELLED = frozenset({"label", "probability"})


def shuffled_remainder(
    cases: Cases, position: Ints, criteria: Sequence[Criterion], seed: bytes
) -> tuple[NDArray[Any], Unscored]:
    """Return the truths, shape (cases,), with those at ``position`` −1 shuffled, and which way they stand there."""
    unscored = np.flatnonzero(position < 0)
    if not len(unscored):
        return cases.truth, "none"
    if any(criterion.unit == REPEATED for criterion in criteria):
        return cases.truth, "exact"  # what is like a case in its unit is the same case again
    strata = _strata(cases, criteria)[unscored]
    drawn = draw_order(len(unscored), seed)
    to, taken = np.argsort(strata, kind="stable"), drawn[np.argsort(strata[drawn], kind="stable")]
    truth = cases.truth.copy()
    truth[unscored[to]] = cases.truth[unscored[taken]]
    same = all(_reads_the_same(criterion, cases, truth, unscored) for criterion in criteria)
    return (truth, "shuffled") if same else (cases.truth, "exact")


def people_where_scored(cases: Cases, position: Ints, prediction: Prediction) -> Cases:
    """Return ``cases`` with what people decided at ``position`` −1 left out, as if they had abstained."""
    if cases.people is None:
        return cases
    kept, scored = without_answers(len(cases), prediction), position >= 0
    kept[scored] = cases.people[scored]
    return replace(cases, people=kept)


def _strata(cases: Cases, criteria: Sequence[Criterion]) -> Ints:
    """Return a code per case: equal for cases with the same answered labels, groups and unit."""
    strata = np.zeros(len(cases), dtype=np.int64)
    for column in _attributes(cases, criteria):
        codes = np.unique(column, return_inverse=True)[1]
        strata = np.unique(strata * (int(codes.max(initial=0)) + 1) + codes, return_inverse=True)[1].astype(np.int64)
    return strata


def _attributes(cases: Cases, criteria: Sequence[Criterion]) -> Iterator[NDArray[Any]]:
    yield from cases.groups.values()
    if cases.units is not None:
        yield cases.units
    arms = [cases.answers, *cases.perturbed.values(), *([] if cases.baseline is None else [cases.baseline])]
    if cases.kind == "labels":
        yield from (np.array([str(answer) for answer in answers]) for answers in arms)
    if cases.kind not in _LABELLED:
        return
    for cut in _cuts(criteria) if cases.kind == "probability" else (0.5,):
        yield from (cases.labels(answers, cut) for answers in arms)


def _cuts(criteria: Sequence[Criterion]) -> list[float]:
    found = {criterion.parsed().arguments.get("cut", Decimal("0.5")) for criterion in criteria}
    return sorted(float(cut) for cut in found if isinstance(cut, Decimal))


def _reads_the_same(criterion: Criterion, cases: Cases, truth: NDArray[Any], unscored: Ints) -> bool:
    """Tell whether the criterion finds the same weights among the unscored cases, and where they matter gains."""
    rule = criterion.parsed()
    if is_resource(rule):
        return True
    order = np.concatenate((np.setdiff1d(np.arange(len(cases)), unscored), unscored))
    shuffled = Cases(**{**vars(cases), "truth": truth})
    pair = [observe(rule, coded(seen), order, criterion.estimand.value) for seen in (cases, shuffled)]
    return _sums(pair[0], unscored) == _sums(pair[1], unscored)


def _sums(observation: Observation, unscored: Ints) -> list[tuple[int, list[int]]]:
    # One part, or the worst of several, each judged by itself: gains count only where they have been scored.
    # A figure of all cases together (average precision) reads the truth of each, scored or not.
    alone = observation.form in ("single", "worst") and not observation.census_only
    return [
        (0 if alone else int(part.gain[unscored].sum()), np.sort(part.weight[unscored]).tolist())
        for part in observation.parts
    ]
