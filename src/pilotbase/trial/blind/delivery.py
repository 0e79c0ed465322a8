"""The order in which hidden cases reach a program: like the one that a trial draws, so that no file's order is seen."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pilotbase.documents.scenario import Scenario

Ints = NDArray[np.int64]


def delivered_rows(scenario: Scenario, hidden: pl.DataFrame) -> Ints:
    """Return the rows of ``hidden`` as they are delivered: shuffled, by a seed of no consequence.

    A scenario that has its cases delivered in the order of time gives them in that order; that is where a program's
    place in the run can tell it something.
    """
    return np.random.default_rng(0).permutation(hidden.height).astype(np.int64)
