"""Bounds for counts: exact at a fixed n (Clopper-Pearson, hypergeometric) or at any time, and Wilson's interval.

Successes ``s`` of ``t`` observed; finite sets have ``size`` items of which an unknown number are successes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from math import sqrt
from typing import NamedTuple

import numpy as np
from scipy import special

from pilotbase.evidence.distributions import (
    beta_quantile,
    beta_upper_quantile,
    binomial_at_least,
    binomial_at_most,
    normal_upper_quantile,
    smallest,
)
from pilotbase.evidence.primitive import Bounds, Floats, Ints


def clopper_pearson(s: int, t: int, alpha_lower: float, alpha_upper: float) -> Bounds:
    """Return exact bounds of a success probability at a sample size fixed beforehand (Clopper & Pearson 1934)."""
    lower = 0.0 if s == 0 else beta_quantile(alpha_lower, s, t - s + 1)
    upper = 1.0 if s == t else beta_upper_quantile(alpha_upper, s + 1, t - s)
    return Bounds(lower, upper)


def hypergeometric(s: int, t: int, size: int, alpha_lower: float, alpha_upper: float) -> Bounds:
    """Return exact bounds of the success share of a finite set, from ``t`` items drawn without replacement."""
    lower = smallest(s, size - t + s, lambda k: hypergeometric_tail(s, t, size, k) > alpha_lower)
    upper = smallest(s, size - t + s + 1, lambda k: hypergeometric_head(s, t, size, k) <= alpha_upper) - 1
    return Bounds(lower / size, upper / size)


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


def beta_binomial_log_e(s: int, t: int, mean: float, a: float = 0.5, b: float = 0.5) -> float:
    """Return the log of the beta mixture e-value against success probability = ``mean``; two-sided, any time.

    Source: Robbins 1970; Howard, Ramdas, McAuliffe & Sekhon, Annals of Statistics 2021 (Bernoulli mixtures).
    """
    null = special.xlogy(s, mean) + special.xlog1py(t - s, -mean)
    return float(special.betaln(a + s, b + t - s) - special.betaln(a, b) - null)


def beta_binomial(s: int, t: int, alpha: float) -> Bounds:
    """Return the two-sided confidence sequence {m: e(m) < 1/α} after ``t`` trials, by bisection."""
    level = math.log(1 / alpha)
    centre = (s + 0.5) / (t + 1)

    def excluded(mean: float) -> bool:
        return beta_binomial_log_e(s, t, mean) >= level

    return Bounds(_edge(0.0, centre, excluded), _edge(1.0, centre, excluded))


def prior_posterior(s: int, t: int, size: int, alpha: float) -> Bounds:
    """Return the two-sided confidence sequence of a finite set's success share from the prior-posterior ratio.

    Source: Waudby-Smith & Ramdas, "Confidence sequences for sampling without replacement", NeurIPS 2020.
    """
    counts = np.arange(s, size - t + s + 1)
    prior = _beta_binomial_log_pmf(counts, size, 1.0, 1.0)
    posterior = _beta_binomial_log_pmf(counts - s, size - t, 1.0 + s, 1.0 + t - s)
    kept = counts[prior - posterior < math.log(1 / alpha)]
    return Bounds(float(kept.min()) / size, float(kept.max()) / size)


def _beta_binomial_log_pmf(k: Ints, n: int, a: float, b: float) -> Floats:
    choose = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
    log_pmf: Floats = choose + special.betaln(k + a, n - k + b) - special.betaln(a, b)
    return log_pmf


def _edge(outside: float, inside: float, excluded: Callable[[float], bool]) -> float:
    """Return the point nearest ``inside`` that is still excluded, or ``outside`` when that is not excluded."""
    if not excluded(outside):
        return outside
    for _ in range(60):
        middle = (outside + inside) / 2
        outside, inside = (middle, inside) if excluded(middle) else (outside, middle)
    return outside


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
