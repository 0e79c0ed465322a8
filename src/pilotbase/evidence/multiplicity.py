"""Many watches or many comparisons: which of them may be shown without too many false ones among those shown.

Both take log e-values of any dependence, each valid at the time it is read. A detector of run length (e-SR, e-CUSUM)
gives no e-value and must not be fed here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotbase.evidence.primitive import Floats, reals, within

Flags = NDArray[np.bool_]


def e_benjamini_hochberg(log_e_values: Floats, alpha: float) -> Flags:
    """Return which hypotheses e-BH rejects, shape (n,): the false discovery rate of the set shown *now* is ≤ α.

    It does not cover the union of all sets ever shown (corrections, row 13). Source: Wang & Ramdas, "False discovery
    rate control with e-values", JRSS-B 2022.
    """
    within("alpha", alpha, 0, 1)
    values = _checked(log_e_values)
    count = len(values)
    order = np.argsort(-values, kind="stable")
    needed = math.log(count / alpha) - np.log(np.arange(1, count + 1)) if count else values
    good = np.flatnonzero(values[order] >= needed)
    rejected = np.zeros(count, dtype=np.bool_)
    rejected[order[: good[-1] + 1 if len(good) else 0]] = True
    return rejected


@dataclass(frozen=True)
class ELondState:
    """Hypotheses tested and rejected so far."""

    tested: int
    rejected: int


class ELond:
    """e-LOND: hypotheses come one after another and each is decided at once; the false discovery rate is ≤ α always.

    The t-th has level α · γ_t · (rejections before it + 1), γ_t = 1/(t(t+1)), which sums to 1. Source: Xu & Ramdas,
    "Online multiple testing with e-values", AISTATS 2024.
    """

    def __init__(self, alpha: float, state: ELondState | None = None) -> None:
        within("alpha", alpha, 0, 1)
        self._alpha = alpha
        self._state = state or ELondState(0, 0)

    @property
    def state(self) -> ELondState:
        return self._state

    def update(self, values: NDArray[Any]) -> Flags:
        """Take log e-values in the order of their hypotheses; return which are rejected, shape (n,)."""
        log_e_values = _checked(values)
        times = self._state.tested + np.arange(1.0, len(log_e_values) + 1)
        needed = -math.log(self._alpha) + np.log(times) + np.log(times + 1)
        rejected = np.zeros(len(log_e_values), dtype=np.bool_)
        discoveries, start = self._state.rejected, 0
        # Between two rejections the level moves with time alone.
        while start < len(log_e_values):
            found = log_e_values[start:] + math.log(discoveries + 1) >= needed[start:]
            if not found.any():
                break
            start += int(np.argmax(found)) + 1
            rejected[start - 1] = True
            discoveries += 1
        self._state = ELondState(self._state.tested + len(log_e_values), discoveries)
        return rejected


def _checked(values: NDArray[Any]) -> Floats:
    """Return log e-values; an e-value of 0 (-inf) or of infinity is one."""
    return reals(values, -math.inf, math.inf)
