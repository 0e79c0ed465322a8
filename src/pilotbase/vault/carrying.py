"""Scored cases stay scored: cases of an owner's earlier hidden sets keep their past in a new one.

Otherwise one more row in a file would make a new set, with a new budget over cases whose labels were already used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from pilotbase.vault.attempts import AttemptState, attempts_of, mark_scored_before, scored_cases
from pilotbase.vault.opening import Cases, ReaderGrant, read_hidden
from pilotbase.vault.overlaps import Bits, SharedCases, shared_cases
from pilotbase.vault.place import Vault
from pilotbase.vault.sealing import HiddenSet


@dataclass(frozen=True)
class Past:
    """The past of new cases: which have been scored, how many attempts there were on sets that hold any
    of them, and which cases each of these sets shares with the new one."""

    scored: Cases
    attempts: int
    shared: tuple[tuple[HiddenSet, SharedCases], ...] = ()


def past_of(vault: Vault, frame: pl.DataFrame, earlier: Sequence[HiddenSet]) -> Past:
    """Return the past of the cases in ``frame``, from an owner's ``earlier`` sets; each opening is logged."""
    scored, attempts, found = np.zeros(frame.height, dtype=np.bool_), 0, []
    for before in earlier:
        shared = shared_cases(frame, _rows(vault, before))
        if len(shared):
            used = [item.number for item in attempts_of(vault, before) if item.state is not AttemptState.RETURNED]
            attempts = max(attempts, before.attempts_before, *used)
            then = np.zeros(before.rows, dtype=np.bool_)
            then[scored_cases(vault, before)] = True
            scored |= shared.carried(then, frame.height)
            found.append((before, shared))
    return Past(np.flatnonzero(scored).astype(np.int64), attempts, tuple(found))


def spend_published(vault: Vault, public: pl.DataFrame, earlier: Sequence[HiddenSet]) -> None:
    """Count as scored the cases of an owner's ``earlier`` hidden sets that a new public sample is about to show."""
    for before in earlier:
        shown = shared_cases(_rows(vault, before), public).here
        fresh = np.setdiff1d(shown, scored_cases(vault, before))
        if len(fresh):
            mark_scored_before(vault, before, fresh)


def same_cases(frame: pl.DataFrame, rows: pl.DataFrame) -> Bits:
    """Return which cases of ``frame`` are also in ``rows``, shape (rows of frame,)."""
    same = np.zeros(frame.height, dtype=np.bool_)
    same[shared_cases(frame, rows).here] = True
    return same


def _rows(vault: Vault, hidden_set: HiddenSet) -> pl.DataFrame:
    return read_hidden(vault, hidden_set, ReaderGrant.of_owner(hidden_set.owner))
