"""Agreement of answers and truth beyond chance: of the whole confusion matrix, or of disjoint pairs of cases."""

import math
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import numpy as np

from pilotbase.measures.cases import Ints
from pilotbase.measures.definition import CLASSIFYING, CUT, JOINED, Measure
from pilotbase.measures.observation import MeasureInput, MeasurePart, joined_part, whole_value

_STEPS = 10_000
_BALANCES = np.array([2 / 3, 3 / 4, 7 / 8, 1, 8 / 7, 4 / 3, 3 / 2])
"""Values of w in `mcc`: few, so that pairs are of few kinds."""
_OF_TRUTH, _OF_ANSWER = (np.ceil(_STEPS * each).astype(np.int64) for each in (_BALANCES, 1 / _BALANCES))
Association = Callable[[Ints], float | Fraction | None]


def mcc(question: MeasureInput) -> MeasurePart:
    """Return Matthews' correlation of answers and truth: a figure of the whole set; for a population, of pairs.

    With w > 0, √(v_t v_a) ≤ (w v_t + v_a / w) / 2: the ratio of covariance to the right side is at most the correlation
    and near it where w is √(v_a / v_t), here that of earlier pairs. R_K of more classes likewise.
    """
    if question.estimand != "population":
        return _whole(question, _mcc_of)
    members, truth, answered = _pairs(question)
    agree, cross = _agreements(truth, answered)
    apart, varied = (pair[:, 0] != pair[:, 1] for pair in (truth, answered))
    earlier = [1 + np.cumsum(flags) - flags for flags in (apart, varied)]
    nearest = np.searchsorted(np.sqrt(_BALANCES[1:] * _BALANCES[:-1]), np.sqrt(earlier[1] / earlier[0]))
    weight = apart * _OF_TRUTH[nearest] + varied * _OF_ANSWER[nearest]
    sides = [(0, int(one)) for one in (*_OF_TRUTH, *_OF_ANSWER)]
    both = [(gain * _STEPS, int(w)) for w in _OF_TRUTH + _OF_ANSWER for gain in range(-2, 3)]
    part = joined_part(question, members, (_STEPS * (agree - cross), weight), (*both, *sides))
    return replace(part, from_below=True)


def kappa(question: MeasureInput) -> MeasurePart:
    """Return Cohen's kappa: a figure of the whole set; for a population, of pairs.

    Of two independent cases, right answers less answers that are right for the other case, against all less these, have
    kappa as the ratio of their means.
    """
    if question.estimand != "population":
        return _whole(question, _kappa_of)
    members, truth, answered = _pairs(question)
    agree, cross = _agreements(truth, answered)
    outcomes = ((2, 2), (1, 2), (0, 1), (0, 2), (-1, 1), (-2, 0))
    return joined_part(question, members, (agree - cross, 2 - cross), outcomes)


def _pairs(question: MeasureInput) -> tuple[Ints, Ints, Ints]:
    """Return disjoint pairs of cases in their order with truth and answers, each (pairs, 2).

    An abstention is the class after the truth or, where a low value is asked for, the truth.
    """
    truth, answered = question.cases.truth.astype(np.int64), question.answered().astype(np.int64)
    harm = (truth + question.worst(1, 0)) % max(len(question.cases.classes), 1)
    answered = np.where(answered < 0, harm, answered)
    known = question.order[truth[question.order] >= 0]
    members = known[: len(known) // 2 * 2].reshape(-1, 2)
    return members, truth[members], answered[members]


def _agreements(truth: Ints, answered: Ints) -> tuple[Ints, Ints]:
    """Return how many answers of each pair are right, and how many would be for the other case."""
    return (truth == answered).sum(axis=1), (truth == answered[:, ::-1]).sum(axis=1)


def _mcc_of(matrix: Ints) -> float | None:
    """Return the correlation of a confusion matrix (truth, answer); None where either has one class only."""
    total, right = int(matrix.sum()), int(np.trace(matrix))
    true, answered = (matrix.sum(axis=axis).astype(object) for axis in (1, 0))
    spread = (total**2 - (true**2).sum()) * (total**2 - (answered**2).sum())
    return float((right * total - (true * answered).sum()) / math.sqrt(spread)) if spread else None


def _kappa_of(matrix: Ints) -> Fraction | None:
    """Return kappa of a confusion matrix (truth, answer); None where chance alone agrees always."""
    total, right = int(matrix.sum()), int(np.trace(matrix))
    chance = int((matrix.sum(axis=0).astype(object) * matrix.sum(axis=1)).sum())
    return Fraction(right * total - chance, total**2 - chance) if total**2 > chance else None


def _whole(question: MeasureInput, of: Association) -> MeasurePart:
    """Return the value of the whole set; abstentions harm the criterion most.

    Tried are: all with the same class, and all the same number of classes beyond the truth.
    """
    size = len(question.cases.classes)
    truth, answered = question.cases.truth.astype(np.int64), question.answered().astype(np.int64)
    absent = answered < 0
    ways: list[Ints | int] = [0]
    if absent.any():
        ways = [*range(size), *((truth + step) % size for step in range(1, size))]
    cells = [np.where(truth < 0, -1, truth * size + np.where(absent, way, answered)) for way in ways]
    found = [value for value in (of(_matrix(each, size)) for each in cells) if value is not None]
    worst = min if question.comparison == ">=" else max
    return whole_value(worst(found) if found else None, question, low=-1)


def _matrix(cells: Ints, size: int) -> Ints:
    return np.bincount(cells[cells >= 0], minlength=size * size).reshape(size, size)


MEASURES = (
    Measure(
        "mcc", "(TP · TN - FP · FN) / √((TP + FP)(TP + FN)(TN + FP)(TN + FN)); R_K of more than two classes",
        "Matthews, BBA 405:442, 1975; Gorodkin, Computational Biology and Chemistry 28:367, 2004", "higher",
        CLASSIFYING, mcc, bounds=(Decimal(-1), Decimal(1)), parameters=(CUT,), pooled=True, guarantees=JOINED,
    ),
    Measure(
        "kappa", "(agreement - chance agreement) / (1 - chance agreement)",
        "Cohen, Educational and Psychological Measurement 20:37, 1960", "higher", CLASSIFYING, kappa,
        bounds=(Decimal(-1), Decimal(1)), parameters=(CUT,), pooled=True, guarantees=JOINED,
    ),
)  # fmt: skip
