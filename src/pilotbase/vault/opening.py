"""Opening hidden rows: only in the scorer process, only with a purpose and a leave, never without a line in the log."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import polars as pl

from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.terms import AccessGrant
from pilotbase.vault.ciphers import ChunkId, decrypt_chunk
from pilotbase.vault.hidden import HiddenSet
from pilotbase.vault.leaves import require_leave_for
from pilotbase.vault.place import Vault
from pilotbase.vault.sealing import secrets_of
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.log import entries
from pilotbase.workspace.log.entries import Fact
from pilotbase.workspace.uses import require_leave

Cases = npt.NDArray[np.int64]


class OpeningPurpose(StrEnum):
    """Why hidden rows are opened; the log keeps it for ever."""

    FEATURES = "features"
    """Features are streamed to a box; labels stay."""
    SCORING = "scoring"
    LEAKAGE = "leakage"
    """Compared with the public sample."""
    BASELINE = "baseline"
    PROFILE = "profile"
    """Counts and class shares that the plan's planning needs."""
    BOARD = "board"
    """A board's own slice, and the state of its Ladder."""
    OWNER = "owner"
    """A job of the data's owner."""
    BUNDLE = "bundle"
    """A sample bundle, for the owner, the operator or the regulator."""
    SAMPLE = "sample"
    """The public sample serves: planning, a rehearsal past the gate, a watch's profile."""


FOR_OWNER = frozenset({OpeningPurpose.OWNER, OpeningPurpose.BUNDLE, OpeningPurpose.PROFILE, OpeningPurpose.SAMPLE})
"""Purposes of the owner's own work. For others rows serve somebody's application: only a counted leave opens them."""


@dataclass(frozen=True)
class ReaderGrant:
    """Why it is read, under which leave, and in which attempt (its number) if in any."""

    purpose: OpeningPurpose
    leave: AccessGrant
    attempt: int | None = None

    @classmethod
    def of_owner(cls, owner: str, purpose: OpeningPurpose = OpeningPurpose.OWNER) -> ReaderGrant:
        """Return the grant of an owner's own work."""
        return cls(purpose, AccessGrant.of_owner(owner))

    @property
    def facts(self) -> dict[str, Fact]:
        """Return what the line of an opening says of it: why, on which ground, under which use, in which attempt."""
        told: dict[str, Fact | None] = {
            "purpose": self.purpose.value,
            "ground": self.leave.by,
            "use": self.leave.use,
            "attempt": self.attempt,
        }
        return {name: fact for name, fact in told.items() if fact is not None}


@dataclass(frozen=True)
class HiddenFrame:
    """Decrypted rows and their case numbers (ascending, aligned with the rows)."""

    cases: Cases
    frame: pl.DataFrame


def open_hidden(
    vault: Vault, hidden_set: HiddenSet, grant: ReaderGrant, cases: Cases | None = None
) -> Iterator[HiddenFrame]:
    """Write the opening to the log, then return an iterator over decrypted rows, chunk by chunk, in order.

    With ``cases`` only those rows are given, in ascending order; chunks without any are not even read. The leave is
    held against its terms with each chunk. Call `hardening.harden_process` first: this is for the scorer process.

    Raises:
        RefusedError: the actor is neither the operator nor the owner, or the leave is for something else or stands no
            more; raised before anything is read, as the next two, and the last while iterating too.
        NotFoundError: no such hidden set, or the owner's key is not here.
        InvalidProofError: wrong key; while iterating: a chunk was altered, is missing or stands in another's place.
    """
    bundle = secrets_of(vault, hidden_set)
    rows = hidden_set.rows if cases is None else len(cases)
    with vault.transaction("vault.opened") as change:
        require_leave_for(change.connection, hidden_set, grant.leave, grant.purpose in FOR_OWNER, change.now)
        change.record(entries.ROWS, hidden_set.named, {**grant.facts, "rows": rows})
    return _frames(vault, hidden_set, bundle.data_key, grant.leave, cases)


def require_still(vault: Vault, leave: AccessGrant) -> None:
    """Return if a leave under which something was opened stands still; raises `RefusedError`."""
    with vault.view.reading() as connection:
        require_leave(connection, leave, vault.view.store.clock())


def _frames(
    vault: Vault, hidden_set: HiddenSet, key: bytes, leave: AccessGrant, cases: Cases | None
) -> Iterator[HiddenFrame]:
    wanted = None if cases is None else np.sort(cases)
    start = 0
    for number, chunk in enumerate(hidden_set.chunks):
        here = np.arange(start, start + chunk.rows, dtype=np.int64)
        if wanted is not None:
            here = wanted[np.searchsorted(wanted, start) : np.searchsorted(wanted, start + chunk.rows)]
        if len(here):
            require_still(vault, leave)
            frame = _decrypt(vault, hidden_set, key, number)
            yield HiddenFrame(here, frame if wanted is None else frame[here - start])
        start += chunk.rows


def _decrypt(vault: Vault, hidden_set: HiddenSet, key: bytes, number: int) -> pl.DataFrame:
    chunk, count = hidden_set.chunks[number], len(hidden_set.chunks)
    try:
        sealed = vault.blobs.get(chunk.blob)
    except NotFoundError as error:
        raise InvalidProofError("vault.chunk_missing", chunk=number, count=count) from error
    except InvalidProofError as error:
        raise InvalidProofError("vault.chunk_altered", chunk=number, count=count) from error
    place = ChunkId(hidden_set.identity, hidden_set.scenario, number, count, chunk.rows)
    return pl.read_ipc(io.BytesIO(decrypt_chunk(key, place, sealed)))
