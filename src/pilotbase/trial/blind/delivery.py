"""The order in which hidden cases reach a program: like the one that a trial draws, so that no file's order is seen."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def delivered_rows(hidden: pl.DataFrame, by: str | None = None) -> Ints:
    """Return the rows of ``hidden`` in the order of a delivery: shuffled, by a seed of no consequence.

    ``by``: the column of time by which a scenario has its cases delivered; then those of one moment are shuffled, and a
    program's place in the run can tell it something.
    """
    rows = np.random.default_rng(0).permutation(hidden.height).astype(np.int64)
    if by is None:
        return rows
    moments = hidden[by].rank("dense").fill_null(0).cast(pl.Int64).to_numpy()
    return np.asarray(rows[np.argsort(moments[rows], kind="stable")], dtype=np.int64)
