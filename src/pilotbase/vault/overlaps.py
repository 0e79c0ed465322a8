"""Cases in several hidden sets of one owner: what one set's attempts score or hold is spent in the others.

Otherwise two versions of a scenario, sealed before any attempt, would each offer the same cases as fresh.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl
from sqlalchemy import Connection

from pilotbase.documents.base import Document
from pilotbase.documents.hashes import Digest
from pilotbase.vault.opening import Cases
from pilotbase.vault.place import Vault
from pilotbase.workspace import records
from pilotbase.workspace.actors import parties

Bits = npt.NDArray[np.bool_]
_MOST = 100_000


@dataclass(frozen=True)
class SharedCases:
    """Which cases of two sets are the same: case numbers of each, and a code per case that is equal for equal ones."""

    here: Cases
    here_code: Cases
    there: Cases
    there_code: Cases

    def __len__(self) -> int:
        return len(self.here)

    def turned(self) -> SharedCases:
        """Return the same, seen from the other set."""
        return SharedCases(self.there, self.there_code, self.here, self.here_code)

    def carried(self, there: Bits, rows: int) -> Bits:
        """Return which of ``rows`` cases here are the same as a case marked in ``there``."""
        marked = np.zeros(1 + max(self.here_code.max(initial=-1), self.there_code.max(initial=-1)), dtype=np.bool_)
        marked[self.there_code[there[self.there]]] = True
        bits = np.zeros(rows, dtype=np.bool_)
        bits[self.here] = marked[self.here_code]
        return bits


class Overlap(Document):
    """A record that ``hidden_set`` shares cases with a set sealed before it."""

    document: Literal["overlap/1"] = "overlap/1"
    hidden_set: Digest
    earlier: Digest
    pairs: Digest
    """Blob of case numbers, which reveal nothing about the cases."""


@dataclass(frozen=True)
class Neighbour:
    """Another hidden set that holds some of the same cases."""

    digest: Digest
    shared: SharedCases


def shared_cases(frame: pl.DataFrame, rows: pl.DataFrame) -> SharedCases:
    """Return which cases of ``frame`` are also in ``rows``.

    A case is the same when all columns of the narrower table are equal; tables of other columns do not compare.
    """
    columns = [name for name in frame.columns if name in rows.columns and frame[name].dtype == rows[name].dtype]
    if not rows.height or not frame.height or len(columns) < min(frame.width, rows.width):
        none = np.empty(0, dtype=np.int64)
        return SharedCases(none, none, none, none)
    here, there = (table.select(columns).with_row_index("\x00case") for table in (frame, rows))
    contents = here.select(columns).unique().join(there.select(columns).unique(), on=columns, nulls_equal=True)
    coded = contents.with_row_index("\x00code")
    found = [table.join(coded, on=columns, nulls_equal=True).sort("\x00case") for table in (here, there)]
    arrays = [table[name].to_numpy().astype(np.int64) for table in found for name in ("\x00case", "\x00code")]
    return SharedCases(*arrays)


def record_overlap(vault: Vault, owner: str, hidden_set: Digest, earlier: Digest, shared: SharedCases) -> None:
    """Store that the two sets share cases; from now on each counts what the other's attempts hold and score."""
    overlap = Overlap(hidden_set=hidden_set, earlier=earlier, pairs=vault.blobs.put(_packed(shared)))
    fields = {"hidden_set": hidden_set, "earlier": earlier}
    with vault.view.transaction("vault.overlap_recorded") as change:
        change.put(overlap, parties(), owner=owner, fields=fields)


def neighbours_of(vault: Vault, connection: Connection, hidden_set: Digest) -> Iterator[Neighbour]:
    """Yield the sets that share cases with ``hidden_set``, sealed before or after it."""
    for side in ("hidden_set", "earlier"):
        for stored in records.find(connection, vault.view.actor, "overlap", {side: hidden_set}, _MOST):
            overlap = stored.load(Overlap)
            shared = _unpacked(vault.blobs.get(overlap.pairs))
            if side == "hidden_set":
                yield Neighbour(overlap.earlier, shared)
            else:
                yield Neighbour(overlap.hidden_set, shared.turned())


def _packed(shared: SharedCases) -> bytes:
    sides = [(shared.here, shared.here_code), (shared.there, shared.there_code)]
    tables = [pl.DataFrame({"there": np.full(len(c), bool(n)), "case": c, "code": k}) for n, (c, k) in enumerate(sides)]
    buffer = io.BytesIO()
    pl.concat(tables).write_ipc(buffer, compression="zstd")
    return buffer.getvalue()


def _unpacked(packed: bytes) -> SharedCases:
    table = pl.read_ipc(io.BytesIO(packed))
    sides = [table.filter(pl.col("there") == side) for side in (False, True)]
    return SharedCases(*(side[name].to_numpy().astype(np.int64) for side in sides for name in ("case", "code")))
