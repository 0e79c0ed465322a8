"""One write transaction of an actor: documents, heads, counters, postings and the log entry that records them.

The result of each request is written with its act, so that the act happens once however often the request is sent. An
answer may be lost after its act was written: the process is killed, or the connection is cut. A sender that repeats the
request then finds its result here. Acts whose own document names the request, as a step of a record does, need no row.

The rows of listings with their scope and their words in the text index: all written here, so that they agree.

A listing has the scope of the document that it shows. Who sees a listing is therefore decided by its own row, and by
the document's parties if it is for parties only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from pilotbase.documents.base import Document
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.hashes import Digest, canonical_json, digest_bytes
from pilotbase.workspace import leases, records, tables, text_index
from pilotbase.workspace.actors import Actor, Visibility, spelled
from pilotbase.workspace.columns import set_row
from pilotbase.workspace.failures import ConflictError, NotFoundError
from pilotbase.workspace.leases import Lease
from pilotbase.workspace.log.entries import COUNTER, HEAD, STORED, VISIBILITY, Fact, LogRecord
from pilotbase.workspace.text_index import Indexed


def counter(connection: Connection, name: str) -> int:
    """Return the value of counter ``name``; an unused one is 0."""
    return connection.scalar(select(tables.counters.c.value).where(tables.counters.c.name == name)) or 0


def add(connection: Connection, name: str, amount: int, at_most: int | None) -> int:
    """Add ``amount`` to counter ``name`` and return the new value; raises `RefusedError` beyond ``at_most``."""
    before = counter(connection, name)
    after = before + amount
    if at_most is not None and amount > 0 and after > at_most:
        raise RefusedError("workspace.counter_full", name=name, limit=at_most, left=max(at_most - before, 0))
    set_row(connection, tables.counters, {"name": name}, {"value": after})
    return after


def balance(connection: Connection, account: str) -> int:
    """Return the balance of ``account``; an unused one is 0."""
    return connection.scalar(select(tables.accounts.c.balance).where(tables.accounts.c.name == account)) or 0


def post(
    connection: Connection, transfer: str, amounts: Mapping[str, int], floors: Mapping[str, int], now: datetime
) -> bool:
    """Post one transfer over accounts (amounts sum to zero); the same transfer posted again changes nothing.

    Returns whether it was new.

    Raises:
        ValueError: the amounts do not sum to zero.
        ConflictError: the transfer was posted before with other amounts.
        RefusedError: an account would fall below its floor in ``floors``; nothing is posted.
    """
    if sum(amounts.values()) != 0 or not amounts:
        raise ValueError(f"the amounts of transfer {transfer!r} do not sum to zero")
    row = tables.postings.c
    before = select(row.account, row.amount).where(row.transfer == transfer)
    posted = dict(connection.execute(before).all())
    if posted:
        if posted != dict(amounts):
            raise ConflictError("workspace.transfer_differs", name=transfer)
        return False
    for account, amount in sorted(amounts.items()):
        _move(connection, account, amount, floors.get(account))
        connection.execute(
            insert(tables.postings).values(transfer=transfer, account=account, amount=amount, posted_at=now)
        )
    return True


def _move(connection: Connection, account: str, amount: int, floor: int | None) -> None:
    before = balance(connection, account)
    if floor is not None and amount < 0 and before + amount < floor:
        raise RefusedError("workspace.balance_low", account=account, balance=before, wanted=-amount, floor=floor)
    set_row(connection, tables.accounts, {"name": account}, {"balance": before + amount})


_listings, _documents = tables.listings.c, tables.documents.c
_KNOWN = select(_listings.subject, _listings.sequence, _listings.kind, _listings.scope, _listings.words)


def put_row(connection: Connection, subject: str, values: Mapping[str, Any]) -> None:
    """Set the row of ``subject`` to ``values``, replacing the earlier one; a new row comes last of all."""
    shown = (_documents.digest == values["digest"], _documents.owner == values["owner"])
    scope = connection.execute(select(_documents.scope).where(*shown)).scalar_one()
    after = Indexed(values["kind"], scope, values["words"])
    known = connection.execute(_KNOWN.where(_listings.subject == subject)).one_or_none()
    if known is None:
        sequence = _next_sequence(connection)
        row = {**values, "subject": subject, "scope": scope, "sequence": sequence}
        connection.execute(insert(tables.listings), row)
        text_index.put(connection, sequence, None, after)
    else:
        connection.execute(update(tables.listings).where(_listings.subject == subject).values(**values, scope=scope))
        text_index.put(connection, known.sequence, _indexed(known), after)


def _next_sequence(connection: Connection) -> int:
    """Return a number after all others: the newest change's, or a later one if several listings begin at once."""
    changed = connection.scalar(select(func.max(tables.changes.c.sequence))) or 0
    listed = connection.scalar(select(func.max(_listings.sequence))) or 0
    return max(int(changed), int(listed) + 1)


def change_scope(connection: Connection, digest: str, owner: str, scope: str) -> None:
    """Give the listings that show a document its new scope."""
    for known in connection.execute(_KNOWN.where(_listings.digest == digest, _listings.owner == owner)).all():
        connection.execute(update(tables.listings).where(_listings.subject == known.subject).values(scope=scope))
        text_index.put(connection, known.sequence, _indexed(known), _indexed(known)._replace(scope=scope))


def _indexed(row: Any) -> Indexed:
    return Indexed(row.kind, row.scope, row.words)


_heads = tables.heads.c
KEPT = timedelta(days=1)
"""How long a request is recognised."""
_rows = tables.requests.c


class Transaction:
    """Made by `View.transaction`. All of it is written, with its log entry, or nothing.

    ``connection`` is for rooms that keep plain rows of their own in `tables`; they `record` their changes.
    """

    def __init__(self, connection: Connection, actor: Actor, now: datetime, request: Digest | None = None) -> None:
        self.connection = connection
        self.actor = actor
        self.now = now
        self.request = request
        self._vouched: set[str] = set()
        self.records: list[LogRecord] = []
        self.subjects: list[str] = []
        self.facts: dict[str, Fact] = {}
        self.seen_by: dict[str, str] = {}
        """``<digest> <owner>`` → who sees this copy from now on, for the payload of the line."""

    def put(
        self,
        document: Document,
        visibility: Visibility,
        *,
        owner: str | None = None,
        fields: records.Fields | None = None,
        if_absent: bool = False,
    ) -> str:
        """Store ``document`` for ``owner`` (default: the actor's organisation) and return its digest.

        Storing the same document again changes nothing. `View.find` finds it by ``fields``.

        Raises:
            ConflictError: it exists already and ``if_absent`` is set, or it exists with another visibility.
            RefusedError: the actor may not write for ``owner``.
        """
        owner = self._writing_for(owner)
        body = document.canonical()
        digest = digest_bytes(body)
        there = records.copy_of(self.connection, digest, owner)
        if there is not None:
            if if_absent:
                raise ConflictError("workspace.already_there", name=digest)
            if there.visibility != visibility:
                raise ConflictError("workspace.visibility_differs", name=digest, found=there.visibility.scope)
            return digest
        kind = records.kind_of(document.document)
        sequence = self._announce("stored", kind, digest, owner)
        row = {
            "digest": digest,
            "owner": owner,
            "kind": kind,
            "scope": visibility.scope,
            "body": body,
            "search": records.text_of(document),
            "sequence": sequence,
            "stored_at": self.now,
        }
        self.connection.execute(insert(tables.documents), row)
        self._let_see(digest, owner, visibility)
        for name, value in sorted(set(records.field_values(fields or {}))):
            row = {"digest": digest, "owner": owner, "name": name, "value": value}
            self.connection.execute(insert(tables.document_fields), row)
        self.subjects.append(digest)
        self.facts[f"{STORED}{digest}"] = kind
        return digest

    def set_head(self, name: str, digest: str, *, expected: str | None) -> None:
        """Point ``name`` (such as ``scenario:milling``) to ``digest`` if it points to ``expected`` now.

        ``expected=None``: the name must not exist yet. Names are one register for all organisations: one can learn that
        a name is taken, but not what it points to.

        Raises:
            ConflictError: the name points to something else.
            NotFoundError: there is no such document for this actor.
            RefusedError: document or name belong to another organisation.
        """
        target = self._own(digest)
        current = self.connection.execute(select(tables.heads).where(_heads.name == name)).one_or_none()
        if (current.digest if current else None) != expected:
            raise ConflictError("workspace.head_moved", name=name)
        if current is not None:
            self._writing_for(current.owner)
        values = {"digest": digest, "owner": target.owner, "moved_at": self.now}
        set_row(self.connection, tables.heads, {"name": name}, values)
        self._announce("moved", target.kind, digest, target.owner, head=name)
        self.subjects += [name, digest]
        self.facts[f"{HEAD}{name}"] = digest

    def let_stand(self, name: str, digest: str) -> None:
        """Point ``name`` to ``digest`` from now on, replacing any other; the same again changes nothing.

        Raises:
            NotFoundError, RefusedError: as `set_head`.
        """
        before = self.connection.scalar(select(_heads.digest).where(_heads.name == name))
        if before != digest:
            self.set_head(name, digest, expected=before)

    def change_visibility(self, digest: str, visibility: Visibility) -> None:
        """Let others see ``digest``, or no longer; raises `NotFoundError`, `RefusedError`."""
        row = self._own(digest)
        here = (_documents.digest == digest, _documents.owner == row.owner)
        self.connection.execute(update(tables.documents).where(*here).values(scope=visibility.scope))
        party = tables.document_parties.c
        self.connection.execute(delete(tables.document_parties).where(party.digest == digest, party.owner == row.owner))
        self._let_see(digest, row.owner, visibility)
        change_scope(self.connection, digest, row.owner, visibility.scope)
        self._announce("shown", row.kind, digest, row.owner)
        self.subjects.append(digest)
        self.facts[f"{VISIBILITY}{digest}"] = visibility.scope

    def add(self, counter: str, amount: int, *, at_most: int | None = None) -> int:
        """Add ``amount`` to ``counter`` and return the new value; raises `RefusedError` beyond ``at_most``."""
        self._writing_for(counter.partition("/")[0])
        value = add(self.connection, counter, amount, at_most)
        self.subjects.append(f"counter:{counter}")
        self.facts[f"{COUNTER}{counter}"] = value
        return value

    def post(self, transfer: str, amounts: Mapping[str, int], *, at_least: Mapping[str, int] | None = None) -> None:
        """Post ``transfer`` over accounts; amounts sum to zero, ``at_least`` guards balances.

        Posting the same transfer again changes nothing.

        Raises:
            ValueError: the amounts do not sum to zero.
            ConflictError: the transfer was posted before with other amounts.
            RefusedError: an account would fall below its bound, or belongs to others.
        """
        for account in amounts:
            self._writing_for(account.partition("/")[0])
        if post(self.connection, transfer, amounts, at_least or {}, self.now):
            self.subjects.append(f"transfer:{transfer}")

    def vouch_for(self, *organisations: str) -> None:
        """Let this transaction write for ``organisations`` too, including what they hold and the actor does not see.

        The caller has checked that a rule of the base permits this to the actor, such as a record's permission table.
        """
        self._vouched.update(organisations)

    def require_lease(self, lease: Lease) -> None:
        """Commit this transaction only if ``lease`` is still the newest; raises `StaleLeaseError`."""
        leases.require(self.connection, lease)

    def record(
        self,
        action: str,
        subjects: Sequence[str] = (),
        facts: Mapping[str, Fact] | None = None,
        payload: bytes | None = None,
    ) -> None:
        """Enter a further line into the log, beside this transaction's line for its own changes."""
        self.records.append(LogRecord(action, tuple(subjects), dict(facts or {}), payload))

    def settle(self, outcome: str) -> None:
        """Record the result of the view's request (`View.outcome`), if it is one that may be sent again.

        Raises:
            ConflictError: it was done meanwhile; this transaction writes nothing.
        """
        if self.request is not None:
            _keep_outcome(self.connection, self.request, outcome, self.now)

    def require_operator(self) -> None:
        """Return if the actor is the operator; raises `RefusedError`."""
        if not self.actor.is_operator:
            raise RefusedError("workspace.operator_only", organisation=self.actor.organisation)

    def log_records(self, action: str) -> list[LogRecord]:
        """Return the lines for the log: the changes under ``action``, then the lines of `record`."""
        if not self.subjects:
            return self.records
        payload = canonical_json(self.seen_by) if self.seen_by else None
        return [LogRecord(action, tuple(dict.fromkeys(self.subjects)), self.facts, payload), *self.records]

    def _writing_for(self, owner: str | None) -> str:
        owner = owner or self.actor.organisation
        if owner not in self._vouched:
            self.actor.require_writes_for(owner)
        return owner

    def _own(self, digest: str) -> records.Stored:
        found = records.get(self.connection, self.actor, digest) or self._vouched_copy(digest)
        if found is None:
            raise NotFoundError("workspace.not_found", name=digest)
        self._writing_for(found.owner)
        return found

    def _vouched_copy(self, digest: str) -> records.Stored | None:
        copies = (records.copy_of(self.connection, digest, owner) for owner in sorted(self._vouched))
        return next((copy for copy in copies if copy is not None), None)

    def _let_see(self, digest: str, owner: str, visibility: Visibility) -> None:
        self.seen_by[f"{digest} {owner}"] = spelled(visibility.scope, visibility.organisations)
        for organisation in sorted(visibility.organisations):
            row = {"digest": digest, "owner": owner, "organisation": organisation}
            self.connection.execute(insert(tables.document_parties), row)

    def _announce(self, event: str, kind: str, digest: str, owner: str, head: str | None = None) -> int:
        row = {"event": event, "kind": kind, "digest": digest, "owner": owner, "head": head, "changed_at": self.now}
        key = self.connection.execute(insert(tables.changes), row).inserted_primary_key
        assert key is not None
        return int(key[0])


def outcome_of(connection: Connection, request: str, now: datetime) -> str | None:
    """Return the result of a request: a digest or a name, depending on its act; None if it was not done."""
    return connection.scalar(select(_rows.outcome).where(_rows.request == request, _rows.done_at > now - KEPT))


def _keep_outcome(connection: Connection, request: str, outcome: str, now: datetime) -> None:
    """Write the result of a request, and remove expired ones.

    Raises:
        ConflictError: it was done before; sending it again returns its result.
    """
    connection.execute(delete(tables.requests).where(_rows.done_at <= now - KEPT))
    if outcome_of(connection, request, now) is not None:
        raise ConflictError("workspace.request_done")
    connection.execute(insert(tables.requests).values(request=request, outcome=outcome, done_at=now))
