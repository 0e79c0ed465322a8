"""How well scores rank positive cases first: average precision, AUC with DeLong's variance, a point of the curve."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import numpy as np

from pilotbase.documents.texts import text
from pilotbase.measures.cases import Floats, Ints
from pilotbase.measures.definition import ASYMPTOTIC, AT_FIXED_N, LEAST_OF_CLASS, SCORING, Measure, Parameter
from pilotbase.measures.formulas.probability import auc, ranked
from pilotbase.measures.observation import (
    CellStatistic,
    CutAtRate,
    MeasureInput,
    MeasurePart,
    Observation,
    ScoredClasses,
    whole_value,
)

_BINS = 200
"""Quantile bins of scores among which average precision is resampled."""


def average_precision(question: MeasureInput) -> MeasurePart:
    """Return Σ (R_k - R_(k-1)) · P_k over falling scores, a figure of the whole set; 0/0 where a class is missing."""
    positive = question.cases.truth == question.label
    if not positive.any() or positive.all():
        return whole_value(None, question)
    scores = ranked(question, positive)
    ranks = np.unique(-scores, return_inverse=True)[1]
    cells = 2 * ranks + positive
    counts = np.bincount(cells, minlength=2 * (int(ranks.max()) + 1)).astype(np.float64)
    return whole_value(float(_average_precision_of(counts)), question)


def recall_at_false_alarms(question: MeasureInput) -> MeasurePart:
    """Return recall at the lowest cut with false alarms among at most ``rate`` of the negatives, of the whole set."""
    positive = question.ours()
    if not positive.any() or positive.all():
        return whole_value(None, question)
    scores = ranked(question, positive)
    negatives = np.sort(scores[~positive])[::-1]
    allowed = int(question.arguments["rate"] * len(negatives))
    above = scores[positive] > negatives[allowed] if allowed < len(negatives) else scores[positive] > -np.inf
    return whole_value(float(above.mean()), question)


def _average_precision_of(counts: Floats) -> Floats:
    """Return average precision from counts (…, 2 · bins), negatives and positives of each bin, highest scores first."""
    negatives, positives = counts[..., 0::2], counts[..., 1::2]
    hits, alarms = np.cumsum(positives, axis=-1), np.cumsum(negatives, axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(hits > 0, hits / (hits + alarms), 0.0)
        value: Floats = (positives * precision).sum(axis=-1) / hits[..., -1]
    return np.where(alarms[..., -1] > 0, value, np.nan)


def _binned(question: MeasureInput) -> Observation:
    positive = question.cases.truth == question.label
    cells: Ints = 2 * _falling_bins(ranked(question, positive)) + positive
    statistic = CellStatistic(cells, 2 * _BINS, _average_precision_of, positive.astype(np.int64), LEAST_OF_CLASS)
    return Observation("function", (average_precision(question),), statistic=statistic)


def _at_false_alarms(question: MeasureInput) -> Observation:
    positive = question.ours()
    cut = CutAtRate(ranked(question, positive), positive, Fraction(question.arguments["rate"]))
    return Observation("function", (recall_at_false_alarms(question),), statistic=cut)


def _falling_bins(scores: Floats) -> Ints:
    """Return the bin of each score, highest first, equal scores in one bin, bins of about equal size."""
    ranks = np.unique(-scores, return_inverse=True)[1]
    before = np.cumsum(np.bincount(ranks)) - np.bincount(ranks)
    return np.asarray(before[ranks] * _BINS // max(len(scores), 1), dtype=np.int64)


def _scored(question: MeasureInput) -> Observation:
    positive = question.cases.truth == question.label
    whole = auc(replace(question, estimand="hidden_set"))
    return Observation("function", (whole,), statistic=ScoredClasses(ranked(question, positive), positive))


MEASURES = (
    Measure(
        "average_precision", text("measure.average_precision"), "Σ_k (R_k - R_(k-1)) P_k",
        "ISO/IEC TS 4213:2022, 6 (precision-recall curve); Zhu, University of Waterloo 2004", "higher", SCORING,
        average_precision, of_class=True, pooled=True, guarantees=ASYMPTOTIC, compose=_binned,
    ),
    Measure(
        "auc_delong", text("measure.auc_delong"), "P(score of a positive > of a negative) + P(equal) / 2",
        "DeLong, DeLong & Clarke-Pearson, Biometrics 44:837, 1988", "higher", SCORING, auc, of_class=True,
        pooled=True, guarantees=ASYMPTOTIC, compose=_scored,
    ),
    Measure(
        "recall_at_false_alarms", text("measure.recall_at_false_alarms"),
        "recall at the lowest cut with FP / (FP + TN) ≤ rate",
        "ISO/IEC TS 4213:2022, 6.3.6 (a point of the ROC curve); Fawcett, Pattern Recognition Letters 27:861, 2006",
        "higher", SCORING, recall_at_false_alarms, of_class=True, pooled=True, guarantees=AT_FIXED_N,
        parameters=(Parameter("rate", Decimal("0.05"), Decimal(0), Decimal("0.999999")),), compose=_at_false_alarms,
    ),
)  # fmt: skip
