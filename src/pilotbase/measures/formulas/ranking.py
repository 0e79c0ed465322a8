"""How well scores rank positive cases first: average precision, points of the curves, and part of the area below."""

import math
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from pilotbase.measures.cases import Floats, Ints
from pilotbase.measures.definition import AT_FIXED_N, DESCRIPTIVE, FORECASTING, JOINED, Measure, Parameter
from pilotbase.measures.formulas.probability import blocks, ranked
from pilotbase.measures.observation import (
    CutAtRate,
    MeasureInput,
    MeasurePart,
    Observation,
    joined_part,
    whole_value,
)

_STEPS, _ROWS = 10**9, 1 << 12


def average_precision(question: MeasureInput) -> MeasurePart:
    """Return Σ (R_k - R_(k-1)) · P_k over falling scores, a figure of the whole set; 0/0 where a class is missing."""
    positive = question.cases.truth == question.label
    if not positive.any() or positive.all():
        return whole_value(None, question)
    return whole_value(_average_precision(ranked(question, positive), positive), question)


def recall_at_false_alarms(question: MeasureInput) -> MeasurePart:
    """Return recall at the lowest cut with false alarms among at most ``rate`` of the negatives, of the whole set."""
    positive = question.ours()
    if not positive.any() or positive.all():
        return whole_value(None, question)
    scores = ranked(question, positive)
    negatives = np.sort(scores[~positive])[::-1]
    allowed = int(question.arguments["rate"] * len(negatives))
    above = scores[positive] > negatives[allowed] if allowed < len(negatives) else scores[positive] > -np.inf
    return whole_value(Fraction(int(above.sum()), len(above)), question)


def partial_auc(question: MeasureInput) -> MeasurePart:
    """Return the area under the ROC curve up to ``rate`` false alarms, divided by ``rate``, of the whole set.

    The curve is straight over equal scores: an answer that is always the same has half of ``rate``.
    """
    positive = question.ours()
    if not positive.any() or positive.all():
        return whole_value(None, question)
    ranks = np.unique(-ranked(question, positive), return_inverse=True)[1]
    ours, others = np.bincount(ranks, positive).astype(np.int64), np.bincount(ranks, ~positive).astype(np.int64)
    before, passed = np.cumsum(ours) - ours, np.cumsum(others)
    size = Fraction(question.arguments["rate"]) * int(passed[-1])
    last = int(np.searchsorted(passed, math.floor(size), "right"))
    area = Fraction(int((others * (2 * before + ours))[:last].sum()), 2)
    rest = size - int(passed[last] - others[last])
    area += rest * (int(before[last]) + rest * Fraction(int(ours[last]), 2 * int(others[last])))
    return whole_value(area / (int(positive.sum()) * size), question)


def precision_at_recall(question: MeasureInput) -> MeasurePart:
    """Return precision at the highest cut whose recall is at least ``recall``, of the whole set."""
    positive = question.ours()
    if not positive.any():
        return whole_value(None, question)
    scores = ranked(question, positive)
    ours = np.sort(scores[positive])[::-1]
    cut = ours[math.ceil(question.arguments["recall"] * len(ours)) - 1]
    return whole_value(Fraction(int((ours >= cut).sum()), int((scores >= cut).sum())), question)


def average_precision_of_lists(question: MeasureInput) -> MeasurePart:
    """Return the mean average precision of random lists of ``positives`` and ``others``: above that of all cases.

    Of a hidden set, the mean over all such lists; of a population, disjoint lists in the order of scoring, rounded down
    by less than a step.
    """
    positive, sizes = question.ours(), (question.whole("positives"), question.whole("others"))
    scores = ranked(question, positive)
    if question.estimand != "population":
        return whole_value(_mean_over_lists(scores[positive], scores[~positive], sizes), question)
    order = question.order
    ours, others = order[positive[order]], order[~positive[order]]
    count = min(len(ours) // sizes[0], len(others) // sizes[1])
    rows = [all_of[: count * size].reshape(count, size) for all_of, size in zip((ours, others), sizes, strict=True)]
    members, first = np.hstack(rows), np.arange(sum(sizes)) < sizes[0]
    gain = np.array([int(_average_precision(scores[row], first) * _STEPS) for row in members], dtype=np.int64)
    outcomes = ((0, _STEPS), (1, _STEPS), (_STEPS, _STEPS))
    return replace(joined_part(question, members, (gain, _STEPS), outcomes), slack=1)


def _mean_over_lists(ours: Floats, others: Floats, sizes: tuple[int, int]) -> float | None:
    """Return the expectation over the numbers of positives and others that stand no lower in a list: hypergeometric."""
    if len(ours) < sizes[0] or len(others) < sizes[1]:
        return None
    logs = np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, max(len(ours), len(others)) + 1)))))
    drawn = np.arange(sizes[0])[:, np.newaxis], np.arange(sizes[1] + 1)
    precision = (drawn[0] + 1) / (drawn[0] + drawn[1] + 1)
    not_below = [len(all_of) - np.searchsorted(np.sort(all_of), ours, "left") for all_of in (ours, others)]
    total = 0.0
    for start in range(0, len(ours), _ROWS):
        some = slice(start, start + _ROWS)
        first = _chances(not_below[0][some] - 1, len(ours) - 1, sizes[0] - 1, logs)
        second = _chances(not_below[1][some], len(others), sizes[1], logs)
        total += float(np.einsum("ij,ik,jk->", first, second, precision, optimize=True))
    return total / len(ours)


def _chances(marked: Ints, size: int, drawn: int, logs: Floats) -> Floats:
    """Return the chances of 0, 1, … ``drawn`` marked ones among ``drawn`` of ``size``; ``logs``: of factorials."""
    some, rest = np.arange(drawn + 1), drawn - np.arange(drawn + 1)
    left, others = marked[:, np.newaxis] - some, size - marked[:, np.newaxis] - rest
    ways = logs[marked, np.newaxis] - logs[some] - logs[left] + logs[size - marked, np.newaxis] - logs[rest]
    chances = np.exp(ways - logs[others] - (logs[size] - logs[drawn] - logs[size - drawn]))
    return np.where((left >= 0) & (others >= 0), chances, 0.0)


def _average_precision(scores: Floats, positive: NDArray[np.bool_]) -> float:
    ranks = np.unique(-scores, return_inverse=True)[1]
    ours, all_of = np.bincount(ranks, positive), np.cumsum(np.bincount(ranks))
    return float((ours * np.cumsum(ours) / all_of).sum() / ours.sum())


def _at_false_alarms(question: MeasureInput) -> Observation:
    return Observation(
        "function", (recall_at_false_alarms(question),), statistic=_cut(question, recall_at_false_alarms)
    )


def _up_to_false_alarms(question: MeasureInput) -> Observation:
    positive, cut = question.ours(), _cut(question, partial_auc)
    beyond = replace(cut, blocks=lambda cases, ranks: blocks(replace(question, order=cases), ranks, positive))
    return Observation("function", (partial_auc(question),), statistic=beyond)


def _cut(question: MeasureInput, of: Callable[[MeasureInput], MeasurePart]) -> CutAtRate:
    """Return scores, classes and the rate, and the measure ``of`` any of the cases."""
    positive = question.ours()
    chosen = np.zeros(len(positive), dtype=np.bool_)
    chosen[question.order] = True

    def value(cases: Ints) -> float | None:
        return of(replace(question, cases=question.cases.among(cases))).value()

    return CutAtRate(ranked(question, positive), positive, Fraction(question.arguments["rate"]), chosen, value)


_ROC = "ISO/IEC TS 4213:2022, 6.3.6 (a point of the ROC curve); Fawcett, Pattern Recognition Letters 27:861, 2006"
_RATE = (Parameter("rate", Decimal("0.05"), Decimal(0), Decimal("0.999999")),)
_LIST = tuple(Parameter(name, None, Decimal(0), Decimal(1000), whole=True) for name in ("positives", "others"))
MEASURES = (
    Measure(
        "average_precision", "Σ_k (R_k - R_(k-1)) P_k",
        "ISO/IEC TS 4213:2022, 6 (precision-recall curve); Zhu, University of Waterloo 2004", "higher", FORECASTING,
        average_precision, of_class=True, pooled=True, guarantees=DESCRIPTIVE, instead="average_precision_of_lists",
    ),
    Measure(
        "average_precision_of_lists", "mean average precision of random lists of positives and others",
        "mean of Zhu, University of Waterloo 2004, over disjoint lists", "higher", FORECASTING,
        average_precision_of_lists, parameters=_LIST, of_class=True, pooled=True, guarantees=JOINED,
    ),
    Measure(
        "precision_at_recall", "TP / (TP + FP) at the highest cut with recall ≥ R",
        "ISO/IEC TS 4213:2022, 6 (precision-recall curve)", "higher", FORECASTING, precision_at_recall, of_class=True,
        parameters=(Parameter("recall", None),), pooled=True, guarantees=DESCRIPTIVE, instead="precision, recall",
    ),
    Measure(
        "recall_at_false_alarms", "recall at the lowest cut with FP / (FP + TN) ≤ rate", _ROC, "higher", FORECASTING,
        recall_at_false_alarms, of_class=True, pooled=True, guarantees=AT_FIXED_N, parameters=_RATE,
        compose=_at_false_alarms,
    ),
    Measure(
        "partial_auc", "∫ recall d(false alarms) up to rate, / rate", "McClish, Medical Decision Making 9:190, 1989",
        "higher", FORECASTING, partial_auc, of_class=True, pooled=True, guarantees=AT_FIXED_N, parameters=_RATE,
        compose=_up_to_false_alarms,
    ),
)  # fmt: skip
