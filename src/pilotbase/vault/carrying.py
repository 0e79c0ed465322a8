"""What has been scored stays scored: cases of an owner's earlier hidden sets keep their past in a new one.

Otherwise one row more in a file would make a new set, with a new budget over cases whose labels have already spoken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from pilotbase.vault.attempts import AttemptState, attempts_of, scored_cases
from pilotbase.vault.hidden import HiddenSet
from pilotbase.vault.opening import Cases, Purpose, ReaderGrant, open_hidden
from pilotbase.vault.place import Vault


@dataclass(frozen=True)
class Past:
    """What earlier sets say of new cases: which have been scored, and how many attempts there were on any of them."""

    scored: Cases
    attempts: int


def past_of(vault: Vault, frame: pl.DataFrame, earlier: Sequence[HiddenSet]) -> Past:
    """Return the past of the cases in ``frame``, from an owner's ``earlier`` sets; each opening is logged.

    A case is the same when all columns of the narrower set are equal; sets of other columns do not compare.
    """
    scored, attempts = np.zeros(frame.height, dtype=np.bool_), 0
    for before in earlier:
        rows = pl.concat([piece.frame for piece in open_hidden(vault, before, ReaderGrant(Purpose.OWNER))])
        if same_cases(frame, rows).any():
            used = [item.number for item in attempts_of(vault, before) if item.state is not AttemptState.RETURNED]
            attempts = max(attempts, before.attempts_before, *used)
            scored |= same_cases(frame, rows[scored_cases(vault, before)])
    return Past(np.flatnonzero(scored).astype(np.int64), attempts)


def same_cases(frame: pl.DataFrame, rows: pl.DataFrame) -> npt.NDArray[np.bool_]:
    """Return which cases of ``frame`` stand in ``rows`` too, shape (rows of frame,)."""
    shared = [name for name in frame.columns if name in rows.columns and frame[name].dtype == rows[name].dtype]
    if not rows.height or len(shared) < min(frame.width, rows.width):
        return np.zeros(frame.height, dtype=np.bool_)
    known = rows.select(shared).unique()
    found = frame.select(shared).with_row_index("case").join(known, on=shared, how="semi", nulls_equal=True)
    return np.isin(np.arange(frame.height), found["case"].to_numpy())
