"""Measures that give every class the same weight, however rare it is, or that pool the counts of all classes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import partial

import numpy as np

from pilotbase.documents.texts import text
from pilotbase.measures.cases import Ints
from pilotbase.measures.definition import BOUNDED, CLASSIFYING, CUT, SHARE, Measure
from pilotbase.measures.formulas import classification
from pilotbase.measures.formulas.classification import OF_CLASSES
from pilotbase.measures.observation import MeasureInput, MeasurePart, Observation, joined_part, whole_of

_FINENESS = 1 << 40


def balanced_accuracy(question: MeasureInput) -> MeasurePart:
    """Return accuracy with equal weight for each class.

    On a hidden set a case weighs N / (C · N_c), C classes that occur (corrections: exact). For a population the i-th
    cases of all classes in the order of scoring form one entry, known at the last of them: entries are independent, and
    their mean is the balanced accuracy whatever the shares of the classes.
    """
    answered, truth = question.answered(), question.cases.truth.astype(np.int64)
    right = np.where(answered < 0, question.worst(0, 1), answered == truth).astype(np.int64)
    if question.estimand == "population":
        return _one_of_each(question, right, truth)
    counts = np.bincount(truth[truth >= 0], minlength=len(question.cases.classes))
    present = [int(count) for count in counts if count]
    common = math.lcm(*present) if present else 1
    # Exact weights where the common multiple stays small, else to forty bits.
    scale = common if common < _FINENESS else _FINENESS
    per_class = np.array([round(Fraction(scale, int(c))) if c else 0 for c in counts], dtype=np.int64)
    weight = np.where(truth >= 0, per_class[truth], 0)
    pairs = tuple((gain * int(w), int(w)) for w in per_class if w for gain in (0, 1))
    return MeasurePart(weight * right, weight, pairs or ((0, 1), (1, 1)))


def _mean_over_classes(of_class: Callable[[MeasureInput], MeasurePart], question: MeasureInput) -> Observation:
    """Return one part a class; a class that occurs, or is answered, only in no case of a hidden set does not count."""
    names = question.cases.classes
    each = [(name, replace(question, label=code)) for code, name in enumerate(names)]
    if question.estimand != "population":
        each = [(name, about) for name, about in each if about.ours().any() or about.named()[0].any()]
    return Observation("mean", tuple(replace(of_class(about), name=name) for name, about in each))


def _one_of_each(question: MeasureInput, right: Ints, truth: Ints) -> MeasurePart:
    order, classes = question.order, max(len(question.cases.classes), 1)
    of_class = [order[truth[order] == code] for code in range(classes)]
    count = min(len(members) for members in of_class)
    each = np.stack([members[:count] for members in of_class], axis=1)
    outcomes = tuple((number, classes) for number in range(classes + 1))
    return joined_part(question, each, (right[each].sum(axis=1), classes), outcomes)


_EACH_PRECISION = partial(_mean_over_classes, classification.precision)
_EACH_F1 = partial(_mean_over_classes, classification.f1)
_MACRO = "ISO/IEC TS 4213:2022, 6 (multi-class, macro average)"

MEASURES = (
    Measure(
        "balanced_accuracy", text("measure.balanced_accuracy"), "Σ_c recall_c / C",
        "Brodersen, Ong, Stephan & Buhmann, ICPR 2010", "higher", CLASSIFYING, balanced_accuracy, parameters=(CUT,),
        paired=True, by_case=False, even=False, guarantees=BOUNDED,
    ),
    Measure(
        "macro_recall", text("measure.macro_recall"), "Σ_c recall_c / C", _MACRO, "higher", CLASSIFYING,
        balanced_accuracy, parameters=(CUT,), paired=True, by_case=False, even=False, guarantees=BOUNDED,
    ),
    Measure(
        "macro_precision", text("measure.macro_precision"), "Σ_c precision_c / C", _MACRO, "higher", OF_CLASSES,
        whole_of(_EACH_PRECISION), parameters=(CUT,), pooled=True, compose=_EACH_PRECISION, guarantees=BOUNDED,
    ),
    Measure(
        "macro_f1", text("measure.macro_f1"), "Σ_c F1_c / C", _MACRO, "higher", OF_CLASSES,
        whole_of(_EACH_F1), parameters=(CUT,), pooled=True, compose=_EACH_F1, guarantees=BOUNDED,
    ),
    Measure(
        "micro_f1", text("measure.micro_f1"), "2 Σ_c TP_c / Σ_c (2 TP_c + FP_c + FN_c): accuracy, one answer a case",
        "ISO/IEC TS 4213:2022, 6 (multi-class, micro average)", "higher", CLASSIFYING, classification.accuracy,
        parameters=(CUT,), paired=True, guarantees=SHARE,
    ),
)  # fmt: skip
