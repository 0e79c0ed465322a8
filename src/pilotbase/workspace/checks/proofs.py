"""What the signed log proves about the store: someone with the database, but no key, cannot change it.

Which cases of a hidden set were scored or given out: the log commits to all of them together, and names none. Every
entry that changes them states an HMAC of all of them under the set's wrapped secrets, which are random and in no
document and no entry: a reader of the log learns nothing of the cases, while the holder of the store can recompute it.
For a set sealed before entries did so, cases are only counted, until the next entry about it commits to all of them.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from typing import Literal

import pydantic
from sqlalchemy import Connection, select

from pilotbase.documents.base import Document, Part
from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.hashes import Digest, canonical_json, digest_of
from pilotbase.workspace import tables
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.log import entries as log
from pilotbase.workspace.log.entries import CASES, Fact, LogEntry, newest_with, prove_inclusion
from pilotbase.workspace.log.merkle import verify_inclusion
from pilotbase.workspace.log.notes import LogVerifier
from pilotbase.workspace.store import Store

_sets, _attempts = tables.hidden_sets.c, tables.attempts.c


def proven_head(store: Store, name: str, action: str) -> Digest | None:
    """Return the digest of ``name``, confirmed by an entry of the log under ``action`` that a checkpoint has signed.

    None: neither store nor log knows the name.

    Raises:
        InvalidProofError: store and log disagree, or the log has nothing; or the entry was not signed.
    """
    with store.database.read() as connection:
        stored = connection.scalar(select(tables.heads.c.digest).where(tables.heads.c.name == name))
        logged = _signed_fact(connection, store.key.verifier, f"{log.HEAD}{name}", action)
    if stored != logged:
        raise InvalidProofError("log.head_differs", name=name, stored=stored or "–", logged=logged or "–")
    return stored


def require_stored(store: Store, digest: Digest, kind: str, action: str) -> None:
    """Return if a signed entry under ``action`` records that the document ``digest`` was stored.

    Raises:
        InvalidProofError: there is none, or it was not signed.
    """
    with store.database.read() as connection:
        if _signed_fact(connection, store.key.verifier, f"{log.STORED}{digest}", action) != kind:
            raise InvalidProofError("log.document_unlogged", kind=kind, digest=digest)


def require_signed(connection: Connection, verifier: LogVerifier, entry: log.LogEntry) -> None:
    """Return if a checkpoint has signed ``entry``, as it was read; raises `InvalidProofError`."""
    number, note = entry.number, log.latest_checkpoint(connection)
    signed = verifier.open(note) if note is not None else None
    if signed is None or number >= signed.size:
        raise InvalidProofError("log.unsigned", number=number)
    path = log.prove_inclusion(connection, number, signed).path
    body = canonical_json(entry.to_json_value())  # the entry just read: a forged one may claim a true number
    if not verify_inclusion(body, number, signed.size, path, signed.root):
        raise InvalidProofError("log.entry_altered", first=number, last=number)


class ProvenEntry(Part):
    """One line of the log with its audit path (RFC 6962 §2.1.1), nearest node first."""

    number: int = pydantic.Field(ge=0)
    entry: str
    """The leaf: canonical JSON, to the byte."""
    path: tuple[str, ...]
    """32-byte hashes in hex."""


class LogExcerpt(Document):
    """Entries by what they prove, and the first checkpoint that covers all of them."""

    document: Literal["log-excerpt/1"] = "log-excerpt/1"
    key: str
    """The log's public key (C2SP ``vkey``)."""
    checkpoint: str
    """C2SP ``tlog-checkpoint``, signed by that key."""
    entries: dict[str, ProvenEntry]

    def opened(self, verifier: LogVerifier | None = None) -> dict[str, LogEntry]:
        """Return the entries, each proven; ``verifier`` holds the trusted key, None takes the excerpt's own.

        Raises:
            InvalidProofError: the checkpoint is not signed by the key, or an entry is not in its tree.
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


def prove_head(store: Store, name: str) -> LogExcerpt:
    """Return the newest entry that set the head ``name``, proven, as ``head``.

    Raises:
        NotFoundError: no entry did.
        InvalidProofError: as `take_excerpt`.
    """
    fact = f"{log.HEAD}{name}"
    with store.database.read() as connection:
        entry = newest_with(connection, fact).get(fact)
    if entry is None:
        raise NotFoundError("log.no_head", name=name)
    return take_excerpt(store, {"head": entry.number})


def entries_naming(store: Store, *names: str) -> Iterator[LogEntry]:
    """Iterate, oldest first, the entries whose text contains one of ``names`` (digests, subjects)."""
    spelled = [name.encode() for name in names]
    lines = tables.log_entries.c
    with store.database.read() as connection:
        for body in connection.scalars(select(lines.body).order_by(lines.number)):
            if any(name in body for name in spelled):
                yield LogEntry.model_validate_json(body)


def take_excerpt(store: Store, numbers: Mapping[str, int]) -> LogExcerpt:
    """Return the entries of ``numbers``, proven; the same numbers give the same bytes however far the log has grown.

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


def case_fact(connection: Connection, hidden_set: Digest) -> dict[str, Fact]:
    """Return the fact that the log will state about the set's scored and given cases, as the store has them now."""
    wrapped, scored = connection.execute(select(_sets.wrapped, _sets.scored).where(_sets.digest == hidden_set)).one()
    columns = (_attempts.identity, _attempts.number, _attempts.plan, _attempts.application, _attempts.nonce)
    held = select(*columns, _attempts.reserved).where(_attempts.hidden_set == hidden_set).order_by(_attempts.identity)
    given = [[*row[:-1], hashlib.sha256(row.reserved).hexdigest()] for row in connection.execute(held)]
    told = canonical_json([hidden_set, hashlib.sha256(scored).hexdigest(), given])
    return {f"{CASES}{hidden_set}": digest_of(hmac.new(wrapped, told, hashlib.sha256).hexdigest())}


def require_cases_as_logged(connection: Connection, verifier: LogVerifier, *hidden_sets: Digest) -> None:
    """Return if the newest signed entries about ``hidden_sets`` commit to the cases that the store has for them.

    Raises:
        InvalidProofError: the store has other cases, or the entry was not signed.
    """
    told = newest_with(connection, *(f"{CASES}{digest}" for digest in hidden_sets))
    for entry in {entry.number: entry for entry in told.values()}.values():
        require_signed(connection, verifier, entry)
    for digest in hidden_sets:
        _require_same(connection, digest, {fact: entry.facts[fact] for fact, entry in told.items()})


def compare_cases(connection: Connection, told: Mapping[str, Fact]) -> int:
    """Check that the store has the cases that the log commits to, ``told`` by hidden set.

    Return the number of sets to whose cases it does not commit yet.

    Raises:
        InvalidProofError: the store has other cases.
    """
    digests = list(connection.scalars(select(_sets.digest)))
    for digest in digests:
        _require_same(connection, digest, {f"{CASES}{name}": seal for name, seal in told.items()})
    return sum(digest not in told for digest in digests)


def _signed_fact(connection: Connection, verifier: LogVerifier, fact: str, action: str) -> log.Fact | None:
    """Return the value in the newest entry with ``fact``, or None if there is none or it is not of ``action``."""
    entry = log.newest_with(connection, fact).get(fact)
    if entry is None or entry.action != action:
        return None
    require_signed(connection, verifier, entry)
    return entry.facts[fact]


def _require_same(connection: Connection, digest: Digest, told: Mapping[str, Fact]) -> None:
    for fact, seal in case_fact(connection, digest).items():
        if told.get(fact, seal) != seal:
            raise InvalidProofError("log.cases_altered", digest=digest)
