"""Measures of forecasts: errors relative to the truth or to a naive forecast, quantiles, intervals."""

from decimal import Decimal

import numpy as np

from pilotbase.measures.cases import Floats
from pilotbase.measures.definition import CAP, INTERVALS, LARGEST, PREDICTING, SHARE, Measure, Parameter
from pilotbase.measures.observation import MeasureInput, MeasurePart, Reals, decimal_steps, indicator, mean_of

_LARGEST_RATIO = Decimal(10) ** 10
_NO_ERROR = 1e-9
"""What a case without error of the baseline weighs in a score, in mean errors: a group of such cases has a score."""
_SHARE_CAP = Parameter("cap", None, Decimal(0), LARGEST)


def mape(question: MeasureInput) -> MeasurePart:
    """Return min(|answer - truth| / |truth|, cap); at a truth of 0 a right answer counts 0, any other the cap."""
    cap, truth = question.arguments["cap"], np.abs(_truth(question))
    errors = np.abs(question.numbers() - _truth(question))
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.where(truth > 0, errors / truth, np.where(errors > 0, np.inf, errors))
    return mean_of(np.minimum(shares, float(cap)), cap, question)


def smape(question: MeasureInput) -> MeasurePart:
    """Return 2 |answer - truth| / (|answer| + |truth|), in [0, 2]; 0/0 counts 0: both are zero, and right."""
    answers, truth = question.numbers(), _truth(question)
    size = np.abs(answers) + np.abs(truth)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.where(size == 0, 0.0, 2 * np.abs(answers - truth) / size)
    return mean_of(np.where(np.isnan(answers), np.nan, shares), Decimal(2), question)


def mase(question: MeasureInput) -> MeasurePart:
    """Return min(|answer - truth|, cap) of min(|baseline - truth|, cap): the ratio of their sums.

    The baseline is the naive forecast. In bounds, each of its errors counts at least the ninth digit of the cap, so
    that every case counts; scores and a whole hidden set have the errors themselves. If all of them are below that
    digit there is no scale, and nothing is measured.
    """
    cases, cap = question.cases, question.arguments["cap"]
    assert cases.baseline is not None
    steps, unit = decimal_steps(cap)
    top = int(cap * steps / unit)

    def capped(answers: Floats, missing: float) -> Floats:
        errors = np.abs(answers - _truth(question))
        return np.where(np.isnan(errors), missing, np.minimum(errors, float(cap)))

    ours, naive = capped(question.numbers(), question.worst(0, 1) * float(cap)), capped(cases.baseline.astype(float), 0)
    gain, scale = (np.rint(errors / unit * steps).astype(np.int64) for errors in (ours, naive))
    weight = np.maximum(scale, 1) if scale.any() else np.zeros(len(scale), dtype=np.int64)
    least = min(unit / steps, _NO_ERROR * float(naive.mean())) if scale.any() else 0.0
    reals = Reals(ours, np.maximum(naive, least)) if scale.any() else None
    outcomes = ((0, 1), (1, 1), (0, top), (top, 1), (top, top))
    return MeasurePart(np.where(weight > 0, gain, 0), weight, outcomes, reals=reals)


def quantile_loss(question: MeasureInput) -> MeasurePart:
    """Return min(max(q (truth - answer), (q - 1)(truth - answer)), cap)."""
    cap, q = question.arguments["cap"], float(question.arguments["q"])
    above = _truth(question) - question.numbers()
    return mean_of(np.minimum(np.maximum(q * above, (q - 1) * above), float(cap)), cap, question)


def interval_coverage(question: MeasureInput) -> MeasurePart:
    """Return 1 where the answered interval holds the truth."""
    answers, truth = question.cases.answers.astype(np.float64), _truth(question)
    inside = (answers[:, 0] <= truth) & (truth <= answers[:, 1])
    return indicator(inside, np.ones(len(truth), dtype=np.bool_), question.absent(), question)


def interval_width(question: MeasureInput) -> MeasurePart:
    """Return min(upper - lower, cap)."""
    cap = question.arguments["cap"]
    answers = question.cases.answers.astype(np.float64)
    with np.errstate(invalid="ignore"):
        widths = np.where(question.absent(), np.nan, answers[:, 1] - answers[:, 0])
    return mean_of(np.minimum(widths, float(cap)), cap, question)


def _truth(question: MeasureInput) -> Floats:
    return question.cases.truth.astype(np.float64)


MEASURES = (
    Measure(
        "mape", "mean min(|answer - truth| / |truth|, cap)",
        "Makridakis, International Journal of Forecasting 9:527, 1993; capped so that it is bounded", "lower",
        PREDICTING, mape, bounds=(Decimal(0), "cap"), parameters=(_SHARE_CAP,), paired=True,
    ),
    Measure(
        "smape", "mean 2 |answer - truth| / (|answer| + |truth|), 0/0 = 0",
        "Makridakis & Hibon, International Journal of Forecasting 16:451, 2000", "lower", PREDICTING, smape,
        bounds=(Decimal(0), Decimal(2)), paired=True,
    ),
    Measure(
        "mase", "Σ min(|answer - truth|, cap) / Σ min(|baseline - truth|, cap)",
        "Hyndman & Koehler, International Journal of Forecasting 22:679, 2006, as a ratio of sums; capped", "lower",
        PREDICTING, mase, bounds=(Decimal(0), _LARGEST_RATIO), parameters=(CAP,), needs_baseline=True,
    ),
    Measure(
        "quantile_loss", "mean min(max(q (truth - answer), (q - 1)(truth - answer)), cap)",
        "Koenker & Bassett, Econometrica 46:33, 1978; capped so that it is bounded", "lower", PREDICTING, quantile_loss,
        bounds=(Decimal(0), "cap"), parameters=(Parameter("q", None, Decimal(0), Decimal("0.999999")), CAP),
        paired=True, in_target_units=True,
    ),
    Measure(
        "interval_coverage", "lower ≤ truth ≤ upper / N",
        "Gneiting & Raftery, JASA 102:359, 2007; needs answers as intervals", "higher", INTERVALS, interval_coverage,
        guarantees=SHARE, beside=("interval_width",), paired=True,
    ),
    Measure(
        "interval_width", "mean min(upper - lower, cap)",
        "Gneiting & Raftery, JASA 102:359, 2007; needs answers as intervals; capped", "lower", INTERVALS,
        interval_width, bounds=(Decimal(0), "cap"), parameters=(CAP,), beside=("interval_coverage",), paired=True,
        in_target_units=True,
    ),
)  # fmt: skip
