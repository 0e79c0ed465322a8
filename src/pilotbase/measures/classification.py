"""Measures of class decisions, as ratios of counts of the confusion matrix.

Terms and formulae: ISO/IEC TS 4213:2022, clause 6 (machine learning classification performance).
"""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np

from pilotbase.documents.texts import text
from pilotbase.measures.definition import ANY, CLASSIFYING, CUT, Measure, Parameter
from pilotbase.measures.observation import Part, Question, indicator

_SHARE_FINENESS = 1 << 40


def accuracy(question: Question) -> Part:
    """Return 1 for a right answer."""
    answered, truth = question.answered(), question.cases.truth
    return indicator(answered == truth, np.ones(len(truth), dtype=np.bool_), answered < 0, question)


def error_rate(question: Question) -> Part:
    """Return 1 for a wrong answer."""
    answered, truth = question.answered(), question.cases.truth
    return indicator(answered != truth, np.ones(len(truth), dtype=np.bool_), answered < 0, question)


def recall(question: Question) -> Part:
    """Return, among cases of the class, 1 for those found."""
    answered = question.answered()
    return indicator(answered == question.label, question.cases.truth == question.label, answered < 0, question)


def specificity(question: Question) -> Part:
    """Return, among cases of other classes, 1 for those not taken for the class."""
    answered = question.answered()
    return indicator(answered != question.label, question.cases.truth != question.label, answered < 0, question)


def precision(question: Question) -> Part:
    """Return, among cases answered with the class (an abstention counts as such), 1 for those of the class."""
    answered = question.answered()
    eligible = (answered == question.label) | (answered < 0)
    return indicator(question.cases.truth == question.label, eligible, answered < 0, question)


def f1(question: Question) -> Part:
    """Return 2 of 2 for a hit, 0 of 1 for a miss or a false alarm."""
    return _overlap(question, (2, 2), (0, 1), (0, 1))


def f_beta(question: Question) -> Part:
    """Return 1 + β² of 1 + β² for a hit, 0 of β² for a miss, 0 of 1 for a false alarm, as integers."""
    beta = Fraction(question.arguments["beta"]) ** 2
    p, q = beta.numerator, beta.denominator
    return _overlap(question, (p + q, p + q), (0, p), (0, q))


def jaccard(question: Question) -> Part:
    """Return 1 of 1 for a hit, 0 of 1 for a miss or a false alarm."""
    return _overlap(question, (1, 1), (0, 1), (0, 1))


def balanced_accuracy(question: Question) -> Part:
    """Return accuracy with each class weighted by N / (C · N_c): the mean recall of the classes that occur."""
    answered, truth = question.answered(), question.cases.truth.astype(np.int64)
    counts = np.bincount(truth, minlength=len(question.cases.classes))
    present = [int(count) for count in counts if count]
    common = math.lcm(*present) if present else 1
    # Exact weights where the common multiple stays small, else to forty bits.
    scale = common if common < _SHARE_FINENESS else _SHARE_FINENESS
    per_class = np.array([round(Fraction(scale, int(c))) if c else 0 for c in counts], dtype=np.int64)
    weight = per_class[truth]
    right = np.where(answered < 0, question.worst(0, 1), answered == truth)
    pairs = tuple((gain * int(w), int(w)) for w in per_class if w for gain in (0, 1))
    return Part(weight * right.astype(np.int64), weight, pairs or ((0, 1), (1, 1)))


def coverage(question: Question) -> Part:
    """Return 1 for an answered case."""
    given = ~_abstained(question)
    return Part(given.astype(np.int64), np.ones(len(given), dtype=np.int64), ((0, 1), (1, 1)))


def abstention(question: Question) -> Part:
    """Return 1 for a case without an answer."""
    missing = _abstained(question)
    return Part(missing.astype(np.int64), np.ones(len(missing), dtype=np.int64), ((0, 1), (1, 1)))


def _abstained(question: Question) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    if question.cases.kind == "value":
        return ~np.isfinite(question.cases.answers.astype(np.float64))
    return question.answered() < 0


def _overlap(question: Question, hit: tuple[int, int], miss: tuple[int, int], alarm: tuple[int, int]) -> Part:
    """Return the ratio over hits, misses and false alarms; an abstention counts as a miss or a false alarm."""
    answered = question.answered()
    ours, named = question.cases.truth == question.label, answered == question.label
    absent = answered < 0
    named = np.where(absent, ours if question.comparison == "<=" else ~ours, named)
    kinds = (ours & named, ours & ~named, ~ours & named)
    gain = sum(mask * pair[0] for mask, pair in zip(kinds, (hit, miss, alarm), strict=True))
    weight = sum(mask * pair[1] for mask, pair in zip(kinds, (hit, miss, alarm), strict=True))
    return Part(np.asarray(gain, dtype=np.int64), np.asarray(weight, dtype=np.int64), (hit, miss, alarm))


MEASURES = (
    Measure(
        "accuracy", text("measure.accuracy"), "right / N", "ISO/IEC TS 4213:2022, 6.2.3", "higher",
        CLASSIFYING, accuracy, parameters=(CUT,), paired=True,
    ),
    Measure(
        "error_rate", text("measure.error_rate"), "wrong / N", "ISO/IEC TS 4213:2022, 6.2.3", "lower",
        CLASSIFYING, error_rate, parameters=(CUT,), paired=True,
    ),
    Measure(
        "recall", text("measure.recall"), "TP / (TP + FN)", "ISO/IEC TS 4213:2022, 6.2.4", "higher",
        CLASSIFYING, recall, parameters=(CUT,), of_class=True, paired=True,
    ),
    Measure(
        "specificity", text("measure.specificity"), "TN / (TN + FP)", "ISO/IEC TS 4213:2022, 6.2.4", "higher",
        CLASSIFYING, specificity, parameters=(CUT,), of_class=True, paired=True,
    ),
    Measure(
        "precision", text("measure.precision"), "TP / (TP + FP)", "ISO/IEC TS 4213:2022, 6.2.4", "higher",
        CLASSIFYING, precision, parameters=(CUT,), of_class=True,
    ),
    Measure(
        "f1", text("measure.f1"), "2 TP / (2 TP + FP + FN)", "ISO/IEC TS 4213:2022, 6.2.5", "higher",
        CLASSIFYING, f1, parameters=(CUT,), of_class=True,
    ),
    Measure(
        "f_beta", text("measure.f_beta"), "(1 + β²) TP / ((1 + β²) TP + FP + β² FN)", "ISO/IEC TS 4213:2022, 6.2.6",
        "higher", CLASSIFYING, f_beta, parameters=(Parameter("beta", None, Decimal(0), Decimal(100)), CUT),
        of_class=True,
    ),
    Measure(
        "jaccard", text("measure.jaccard"), "TP / (TP + FP + FN)", "Jaccard, New Phytologist 11:37, 1912", "higher",
        CLASSIFYING, jaccard, parameters=(CUT,), of_class=True,
    ),
    Measure(
        "balanced_accuracy", text("measure.balanced_accuracy"), "Σ_c recall_c / C",
        "Brodersen, Ong, Stephan & Buhmann, ICPR 2010", "higher", CLASSIFYING, balanced_accuracy, parameters=(CUT,),
    ),
    Measure(
        "coverage", text("measure.coverage"), "answered / N", "El-Yaniv & Wiener, JMLR 11:1605, 2010", "higher",
        ANY, coverage,
    ),
    Measure(
        "abstention", text("measure.abstention"), "not answered / N", "El-Yaniv & Wiener, JMLR 11:1605, 2010",
        "lower", ANY, abstention,
    ),
)  # fmt: skip
