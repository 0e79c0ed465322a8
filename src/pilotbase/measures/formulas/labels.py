"""Measures of answers with several classes per case: whole sets of labels, single labels, and per-case overlap.

Terms: ISO/IEC TS 4213:2022, clause 6 (multi-label classification performance); Tsoumakas, Katakis & Vlahavas, "Mining
multi-label data", in Data Mining and Knowledge Discovery Handbook, 2010. For single classes: `classification`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.texts import text
from pilotbase.measures.cases import Floats, Ints
from pilotbase.measures.definition import LABELLING, SHARE, Measure
from pilotbase.measures.observation import MeasureInput, MeasurePart, indicator, mean_among


def subset_accuracy(question: MeasureInput) -> MeasurePart:
    """Return 1 where all labels are right, and none is missing."""
    same = (question.cases.answers == question.cases.truth).all(axis=1)
    return indicator(same, _known(question), question.absent(), question)


def hamming_loss(question: MeasureInput) -> MeasurePart:
    """Return how many labels of how many classes are missing or too many."""
    classes = question.cases.truth.shape[1]
    wrong = (question.cases.answers != question.cases.truth).sum(axis=1)
    gain, known = np.where(question.absent(), question.worst(0, classes), wrong), _known(question).astype(np.int64)
    return MeasurePart(gain * known, classes * known, ((0, classes), (1, classes), (classes, classes)))


def label_precision(question: MeasureInput) -> MeasurePart:
    """Return how many of the named labels are right; an abstention names all that are wrong."""
    hits, alarms, _ = _counts(question)
    weight = np.where(question.absent() & _known(question), np.maximum(hits + alarms, 1), hits + alarms)
    return MeasurePart(hits, weight, _shares(question))


def label_recall(question: MeasureInput) -> MeasurePart:
    """Return how many of the right labels are named."""
    hits, _, misses = _counts(question)
    return MeasurePart(hits, hits + misses, _shares(question))


def label_f1(question: MeasureInput) -> MeasurePart:
    """Return 2 of 2 for each label found, 0 of 1 for each missing or too many."""
    hits, alarms, misses = _counts(question)
    most = question.cases.truth.shape[1]
    return MeasurePart(2 * hits, 2 * hits + alarms + misses, ((2, 2), (0, 1), (2 * most, 2 * most), (0, most)))


def example_f1(question: MeasureInput) -> MeasurePart:
    """Return F1 of each case's labels; where none is right and none is named it is 1."""
    hits, alarms, misses = _counts(question)
    return _each(question, 2 * hits, 2 * hits + alarms + misses)


def example_jaccard(question: MeasureInput) -> MeasurePart:
    """Return the overlap of each case's named and right labels; where none is right and none is named it is 1."""
    hits, alarms, misses = _counts(question)
    return _each(question, hits, hits + alarms + misses)


def _each(question: MeasureInput, over: Ints, under: Ints) -> MeasurePart:
    scores: Floats = np.where(under > 0, over / np.maximum(under, 1), 1.0)
    scores = np.where(question.absent(), np.nan, scores)
    return mean_among(scores, _known(question), question)


def _known(question: MeasureInput) -> NDArray[np.bool_]:
    """Return which cases have a truth, even if it is no label at all."""
    return np.asarray((question.cases.truth >= 0).all(axis=1))


def _counts(question: MeasureInput) -> tuple[Ints, Ints, Ints]:
    """Return each case's labels found, too many, missing; an abstention names none that is right, all others."""
    ours, others = question.cases.truth == 1, question.cases.truth == 0
    worst = ours if question.worst(0, 1) else others
    named = np.where(question.absent()[:, None], worst, question.cases.answers == 1)
    found, extra, missed = (
        (one & other).sum(axis=1) for one, other in ((ours, named), (others, named), (ours, ~named))
    )
    return found.astype(np.int64), extra.astype(np.int64), missed.astype(np.int64)


def _shares(question: MeasureInput) -> tuple[tuple[int, int], ...]:
    most = question.cases.truth.shape[1]
    return (0, 1), (1, 1), (0, most), (most, most)


_BOOK = "Tsoumakas, Katakis & Vlahavas, Data Mining and Knowledge Discovery Handbook 2010, section 34.7"
_MICRO = "ISO/IEC TS 4213:2022, 6 (multi-label, micro average)"

MEASURES = (
    Measure(
        "subset_accuracy", text("measure.subset_accuracy"), "all labels right / N",
        "ISO/IEC TS 4213:2022, 6 (multi-label, exact match ratio)", "higher", LABELLING, subset_accuracy, paired=True,
        guarantees=SHARE,
    ),
    Measure(
        "hamming_loss", text("measure.hamming_loss"), "Σ labels missing or too many / (N · C)",
        "ISO/IEC TS 4213:2022, 6 (multi-label, Hamming loss)", "lower", LABELLING, hamming_loss, paired=True,
    ),
    Measure(
        "label_precision", text("measure.label_precision"), "Σ_c TP_c / Σ_c (TP_c + FP_c)", _MICRO, "higher",
        LABELLING, label_precision,
    ),
    Measure(
        "label_recall", text("measure.label_recall"), "Σ_c TP_c / Σ_c (TP_c + FN_c)", _MICRO, "higher", LABELLING,
        label_recall, paired=True, even=False,
    ),
    Measure(
        "label_f1", text("measure.label_f1"), "2 Σ_c TP_c / Σ_c (2 TP_c + FP_c + FN_c)", _MICRO, "higher", LABELLING,
        label_f1,
    ),
    Measure(
        "example_f1", text("measure.example_f1"), "mean 2 |T ∩ A| / (|T| + |A|), 0/0 = 1", _BOOK, "higher", LABELLING,
        example_f1, paired=True,
    ),
    Measure(
        "example_jaccard", text("measure.example_jaccard"), "mean |T ∩ A| / |T ∪ A|, 0/0 = 1", _BOOK, "higher",
        LABELLING, example_jaccard, paired=True,
    ),
)  # fmt: skip
