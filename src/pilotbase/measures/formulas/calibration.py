"""Calibration of answered probabilities: gaps in frozen bins, plain and debiased, and SmoothECE.

A constant that answers the base rate is calibrated, so each requires a Brier score beside it (corrections).
"""

from decimal import Decimal

import numpy as np

from pilotbase.measures.cases import Floats, Ints
from pilotbase.measures.definition import BOUNDED, DESCRIPTIVE, FORECASTING, Measure, Parameter
from pilotbase.measures.formulas.probability import of_label
from pilotbase.measures.observation import MeasureInput, MeasurePart, Observation, whole_of, whole_value

_STEPS = 10**9
_GRID = 2048
_HALVINGS = 40


def debiased_calibration_error(question: MeasureInput) -> MeasurePart:
    """Return √ Σ_b n_b/N ((mean of y - mean of p)² - what chance alone adds to it), a figure of the whole set.

    A few cases in a bin miss their probability by chance: the plain error of a perfect forecast is not 0, this one's
    is, on average, before the root. An abstention adds the largest error, 1/N before the root.
    """
    given, outcome = of_label(question), (question.cases.truth == question.label).astype(np.float64)
    if not len(given):
        return whole_value(None, question)
    known = ~np.isnan(given)
    bins = _bins(given[known], question)
    count = int(question.arguments["bins"])
    cases, hits = np.bincount(bins, minlength=count), np.bincount(bins, outcome[known], count)
    filled = cases > 0
    cases, hits, expected = cases[filled], hits[filled], np.bincount(bins, given[known], count)[filled]
    by_chance = hits * (1 - hits / cases) / np.maximum(cases - 1, 1)
    squares = float(((hits - expected) ** 2 / cases - by_chance).sum()) / len(given)
    absent = question.worst(0, 1) * float(1 - known.mean())
    return whole_value((max(squares, 0.0) + absent) ** 0.5, question)


def smooth_ece(question: MeasureInput) -> MeasurePart:
    """Return the smooth calibration error, a figure of the whole set; an abstention adds the largest error, 1/N."""
    given, outcome = of_label(question), (question.cases.truth == question.label).astype(np.float64)
    if not len(given):
        return whole_value(None, question)
    known = ~np.isnan(given)
    error = _smooth_error(given[known], outcome[known] - given[known], len(given))
    return whole_value(error + question.worst(0, 1) * float(1 - known.mean()), question)


def _gaps(question: MeasureInput) -> Observation:
    """Return a part for each bin, the mean over all cases of y - p inside it and 0 outside, and one for abstentions.

    Their absolute sum is Σ_b |Σ_(p in b) (y - p)| / N; an abstention adds the largest gap, 1/N.
    """
    given, outcome = of_label(question), question.cases.truth == question.label
    absent = np.isnan(given)
    bins = np.where(absent, -1, _bins(np.where(absent, 0.0, given), question))
    signed = np.rint((outcome - np.where(absent, 0.0, given)) * _STEPS).astype(np.int64)
    weight = np.full(len(given), _STEPS, dtype=np.int64)
    outcomes = ((-_STEPS, _STEPS), (1 - _STEPS, _STEPS), (0, _STEPS), (_STEPS, _STEPS))
    parts = [
        MeasurePart(np.where(bins == b, signed, 0), weight, outcomes) for b in range(int(question.arguments["bins"]))
    ]
    missing = np.where(absent, question.worst(0, _STEPS), 0)
    return Observation("absolute_sum", (*parts, MeasurePart(missing, weight, outcomes)))


def _bins(given: Floats, question: MeasureInput) -> Ints:
    """Return the bin of each probability: bins of equal width, whose edges no data can move."""
    bins = int(question.arguments["bins"])
    return np.searchsorted(np.arange(1, bins) / bins, given, side="right").astype(np.int64)


def _smooth_error(given: Floats, residuals: Floats, size: int) -> float:
    """Return the kernel width at which the smoothed calibration error equals the width.

    Residuals are smoothed by a Gaussian that is reflected at 0 and 1, on a grid of 1/2048. The error falls as the width
    grows, so the equality has one solution (Błasiok & Nakkiran 2023, definition 2 and section 3).
    """
    cells = np.rint(given * _GRID).astype(np.int64)
    residual = np.bincount(cells, residuals, minlength=_GRID + 1) / size
    # Reflected at both ends the residuals repeat with period 2, so smoothing is a product of Fourier coefficients.
    spectrum = np.fft.rfft(np.concatenate((residual[:1], residual[1:-1] / 2, residual[-1:], residual[-2:0:-1] / 2)))
    waves = np.pi * np.arange(len(spectrum))
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        width = (low + high) / 2
        smoothed = np.fft.irfft(spectrum * np.exp(-0.5 * (waves * width) ** 2), 2 * _GRID)
        error = float(np.abs(smoothed).sum())
        low, high = (width, high) if error > width else (low, width)
    return (low + high) / 2


MEASURES = (
    Measure(
        "calibration_gap", "Σ_b |Σ_(p in b) (y - p)| / N, bins of equal width",
        "Naeini, Cooper & Hauskrecht, AAAI 2015, with signed gaps bounded bin by bin; claims the binned error only",
        "lower", FORECASTING, whole_of(_gaps), of_class=True, pooled=True,
        parameters=(Parameter("bins", Decimal(10), Decimal(0), Decimal(100), whole=True),), guarantees=BOUNDED,
        compose=_gaps, beside=("brier",), of_calibration=True,
    ),
    Measure(
        "debiased_calibration_error",
        "√ max(0, Σ_b n_b/N ((ȳ_b - p̄_b)² - ȳ_b (1 - ȳ_b) / (n_b - 1))), bins of equal width",
        "Kumar, Liang & Ma, NeurIPS 2019 (arXiv:1909.10155), frozen bins; nothing is taken off a bin of one case",
        "lower", FORECASTING, debiased_calibration_error, of_class=True, pooled=True,
        parameters=(Parameter("bins", Decimal(10), Decimal(0), Decimal(100), whole=True),), guarantees=DESCRIPTIVE,
        beside=("brier",), of_calibration=True,
    ),
    Measure(
        "smooth_ece", "σ with ∫ |smoothed by σ: E(y - p)| = σ", "Błasiok & Nakkiran, ICLR 2024 (arXiv:2309.12236)",
        "lower", FORECASTING, smooth_ece, of_class=True, pooled=True, guarantees=DESCRIPTIVE, beside=("brier",),
        of_calibration=True,
    ),
)  # fmt: skip
