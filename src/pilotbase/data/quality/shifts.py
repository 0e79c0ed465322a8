"""How far one distribution lies from another."""

from __future__ import annotations

from collections.abc import Iterable
from math import log

_LEAST_SHARE = 1e-4
"""Stands for a share of 0, whose logarithm there is none of."""


def stability_index(shares: Iterable[tuple[float, float]]) -> float:
    """Return the population stability index Σ (p - q) ln(p / q) of pairs of shares, a share of 0 taken as 0.0001."""
    bounded = [(max(one, _LEAST_SHARE), max(other, _LEAST_SHARE)) for one, other in shares]
    return sum((one - other) * log(one / other) for one, other in bounded)
