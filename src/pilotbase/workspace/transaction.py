"""One write transaction of an actor: documents, heads, counters, postings and the log entry that records them.

Requests that were done: what each came to, written with its act, so that it happens once however often it is sent. An
answer may be lost after its act was written: the process is killed, or the line is cut. Whoever sends the request again
then finds here what it came to. Acts whose own document names the request, as a step of a record does, need no row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from pilotbase.documents.base import Document
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.hashes import Digest, digest_bytes
from pilotbase.workspace import budgets, leases, listing_rows, records, tables
from pilotbase.workspace.actors import Actor, Visibility
from pilotbase.workspace.failures import ConflictError, NotFoundError
from pilotbase.workspace.leases import Lease
from pilotbase.workspace.log.entries import COUNTER, HEAD, STORED, Fact, LogRecord

_documents = tables.documents.c
_heads = tables.heads.c
KEPT = timedelta(days=1)
"""How long a request is known again."""
_rows = tables.requests.c


class Transaction:
    """Made by `View.transaction`. All of it is written, with its log entry, or nothing is.

    ``connection`` is for rooms that keep plain rows of their own in `tables`; what they change they `record`.
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

        Storing the same document again changes nothing. ``fields`` are what `View.find` finds it by.

        Raises:
            ConflictError: it is there already and ``if_absent`` was asked, or it is there with another visibility.
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
        self._insert_parties(digest, owner, visibility)
        for name, value in sorted(set(records.field_values(fields or {}))):
            row = {"digest": digest, "owner": owner, "name": name, "value": value}
            self.connection.execute(insert(tables.document_fields), row)
        self.subjects.append(digest)
        self.facts[f"{STORED}{digest}"] = kind
        return digest

    def set_head(self, name: str, digest: str, *, expected: str | None) -> None:
        """Let ``name`` (such as ``scenario:milling``) stand for ``digest`` if it stands for ``expected`` now.

        ``expected=None``: the name must not exist yet. Names are one register for all organisations: that a name is
        taken can be learned, what it stands for cannot.

        Raises:
            ConflictError: the name stands for something else.
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
        if current is None:
            self.connection.execute(insert(tables.heads), {"name": name, **values})
        else:
            self.connection.execute(update(tables.heads).where(_heads.name == name).values(values))
        self._announce("moved", target.kind, digest, target.owner, head=name)
        self.subjects += [name, digest]
        self.facts[f"{HEAD}{name}"] = digest

    def let_stand(self, name: str, digest: str) -> None:
        """Let ``name`` stand for ``digest`` from now on, whatever it stands for now; the same again changes nothing.

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
        self._insert_parties(digest, row.owner, visibility)
        listing_rows.change_scope(self.connection, digest, row.owner, visibility.scope)
        self._announce("shown", row.kind, digest, row.owner)
        self.subjects.append(digest)
        self.facts[f"visibility {digest}"] = ", ".join([visibility.scope, *sorted(visibility.organisations)])

    def add(self, counter: str, amount: int, *, at_most: int | None = None) -> int:
        """Add ``amount`` to ``counter`` and return the new value; raises `RefusedError` beyond ``at_most``."""
        self._writing_for(counter.partition("/")[0])
        value = budgets.add(self.connection, counter, amount, at_most)
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
        if budgets.post(self.connection, transfer, amounts, at_least or {}, self.now):
            self.subjects.append(f"transfer:{transfer}")

    def vouch_for(self, *organisations: str) -> None:
        """Let this transaction write for ``organisations`` too, what they hold and the actor does not see included.

        The caller has seen that a rule of the base lets this actor do so, such as a record's permission table.
        """
        self._vouched.update(organisations)

    def require_lease(self, lease: Lease) -> None:
        """Let this transaction stand only if ``lease`` is still the newest; raises `StaleLeaseError`."""
        leases.require(self.connection, lease)

    def record(
        self,
        action: str,
        subjects: Sequence[str] = (),
        facts: Mapping[str, Fact] | None = None,
        payload: bytes | None = None,
    ) -> None:
        """Enter a further line into the log, beside the one that this transaction gets for its own changes."""
        self.records.append(LogRecord(action, tuple(subjects), dict(facts or {}), payload))

    def settle(self, outcome: str) -> None:
        """Say what the request of the view came to (`View.outcome`), if it is one that may be sent again.

        Raises:
            ConflictError: it was done meanwhile; nothing of this transaction stands.
        """
        if self.request is not None:
            _keep_outcome(self.connection, self.request, outcome, self.now)

    def require_operator(self) -> None:
        """Return if the actor is the operator; raises `RefusedError`."""
        if not self.actor.is_operator:
            raise RefusedError("workspace.operator_only", organisation=self.actor.organisation)

    def log_records(self, action: str) -> list[LogRecord]:
        """Return what the log is to say: the changes under ``action``, then the lines of `record`."""
        changed = [LogRecord(action, tuple(dict.fromkeys(self.subjects)), self.facts)] if self.subjects else []
        return changed + self.records

    def _writing_for(self, owner: str | None) -> str:
        owner = owner or self.actor.organisation
        if not self.actor.may_write_for(owner) and owner not in self._vouched:
            raise RefusedError("workspace.not_yours", organisation=self.actor.organisation, owner=owner)
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

    def _insert_parties(self, digest: str, owner: str, visibility: Visibility) -> None:
        for organisation in sorted(visibility.organisations):
            row = {"digest": digest, "owner": owner, "organisation": organisation}
            self.connection.execute(insert(tables.document_parties), row)

    def _announce(self, event: str, kind: str, digest: str, owner: str, head: str | None = None) -> int:
        row = {"event": event, "kind": kind, "digest": digest, "owner": owner, "head": head, "changed_at": self.now}
        key = self.connection.execute(insert(tables.changes), row).inserted_primary_key
        assert key is not None
        return int(key[0])


def outcome_of(connection: Connection, request: str, now: datetime) -> str | None:
    """Return what a request came to: a digest or a name, as its act says; None where it was not done."""
    return connection.scalar(select(_rows.outcome).where(_rows.request == request, _rows.done_at > now - KEPT))


def _keep_outcome(connection: Connection, request: str, outcome: str, now: datetime) -> None:
    """Write what a request came to, and forget those that are too old.

    Raises:
        ConflictError: it was done before; who sends it again is told what it came to.
    """
    connection.execute(delete(tables.requests).where(_rows.done_at <= now - KEPT))
    if outcome_of(connection, request, now) is not None:
        raise ConflictError("workspace.request_done")
    connection.execute(insert(tables.requests).values(request=request, outcome=outcome, done_at=now))
