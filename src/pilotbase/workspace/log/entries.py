"""The append-only log: audit chain, journal and transparency log of a base in one Merkle tree (RFC 6962).

Every state change, permission change and read of hidden data is one entry, written in the transaction of the change
itself. An entry is canonical JSON that names its predecessor's hash; every transaction ends in a signed checkpoint over
the whole tree. Personal or secret payload is included only as a salted hash, so that erasing it leaves all proofs
valid. The payload of a line that stores documents, or changes who sees them, says who sees each from then on; it is not
erased.

There is also an index of the log lines that record readings of closed data, by what was read. It contains nothing else:
every fact about a reading is in its entry; `log verify` checks that the index names exactly the existing entries.
"""

from __future__ import annotations

import hashlib
import secrets
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial
from itertools import islice

import pydantic
from sqlalchemy import Connection, bindparam, delete, func, insert, select

from pilotbase.documents.base import Moment, Part
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.hashes import Digest, canonical_json, digest_of
from pilotbase.workspace import tables
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.log.merkle import Node, completed_nodes, consistency_path, inclusion_path, leaf_hash, root_of
from pilotbase.workspace.log.notes import Checkpoint, LogKey

Fact = str | int | bool
_SALT_BYTES = 32
NO_PREDECESSOR = digest_of("0" * 64)
STORED, VISIBILITY, HEAD, COUNTER = "stored ", "visibility ", "head ", "counter "
CASES = "cases "
"""Facts of a change, each followed by its subject (``head report:…``): what the store must hold from then on."""
_log_nodes = tables.log_nodes.c
_NODE = select(_log_nodes.hash).where(
    _log_nodes.level == bindparam("level"), _log_nodes.position == bindparam("position")
)
ROWS, RECORDS, FILE, UPLOAD = "vault.opened", "vault.envelope_opened", "vault.dataset_opened", "vault.upload_opened"
MARKS, TAKEN, BUNDLE = "vault.marks_opened", "trial.bundle_taken", "trial.bundle_fetched"
ITEM, SAMPLE = "labelling.item_shown", "vault.sample_opened"
USED, REFUSED = "terms.used", "terms.refused"
OPENINGS = frozenset({ROWS, RECORDS, FILE, UPLOAD, MARKS, TAKEN, BUNDLE, ITEM, SAMPLE})
"""Sealed bytes were opened: no function opens any without one of these lines."""
READINGS = OPENINGS | {USED, REFUSED}
"""The same, and uses that the gate has counted or refused."""
LOOKED_THROUGH = 20_000
"""Lines of which a page of a search is made at most."""
_LONGEST = 200
_index = tables.log_readings.c


class EntryActor(Part):
    """Who acted, as far as the log may record it: never a person's name."""

    organisation: str
    roles: tuple[str, ...]


class LogEntry(Part):
    """One line of the log; its canonical JSON is the leaf."""

    number: int
    previous: Digest
    """SHA-256 leaf hash (RFC 6962) of the entry before; zeros for the first."""
    time: Moment
    actor: EntryActor
    action: str
    subjects: tuple[str, ...] = ()
    """Digests and names of what was changed or read."""
    facts: dict[str, Fact] = pydantic.Field(default_factory=dict)
    """Further facts that every reader of the log may know: counts, purposes, states."""
    payload: Digest | None = None
    """SHA-256(salt ‖ payload) of what only some may know; the payload itself can be erased."""


@dataclass(frozen=True)
class LogRecord:
    """A line that a caller enters: the log adds number, predecessor and, for ``payload``, salt and hash."""

    action: str
    subjects: Sequence[str] = ()
    facts: Mapping[str, Fact] = field(default_factory=dict)
    payload: bytes | None = None


@dataclass(frozen=True)
class InclusionProof:
    """Proof that ``entry`` is number ``number`` of the log that ``checkpoint`` signs; see `merkle.verify_inclusion`."""

    number: int
    entry: bytes
    path: tuple[bytes, ...]
    checkpoint: Checkpoint


def append(connection: Connection, key: LogKey, records: Sequence[LogRecord], actor: Actor, time: datetime) -> None:
    """Enter ``records`` and sign the new checkpoint, all in the transaction of ``connection``."""
    size = log_size(connection)
    previous = digest_text(_node(connection, 0, size - 1)) if size else NO_PREDECESSOR
    by = EntryActor(organisation=actor.organisation, roles=tuple(sorted(actor.roles)))
    for number, record in enumerate(records, start=size):
        entry = LogEntry(
            number=number,
            previous=previous,
            time=time,
            actor=by,
            action=record.action,
            subjects=tuple(record.subjects),
            facts=dict(record.facts),
            payload=_keep_payload(connection, number, record.payload),
        )
        body = canonical_json(entry.to_json_value())
        connection.execute(insert(tables.log_entries), {"number": number, "body": body, "person": actor.person})
        _index_readings(connection, number, record.action, record.subjects)
        for level, position, hashed in completed_nodes(number, leaf_hash(body), _nodes(connection)):
            connection.execute(insert(tables.log_nodes), {"level": level, "position": position, "hash": hashed})
        previous = digest_text(leaf_hash(body))
    size += len(records)
    checkpoint = key.sign(size, root_of(_nodes(connection), size))
    connection.execute(insert(tables.log_checkpoints), {"size": size, "note": checkpoint.note})


def log_size(connection: Connection) -> int:
    """Return the number of entries."""
    newest = connection.scalar(select(func.max(tables.log_entries.c.number)))
    return 0 if newest is None else int(newest) + 1


def entries(connection: Connection, start: int = 0) -> Iterator[LogEntry]:
    """Iterate the entries from number ``start``."""
    rows = select(tables.log_entries.c.body).where(tables.log_entries.c.number >= start)
    for body in connection.scalars(rows.order_by(tables.log_entries.c.number)):
        yield LogEntry.model_validate_json(body)


@dataclass(frozen=True)
class LogQuery:
    """Which lines are looked for; what is empty is any."""

    organisation: str = ""
    """Who acted."""
    person: str = ""
    """Opaque identifier of who acted, or whom it is about."""
    action: str = ""
    """Begin of the action, such as ``membership.``."""
    subject: str = ""
    """A record or an organisation, such as ``scenario:plant/milling``."""
    since: datetime | None = None
    until: datetime | None = None

    @cached_property
    def _marks(self) -> tuple[bytes, ...]:
        named = [canonical_json(self.organisation)] if self.organisation else []
        begun = [canonical_json(self.action)[:-1]] if self.action else []
        return (*named, *begun, self.subject.encode())

    def may_admit(self, body: bytes, person: str | None) -> bool:
        """Return whether a line, of which only bytes are looked at, may be looked for; ``person`` acted."""
        named = self.person in ("", person) or canonical_json(self.person) in body
        return named and all(mark in body for mark in self._marks)

    def admits(self, entry: LogEntry, person: str | None) -> bool:
        """Return whether ``entry`` is looked for; ``person`` acted."""
        about = {*entry.subjects, *(fact.partition(" ")[2] for fact in entry.facts)}
        return (
            self.organisation in ("", entry.actor.organisation)
            and self.person in ("", person, entry.facts.get("person"))
            and entry.action.startswith(self.action)
            and (not self.subject or not about.isdisjoint({self.subject, f"record:{self.subject}"}))
        )


def find_entries(
    connection: Connection, wanted: LogQuery, before: int | None, limit: int
) -> tuple[list[tuple[LogEntry, str | None]], int | None]:
    """Return the newest lines below number ``before`` that are ``wanted``, and the number below which to read on.

    With each line comes who acted, by an opaque identifier; None: the base's own process.

    So many lines are looked through at once that a page is soon there, however few of them are wanted.
    """
    lines, end = tables.log_entries.c, log_size(connection)
    top = min(end if before is None else before, _number_at(connection, wanted.until, end))
    floor, found = _number_at(connection, wanted.since, 0), list[tuple[LogEntry, str | None]]()
    rows = select(lines.number, lines.body, lines.person).where(lines.number < top, lines.number >= floor)
    for number, body, person in connection.execute(rows.order_by(lines.number.desc()).limit(LOOKED_THROUGH)):
        top = number
        if wanted.may_admit(body, person) and wanted.admits(entry := LogEntry.model_validate_json(body), person):
            found.append((entry, person))
            if len(found) == limit:
                break
    return found, top if top > floor else None


def _number_at(connection: Connection, moment: datetime | None, otherwise: int) -> int:
    """Return the number of the first line at ``moment`` or later; ``otherwise`` without a moment."""
    if moment is None:
        return otherwise
    lines = tables.log_entries.c

    def time_of(number: int) -> datetime:
        body = connection.scalar(select(lines.body).where(lines.number == number))
        return LogEntry.model_validate_json(body or b"").time

    return bisect_left(range(log_size(connection)), moment, key=time_of)


def newest_with(connection: Connection, *facts: str) -> dict[str, LogEntry]:
    """Return, for each of ``facts`` that any entry states, the newest entry that does, with any value."""
    spelled, found = {fact: canonical_json(fact) for fact in facts}, dict[str, LogEntry]()
    lines = tables.log_entries.c
    for body in connection.scalars(select(lines.body).order_by(lines.number.desc())):
        if len(found) == len(spelled):
            break
        if any(fact not in found and words in body for fact, words in spelled.items()):
            entry = LogEntry.model_validate_json(body)
            found = {fact: entry for fact in spelled if fact in entry.facts} | found
    return found


def latest_checkpoint(connection: Connection) -> str | None:
    """Return the note of the newest checkpoint, or None while the log is empty."""
    notes = select(tables.log_checkpoints.c.note).order_by(tables.log_checkpoints.c.size.desc()).limit(1)
    return connection.scalar(notes)


def prove_inclusion(connection: Connection, number: int, checkpoint: Checkpoint) -> InclusionProof:
    """Return the proof that entry ``number`` is in the log of ``checkpoint``; raises `NotFoundError`."""
    body = connection.scalar(select(tables.log_entries.c.body).where(tables.log_entries.c.number == number))
    if body is None or number >= checkpoint.size:
        raise NotFoundError("log.no_entry", number=number, size=checkpoint.size)
    return InclusionProof(number, body, inclusion_path(_nodes(connection), number, checkpoint.size), checkpoint)


def prove_consistency(connection: Connection, older: Checkpoint, newer: Checkpoint) -> tuple[bytes, ...]:
    """Return the proof that the log of ``older`` is a prefix of that of ``newer`` (`merkle.verify_consistency`)."""
    size = log_size(connection)
    if not older.size <= newer.size <= size:
        raise NotFoundError("log.no_entry", number=max(older.size, newer.size) - 1, size=size)
    return consistency_path(_nodes(connection), older.size, newer.size)


def payload_of(connection: Connection, number: int) -> bytes | None:
    """Return the payload of entry ``number``, or None if it has none or it was erased."""
    return connection.scalar(select(tables.log_payloads.c.payload).where(tables.log_payloads.c.number == number))


def payloads(connection: Connection) -> dict[int, tuple[Digest, bytes]]:
    """Return number → salted hash, as the entry must state it, and payload; without the erased ones."""
    row = tables.log_payloads.c
    found = connection.execute(select(row.number, row.salt, row.payload))
    return {number: (_salted(salt, payload), payload) for number, salt, payload in found}


def says_who_sees(entry: LogEntry) -> bool:
    """Return whether the payload of ``entry`` says who sees documents; entries of earlier versions have none."""
    return entry.payload is not None and any(fact.startswith((STORED, VISIBILITY)) for fact in entry.facts)


def erase_payload(connection: Connection, number: int) -> None:
    """Erase payload and salt of entry ``number``: the remaining hash reveals nothing, and every proof still holds.

    Raises:
        RefusedError: it says who sees documents, which the store is compared with.
    """
    if any(entry.number == number and says_who_sees(entry) for entry in islice(entries(connection, number), 1)):
        raise RefusedError("log.payload_kept", number=number)
    connection.execute(delete(tables.log_payloads).where(tables.log_payloads.c.number == number))


def digest_text(raw: bytes) -> str:
    """Return a raw SHA-256 as ``sha256:<hex>``."""
    return digest_of(raw.hex())


def _index_readings(connection: Connection, number: int, action: str, subjects: Collection[str]) -> None:
    """Enter the line ``number`` into the index, under all of its subjects, if it records a reading."""
    if action in READINGS:
        for name in names_in(subjects):
            connection.execute(insert(tables.log_readings), {"name": name, "number": number})


def names_in(subjects: Iterable[str]) -> list[str]:
    """Return the names under which a line about ``subjects`` is found."""
    return sorted({name for name in subjects if 0 < len(name) <= _LONGEST})


def readings_of(connection: Connection, names: Collection[str], before: int | None, limit: int) -> list[bytes]:
    """Return the newest lines about any of ``names`` below number ``before``, newest first."""
    numbers = select(_index.number).where(_index.name.in_(list(names)))
    if before is not None:
        numbers = numbers.where(_index.number < before)
    newest = numbers.distinct().order_by(_index.number.desc()).limit(limit).subquery()
    lines = tables.log_entries.c
    rows = select(lines.body).join(newest, newest.c.number == lines.number).order_by(lines.number.desc())
    return [bytes(body) for body in connection.scalars(rows)]


def readings_since(connection: Connection, number: int, limit: int) -> list[bytes]:
    """Return the lines from ``number`` on that record readings, oldest first."""
    numbers = select(_index.number).where(_index.number >= number).distinct().order_by(_index.number).limit(limit)
    lines, found = tables.log_entries.c, numbers.subquery()
    rows = select(lines.body).join(found, found.c.number == lines.number).order_by(lines.number)
    return [bytes(body) for body in connection.scalars(rows)]


def _keep_payload(connection: Connection, number: int, payload: bytes | None) -> str | None:
    if payload is None:
        return None
    salt = secrets.token_bytes(_SALT_BYTES)
    connection.execute(insert(tables.log_payloads), {"number": number, "salt": salt, "payload": payload})
    return _salted(salt, payload)


def _salted(salt: bytes, payload: bytes) -> Digest:
    return digest_text(hashlib.sha256(salt + payload).digest())


def _nodes(connection: Connection) -> Node:
    return partial(_node, connection)


def _node(connection: Connection, level: int, position: int) -> bytes:
    return bytes(connection.execute(_NODE, {"level": level, "position": position}).scalar_one())
