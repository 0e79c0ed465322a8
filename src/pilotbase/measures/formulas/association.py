"""Agreement of answers and truth beyond chance: functions of the whole confusion matrix."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import numpy as np

from pilotbase.documents.texts import text
from pilotbase.measures.cases import Floats, Ints
from pilotbase.measures.definition import ASYMPTOTIC, CLASSIFYING, CUT, LEAST_OF_CLASS, Measure
from pilotbase.measures.observation import CellStatistic, MeasureInput, MeasurePart, Observation, whole_value

Association = Callable[[Floats], Floats]


def mcc(question: MeasureInput) -> MeasurePart:
    """Return Matthews' correlation of answers and truth, a figure of the whole set."""
    return _whole(question, _mcc_of)


def kappa(question: MeasureInput) -> MeasurePart:
    """Return Cohen's kappa, a figure of the whole set."""
    return _whole(question, _kappa_of)


def _mcc_of(matrix: Floats) -> Floats:
    """Return the correlation of confusion matrices (…, truth, answer); NaN where either has one class only."""
    total = matrix.sum(axis=(-2, -1))
    right = np.trace(matrix, axis1=-2, axis2=-1)
    true, answered = matrix.sum(axis=-1), matrix.sum(axis=-2)
    spread = (total**2 - (true**2).sum(axis=-1)) * (total**2 - (answered**2).sum(axis=-1))
    with np.errstate(invalid="ignore", divide="ignore"):
        value: Floats = (right * total - (true * answered).sum(axis=-1)) / np.sqrt(spread)
    return np.where(spread > 0, value, np.nan)


def _kappa_of(matrix: Floats) -> Floats:
    """Return kappa of confusion matrices (…, truth, answer); NaN where chance alone agrees always."""
    total = matrix.sum(axis=(-2, -1))
    right = np.trace(matrix, axis1=-2, axis2=-1) * total
    chance = (matrix.sum(axis=-1) * matrix.sum(axis=-2)).sum(axis=-1)
    room = total**2 - chance
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(room > 0, (right - chance) / room, np.nan)


def _whole(question: MeasureInput, of: Association) -> MeasurePart:
    size = len(question.cases.classes)
    value = float(of(_matrix(_worst_cells(question, of), size)))
    return whole_value(None if np.isnan(value) else value, question, low=-1)


def _composed(of: Association) -> Callable[[MeasureInput], Observation]:
    def compose(question: MeasureInput) -> Observation:
        size = len(question.cases.classes)
        codes = _worst_cells(question, of)
        truth = np.where(codes < 0, -1, codes // size)
        cells = CellStatistic(
            codes, size * size, lambda counts: of(counts.reshape(*counts.shape[:-1], size, size)), truth, LEAST_OF_CLASS
        )
        return Observation("function", (_whole(question, of),), statistic=cells)

    return compose


def _worst_cells(question: MeasureInput, of: Association) -> Ints:
    """Return truth · C + answer of each case, -1 without truth; abstentions in the way that harms the criterion most.

    Tried are: all with the same class, and all the same number of classes beyond the truth.
    """
    size = len(question.cases.classes)
    truth, answered = question.cases.truth.astype(np.int64), question.answered().astype(np.int64)
    absent = answered < 0
    ways: list[Ints | int] = [0]
    if absent.any():
        ways = [*range(size), *((truth + step) % size for step in range(1, size))]
    sign = 1 if question.comparison == ">=" else -1
    found = [(np.where(truth < 0, -1, truth * size + np.where(absent, way, answered))) for way in ways]
    values = [sign * float(of(_matrix(cells, size))) for cells in found]
    return found[int(np.nanargmin(values))] if not np.isnan(values).all() else found[0]


def _matrix(cells: Ints, size: int) -> Floats:
    return np.bincount(cells[cells >= 0], minlength=size * size).astype(np.float64).reshape(size, size)


MEASURES = (
    Measure(
        "mcc", text("measure.mcc"),
        "(TP · TN - FP · FN) / √((TP + FP)(TP + FN)(TN + FP)(TN + FN)); R_K of more than two classes",
        "Matthews, BBA 405:442, 1975; Gorodkin, Computational Biology and Chemistry 28:367, 2004", "higher",
        CLASSIFYING, mcc, bounds=(Decimal(-1), Decimal(1)), parameters=(CUT,), pooled=True, guarantees=ASYMPTOTIC,
        compose=_composed(_mcc_of),
    ),
    Measure(
        "kappa", text("measure.kappa"), "(agreement - chance agreement) / (1 - chance agreement)",
        "Cohen, Educational and Psychological Measurement 20:37, 1960", "higher", CLASSIFYING, kappa,
        bounds=(Decimal(-1), Decimal(1)), parameters=(CUT,), pooled=True, guarantees=ASYMPTOTIC,
        compose=_composed(_kappa_of),
    ),
)  # fmt: skip
