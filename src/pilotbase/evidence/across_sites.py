"""Where the next site is expected, from what some sites have measured: random effects, approximate."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from pilotbase.evidence.distributions import Share

FEWEST_SITES = 5
"""With fewer, the spread between sites is not known well enough to say anything of the next."""
_NORMAL = 1.959964


def expect_next(measured: Sequence[tuple[float, float, float]], confidence: float = 0.95) -> Share:
    """Return the mean of sites, and the interval in which the next site's true value is expected.

    ``measured``: estimate, lower and upper 95 % bound of each. The variance between sites is DerSimonian and Laird's;
    the interval is mean ± t(k-2) √(τ² + se²).

    Source: Higgins, Thompson & Spiegelhalter, "A re-evaluation of random-effects meta-analysis", Journal of the Royal
    Statistical Society A 172 (2009), pages 137-159, (12).
    """
    from scipy.special import stdtrit  # see `distributions`

    values = [value for value, _, _ in measured]
    variances = [max(((upper - lower) / (2 * _NORMAL)) ** 2, 1e-12) for _, lower, upper in measured]
    weights = [1 / one for one in variances]
    total, fixed = sum(weights), _weighted(values, weights)
    spread = sum(weight * (value - fixed) ** 2 for weight, value in zip(weights, values, strict=True))
    scale = total - sum(weight**2 for weight in weights) / total
    between = max(0.0, (spread - (len(values) - 1)) / scale)
    weights = [1 / (one + between) for one in variances]
    mean = _weighted(values, weights)
    half = float(stdtrit(len(values) - 2, (1 + confidence) / 2)) * sqrt(between + 1 / sum(weights))
    return Share(mean, mean - half, mean + half)


def _weighted(values: Sequence[float], weights: Sequence[float]) -> float:
    return sum(value * weight for value, weight in zip(values, weights, strict=True)) / sum(weights)
