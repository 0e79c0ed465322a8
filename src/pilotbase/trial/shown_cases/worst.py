"""How far each answer is from the truth, by the kind of answer: which cases are worth a look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.criteria import Rule
from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.shown_cases import MOST_CASES
from pilotbase.measures import Cases, is_resource, measures, observe
from pilotbase.measures.box_matching import by_score, matches, overlaps
from pilotbase.measures.cases import Floats
from pilotbase.measures.edit_distance import edit_distance
from pilotbase.trial.figures.classes import overlap_of
from pilotbase.trial.figures.places import first_places

_RIGHT_ONES = 4
_COMPARED, _LONGEST = 2000, 500
"""So many texts that differ are compared letter by letter, and so much of each."""


def worth_a_look(cases: Cases, rules: Sequence[Rule]) -> list[int]:
    """Return indices of cases, first the worst ones, then some of the best."""
    far = distances(cases, rules)
    worst = np.argsort(-far, kind="stable")[: MOST_CASES - _RIGHT_ONES].tolist()
    best = [index for index in np.argsort(far, kind="stable").tolist() if index not in worst]
    return [*worst, *best[:_RIGHT_ONES]]


def distances(cases: Cases, rules: Sequence[Rule]) -> Floats:
    """Return how far answers are from the truth; 0: not at all. Without an answer it is as far as can be.

    Of texts the first criterion says it, where it speaks of the case: another text may be as right.
    """
    match cases.kind:
        case "label":
            truth, answers = cases.truth.astype(np.int64), cases.labels(cases.answers, 0.5)
            return np.where(truth == answers, 0.0, np.where(answers < 0, 2.0, 1.0))
        case "probability":
            hit = (cases.truth == cases.code(cases.positive or cases.classes[-1])).astype(np.float64)
            return _or_farthest(np.abs(cases.probabilities() - hit))
        case "value":
            return _or_farthest(np.abs(cases.answers.astype(np.float64) - cases.truth.astype(np.float64)))
        case "interval":
            truth, ends = cases.truth.astype(np.float64), cases.answers.astype(np.float64)
            return _or_farthest(np.maximum(np.maximum(ends[:, 0] - truth, truth - ends[:, 1]), 0.0))
        case "labels":
            off = (cases.truth != cases.answers).sum(axis=1).astype(np.float64)
            return np.where((cases.answers < 0).any(axis=1), np.inf, off)
        case "ranking":
            place = first_places(cases).astype(np.float64)
            return np.where(place < 0, np.inf, place)
        case "boxes":
            overlap = overlap_of(rules)
            return _each(cases, lambda true, given: _boxes_off(true, given, overlap))
        case "mask":
            return _each(cases, _pixels_off)
    said = _by_criterion(cases, rules)
    return np.where(np.isnan(said), _texts_off(cases.truth.tolist(), cases.answers.tolist()), said)


def _by_criterion(cases: Cases, rules: Sequence[Rule]) -> Floats:
    """Return how far each case is from the best that it could give to the first criterion; NaN: it has no say in it."""
    unsaid = np.full(len(cases), np.nan)
    rule = next((rule for rule in rules if rule.wrapper is None and not is_resource(rule)), None)
    try:
        seen = None if rule is None else observe(rule, cases, np.arange(len(cases)))
    except PilotbaseError:
        return unsaid
    if rule is None or seen is None or seen.form != "single" or len(seen.parts[0].gain) != len(cases):
        return unsaid
    part, best = seen.parts[0], max if measures()[rule.measure].better == "higher" else min
    top = best(gain / weight for gain, weight in part.outcomes if weight)
    return np.where(part.weight > 0, np.abs(top - part.gain / np.maximum(part.weight, 1)), np.nan)


def _or_farthest(values: Floats) -> Floats:
    return np.where(np.isnan(values), np.inf, values)


def _each(cases: Cases, distance: Any) -> Floats:
    pairs = zip(cases.truth, cases.answers, strict=True)
    return np.array([np.inf if given is None or true is None else distance(true, given) for true, given in pairs])


def _boxes_off(true: Floats, given: Floats, overlap: float) -> float:
    found = matches(overlaps(by_score(given, len(given)), true), overlap)
    return float(len(true) + len(given) - 2 * (found >= 0).sum())


def _pixels_off(true: NDArray[np.uint8], given: NDArray[np.uint8]) -> float:
    return float((true != given).mean()) if true.shape == given.shape else 1.0


def _texts_off(truth: Sequence[str | None], answers: Sequence[str | None]) -> Floats:
    far = np.array([_text_off(true, answer) for true, answer in zip(truth, answers, strict=True)])
    for index in np.flatnonzero(far == 1)[:_COMPARED].tolist():
        one, two = str(truth[index])[:_LONGEST], str(answers[index])[:_LONGEST]
        far[index] += min(edit_distance(one, two) / max(len(one), 1), 1)
    return far


def _text_off(truth: str | None, answer: str | None) -> float:
    """Return 0 for the same, 1 for another text, 3 for an answer that should be none, or none that should be one."""
    if truth == answer:
        return 0.0
    return 3.0 if truth is None or answer is None else 1.0
