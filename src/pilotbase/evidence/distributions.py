"""Distributions that give bounds, and bounds for counts: exact ones at a fixed n, and Wilson's interval.

Uses `scipy.special`, where `scipy.stats` would take half a second to load, and loads it with the first bound: that
takes a fifth of a second, and a box that reads or describes a table computes none. Tails are computed as tails, never
as one minus the rest. Successes ``s`` of ``t`` observed; finite sets have ``size`` items of which an unknown number are
successes.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from math import sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pilotbase.evidence.primitive import Bounds


@cache
def _special() -> Any:
    from scipy import special

    return special


def beta_quantile(share: float, a: float, b: float) -> float:
    """Return the value below which a ``share`` of Beta(a, b) lies."""
    return float(_special().betaincinv(a, b, share))


def beta_upper_quantile(share: float, a: float, b: float) -> float:
    """Return the value above which a ``share`` of Beta(a, b) lies."""
    return float(_special().betainccinv(a, b, share))


def binomial_at_least(s: int, t: int, p: float) -> float:
    """Return P(Bin(t, p) ≥ s)."""
    if s <= 0 or s > t:
        return float(s <= 0)
    return float(_special().betainc(s, t - s + 1, p))


def binomial_at_most(s: int, t: int, p: float) -> float:
    """Return P(Bin(t, p) ≤ s)."""
    if s < 0 or s >= t:
        return float(s >= t)
    return float(_special().betaincc(s + 1, t - s, p))


def binomial_chances(t: int, p: float) -> NDArray[np.float64]:
    """Return P(Bin(t, p) = s) for s = 0 … t, 0 < p < 1."""
    s, log_factorial = np.arange(t + 1), _special().gammaln(np.arange(t + 1) + 1.0)
    chances: NDArray[np.float64] = np.exp(
        log_factorial[t] - log_factorial - log_factorial[::-1] + s * np.log(p) + (t - s) * np.log1p(-p)
    )
    return chances


def normal_upper_quantile(share: float) -> float:
    """Return the value above which a ``share`` of the standard normal distribution lies."""
    return -float(_special().ndtri(share))


def student_upper_quantile(share: float, freedom: float) -> float:
    """Return the value above which a ``share`` of Student's t with ``freedom`` degrees lies."""
    return -float(_special().stdtrit(freedom, share))


def variance_ratio_tail(ratio: float, between: int, within: int) -> float:
    """Return P(F ≥ ratio) for F with so many degrees of freedom between blocks and within them."""
    return float(_special().fdtrc(between, within, ratio))


def smallest(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """Return the smallest integer in [low, high] for which ``holds``, which is monotone; ``high`` when none."""
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def clopper_pearson(s: int, t: int, alpha_lower: float, alpha_upper: float) -> Bounds:
    """Return exact bounds of a success probability at a sample size fixed beforehand (Clopper & Pearson 1934)."""
    lower = 0.0 if s == 0 else beta_quantile(alpha_lower, s, t - s + 1)
    upper = 1.0 if s == t else beta_upper_quantile(alpha_upper, s + 1, t - s)
    return Bounds(lower, upper)


def hypergeometric_tail(s: int, t: int, size: int, k: int) -> float:
    """Return P(at least ``s`` successes among ``t`` drawn) when ``k`` of ``size`` are successes."""
    from scipy import stats  # half a second, for what few plans ask

    return float(stats.hypergeom.sf(s - 1, size, k, t)) if 0 <= k <= size else float(k > size)


def hypergeometric_head(s: int, t: int, size: int, k: int) -> float:
    """Return P(at most ``s`` successes among ``t`` drawn) when ``k`` of ``size`` are successes."""
    from scipy import stats  # half a second, for what few plans ask

    return float(stats.hypergeom.cdf(s, size, k, t)) if 0 <= k <= size else float(k < 0)


def binomial_tail(s: int, t: int, mean: Fraction) -> float:
    """Return P(at least ``s`` of ``t``) at success probability ``mean`` (clipped to [0, 1])."""
    return binomial_at_least(s, t, min(max(float(mean), 0.0), 1.0))


def binomial_head(s: int, t: int, mean: Fraction) -> float:
    """Return P(at most ``s`` of ``t``) at success probability ``mean`` (clipped to [0, 1])."""
    return binomial_at_most(s, t, min(max(float(mean), 0.0), 1.0))


class Share(NamedTuple):
    """A share with its bounds."""

    value: float
    lower: float
    upper: float


def wilson(successes: float, trials: int, confidence: float = 0.95) -> Share:
    """Return successes / trials with its two-sided score interval; ``trials`` is at least 1.

    With p = s/n and z the normal quantile: (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n).

    Source: Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the American
    Statistical Association 22 (1927), pages 209-212.
    """
    share, z2 = successes / trials, normal_upper_quantile((1 - confidence) / 2) ** 2
    centre = share + z2 / (2 * trials)
    half = sqrt(z2 * share * (1 - share) / trials + (z2 / (2 * trials)) ** 2)
    scale = 1 + z2 / trials
    return Share(share, min(share, max(0.0, (centre - half) / scale)), max(share, min(1.0, (centre + half) / scale)))
