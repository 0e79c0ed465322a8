"""The offline verifier of a log: needs a copy of its lines and the public key, no database.

It recomputes every hash, checks that every signed checkpoint is a prefix of the log, and names the first bad entry.
A log alone cannot reveal that its newest lines *and* their checkpoints were cut off; for that the caller passes
checkpoints that others hold (certificates and trial folders carry them) as ``witnesses``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pydantic
from sqlalchemy import Connection, select

from pilotbase.documents.errors import InputError, InvalidProofError
from pilotbase.documents.hashes import canonical_json
from pilotbase.workspace import tables
from pilotbase.workspace.engine import machine_failure
from pilotbase.workspace.log.entries import NO_PREDECESSOR, LogEntry, digest_text
from pilotbase.workspace.log.merkle import MerkleTree, leaf_hash
from pilotbase.workspace.log.notes import Checkpoint, LogVerifier


@dataclass(frozen=True)
class LogCopy:
    """All lines of a log: entries (canonical JSON) and checkpoints (signed notes).

    ``hashes`` are the leaf hashes that the store keeps beside the entries; if known, they let the verifier name one
    entry instead of the few that were signed together.
    """

    entries: tuple[bytes, ...]
    checkpoints: tuple[str, ...]
    hashes: tuple[bytes, ...] = ()

    @classmethod
    def from_store(cls, connection: Connection) -> LogCopy:
        """Copy the log of a store within one transaction."""
        lines, notes, nodes = tables.log_entries.c, tables.log_checkpoints.c, tables.log_nodes.c
        leaves = select(nodes.hash).where(nodes.level == 0).order_by(nodes.position)
        return cls(
            tuple(connection.scalars(select(lines.body).order_by(lines.number))),
            tuple(connection.scalars(select(notes.note).order_by(notes.size))),
            tuple(connection.scalars(leaves)),
        )

    @classmethod
    def read(cls, folder: Path) -> LogCopy:
        """Read ``entries.jsonl`` and ``checkpoints.jsonl`` of ``folder``; raises `InputError`."""
        try:
            entries = (folder / "entries.jsonl").read_bytes().splitlines()
            notes = (folder / "checkpoints.jsonl").read_text("utf-8").splitlines()
            return cls(tuple(entries), tuple(str(json.loads(line)) for line in notes))
        except (OSError, ValueError) as error:
            raise InputError("log.copy_unreadable", path=folder, reason=str(error)) from error

    def write(self, folder: Path) -> None:
        """Write ``entries.jsonl`` and ``checkpoints.jsonl`` into ``folder``; raises `PilotbaseError`."""
        notes = (json.dumps(note, ensure_ascii=False) + "\n" for note in self.checkpoints)
        try:
            (folder / "entries.jsonl").write_bytes(b"".join(entry + b"\n" for entry in self.entries))
            (folder / "checkpoints.jsonl").write_text("".join(notes), "utf-8")
        except OSError as error:
            raise machine_failure(error, folder) from error


@dataclass(frozen=True)
class VerifiedLog:
    """What was proven: ``size`` entries under ``root``, with ``checkpoints`` signed states.

    ``only_counted``: hidden sets of the store whose scored cases the log counts and does not commit to yet.
    """

    size: int
    root: bytes
    checkpoints: int
    only_counted: int = 0


def verify_log(copy: LogCopy, verifier: LogVerifier, witnesses: Iterable[str] = ()) -> VerifiedLog:
    """Return what ``copy`` proves.

    Raises:
        InvalidProofError: an entry was altered, removed, added or moved, the log was cut, or a checkpoint is not signed
            by ``verifier``; the message names the first bad entry (counted from 0).
    """
    signed = sorted(map(verifier.open, [*copy.checkpoints, *witnesses]), key=lambda checkpoint: checkpoint.size)
    tree, previous, proven = MerkleTree(), NO_PREDECESSOR, 0
    pending = list(reversed(signed))
    for number, body in enumerate(copy.entries):
        _require_link(copy, number, previous)
        tree.append(body)
        previous = digest_text(leaf_hash(body))
        while pending and pending[-1].size <= number + 1:
            _require_root(pending.pop(), tree, copy, proven)
            proven = number + 1
    if pending:
        raise InvalidProofError("log.truncated", size=len(tree), signed=pending[0].size)
    if proven < len(tree):
        raise InvalidProofError("log.unsigned", number=proven)
    _require_hashes(copy)
    return VerifiedLog(len(tree), tree.root(), len(signed))


def _require_link(copy: LogCopy, number: int, previous: str) -> None:
    body = copy.entries[number]
    try:
        entry = LogEntry.model_validate_json(body)
    except pydantic.ValidationError as error:
        raise InvalidProofError("log.entry_unreadable", number=number) from error
    if canonical_json(entry.to_json_value()) != body:
        raise InvalidProofError("log.entry_unreadable", number=number)
    if entry.number != number:
        raise InvalidProofError("log.entry_out_of_place", number=number, found=entry.number)
    if entry.previous != previous:
        # Either the predecessor was altered or this entry's reference to it; the kept hashes show which.
        altered = _first_altered(copy.entries, copy.hashes, max(number - 1, 0))
        first = max(number - 1, 0) if altered is None else min(altered, number)
        raise InvalidProofError("log.entry_altered", first=first, last=number if altered is None else first)


def _require_root(checkpoint: Checkpoint, tree: MerkleTree, copy: LogCopy, proven: int) -> None:
    if tree.root(checkpoint.size) == checkpoint.root:
        return
    altered = _first_altered(copy.entries, copy.hashes, proven)
    if altered is not None and altered < checkpoint.size:
        raise InvalidProofError("log.entry_altered", first=altered, last=altered)
    raise InvalidProofError("log.entry_altered", first=proven, last=checkpoint.size - 1)


def _require_hashes(copy: LogCopy) -> None:
    altered = _first_altered(copy.entries, copy.hashes, 0)
    if altered is not None:
        raise InvalidProofError("log.hash_altered", number=altered)


def _first_altered(entries: Sequence[bytes], hashes: Sequence[bytes], start: int) -> int | None:
    kept = zip(entries[start:], hashes[start:], strict=False)
    return next((start + offset for offset, (body, hashed) in enumerate(kept) if leaf_hash(body) != hashed), None)
