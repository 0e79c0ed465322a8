"""Opens hidden rows: only in the scorer process, only with a purpose and a leave, never without a line in the log."""

from __future__ import annotations

import ctypes
import io
import json
import os
import resource
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import polars as pl
from sqlalchemy import Connection

from pilotbase.documents.board import BoardSubmission
from pilotbase.documents.errors import InvalidProofError, PilotbaseError, RefusedError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.terms import AccessGrant, Action, LegalBasis
from pilotbase.vault.ciphers import ChunkId, decrypt_chunk
from pilotbase.vault.place import Vault
from pilotbase.vault.sealing import HiddenSet, secrets_of
from pilotbase.workspace import records
from pilotbase.workspace.actors import BASE_ITSELF
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.log import entries
from pilotbase.workspace.log.entries import Fact
from pilotbase.workspace.uses import find_use, require_leave, require_standing

Cases = npt.NDArray[np.int64]
_PR_SET_DUMPABLE = 4


class OpeningPurpose(StrEnum):
    """Why hidden rows are opened; the log keeps it for ever."""

    TRIAL = "trial"
    """Features are streamed to a box and its answers scored; labels stay in the scorer's process."""
    LEAKAGE = "leakage"
    """Compared with the public sample."""
    PROFILE = "profile"
    """Counts and class shares that the plan's planning needs."""
    BOARD = "board"
    """A board's own slice, and the state of its Ladder."""
    OWNER = "owner"
    """A job of the data's owner."""
    BUNDLE = "bundle"
    """A sample bundle, for the owner, the operator or the regulator."""
    SAMPLE = "sample"
    """The public sample is used: planning, a rehearsal past the gate, a watch's profile."""


FOR_OWNER = frozenset({OpeningPurpose.OWNER, OpeningPurpose.BUNDLE, OpeningPurpose.PROFILE, OpeningPurpose.SAMPLE})
"""Purposes of the owner's own work. For others the rows serve an application, so only a counted leave opens them."""


@dataclass(frozen=True)
class ReaderGrant:
    """Why the rows are read, under which leave, and in which attempt (its number) if any."""

    purpose: OpeningPurpose
    leave: AccessGrant
    attempt: int | None = None

    @classmethod
    def of_owner(cls, owner: str, purpose: OpeningPurpose = OpeningPurpose.OWNER) -> ReaderGrant:
        return cls(purpose, AccessGrant.of_owner(owner))

    @property
    def facts(self) -> dict[str, Fact]:
        """Return the facts in the log line of an opening: its purpose, ground, use and attempt."""
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

    With ``cases`` it gives only those rows, in ascending order; chunks without any are not even read. The leave is
    checked against its terms with each chunk. Call `harden_process` first: this is for the scorer process.

    Raises:
        RefusedError: the actor is neither the operator nor the owner, or the leave is for something else or no longer
            valid; raised before anything is read, as the next two are. The last one may also be raised while iterating.
        NotFoundError: no such hidden set, or the owner's key is not here.
        InvalidProofError: wrong key; while iterating: a chunk was altered, is missing or is in another's place.
    """
    bundle = secrets_of(vault, hidden_set)
    rows = hidden_set.rows if cases is None else len(cases)
    with vault.view.transaction("vault.opened") as change:
        require_leave_for(change.connection, hidden_set, grant.leave, grant.purpose in FOR_OWNER, change.now)
        change.record(entries.ROWS, hidden_set.named, {**grant.facts, "rows": rows})
    return _frames(vault, hidden_set, bundle.data_key, grant.leave, cases)


def read_hidden(vault: Vault, hidden_set: HiddenSet, grant: ReaderGrant, cases: Cases | None = None) -> pl.DataFrame:
    """Return all rows of a hidden set, or those with the numbers ``cases``, at once; raises as `open_hidden`."""
    return pl.concat([piece.frame for piece in open_hidden(vault, hidden_set, grant, cases)])


def require_still(vault: Vault, leave: AccessGrant) -> None:
    """Return if a leave that was used for an opening is still valid; raises `RefusedError`."""
    with vault.view.reading() as connection:
        require_standing(connection, leave, vault.view.store.clock())


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


def require_leave_for(
    connection: Connection, hidden_set: HiddenSet, leave: AccessGrant, for_owner: bool, now: datetime
) -> None:
    """Return if ``leave`` opens rows of ``hidden_set``; ``for_owner``: for the owner's own work.

    Raises:
        RefusedError: it is for something else, was not counted, or its terms no longer permit it ``now``.
    """
    require_leave(connection, leave, now)
    if not _is_about(connection, hidden_set, leave, for_owner):
        raise RefusedError("terms.foreign_leave")


def require_leave_of(owner: str, leave: AccessGrant, for_owner: bool) -> None:
    """Return if ``leave`` is for ``owner``'s own work, and so is the purpose; raises `RefusedError`."""
    if not (for_owner and leave.ground is LegalBasis.OWNER and leave.target == owner):
        raise RefusedError("terms.foreign_leave")


def hidden_set_of(connection: Connection, digest: Digest) -> HiddenSet | None:
    """Return the hidden set that has this digest or is behind this board slice; None for anything else."""
    stored = records.get(connection, BASE_ITSELF, digest)
    if stored is not None and stored.kind == "board-slice":
        stored = records.get(connection, BASE_ITSELF, json.loads(stored.body)["hidden_set"])
    return stored.load(HiddenSet) if stored is not None and stored.kind == "hidden-set" else None


def named_by(connection: Connection, context: Digest) -> list[str]:
    """Return whose cases an envelope is about. Its context names a hidden set, a board, a plan or a scenario."""
    stored = records.get(connection, BASE_ITSELF, context)
    if stored is not None and stored.kind == "scenario":
        return [stored.load(Scenario).subject]
    if stored is not None and stored.kind == "trial-plan":
        context = stored.load(TrialPlan).scenario.hidden_set
    found = hidden_set_of(connection, context)
    return [] if found is None else found.named


def _is_about(connection: Connection, hidden_set: HiddenSet, leave: AccessGrant, for_owner: bool) -> bool:
    if leave.use is None:
        return for_owner and leave.ground is LegalBasis.OWNER and leave.target == hidden_set.owner
    use = find_use(connection, leave.by, leave.use)
    if use is None or use.action != Action.COMPUTE_ON:
        return False
    if hidden_set.dataset is not None:
        return leave.target == hidden_set.dataset
    return leave.ground is LegalBasis.PAPER and _of_paper(connection, leave.target) == hidden_set.digest()


def _of_paper(connection: Connection, paper: Digest) -> Digest | None:
    """Return the hidden set that the frozen plan of a trial or tender, or a submission to a board, is about."""
    stored = records.get(connection, BASE_ITSELF, paper)
    if stored is not None and stored.kind in ("trial-plan", "tender-plan"):
        return str(json.loads(stored.body)["scenario"]["hidden_set"])
    if stored is not None and stored.kind == "board-submission":
        found = hidden_set_of(connection, stored.load(BoardSubmission).board)
        return None if found is None else found.digest()
    return None


def harden_process() -> None:
    """Keep this process's memory from core files and processes of the same user (prctl(2) PR_SET_DUMPABLE).

    Afterwards ``/proc/self`` belongs to root, so first do everything that needs it. Not inherited over exec.

    Raises:
        PilotbaseError: the kernel refused.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise PilotbaseError("vault.not_hardened", reason=os.strerror(ctypes.get_errno()))
