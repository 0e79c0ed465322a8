"""How well scores rank positive cases first: average precision, and a point of the curve."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.texts import text
from pilotbase.measures.cases import Floats
from pilotbase.measures.definition import AT_FIXED_N, DESCRIPTIVE, SCORING, Measure, Parameter
from pilotbase.measures.formulas.probability import ranked
from pilotbase.measures.observation import (
    CutAtRate,
    MeasureInput,
    MeasurePart,
    Observation,
    whole_value,
)


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


def _average_precision(scores: Floats, positive: NDArray[np.bool_]) -> float:
    ranks = np.unique(-scores, return_inverse=True)[1]
    ours, all_of = np.bincount(ranks, positive), np.cumsum(np.bincount(ranks))
    return float((ours * np.cumsum(ours) / all_of).sum() / ours.sum())


def _at_false_alarms(question: MeasureInput) -> Observation:
    positive = question.ours()
    cut = CutAtRate(ranked(question, positive), positive, Fraction(question.arguments["rate"]))
    return Observation("function", (recall_at_false_alarms(question),), statistic=cut)


MEASURES = (
    Measure(
        "average_precision", text("measure.average_precision"), "Σ_k (R_k - R_(k-1)) P_k",
        "ISO/IEC TS 4213:2022, 6 (precision-recall curve); Zhu, University of Waterloo 2004", "higher", SCORING,
        average_precision, of_class=True, pooled=True, guarantees=DESCRIPTIVE,
    ),
    Measure(
        "recall_at_false_alarms", text("measure.recall_at_false_alarms"),
        "recall at the lowest cut with FP / (FP + TN) ≤ rate",
        "ISO/IEC TS 4213:2022, 6.3.6 (a point of the ROC curve); Fawcett, Pattern Recognition Letters 27:861, 2006",
        "higher", SCORING, recall_at_false_alarms, of_class=True, pooled=True, guarantees=AT_FIXED_N,
        parameters=(Parameter("rate", Decimal("0.05"), Decimal(0), Decimal("0.999999")),), compose=_at_false_alarms,
    ),
)  # fmt: skip
