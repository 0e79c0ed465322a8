"""Answers that are numbers against what was true."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pilotbase.documents.criteria import Rule
from pilotbase.documents.figures import SMALLEST_GROUP, AgainstTruth, Residuals
from pilotbase.measures import Cases
from pilotbase.measures.cases import Floats
from pilotbase.trial.figures.rounding import bounded, round_bins, shortened

_SQUARES, _BINS = 24, 20
_OUTER = 0.01
"""Share of answers at either end that no range is stretched for."""


def against_truth(cases: Cases, rules: Sequence[Rule]) -> AgainstTruth | None:
    """Return how many cases stand where truth meets answer; None without a number."""
    truth, answers = _known(cases)
    if not len(truth):
        return None
    low, high = _inner(answers)
    bins = round_bins(min(low, float(truth.min())), max(high, float(truth.max())), _SQUARES)
    squares = np.stack([bins.of(truth), bins.of(answers)], axis=1)
    cells, counts = np.unique(squares, axis=0, return_counts=True)
    return AgainstTruth(
        low=bins.low,
        step=bins.step,
        size=bins.size,
        cells=tuple((*cell, count) for cell, count in zip(cells.tolist(), counts.tolist(), strict=True)),
        beyond=int((bins.leave_out(truth) | bins.leave_out(answers)).sum()),
        absent=len(cases) - len(truth),
    )


def residuals(cases: Cases, rules: Sequence[Rule]) -> Residuals | None:
    """Return how far answers lie from the truth, and on which side; None without a number."""
    truth, answers = _known(cases)
    if not len(truth):
        return None
    off = answers - truth
    low, high = _inner(off)
    bins = round_bins(min(low, 0.0), max(high, 0.0), _BINS)
    return Residuals(
        low=bins.low,
        step=bins.step,
        counts=tuple(np.bincount(bins.of(off), minlength=bins.size).tolist()),
        beyond=int(bins.leave_out(off).sum()),
        mean=shortened(float(off.mean())) if len(off) >= SMALLEST_GROUP else None,
        absent=len(cases) - len(truth),
    )


def _known(cases: Cases) -> tuple[Floats, Floats]:
    truth, answers = cases.truth.astype(np.float64), cases.answers.astype(np.float64)
    known = np.isfinite(truth) & np.isfinite(answers)
    return bounded(truth[known]), bounded(answers[known])


def _inner(values: Floats) -> tuple[float, float]:
    low, high = np.quantile(values, (_OUTER, 1 - _OUTER))
    return float(low), float(high)
