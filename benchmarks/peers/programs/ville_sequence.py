"""The peer: ville's betting confidence sequence, grid of 10,000."""

from __future__ import annotations

import sys

import numpy as np
from timing import say
from ville import BettingCS

VALUES = (np.random.default_rng(0).random(int(sys.argv[1])) < 0.93).astype(float)


def work() -> None:
    sequence = BettingCS(alpha=0.05, grid=10_000)
    sequence.update(VALUES)


say(work, ("ville",))
