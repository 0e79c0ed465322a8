"""Measures of class decisions, as ratios of counts of the confusion matrix.

Terms and formulae: ISO/IEC TS 4213:2022, clause 6 (machine learning classification performance).
"""

import math
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

import numpy as np

from pilotbase.documents.criteria import cost_of, mistake_of
from pilotbase.measures.definition import ANY, CLASSIFYING, CUT, LABELLING, MOST_COST, SHARE, Measure, Parameter
from pilotbase.measures.observation import MeasureInput, MeasurePart, indicator

OF_CLASSES = CLASSIFYING | LABELLING
"""Kinds of answer with separate measures for each class: one class per case, or several."""


def accuracy(question: MeasureInput) -> MeasurePart:
    """Return 1 for a right answer; a case that has none (to be refused) does not count."""
    answered, truth = question.answered(), question.cases.truth
    return indicator(answered == truth, truth >= 0, answered < 0, question)


def error_rate(question: MeasureInput) -> MeasurePart:
    """Return 1 for a wrong answer; a case that has no right one (to be refused) does not count."""
    answered, truth = question.answered(), question.cases.truth
    return indicator(answered != truth, truth >= 0, answered < 0, question)


def recall(question: MeasureInput) -> MeasurePart:
    """Return, among cases of the class, 1 for those found."""
    named, absent = question.named()
    return indicator(named, question.ours(), absent, question)


def specificity(question: MeasureInput) -> MeasurePart:
    """Return, among cases of other classes, 1 for those not taken for the class."""
    named, absent = question.named()
    return indicator(~named, ~question.ours(), absent, question)


def precision(question: MeasureInput) -> MeasurePart:
    """Return, among cases answered with the class (including abstentions), 1 for those of the class."""
    named, absent = question.named()
    return indicator(question.ours(), named | absent, absent, question)


def f1(question: MeasureInput) -> MeasurePart:
    """Return 2 of 2 for a hit, 0 of 1 for a miss or a false alarm."""
    return _overlap(question, (2, 2), (0, 1), (0, 1))


def f_beta(question: MeasureInput) -> MeasurePart:
    """Return 1 + β² of 1 + β² for a hit, 0 of β² for a miss, 0 of 1 for a false alarm, as integers."""
    beta = Fraction(question.arguments["beta"]) ** 2
    p, q = beta.numerator, beta.denominator
    return _overlap(question, (p + q, p + q), (0, p), (0, q))


def jaccard(question: MeasureInput) -> MeasurePart:
    """Return 1 of 1 for a hit, 0 of 1 for a miss or a false alarm."""
    return _overlap(question, (1, 1), (0, 1), (0, 1))


def negative_predictive_value(question: MeasureInput) -> MeasurePart:
    """Return, among cases not answered with the class (including abstentions), 1 for those of other classes."""
    named, absent = question.named()
    return indicator(~question.ours(), ~named, absent, question)


def selection_rate(question: MeasureInput) -> MeasurePart:
    """Return 1 for a case answered with the class, whatever the truth."""
    named, absent = question.named()
    return indicator(named, np.ones(len(named), dtype=np.bool_), absent, question)


def selective_accuracy(question: MeasureInput) -> MeasurePart:
    """Return, among answered cases, 1 for a right answer; unanswered cases don't count."""
    answered = question.answered()
    given = answered >= 0
    return indicator(answered == question.cases.truth, given, ~given, question)


def cost(question: MeasureInput) -> MeasurePart:
    """Return the cost of a miss or a false alarm, as integers; an abstention costs as much as the wrong answer."""
    mistakes = {name: amount for name, amount in question.arguments.items() if mistake_of(name) is not None}
    if mistakes:
        return _cost_of_mistakes(question, mistakes)
    (named, absent), ours = question.named(), question.ours()
    miss, alarm = (Fraction(question.arguments[name]) for name in ("miss", "false_alarm"))
    steps = math.lcm(miss.denominator, alarm.denominator)
    of_miss, of_alarm = int(miss * steps), int(alarm * steps)
    wrong = np.where(absent, bool(question.worst(0, 1)), named != ours)
    gain = np.where(wrong, np.where(ours, of_miss, of_alarm), 0).astype(np.int64)
    return MeasurePart(
        gain, np.full(len(gain), steps, dtype=np.int64), ((0, steps), (of_miss, steps), (of_alarm, steps))
    )


def _cost_of_mistakes(question: MeasureInput, mistakes: Mapping[str, Decimal]) -> MeasurePart:
    """Return what each answer costs, as integers; an abstention costs as much as the dearest mistake."""
    classes, truth, answered = question.cases.classes, question.cases.truth, question.answered()
    costs = [[Fraction(cost_of(mistakes, true, other) or 0) for other in classes] for true in classes]
    steps = math.lcm(*(one.denominator for row in costs for one in row))
    table = np.array([[int(one * steps) for one in row] for row in costs], dtype=np.int64)
    absent = table.max(axis=1) if question.worst(0, 1) else table.min(axis=1)
    gain = np.where(answered < 0, absent[truth], table[truth, answered])
    known, seen = truth >= 0, np.unique(table).tolist()
    outcomes = tuple((amount, steps) for amount in seen)
    return MeasurePart(np.where(known, gain, 0), np.where(known, steps, 0).astype(np.int64), outcomes)


def _largest_cost(given: Mapping[str, Decimal]) -> Decimal:
    """Return the largest cost that a case can have."""
    return max(amount for name, amount in given.items() if name in ("miss", "false_alarm") or mistake_of(name))


def coverage(question: MeasureInput) -> MeasurePart:
    """Return 1 for an answered case."""
    given = ~question.absent()
    return MeasurePart(given.astype(np.int64), np.ones(len(given), dtype=np.int64), ((0, 1), (1, 1)))


def abstention(question: MeasureInput) -> MeasurePart:
    """Return 1 for a case without an answer."""
    missing = question.absent()
    return MeasurePart(missing.astype(np.int64), np.ones(len(missing), dtype=np.int64), ((0, 1), (1, 1)))


def _overlap(
    question: MeasureInput, hit: tuple[int, int], miss: tuple[int, int], alarm: tuple[int, int]
) -> MeasurePart:
    """Return the ratio over hits, misses and false alarms; an abstention counts as a miss or a false alarm."""
    (named, absent), ours = question.named(), question.ours()
    named = np.where(absent, ours if question.comparison == "<=" else ~ours, named)
    codes = 2 * ours.view(np.int8) + named.view(np.int8)
    pairs = np.array([(0, 0), alarm, miss, hit])
    gain, weight = pairs.T.astype(np.int8 if pairs.max() < 128 else np.int64)
    return MeasurePart(gain[codes], weight[codes], (hit, miss, alarm))


MEASURES = (
    Measure(
        "accuracy", "right / N", "ISO/IEC TS 4213:2022, 6.2.3", "higher", CLASSIFYING, accuracy, parameters=(CUT,),
        paired=True, guarantees=SHARE,
    ),
    Measure(
        "error_rate", "wrong / N", "ISO/IEC TS 4213:2022, 6.2.3", "lower", CLASSIFYING, error_rate, parameters=(CUT,),
        paired=True, guarantees=SHARE,
    ),
    Measure(
        "recall", "TP / (TP + FN)", "ISO/IEC TS 4213:2022, 6.2.4", "higher", OF_CLASSES, recall, parameters=(CUT,),
        of_class=True, paired=True, guarantees=SHARE,
    ),
    Measure(
        "specificity", "TN / (TN + FP)", "ISO/IEC TS 4213:2022, 6.2.4", "higher", OF_CLASSES, specificity,
        parameters=(CUT,), of_class=True, paired=True, guarantees=SHARE,
    ),
    Measure(
        "precision", "TP / (TP + FP)", "ISO/IEC TS 4213:2022, 6.2.4", "higher", OF_CLASSES, precision,
        parameters=(CUT,), of_class=True, guarantees=SHARE,
    ),
    Measure(
        "f1", "2 TP / (2 TP + FP + FN)", "ISO/IEC TS 4213:2022, 6.2.5", "higher", OF_CLASSES, f1, parameters=(CUT,),
        of_class=True,
    ),
    Measure(
        "f_beta", "(1 + β²) TP / ((1 + β²) TP + FP + β² FN)", "ISO/IEC TS 4213:2022, 6.2.6", "higher", OF_CLASSES,
        f_beta, parameters=(Parameter("beta", None, Decimal(0), Decimal(100)), CUT), of_class=True,
    ),
    Measure(
        "jaccard", "TP / (TP + FP + FN)", "Jaccard, New Phytologist 11:37, 1912", "higher", OF_CLASSES, jaccard,
        parameters=(CUT,), of_class=True, guarantees=SHARE,
    ),
    Measure(
        "negative_predictive_value", "TN / (TN + FN)", "Altman & Bland, BMJ 309:102, 1994", "higher", OF_CLASSES,
        negative_predictive_value, parameters=(CUT,), of_class=True, guarantees=SHARE,
    ),
    Measure(
        "selection_rate", "(TP + FP) / N", "Feldman et al., KDD 2015 (demographic parity: its gap between groups)",
        "neither", OF_CLASSES, selection_rate, parameters=(CUT,), of_class=True, guarantees=SHARE,
    ),
    Measure(
        "selective_accuracy", "right / answered", "El-Yaniv & Wiener, JMLR 11:1605, 2010", "higher", CLASSIFYING,
        selective_accuracy, parameters=(CUT,), guarantees=SHARE, beside=("coverage", "abstention"),
    ),
    Measure(
        "cost", "(miss · FN + false_alarm · FP) / N", "Elkan, IJCAI 2001", "lower", OF_CLASSES, cost,
        bounds=(Decimal(0), _largest_cost),
        parameters=(
            Parameter("miss", None, Decimal(0), MOST_COST), Parameter("false_alarm", None, Decimal(0), MOST_COST), CUT,
        ),
        of_class=True, of_mistakes=True, paired=True,
    ),
    Measure(
        "coverage", "answered / N", "El-Yaniv & Wiener, JMLR 11:1605, 2010", "higher", ANY, coverage, guarantees=SHARE,
        of_process=True,
    ),
    Measure(
        "abstention", "not answered / N", "El-Yaniv & Wiener, JMLR 11:1605, 2010", "lower", ANY, abstention,
        guarantees=SHARE, of_process=True,
    ),
)  # fmt: skip
