"""Measures of answered probabilities of the positive class: Brier score, capped log loss, area under the ROC curve."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from pilotbase.documents.texts import text
from pilotbase.measures.cases import Floats
from pilotbase.measures.definition import JOINED, SCORING, Measure, Parameter
from pilotbase.measures.observation import MeasureInput, MeasurePart, mean_of


def brier(question: MeasureInput) -> MeasurePart:
    """Return (p - y)²."""
    outcome = (question.cases.truth == question.label).astype(np.float64)
    return mean_of((of_label(question) - outcome) ** 2, Decimal(1), question)


def capped_log_loss(question: MeasureInput) -> MeasurePart:
    """Return min(-log p(truth), cap), natural logarithm."""
    cap = question.arguments["cap"]
    given = of_label(question)
    of_truth = np.where(question.cases.truth == question.label, given, 1 - given)
    with np.errstate(divide="ignore"):
        return mean_of(np.minimum(-np.log(of_truth), float(cap)), cap, question)


def auc(question: MeasureInput) -> MeasurePart:
    """Return, on a hidden set, the share of negatives below each positive; for a population, disjoint random pairs.

    Pairs are independent, which the population's bound needs; on a finite set only the census is exact
    (corrections, row 6). A tie counts one half.
    """
    positive = question.cases.truth == question.label
    scores = ranked(question, positive)
    return _pairs(question, scores, positive) if question.estimand == "population" else _census(scores, positive)


def _census(scores: Floats, positive: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> MeasurePart:
    negatives, places = np.sort(scores[~positive]), np.flatnonzero(positive)
    places = places[np.argsort(scores[places])]  # in rising order they are found fast
    below = np.searchsorted(negatives, scores[places], side="left")
    not_above = np.searchsorted(negatives, scores[places], side="right")
    each = 2 * len(negatives)
    gain, weight = np.zeros(len(scores), dtype=np.int64), np.zeros(len(scores), dtype=np.int64)
    gain[places], weight[places] = below + not_above, each
    return MeasurePart(gain, weight, ((0, max(each, 1)), (min(1, each), max(each, 1)), (each, max(each, 1))))


def _pairs(question: MeasureInput, scores: Floats, positive: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> MeasurePart:
    """Return the i-th positive against the i-th negative in the order of scoring, known at the later of the two."""
    order, place = question.order, np.empty(len(scores), dtype=np.int64)
    place[order] = np.arange(len(order))
    ups, downs = order[positive[order]], order[~positive[order]]
    count = min(len(ups), len(downs))
    ups, downs = ups[:count], downs[:count]
    later = np.where(place[ups] > place[downs], ups, downs)
    gain, weight = np.zeros(len(scores), dtype=np.int64), np.zeros(len(scores), dtype=np.int64)
    gain[later] = 2 * (scores[ups] > scores[downs]) + (scores[ups] == scores[downs])
    weight[later] = 2
    return MeasurePart(gain, weight, ((0, 2), (1, 2), (2, 2)), joined=True)


def of_label(question: MeasureInput) -> Floats:
    """Return the answered probability of the class that is asked about."""
    given = question.cases.probabilities()
    positive = question.cases.positive
    return given if positive is None or question.cases.code(positive) == question.label else 1 - given


def ranked(question: MeasureInput, positive: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Floats:
    """Return scores with abstentions ranked where they harm the criterion most."""
    given = of_label(question)
    harm = -1.0 if question.comparison == ">=" else 1.0
    return np.where(np.isnan(given), np.where(positive, harm, -harm) * np.inf, given)


_CAP = Parameter("cap", None, Decimal(0), Decimal(100), text="measure.argument.loss_cap")
MEASURES = (
    Measure(
        "brier", text("measure.brier"), "mean (p - y)²", "Brier, Monthly Weather Review 78:1, 1950", "lower",
        SCORING, brier, of_class=True, paired=True, of_calibration=True,
    ),
    Measure(
        "capped_log_loss", text("measure.capped_log_loss"), "mean min(-log p(truth), cap)",
        "Good, JRSS-B 14:107, 1952; capped so that it is bounded", "lower", SCORING, capped_log_loss,
        bounds=(Decimal(0), "cap"), parameters=(_CAP,), of_class=True, paired=True, of_calibration=True,
    ),
    Measure(
        "auc", text("measure.auc"), "P(score of a positive > of a negative) + P(equal) / 2",
        "ISO/IEC TS 4213:2022, 6.3.6; Hanley & McNeil, Radiology 143:29, 1982", "higher", SCORING, auc,
        of_class=True, pooled=True, guarantees=JOINED,
    ),
)  # fmt: skip
