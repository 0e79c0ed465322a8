"""Whether the store holds what the log recorded, and nothing else: rows of heads, documents, counters, attempts.

The log proves itself (`log_check`); this compares it with the tables, which anyone with write access to the database
could have changed without it. Who sees a document is in the payloads of the log, which entries commit to by salted
hashes: lines leave the base in bundles, and name no reader.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, and_, case, literal, select

from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.hashes import digest_bytes
from pilotbase.documents.subjects import kind_of, record_head
from pilotbase.workspace import tables, terms_rows
from pilotbase.workspace.actors import spelled
from pilotbase.workspace.checks.journeys import OF_SERVICES, compare_journeys, compare_services
from pilotbase.workspace.checks.proofs import compare_cases
from pilotbase.workspace.log import entries as log
from pilotbase.workspace.log.entries import CASES, COUNTER, HEAD, READINGS, STORED, Fact, LogEntry, names_in
from pilotbase.workspace.log.notes import LogVerifier
from pilotbase.workspace.log.offline import LogCopy, VerifiedLog, verify_log
from pilotbase.workspace.store import Store
from pilotbase.workspace.uses import USED

_ATTEMPT = "vault.attempt_"
_ABSENT, _CAPABILITY = "–", "capability"
_SCORED = ("vault.scored", "vault.scored_before")
_ReadingRow = tuple[str, int]
"""What was read, number of the line."""
UseRow = tuple[str, str, str, int, int, int]
"""Ground, target, request, place, ε (millionths), rows."""
Said = dict[str, Any]
"""A document as JSON, or the required values of its row, column → value."""


class LoggedAttempt(NamedTuple):
    """An attempt after its steps in the log."""

    hidden_set: str
    plan: str
    application: str
    number: int
    state: str
    answers: str | None
    """The committed digest."""
    opened_at: datetime
    delivered_at: datetime | None = None
    closed_at: datetime | None = None


@dataclass
class LoggedState:
    """The contents of the store according to the log's entries, read in order."""

    documents: dict[str, Fact] = field(default_factory=dict)
    """Digest → kind."""
    stored: dict[str, list[datetime]] = field(default_factory=dict)
    """Digest → when each organisation's copy was stored."""
    seen_by: dict[str, Fact] = field(default_factory=dict)
    """``<digest> <owner>`` → who sees this copy."""
    unsaid: set[str] = field(default_factory=set)
    """Digests that an earlier version stored without saying in the log who sees them."""
    heads: dict[str, Fact] = field(default_factory=dict)
    moved: dict[str, Fact] = field(default_factory=dict)
    """Head → when it last moved, as ISO 8601."""
    counters: dict[str, Fact] = field(default_factory=dict)
    attempts: list[LoggedAttempt] = field(default_factory=list)
    scored: Counter[str] = field(default_factory=Counter)
    """Hidden set → number of cases ever scored."""
    cases: dict[str, Fact] = field(default_factory=dict)
    """Hidden set → the seal of its scored and given cases."""
    uses: list[UseRow] = field(default_factory=list)
    readings: set[_ReadingRow] = field(default_factory=set)

    def read(self, entry: LogEntry, payload: bytes | None = None) -> None:
        """Take in the next entry, and its payload if it says who sees documents."""
        self.seen_by |= json.loads(payload) if payload is not None else {}
        kept = ((STORED, self.documents), (HEAD, self.heads), (COUNTER, self.counters), (CASES, self.cases))
        for fact, value in entry.facts.items():
            for prefix, known in kept:
                if fact.startswith(prefix):
                    known[fact.removeprefix(prefix)] = value
            if fact.startswith(STORED):
                self.stored.setdefault(fact.removeprefix(STORED), []).append(entry.time)
                self.unsaid |= {fact.removeprefix(STORED)} if payload is None else set()
            elif fact.startswith(HEAD):
                self.moved[fact.removeprefix(HEAD)] = entry.time.isoformat()
        if entry.action.startswith(_ATTEMPT):
            self._move_attempt(entry)
        elif entry.action in _SCORED:
            self.scored[entry.subjects[0]] += int(entry.facts["cases"])
        elif entry.action == USED:
            self.uses.append(_use_of(entry))
        self.readings |= readings_in(entry)

    def _move_attempt(self, entry: LogEntry) -> None:
        state = entry.action.removeprefix(_ATTEMPT)
        hidden_set, plan, application = entry.subjects
        attempt = (hidden_set, plan, application, int(entry.facts["attempt"]))
        if state == "opened":
            self.attempts.append(LoggedAttempt(*attempt, "open", None, entry.time))
            return
        # A returned number can be opened again by the same plan: the newest attempt counts.
        place = max((at for at, row in enumerate(self.attempts) if row[:4] == attempt), default=None)
        if place is not None:
            self.attempts[place] = _moved(self.attempts[place], state, entry)


def verify_store(store: Store, witnesses: Iterable[str] = ()) -> VerifiedLog:
    """Return what the log of ``store`` proves, once the tables were found to agree with it.

    Raises:
        InvalidProofError: the log does not hold (see `verify_log`), or names the first row that differs from it.
    """
    with store.database.read() as connection:
        return verify_tables(connection, store.key.verifier, witnesses)


def verify_tables(connection: Connection, verifier: LogVerifier, witnesses: Iterable[str] = ()) -> VerifiedLog:
    """Return as `verify_store` does, with the public key alone and within the transaction of ``connection``."""
    copy = LogCopy.from_store(connection)
    verified = verify_log(copy, verifier, witnesses)
    told, payloads = LoggedState(), log.payloads(connection)
    for body in copy.entries:
        entry = LogEntry.model_validate_json(body)
        told.read(entry, _payload_of(entry, payloads.get(entry.number)))
    _compare_documents(connection, told)
    _compare_visibilities(connection, told)
    _compare_heads(connection, told)
    _compare_counters(connection, told)
    _compare_attempts(connection, told)
    _compare_hidden_sets(connection, told)
    counted = compare_cases(connection, told.cases)
    _compare_listings(connection)
    compare_services(connection)
    compare_journeys(connection)
    _compare_uses(connection, told.uses)
    compare_readings(connection, told.readings)
    _compare_terms(connection)
    _compare_threads(connection)
    return replace(verified, only_counted=counted)


def readings_in(entry: LogEntry) -> set[_ReadingRow]:
    """Return the index rows that an entry requires."""
    return {(name, entry.number) for name in names_in(entry.subjects)} if entry.action in READINGS else set()


def compare_readings(connection: Connection, told: set[_ReadingRow]) -> None:
    """Check that the index holds exactly the readings in the log; raises `InvalidProofError`."""
    row = tables.log_readings.c
    found = {(name, number) for name, number in connection.execute(select(row.name, row.number))}
    for name, number in sorted(found ^ told, key=lambda one: one[1]):
        raise InvalidProofError("log.reading_differs", name=name, number=number)


def _payload_of(entry: LogEntry, kept: tuple[str, bytes] | None) -> bytes | None:
    """Return the payload of ``entry`` if it says who sees documents; ``kept``: hash and payload that the store has."""
    required = log.says_who_sees(entry)
    if (kept is None and required) or (kept is not None and kept[0] != entry.payload):
        raise InvalidProofError("log.payload_altered", number=entry.number)
    return kept[1] if kept is not None and required else None


def _use_of(entry: LogEntry) -> UseRow:
    """Return the use that an entry ``terms.used`` records."""
    ground, target, request = entry.subjects
    counted = (int(entry.facts.get(name, 0)) for name in ("place", "epsilon", "rows"))
    return (ground, target, request, *counted)  # type: ignore[return-value]


def _compare_uses(connection: Connection, told: Iterable[UseRow]) -> None:
    """Check that the ledger holds exactly the uses in the log; raises `InvalidProofError`."""
    row = terms_rows.uses.c
    columns = (row.ground, row.target, row.request, row.place, row.epsilon, row.rows)
    found = {tuple(use) for use in connection.execute(select(*columns))}
    for ground, _, _, place, *_ in sorted(found ^ set(told)):
        raise InvalidProofError("log.use_differs", name=ground, place=place)


def _compare_terms(connection: Connection) -> None:
    """Check that the rows of datasets and agreements match their records and documents; raises `InvalidProofError`."""
    _compare(connection, terms_rows.datasets, "owner", _said_of_dataset)
    _compare(connection, terms_rows.agreements, "assigner", _said_of_agreement)


def _moved(attempt: LoggedAttempt, state: str, entry: LogEntry) -> LoggedAttempt:
    if state == "delivered":
        return attempt._replace(state=state, delivered_at=entry.time)
    if state == "committed":
        return attempt._replace(state=state, answers=str(entry.facts["answers"]))
    ended = "returned" if state == "cancelled" and not entry.facts["counts"] else state
    return attempt._replace(state=ended, closed_at=entry.time)


def _compare_documents(connection: Connection, told: LoggedState) -> None:
    row, found = tables.documents.c, set()
    rows = select(row.digest, row.kind, row.body, row.stored_at).order_by(row.sequence)
    for digest, kind, body, stored_at in connection.execute(rows):
        if told.documents.get(digest) != kind:
            raise InvalidProofError("log.document_unlogged", kind=kind, digest=digest)
        if digest_bytes(body) != digest:
            raise InvalidProofError("workspace.document_damaged", digest=digest)
        if stored_at not in told.stored[digest]:
            logged = ", ".join(map(str, told.stored[digest]))
            raise InvalidProofError("log.document_dated", digest=digest, stored=stored_at, logged=logged)
        found.add(digest)
    for digest, kind in told.documents.items():
        if digest not in found:
            raise InvalidProofError("log.document_lost", kind=kind, digest=digest)


def _compare_visibilities(connection: Connection, told: LoggedState) -> None:
    """Check that each owner's copy of a document is seen by those whom the log names, and no one else."""
    row, party = tables.documents.c, tables.document_parties.c
    named = defaultdict[tuple[str, str], list[str]](list)
    for digest, owner, organisation in connection.execute(select(party.digest, party.owner, party.organisation)):
        named[digest, owner].append(organisation)
    rows = connection.execute(select(row.digest, row.owner, row.scope).order_by(row.sequence)).all()
    found: dict[str, Fact] = {
        f"{digest} {owner}": spelled(scope, named[digest, owner]) for digest, owner, scope in rows
    }
    for copy, stored, logged in _differences(found, told.seen_by):
        digest, _, owner = copy.partition(" ")
        if logged != _ABSENT or digest not in told.unsaid:
            differing = {"digest": digest, "owner": owner, "stored": stored, "logged": logged}
            raise InvalidProofError("log.visibility_differs", **differing)


def _compare_heads(connection: Connection, told: LoggedState) -> None:
    row = tables.heads.c
    rows = connection.execute(select(row.name, row.digest, row.moved_at)).all()
    digests: dict[str, Fact] = {name: digest for name, digest, _ in rows}
    moments: dict[str, Fact] = {name: moved_at.isoformat() for name, _, moved_at in rows}
    for name, stored, logged in (*_differences(digests, told.heads), *_differences(moments, told.moved)):
        raise InvalidProofError("log.head_differs", name=name, stored=stored, logged=logged)


def _compare_counters(connection: Connection, told: LoggedState) -> None:
    row = tables.counters.c
    found = {name: value for name, value in connection.execute(select(row.name, row.value))}
    for name, stored, logged in _differences(found, told.counters):
        raise InvalidProofError("log.counter_differs", name=name, stored=stored, logged=logged)


def _compare_attempts(connection: Connection, told: LoggedState) -> None:
    row = tables.attempts.c
    columns = (row[name] for name in LoggedAttempt._fields)
    found = [LoggedAttempt(*attempt) for attempt in connection.execute(select(*columns).order_by(row.identity))]
    unlogged, lost = Counter(found) - Counter(told.attempts), Counter(told.attempts) - Counter(found)
    for one in [*unlogged, *lost]:
        stored, logged = _spelled(found, one), _spelled(told.attempts, one)
        raise InvalidProofError("log.attempt_differs", number=one.number, plan=one.plan, stored=stored, logged=logged)


def _spelled(attempts: Iterable[LoggedAttempt], one: LoggedAttempt) -> str:
    same = [row[4:] for row in attempts if (row.plan, row.number) == (one.plan, one.number)]
    return ", ".join(" ".join(str(value) for value in row if value is not None) for row in same) or _ABSENT


def _compare_hidden_sets(connection: Connection, told: LoggedState) -> None:
    """Check that each hidden set has the rows and owner of its document, and the log's number of scored cases."""
    row, kept = tables.hidden_sets.c, tables.documents.c
    of_set = and_(kept.digest == row.digest, kept.owner == row.owner)
    rows = select(tables.hidden_sets, kept.body).join(tables.documents, of_set, isouter=True)
    for found in connection.execute(rows.order_by(row.digest)):
        record = json.loads(found.body) if found.body is not None else {}
        stored, logged = (f"{one.get('owner')}, {one.get('rows')}" for one in (found._mapping, record))
        if stored != logged:
            raise InvalidProofError("log.hidden_set_differs", digest=found.digest, stored=stored, logged=logged)
        scored = int.from_bytes(found.scored).bit_count()
        if scored != told.scored[found.digest]:
            counted = {"stored": scored, "logged": told.scored[found.digest]}
            raise InvalidProofError("log.scored_differs", digest=found.digest, **counted)


def _compare_listings(connection: Connection) -> None:
    """Check that each listing matches its record, for those who see its document: anyone could alter the copy.

    A capability has no record: it stands under its own name.
    """
    listed, head, kept, shown = tables.listings, tables.heads, tables.documents, tables.documents.alias()
    stated = listed.c.kind == _CAPABILITY
    of_subject = head.c.name == case((stated, literal("")), else_=literal(record_head(""))) + listed.c.subject
    of_head = and_(kept.c.digest == head.c.digest, kept.c.owner == head.c.owner)
    of_listing = and_(shown.c.digest == listed.c.digest, shown.c.owner == listed.c.owner)
    columns = (listed, kept.c.body, head.c.digest.label("head_digest"), shown.c.scope.label("seen_by"))
    rows = select(*columns).join(shown, of_listing, isouter=True)
    rows = rows.join(head, of_subject, isouter=True).join(kept, of_head, isouter=True)
    for row in connection.execute(rows.order_by(listed.c.subject)):
        record = json.loads(row.body) if row.body is not None else {}
        state, digest = record.get("state", _ABSENT), record.get("documents", {}).get(row.kind)
        if row.kind == _CAPABILITY:
            state, digest = "withdrawn" if record.get("withdrawn") else "stated", row.head_digest
        if row.kind not in OF_SERVICES and (row.state, row.digest) != (state, digest):  # a service has no record
            raise InvalidProofError("log.listing_differs", name=row.subject, stored=row.state, logged=state)
        if row.scope != row.seen_by:
            raise InvalidProofError("log.listing_differs", name=row.subject, stored=row.scope, logged=row.seen_by)


def _compare_threads(connection: Connection) -> None:
    """Check that each thread's row matches the thread: the row decides who finds the thread, and who does not."""
    row, head, kept = tables.threads, tables.heads, tables.documents
    of_thread = head.c.name == literal("thread:") + row.c.identity
    of_head = and_(kept.c.digest == head.c.digest, kept.c.owner == head.c.owner)
    rows = select(row, head.c.digest.label("newest"), kept.c.body).join(head, of_thread, isouter=True)
    for found in connection.execute(rows.join(kept, of_head, isouter=True).order_by(row.c.identity)):
        thread = json.loads(found.body) if found.body is not None else {}
        stored = (found.digest, found.subject, bool(found.private), found.organisation, bool(found.answered))
        asker = thread.get("messages", [{}])[0].get("organisation")
        answered = thread.get("answer") is not None
        if stored != (found.newest, thread.get("subject"), thread.get("private"), asker, answered):
            raise InvalidProofError("log.thread_differs", name=found.identity, stored=found.digest, logged=found.newest)


def _differences(found: Mapping[str, Fact], told: Mapping[str, Fact]) -> list[tuple[str, Fact, Fact]]:
    names = [*found, *(name for name in told if name not in found)]
    pairs = ((name, found.get(name, _ABSENT), told.get(name, _ABSENT)) for name in names)
    return [(name, stored, logged) for name, stored, logged in pairs if stored != logged]


def _compare(connection: Connection, table: Table, owner: str, said_of: Callable[[Said], Said]) -> None:
    row, head, record, shown = table.c, tables.heads, tables.documents, tables.documents.alias()
    of_subject = head.c.name == literal(record_head("")) + row.subject
    of_head = and_(record.c.digest == head.c.digest, record.c.owner == head.c.owner)
    of_row = and_(shown.c.digest == row.digest, shown.c.owner == row[owner])
    rows = select(table, record.c.body.label("record"), shown.c.body).join(head, of_subject, isouter=True)
    rows = rows.join(record, of_head, isouter=True).join(shown, of_row, isouter=True)
    for found in connection.execute(rows.order_by(row.subject)):
        stands, document = (json.loads(body) if body is not None else {} for body in (found.record, found.body))
        state, digest = stands.get("state", _ABSENT), stands.get("documents", {}).get(kind_of(found.subject))
        told = {"state": state, "digest": digest, **said_of(document)}
        if any(getattr(found, name) != value for name, value in told.items()):
            raise InvalidProofError("log.listing_differs", name=found.subject, stored=found.state, logged=state)


def _said_of_dataset(document: Said) -> Said:
    return {"version": document.get("version"), "opening": document.get("opening")}


def _said_of_agreement(document: Said) -> Said:
    begins, ends = (_day(document.get(name)) for name in ("begins", "ends"))
    parties = {name: document.get(name) for name in ("dataset", "assigner", "assignee")}
    return {**parties, "begins": begins, "ends": None if ends is None else ends + timedelta(days=1)}


def _day(day: str | None) -> datetime | None:
    return None if day is None else datetime.fromisoformat(day).replace(tzinfo=UTC)
