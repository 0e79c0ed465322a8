"""The one loop that numba compiles where it is installed; without it the same question is answered by numpy.

Only yes or no comes back (does the capital ever reach the level?), and bounds lie on a lattice, so both give the same
bounds.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

from pilotbase.evidence.primitive import Floats, Ints

Crosses = Callable[[Ints, float, int, float, Floats], bool]

_BLOCK = 32


@cache
def compiled_crosses() -> Crosses | None:
    """Return `crosses` compiled, or None where numba is not installed."""
    try:
        numba: Any = import_module("numba")
    except ImportError:
        return None
    compiled: Any = numba.njit(fastmath={"reassoc", "contract", "nsz"})(crosses)
    return compiled  # type: ignore[no-any-return]


def crosses(offsets: Ints, room: float, size: int, level: float, fractions: Floats) -> bool:
    """Return whether the Kelly mixture's log capital reaches ``level`` on ``offsets`` (values above the lowest one).

    ``room``: the null mean above the lowest value when ``size`` is 0 (independent values), else the null total above
    the lowest possible total of the ``size`` values. Products of a block of factors are taken before their logarithm.
    """
    bets = len(fractions)
    logs, capitals, products = np.zeros(bets), np.full(bets, 1.0 / bets), np.ones(bets)
    enough = math.exp(level)
    left, remaining = room, float(size)
    for index in range(len(offsets)):
        offset = float(offsets[index])
        if size == 0:
            gain = offset / room - 1.0
        elif left > 0:
            gain = offset * (remaining / left) - 1.0
        else:
            gain = 0.0
        if size > 0:
            left -= offset
            remaining -= 1.0
            if left < 0:
                return True
        mixed = 0.0
        for bet in range(bets):
            products[bet] *= 1.0 + fractions[bet] * gain
            mixed += capitals[bet] * products[bet]
        if mixed >= enough:
            return True
        if index % _BLOCK == _BLOCK - 1:
            for bet in range(bets):
                logs[bet] += math.log(products[bet])
                products[bet] = 1.0
                capitals[bet] = math.exp(max(logs[bet], -700.0)) / bets
    return False
