"""Measures of answered probabilities: Brier score, capped and smoothed log loss, area under the ROC curve."""

import math
from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal

import numpy as np

from pilotbase.measures.cases import Floats
from pilotbase.measures.definition import FORECASTING, JOINED, Measure, Parameter
from pilotbase.measures.observation import ALL_CLASSES, MeasureInput, MeasurePart, joined_part, mean_of

_LEVEL = 0.025
"""Of a side, for the choice of blocks alone."""


def brier(question: MeasureInput) -> MeasurePart:
    """Return (p - y)²; of all classes half the sum, which of two is the same."""
    if question.label == ALL_CLASSES:
        outcomes = np.eye(len(question.cases.classes))[question.cases.truth]
        return mean_of(((question.cases.answers - outcomes) ** 2).sum(axis=1) / 2, Decimal(1), question)
    outcome = (question.cases.truth == question.label).astype(np.float64)
    return mean_of((of_label(question) - outcome) ** 2, Decimal(1), question)


def capped_log_loss(question: MeasureInput) -> MeasurePart:
    """Return min(-log p(truth), cap), natural logarithm."""
    cap = question.arguments["cap"]
    with np.errstate(divide="ignore"):
        return mean_of(np.minimum(-np.log(_of_truth(question)), float(cap)), cap, question)


def smoothed_log_loss(question: MeasureInput) -> MeasurePart:
    """Return -log of the probability of the truth in (1 - ε) p + ε / C of C classes: bounded without a cap."""
    epsilon = question.arguments["epsilon"]
    classes = len(question.cases.classes) if question.label == ALL_CLASSES else 2
    smoothed = (1 - float(epsilon)) * _of_truth(question) + float(epsilon) / classes
    largest = _largest_loss({"epsilon": epsilon, "classes": Decimal(classes)})
    return mean_of(-np.log(smoothed), largest, question)


def _of_truth(question: MeasureInput) -> Floats:
    """Return the answered probability of what is true: of its class or, of one class, of being that or not."""
    cases = question.cases
    if question.label == ALL_CLASSES:
        return np.asarray(cases.answers[np.arange(len(cases)), cases.truth], dtype=np.float64)
    given = of_label(question)
    return np.where(cases.truth == question.label, given, 1 - given)


def _largest_loss(arguments: Mapping[str, Decimal]) -> Decimal:
    """Return the loss of an answer of 0, rounded up to a step of the lattice."""
    return (arguments["classes"] / arguments["epsilon"]).ln().quantize(Decimal("1e-6"), ROUND_CEILING)


def auc(question: MeasureInput) -> MeasurePart:
    """Return, on a hidden set, the share of negatives below each positive; for a population, disjoint blocks.

    Blocks are independent, which the population's bound needs; on a finite set only the census is exact. A
    tie counts one half.
    """
    positive = question.cases.truth == question.label
    scores = ranked(question, positive)
    return blocks(question, scores, positive) if question.estimand == "population" else _census(scores, positive)


def _census(scores: Floats, positive: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> MeasurePart:
    negatives, places = np.sort(scores[~positive]), np.flatnonzero(positive)
    places = places[np.argsort(scores[places])]  # in rising order they are found fast
    below = np.searchsorted(negatives, scores[places], side="left")
    not_above = np.searchsorted(negatives, scores[places], side="right")
    each = 2 * len(negatives)
    gain, weight = np.zeros(len(scores), dtype=np.int64), np.zeros(len(scores), dtype=np.int64)
    gain[places], weight[places] = below + not_above, each
    return MeasurePart(gain, weight, ((0, max(each, 1)), (min(1, each), max(each, 1)), (each, max(each, 1))))


def blocks(question: MeasureInput, scores: Floats, positive: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> MeasurePart:
    """Return blocks of one case of the scarcer class and as many others as there are for each; gain: pairs in order.

    Where both classes are about as frequent, and plenty, blocks of two and two. Sizes depend on labels alone.
    """
    order = question.order
    ups, downs = order[positive[order]], order[~positive[order]]
    few, many = sorted((len(ups), len(downs)))
    each, threshold = many // max(few, 1), float(question.threshold)
    share = threshold if question.comparison == ">=" else 1 - threshold
    plenty = 0 < share < 1 and few >= 4 * math.log(_LEVEL) / math.log(share)
    rows, columns = (2, 2) if each == 1 and plenty else (1, each) if len(ups) <= len(downs) else (each, 1)
    count = min(len(ups) // rows, len(downs) // columns) if few else 0
    above = scores[ups[: count * rows]].reshape(count, rows, 1)
    below = scores[downs[: count * columns]].reshape(count, 1, columns)
    gain = (2 * (above > below) + (above == below)).sum(axis=(1, 2))
    members = np.hstack((ups[: count * rows].reshape(count, rows), downs[: count * columns].reshape(count, columns)))
    whole = 2 * rows * max(columns, 1)
    return joined_part(question, members, (gain, whole), ((0, whole), (1, whole), (whole, whole)))


def of_label(question: MeasureInput) -> Floats:
    """Return the answered probability of the class that is asked about."""
    if question.cases.kind == "probabilities":
        return np.asarray(question.cases.answers[:, question.label], dtype=np.float64)
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
        "brier", "mean (p - y)²; of all classes mean Σ_c (p_c - y_c)² / 2", "Brier, Monthly Weather Review 78:1, 1950",
        "lower", FORECASTING, brier, of_class=True, or_of_all=True, paired=True, of_calibration=True,
    ),
    Measure(
        "capped_log_loss", "mean min(-log p(truth), cap)", "Good, JRSS-B 14:107, 1952; capped so that it is bounded",
        "lower", FORECASTING, capped_log_loss, bounds=(Decimal(0), "cap"), parameters=(_CAP,), of_class=True,
        or_of_all=True, paired=True, of_calibration=True,
    ),
    Measure(
        "smoothed_log_loss", "mean -log((1 - ε) p(truth) + ε / C) of C classes",
        "Good, JRSS-B 14:107, 1952; of a smoothed answer, so that it is bounded", "lower", FORECASTING,
        smoothed_log_loss, parameters=(Parameter("epsilon", Decimal("0.01")),), of_class=True, or_of_all=True,
        bounds=(lambda given: -(1 - given["epsilon"] + given["epsilon"] / given["classes"]).ln(), _largest_loss),
        paired=True, of_calibration=True,
    ),
    Measure(
        "auc", "P(score of a positive > of a negative) + P(equal) / 2",
        "ISO/IEC TS 4213:2022, 6.3.6; Hanley & McNeil, Radiology 143:29, 1982", "higher", FORECASTING, auc,
        of_class=True, pooled=True, guarantees=JOINED,
    ),
)  # fmt: skip
