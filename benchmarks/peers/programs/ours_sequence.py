"""Ours: the bounds of a confidence sequence after n cases."""

from __future__ import annotations

import sys
from importlib import util

import numpy as np
from timing import say

from pilotbase.evidence import ConfidenceSequence

KIND, N = sys.argv[1], int(sys.argv[2])
NUMBA = util.find_spec("numba") is not None


def values(n: int) -> tuple[np.ndarray, tuple[int, int], int | None]:
    rng = np.random.default_rng(0)
    if KIND == "real values":
        return np.rint(rng.beta(10, 3, n) * 10**9).astype(np.int64), (0, 10**9), None
    right = (rng.random(n) < 0.93).astype(np.int64)
    return right, (0, 1), n + n // 10 if KIND == "finite set" else None


def work(n: int) -> None:
    data, limits, size = values(n)

    def follow() -> None:
        ConfidenceSequence(0.05, limits, size).update(data)

    say(follow, ("numba",) if NUMBA else ())


small, limits_, size_ = values(50_000)
ConfidenceSequence(0.05, limits_, size_).update(small)  # compiles, if numba is installed
work(N)
