"""The one store of a base, and the view of it for an actor.

store = home.open_store()
view = store.as_actor(actor("plant", Role.DEMAND_OWNER))
with view.transaction("scenario.published") as change:
    digest = change.put(scenario, parties("acme"), fields={"sector": "manufacturing"})
    change.set_head("scenario:milling", digest, expected=None)
view.load(digest, Scenario)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Literal

from sqlalchemy import Connection, and_, func, select

from pilotbase.documents.base import Document
from pilotbase.documents.hashes import Digest
from pilotbase.workspace import leases, records, schema, tables, transaction
from pilotbase.workspace.actors import Actor, Visibility
from pilotbase.workspace.columns import set_row
from pilotbase.workspace.engine import Database
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.leases import Lease
from pilotbase.workspace.log import entries as log
from pilotbase.workspace.log.notes import Checkpoint, LogKey
from pilotbase.workspace.log.offline import LogCopy
from pilotbase.workspace.records import D, Fields, Stored, visible_to
from pilotbase.workspace.transaction import Transaction, outcome_of

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the time, zone-aware."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Store:
    """An open database with the key that signs its log. Safe to share between threads; open one per process."""

    database: Database
    key: LogKey
    clock: Clock = utc_now

    @classmethod
    def open(cls, url: str, key: LogKey, clock: Clock = utc_now) -> Store:
        """Open the database at ``url``; raises `PilotbaseError` when its schema is missing, older or newer."""
        database = Database(url)
        schema.require_current(database)
        return cls(database, key, clock)

    def as_actor(self, actor: Actor) -> View:
        """Return the store as ``actor`` sees it: what it may not see does not exist for it."""
        return View(self, actor)

    def log_copy(self) -> LogCopy:
        """Return all lines of the log, for the offline verifier and for backups."""
        with self.database.read() as connection:
            return LogCopy.from_store(connection)

    def close(self) -> None:
        """Close the connections of this process."""
        self.database.close()


@dataclass(frozen=True)
class View:
    """The store as one actor sees it. Reads return None or nothing for what is missing *or* not visible."""

    store: Store
    actor: Actor
    connection: Connection | None = None
    """The connection of the transaction that it reads within (`within`); None: each read opens one."""
    request: Digest | None = None
    """Names the request being acted on, if it may be sent again: its act happens once (`outcome`)."""

    def as_actor(self, actor: Actor) -> View:
        """Return another actor's view of the same store: within the same transaction, if within one."""
        return replace(self, actor=actor)

    def asked_by(self, request: Digest | None) -> View:
        """Return this view for acting on a request that may be sent again; None: on one that will not."""
        return replace(self, request=request)

    def within(self, change: Transaction) -> View:
        """Return this view within ``change``: with its writes, over its own connection.

        A writer that reads over a second connection would wait for itself once all connections wait for the writer.
        """
        return replace(self, connection=change.connection)

    @contextmanager
    def transaction(self, action: str) -> Iterator[Transaction]:
        """Open a write transaction whose changes are logged under ``action`` (``scenario.published``).

        Everything in it and its log entry is written at the end of the block, or nothing if the block raises. There is
        one writer at a time: a second one opened inside the block waits for the first.
        """
        with self.store.database.write() as connection:
            now = self.store.clock()
            change = Transaction(connection, self.actor, now, self.request)
            yield change
            lines = change.log_records(action)
            if lines:
                log.append(connection, self.store.key, lines, self.actor, now)

    def put(self, document: Document, visibility: Visibility, action: str, *, owner: str | None = None) -> str:
        """Store one document in a transaction of its own and return its digest (see `Transaction.put`)."""
        with self.transaction(action) as change:
            return change.put(document, visibility, owner=owner)

    def outcome(self) -> str | None:
        """Return the result of this very request when it was sent before (`Transaction.settle`), or None."""
        if self.request is None:
            return None
        with self.reading() as connection:
            return outcome_of(connection, self.request, self.store.clock())

    def done(self, model: type[D]) -> D | None:
        """Return the document that resulted from this very request when it was sent before, or None."""
        digest = self.outcome()
        return None if digest is None else self.load(digest, model)

    def get(self, digest: str) -> Stored | None:
        """Return the document named ``digest``, or None."""
        with self.reading() as connection:
            return records.get(connection, self.actor, digest)

    def load(self, digest: str, model: type[D]) -> D:
        """Return the document named ``digest`` as ``model``; raises `NotFoundError`."""
        found = self.get(digest)
        if found is None:
            raise NotFoundError("workspace.not_found", name=digest)
        return found.load(model)

    def head(self, name: str) -> str | None:
        """Return the digest of head ``name``, or None."""
        with self.reading() as connection:
            return records.digest_of_head(connection, self.actor, name)

    def load_head(self, name: str, model: type[D]) -> D | None:
        """Return the document under head ``name`` as ``model``, or None."""
        digest = self.head(name)
        return None if digest is None else self.load(digest, model)

    def get_all(self, digests: Sequence[str]) -> dict[str, Stored]:
        """Return digest → document for the existing ones of ``digests``, read at once."""
        with self.reading() as connection:
            return records.get_all(connection, self.actor, digests)

    def named(self, names: Sequence[str]) -> dict[str, Stored]:
        """Return name → its document, for the existing ones of ``names``, read at once."""
        with self.reading() as connection:
            return records.named(connection, self.actor, names)

    def find(self, kind: str, fields: Fields | None = None, limit: int = 100) -> list[Stored]:
        """Return documents of ``kind`` whose indexed ``fields`` all match, newest first."""
        with self.reading() as connection:
            return records.find(connection, self.actor, kind, fields or {}, limit)

    def every(self, model: type[D], fields: Fields | None = None) -> list[D]:
        """Return all documents of ``model`` whose indexed ``fields`` match, newest first."""
        kind = records.kind_of(model.model_fields["document"].default)
        with self.reading() as connection:
            return [one.load(model) for one in records.find(connection, self.actor, kind, fields or {}, None)]

    def search(self, words: str, kind: str | None = None, limit: int = 50) -> list[Stored]:
        """Return documents whose text holds every word of ``words`` (English or Chinese), newest first."""
        with self.reading() as connection:
            return records.search(connection, self.actor, words, kind, limit)

    def changes(self, since: int = 0, limit: int = 1000, kinds: Collection[str] = ()) -> list[Change]:
        """Return the changes after position ``since``, to documents of ``kinds`` (none: of all), oldest first."""
        with self.reading() as connection:
            return changes(connection, self.actor, since, limit, kinds)

    def counter(self, name: str) -> int:
        """Return the value of a counter; 0 if it is unused or belongs to others."""
        with self.reading() as connection:
            return transaction.counter(connection, name) if self._may_read(name) else 0

    def balance(self, account: str) -> int:
        """Return the balance of an account; 0 if it is unused or belongs to others."""
        with self.reading() as connection:
            return transaction.balance(connection, account) if self._may_read(account) else 0

    def acquire(self, name: str, holder: str, seconds: int) -> Lease | None:
        """Return a lease on ``name``, or None while another holder has it (see `leases`)."""
        with self.store.database.write() as connection:
            return leases.acquire(connection, name, holder, seconds, self.store.clock())

    def renew(self, lease: Lease) -> None:
        """Heartbeat: let ``lease`` run on from now; raises `StaleLeaseError` if another has taken over."""
        with self.store.database.write() as connection:
            leases.renew(connection, lease, self.store.clock())

    def release(self, lease: Lease) -> None:
        """Give ``lease`` up; raises `StaleLeaseError` if another has taken over."""
        with self.store.database.write() as connection:
            leases.release(connection, lease)

    def log_entries(self, start: int = 0, limit: int = 1000) -> list[log.LogEntry]:
        """Return entries from number ``start``: all for operator and regulator, else the organisation's own."""
        own, everything = self.actor.organisation, self.actor.sees_all
        with self.reading() as connection:
            lines = log.entries(connection, start)
            return list(islice((line for line in lines if everything or line.actor.organisation == own), limit))

    def find_log_entries(
        self, wanted: log.LogQuery, before: int | None = None, limit: int = 50
    ) -> tuple[list[tuple[log.LogEntry, str | None]], int | None]:
        """Return the newest lines that are ``wanted``, as `log.find_entries`; what is seen is as for `log_entries`."""
        own = wanted if self.actor.sees_all else replace(wanted, organisation=self.actor.organisation)
        sees_none = not (self.actor.sees_all or own.organisation)
        if sees_none or wanted.organisation not in ("", own.organisation):
            return [], None
        with self.reading() as connection:
            return log.find_entries(connection, own, before, limit)

    def log_payload(self, number: int) -> bytes | None:
        """Return the payload of entry ``number`` for operator and regulator; None if erased or not visible."""
        if not self.actor.sees_all:
            return None
        with self.reading() as connection:
            return log.payload_of(connection, number)

    def erase_payload(self, number: int) -> None:
        """Erase the payload of entry ``number`` (operator only); its proofs stay valid, and the erasure is logged.

        Raises:
            RefusedError: not the operator, or the payload says who sees documents.
        """
        with self.transaction("log.erased") as change:
            change.require_operator()
            log.erase_payload(change.connection, number)
            change.record("log.erased", facts={"number": number})

    def checkpoint(self) -> Checkpoint:
        """Return the newest signed state of the log, to be kept outside; raises `NotFoundError` while it is empty."""
        with self.reading() as connection:
            return self._checkpoint(connection)

    def prove(self, number: int) -> log.InclusionProof:
        """Return the proof that entry ``number`` is in the newest checkpoint; raises `NotFoundError`."""
        with self.reading() as connection:
            return log.prove_inclusion(connection, number, self._checkpoint(connection))

    def _checkpoint(self, connection: Connection) -> Checkpoint:
        note = log.latest_checkpoint(connection)
        if note is None:
            raise NotFoundError("log.no_entry", number=0, size=0)
        return self.store.key.verifier.open(note)

    def reading(self) -> AbstractContextManager[Connection]:
        """Return a connection for reading a room's own rows; the caller must cut them to the actor."""
        return nullcontext(self.connection) if self.connection is not None else self.store.database.read()

    def _may_read(self, name: str) -> bool:
        return self.actor.sees_all or name.partition("/")[0] == self.actor.organisation


@dataclass(frozen=True)
class Remembering(View):
    """A view at the time when ``documents`` were read; other documents are read on demand."""

    documents: Mapping[str, Stored] = field(default_factory=dict)
    """Digest, or name of a head → the document."""

    def as_actor(self, actor: Actor) -> View:
        return View(self.store, actor, self.connection, self.request)

    def get(self, digest: str) -> Stored | None:
        return self.documents.get(digest) or super().get(digest)

    def head(self, name: str) -> str | None:
        known = self.documents.get(name)
        return known.digest if known is not None else super().head(name)

    def named(self, names: Sequence[str]) -> dict[str, Stored]:
        known = {name: self.documents[name] for name in names if name in self.documents}
        rest = [name for name in names if name not in known]
        return known | (super().named(rest) if rest else {})


_changes, _documents = tables.changes.c, tables.documents.c
_rows = tables.positions.c


@dataclass(frozen=True)
class Change:
    """One event; pass ``sequence`` of the last handled one to read on."""

    sequence: int
    event: Literal["stored", "moved", "shown"]
    kind: str
    digest: str
    owner: str
    head: str | None


def changes(connection: Connection, actor: Actor, since: int, limit: int, kinds: Collection[str] = ()) -> list[Change]:
    """Return events after position ``since``, oldest first; a writer's events appear together, in order.

    ``kinds``: only of documents of these kinds, found by an index.
    """
    same = and_(_changes.digest == _documents.digest, _changes.owner == _documents.owner)
    rows = (
        select(_changes.sequence, _changes.event, _changes.kind, _changes.digest, _changes.owner, _changes.head)
        .join_from(tables.changes, tables.documents, same)
        .where(_changes.sequence > since, visible_to(actor))
        .order_by(_changes.sequence)
        .limit(limit)
    )
    if kinds:
        rows = rows.where(_changes.kind.in_(kinds))
    return [Change(*row) for row in connection.execute(rows)]


@dataclass(frozen=True)
class Pulse:
    """Numbers that change with every event of the base and reveal nothing about it."""

    change: int
    """Sequence of the newest change."""
    notice: int
    """Sequence of the newest notice."""
    work: tuple[int, int, datetime | None]
    """How much is queued or under way, the newest of it, and when a worker last reported progress."""


def pulse_of(view: View) -> Pulse:
    """Return the pulse of the base, the same for every actor, in one statement."""
    row = tables.work.c
    work = select(func.count(), func.coalesce(func.max(row.identity), 0), func.max(row.beat_at))
    newest = (select(func.max(one.c.sequence)).scalar_subquery() for one in (tables.changes, tables.notices))
    with view.reading() as connection:
        asked = work.where(row.ready_at.is_not(None)).add_columns(*newest)
        count, latest, beat, change, notice = connection.execute(asked).one()
    return Pulse(change or 0, notice or 0, (count, latest, beat))


def newest_change(view: View) -> int:
    """Return the sequence of the newest change of the base, the same for every actor; 0 before the first."""
    with view.reading() as connection:
        return connection.scalar(select(func.max(_changes.sequence))) or 0


def position(connection: Connection, name: str) -> int | None:
    """Return the position of the reader ``name``, or None for one that has not begun."""
    value = connection.scalar(select(_rows.value).where(_rows.name == name))
    return None if value is None else int(value)


def move(connection: Connection, name: str, *, expected: int | None, to: int) -> bool:
    """Move a reader on and return True; False if another has moved it meanwhile."""
    if position(connection, name) != expected:
        return False
    set_row(connection, tables.positions, {"name": name}, {"value": to})
    return True
