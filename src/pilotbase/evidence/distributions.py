"""The distributions that bounds are read from, by `scipy.special`: `scipy.stats` takes half a second to load.

Tails are computed as tails, never as one minus the rest.
"""

from __future__ import annotations

from collections.abc import Callable

from scipy import special


def beta_quantile(share: float, a: float, b: float) -> float:
    """Return the value below which a ``share`` of Beta(a, b) lies."""
    return float(special.betaincinv(a, b, share))


def beta_upper_quantile(share: float, a: float, b: float) -> float:
    """Return the value above which a ``share`` of Beta(a, b) lies."""
    return float(special.betainccinv(a, b, share))


def binomial_at_least(s: int, t: int, p: float) -> float:
    """Return P(Bin(t, p) ≥ s)."""
    if s <= 0 or s > t:
        return float(s <= 0)
    return float(special.betainc(s, t - s + 1, p))


def binomial_at_most(s: int, t: int, p: float) -> float:
    """Return P(Bin(t, p) ≤ s)."""
    if s < 0 or s >= t:
        return float(s >= t)
    return float(special.betaincc(s + 1, t - s, p))


def normal_upper_quantile(share: float) -> float:
    """Return the value above which a ``share`` of the standard normal distribution lies."""
    return -float(special.ndtri(share))


def student_upper_quantile(share: float, freedom: float) -> float:
    """Return the value above which a ``share`` of Student's t with ``freedom`` degrees lies."""
    return -float(special.stdtrit(freedom, share))


def smallest(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """Return the smallest integer in [low, high] for which ``holds``, which is monotone; ``high`` when none."""
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low
