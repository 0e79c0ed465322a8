"""How many cases a criterion needs. Planning estimates: they promise nothing, the verdict does."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np

from pilotbase.evidence.lattice import MeanClaim
from pilotbase.evidence.martingale import FRACTIONS, Floats, log_mean

_NEVER = 10**12


def cases_to_confirm_at_best(threshold: Fraction, alpha: float, method: str = "anytime") -> int | None:
    """Return the fewest cases that can confirm *mean ≥ threshold* when every case is right; None when none can.

    At threshold 0.90 and α 0.05: 29 at a fixed n, 55 at any time. In a finite set the whole set always decides.
    """
    if threshold <= 0:
        return 1
    if threshold >= 1:
        return None
    if method == "fixed":
        return _first(lambda n: n * math.log(threshold) <= math.log(alpha))
    growth = np.log1p(FRACTIONS * float(1 / threshold - 1))
    return _first(lambda n: _log_capital(n * growth) >= math.log(1 / alpha))


def cases_to_decide(claim: MeanClaim, known: int, alphas: tuple[float, float]) -> int | None:
    """Return how many eligible cases like the ``known`` ones would decide ``claim``; None when they would not.

    The growth of the capital per case is taken from the cases seen, as if more of the same kind came.
    """
    seen = claim.values[:known].astype(np.float64)
    if known < 2:
        return None
    mean, edge = float(seen.mean()), float(claim.mean)
    if mean >= edge:
        gains, alpha = (seen - claim.low) / max(edge - claim.low, 1e-12) - 1, alphas[0]
    else:
        gains, alpha = (claim.high - seen) / max(claim.high - edge, 1e-12) - 1, alphas[1]
    growth = np.array([np.log1p(fraction * gains).mean() for fraction in FRACTIONS])
    if growth.max() <= 0:
        return None
    needed = _first(lambda n: _log_capital(n * growth) >= math.log(1 / alpha))
    return None if needed is None else max(needed, known + 1)


def detectable_difference(claim: MeanClaim, known: int, total: int, alpha: float) -> float | None:
    """Return the smallest distance of the mean from its threshold that ``total`` eligible cases would decide.

    In units of the claim's values; from the variance seen and the Gaussian growth rate d²/(2σ²) per case.
    """
    if known < 2 or total < 1:
        return None
    spread = float(claim.values[:known].std())
    spread = max(spread, (claim.high - claim.low) / (2 * math.sqrt(known)))
    return spread * math.sqrt(2 * math.log(len(FRACTIONS) / alpha) / total)


def _first(reached: Callable[[int], bool]) -> int | None:
    """Return the smallest n ≥ 1 for which the monotone ``reached`` is true."""
    high = 1
    while not reached(high):
        high *= 2
        if high > _NEVER:
            return None
    low = high // 2 + 1 if high > 1 else 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(middle) else (middle + 1, high)
    return low


def _log_capital(logs: Floats) -> float:
    return float(log_mean(logs[:, None])[0])
