"""The hedged confidence sequence with predictable plug-in bets, as published; kept for comparison."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from pilotbase.evidence.primitive import Bounds, Floats

_STEPS = 20


def predictable_sequence(values: Floats, alpha: float, truncation: float = 0.5) -> Bounds:
    """Return the hedged sequence's bounds with predictable plug-in bets, for values in [0, 1] (running intersection).

    Kept for comparison with published figures; the mixture of `MeanMartingale` has the better worst case.
    Source: Waudby-Smith & Ramdas, JRSS-B 2024, theorem 3 (bets of theorem 2, truncated).
    """
    bets = predictable_bets(values, alpha)
    level = math.log(2 / alpha)

    def above(bound: float) -> bool:
        return _crosses(np.minimum(bets, truncation / bound) * (values - bound), level) if bound > 0 else False

    def below(bound: float) -> bool:
        return _crosses(np.minimum(bets, truncation / (1 - bound)) * (bound - values), level) if bound < 1 else False

    return Bounds(_edge(above, 0.0, 1.0), _edge(below, 1.0, 0.0))


def predictable_bets(values: Floats, alpha: float) -> Floats:
    """Return the plug-in empirical-Bernstein bets, each a function of the values before it, shape (n,)."""
    times = np.arange(1, len(values) + 1)
    means = (0.5 + np.cumsum(values)) / (times + 1)
    variances = (0.25 + np.cumsum((values - means) ** 2)) / (times + 1)
    before = np.concatenate(([0.25], variances[:-1]))
    bets: Floats = np.sqrt(2 * math.log(2 / alpha) / (before * times * np.log1p(times)))
    return bets


def _crosses(gains: Floats, level: float) -> bool:
    return len(gains) > 0 and float(np.cumsum(np.log1p(gains)).max()) >= level


def _edge(excluded: Callable[[float], bool], outside: float, inside: float) -> float:
    """Return the value nearest ``inside`` that is excluded, to 2⁻²⁰ of the distance; ``outside`` if none is."""
    far, near = outside, inside
    for _ in range(_STEPS):
        middle = (far + near) / 2
        far, near = (middle, near) if excluded(middle) else (far, middle)
    return far
