"""Measures of answered values. A mean of unbounded errors can never be shown to be small, so errors have a cap.

A number has the value of its shortest decimal spelling, as in the file that it was read from.
"""

from collections.abc import Callable
from dataclasses import replace
from decimal import Context, Decimal

import numpy as np

from pilotbase.measures.cases import Floats
from pilotbase.measures.definition import CAP, COMPARABLE, CUT, JOINED, LARGEST, PREDICTING, SHARE, Measure, Parameter
from pilotbase.measures.observation import MeasureInput, MeasurePart, indicator, joined_part, mean_of, whole_value

_TOLERANCE = Parameter("tolerance", None, Decimal(-1), LARGEST, in_target_units=True)
_BLOCK, _WIDEST, _STEPS = 5, 1_000, 10**9
_EXACT = Context(prec=1_200)
"""Digits of the difference of any two floats."""
_DOUBT = 16 * float(np.finfo(np.float64).eps)


def capped_mae(question: MeasureInput) -> MeasurePart:
    """Return min(|answer - truth|, cap), in the value's unit."""
    cap = question.arguments["cap"]
    return mean_of(np.minimum(_errors(question), float(cap)), cap, question)


def capped_rmse(question: MeasureInput) -> MeasurePart:
    """Return min(|answer - truth|, cap)²; the measure is the root of the mean."""
    cap = question.arguments["cap"]
    return mean_of(np.minimum(_errors(question), float(cap)) ** 2, cap * cap, question, root=2)


def r_squared(question: MeasureInput) -> MeasurePart:
    """Return 1 - mean min(|answer - truth|, cap)² / variance of the truth, of the whole set; 0 where it is below.

    For a population, of blocks of five cases: the truth's variance within the block less the mean squared error, per
    variance. Only errors need the cap: an entry harms the criterion by no more than cap².
    """
    cap, truth = float(question.arguments["cap"]), question.cases.truth.astype(np.float64)
    errors = (np.fmin(_errors(question), cap) if not question.worst(0, 1) else np.nan_to_num(_errors(question))) / cap
    squares = np.minimum(errors, 1.0) ** 2
    if question.estimand != "population":
        spread = float(np.var(truth)) / cap**2 if len(truth) else 0.0
        return whole_value(float(1 - squares.mean() / spread) if spread else None, question)
    members = question.order[: len(question.order) // _BLOCK * _BLOCK].reshape(-1, _BLOCK)
    spread_of = np.minimum(truth[members].var(axis=1, ddof=1) / cap**2, _WIDEST)
    spent = np.ceil(squares[members].mean(axis=1) * _STEPS).astype(np.int64)
    weight = np.floor(spread_of * _STEPS).astype(np.int64)
    top = _WIDEST * _STEPS
    outcomes = ((-_STEPS, 0), (-1, 0), (1, 1), (0, _STEPS), (top - _STEPS, top), (top, top))
    return replace(joined_part(question, members, (weight - spent, weight), outcomes), from_below=True)


def within(question: MeasureInput) -> MeasurePart:
    """Return 1 when |answer - truth| ≤ tolerance, in decimals."""
    answers, truth = question.numbers(), question.cases.truth.astype(np.float64)
    absent = np.isnan(answers)
    close = _compare_to_limit(answers, truth, question.arguments["tolerance"]) <= 0
    return indicator(close, np.ones(len(answers), dtype=np.bool_), absent, question)


def win_rate(question: MeasureInput) -> MeasurePart:
    """Return 1 if the answer beats the baseline's on the same case, 1/2 if they are equally good.

    A case without a baseline answer counts as right (or as wrong, whichever harms the criterion), as in a lift.
    """
    cases = question.cases
    assert cases.baseline is not None
    if cases.kind == "value":
        answers, truth = question.numbers(), cases.truth.astype(np.float64)
        baseline = cases.baseline.astype(np.float64)
        missing = truth if question.worst(0, 1) == 0 else np.full(len(truth), np.inf)
        sign = _compare_errors(answers, np.where(np.isfinite(baseline), baseline, missing), truth)
        absent = np.isnan(answers)
    else:
        answered = question.answered()
        cut = float(question.arguments.get("cut", Decimal("0.5")))
        given = cases.labels(cases.baseline, cut)
        theirs = np.where(given < 0, question.worst(0, 1), given != cases.truth).astype(np.int64)
        sign = (answered != cases.truth).astype(np.int64) - theirs
        absent = answered < 0
    gain = np.where(absent, question.worst(0, 2), 2 * (sign < 0) + (sign == 0)).astype(np.int64)
    return MeasurePart(gain, np.full(len(gain), 2, dtype=np.int64), ((0, 2), (1, 2), (2, 2)))


def _errors(question: MeasureInput) -> Floats:
    errors: Floats = np.abs(question.numbers() - question.cases.truth)
    return errors


MEASURES = (
    Measure(
        "capped_mae", "mean min(|answer - truth|, cap)",
        "Willmott & Matsuura, Climate Research 30:79, 2005; capped so that it is bounded", "lower", PREDICTING,
        capped_mae, bounds=(Decimal(0), "cap"), parameters=(CAP,), paired=True, in_target_units=True,
    ),
    Measure(
        "capped_rmse", "√ mean min(|answer - truth|, cap)²",
        "Hyndman & Koehler, International Journal of Forecasting 22:679, 2006; capped so that it is bounded", "lower",
        PREDICTING, capped_rmse, bounds=(Decimal(0), "cap"), parameters=(CAP,), in_target_units=True,
    ),
    Measure(
        "r_squared", "1 - mean min(|answer - truth|, cap)² / variance of the truth",
        "Draper & Smith, Applied Regression Analysis, 1998; errors capped so that an entry is bounded", "higher",
        PREDICTING, r_squared, parameters=(CAP,), pooled=True, guarantees=JOINED,
    ),
    Measure(
        "within", "share of |answer - truth| ≤ tolerance", "hit rate within a stated tolerance", "higher", PREDICTING,
        within, parameters=(_TOLERANCE,), paired=True, guarantees=SHARE,
    ),
    Measure(
        "win_rate", "(wins + ties / 2) / N against the baseline, paired",
        "Demšar, JMLR 7:1, 2006 (paired counts of wins)", "higher", COMPARABLE, win_rate, parameters=(CUT,),
        needs_baseline=True,
    ),
)  # fmt: skip


def _compare_to_limit(answers: Floats, truth: Floats, limit: Decimal) -> Floats:
    """Return -1, 0 or 1, shape (cases,): |answer - truth| below, at or above ``limit``; NaN without an answer."""
    found = np.abs(answers - truth) - float(limit)
    scale = np.abs(answers) + np.abs(truth) + float(limit)
    return _signs(found, scale, lambda case: _EXACT.subtract(_error(answers[case], truth[case]), limit))


def _compare_errors(ones: Floats, others: Floats, truth: Floats) -> Floats:
    """Return -1, 0 or 1, shape (cases,): |one - truth| below, equal to or above |other - truth|; NaN without either."""
    with np.errstate(invalid="ignore"):
        found = np.abs(ones - truth) - np.abs(others - truth)
    scale = np.where(ones == others, 0.0, np.abs(ones) + np.abs(others) + 2 * np.abs(truth))

    def exact(case: int) -> Decimal:
        return _EXACT.subtract(_error(ones[case], truth[case]), _error(others[case], truth[case]))

    return _signs(found, scale, exact)


def _signs(found: Floats, scale: Floats, exact: Callable[[int], Decimal]) -> Floats:
    signs = np.sign(found)
    doubtful = np.flatnonzero((np.abs(found) <= _DOUBT * scale) & (scale > 0) & np.isfinite(scale))
    for case in doubtful.tolist():
        difference = exact(case)
        signs[case] = (difference > 0) - (difference < 0)
    return signs


def _error(one: float, two: float) -> Decimal:
    return abs(_EXACT.subtract(Decimal(repr(float(one))), Decimal(repr(float(two)))))
