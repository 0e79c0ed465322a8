"""An excerpt of the log: a few of its entries, each proven to stand in one signed checkpoint. Checked without base."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

import pydantic
from sqlalchemy import select

from pilotbase.documents.base import Document, Part
from pilotbase.documents.errors import InvalidProofError
from pilotbase.workspace import tables
from pilotbase.workspace.log.entries import LogEntry, prove_inclusion
from pilotbase.workspace.log.merkle import verify_inclusion
from pilotbase.workspace.log.notes import LogVerifier
from pilotbase.workspace.store import Store


class ProvenEntry(Part):
    """One line of the log with its audit path (RFC 6962 §2.1.1), nearest node first."""

    number: int = pydantic.Field(ge=0)
    entry: str
    """The leaf: canonical JSON, to the byte."""
    path: tuple[str, ...]
    """32-byte hashes in hex."""


class LogExcerpt(Document):
    """Entries by what they show, and the first checkpoint that covers all of them."""

    document: Literal["log-excerpt/1"] = "log-excerpt/1"
    key: str
    """The log's public key (C2SP ``vkey``)."""
    checkpoint: str
    """C2SP ``tlog-checkpoint``, signed by that key."""
    entries: dict[str, ProvenEntry]

    def opened(self, verifier: LogVerifier | None = None) -> dict[str, LogEntry]:
        """Return the entries, each proven; ``verifier`` holds the key that is trusted, None takes the excerpt's own.

        Raises:
            InvalidProofError: the checkpoint is not signed by the key, or an entry does not stand in its tree.
        """
        checkpoint = (verifier or LogVerifier.from_text(self.key)).open(self.checkpoint)
        for one in self.entries.values():
            try:
                path = [bytes.fromhex(node) for node in one.path]
            except ValueError:
                path = []
            if not verify_inclusion(one.entry.encode(), one.number, checkpoint.size, path, checkpoint.root):
                raise InvalidProofError("log.entry_altered", first=one.number, last=one.number)
        opened = {name: LogEntry.model_validate_json(one.entry) for name, one in self.entries.items()}
        for name, entry in opened.items():
            if entry.number != self.entries[name].number:
                raise InvalidProofError("log.entry_altered", first=entry.number, last=entry.number)
        return opened


def entries_naming(store: Store, *names: str) -> Iterator[LogEntry]:
    """Iterate, oldest first, the entries in whose text one of ``names`` (digests, subjects) stands."""
    spelled = [name.encode() for name in names]
    lines = tables.log_entries.c
    with store.database.read() as connection:
        for body in connection.scalars(select(lines.body).order_by(lines.number)):
            if any(name in body for name in spelled):
                yield LogEntry.model_validate_json(body)


def take_excerpt(store: Store, numbers: Mapping[str, int]) -> LogExcerpt:
    """Return the entries of ``numbers``, proven; the same numbers give the same bytes however far the log has gone on.

    Raises:
        InvalidProofError: an entry was altered behind the log, or no checkpoint covers them.
    """
    checkpoints = tables.log_checkpoints.c
    with store.database.read() as connection:
        covering = select(checkpoints.note).where(checkpoints.size > max(numbers.values())).order_by(checkpoints.size)
        note = connection.scalar(covering.limit(1))
        if note is None:
            raise InvalidProofError("log.unsigned", number=max(numbers.values()))
        checkpoint = store.key.verifier.open(note)
        proofs = {name: prove_inclusion(connection, number, checkpoint) for name, number in numbers.items()}
    entries = {
        name: ProvenEntry(number=proof.number, entry=proof.entry.decode(), path=tuple(map(bytes.hex, proof.path)))
        for name, proof in proofs.items()
    }
    excerpt = LogExcerpt(key=str(store.key.verifier), checkpoint=note, entries=entries)
    excerpt.opened(store.key.verifier)
    return excerpt
