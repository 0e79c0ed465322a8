"""Webhooks: where programs of an organisation are told. A secret is shown once and kept sealed by a key of the home.

An address may hold a secret too: neither stands in the log, only that there is one webhook more or less.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import Connection, insert, select, update

from pilotbase.documents.errors import BarredError, InvalidProofError, RefusedError
from pilotbase.documents.permissions import ExchangeAct, Stands, act_name, permitted
from pilotbase.documents.subjects import organisation_subject
from pilotbase.protocols.standard_webhooks import new_secret
from pilotbase.workspace import tables
from pilotbase.workspace.failures import ConflictError, NotFoundError
from pilotbase.workspace.keys import KeyFolder
from pilotbase.workspace.store import View

MAXIMUM = 10
_rows = tables.webhooks.c


class Caller(Protocol):
    """Who calls addresses of users, and says beforehand whether it would."""

    def check(self, url: str) -> None: ...


@dataclass(frozen=True)
class Webhook:
    """One webhook, without its secret."""

    identity: str
    organisation: str
    url: str
    made_at: datetime
    ended_at: datetime | None


def add_webhook(view: View, keys: KeyFolder, caller: Caller, url: str) -> tuple[Webhook, str]:
    """Return a new webhook of the actor's organisation and its secret, which nobody can read again.

    Raises:
        InputError, RefusedError, PilotbaseError: no address that may be called, as the caller says.
        RefusedError: the actor is no person of an organisation, or it has too many.
        ConflictError: this very request has added one before, whose secret is not told again.
    """
    _require_member(view)
    caller.check(url)
    secret, identity = new_secret(), secrets.token_hex(8)
    organisation = view.actor.organisation
    with view.transaction("webhook.added") as change:
        made = view.within(change).outcome()
        if made is not None:
            raise ConflictError("notice.webhook_added_before", webhook=made)
        if len(_webhooks(change.connection, organisation)) >= MAXIMUM:
            raise BarredError("notice.too_many_webhooks", limit=MAXIMUM)
        values = {
            "identity": identity,
            "organisation": organisation,
            "url": url,
            "secret": _cipher(keys).encrypt(secret.encode()),
            "made_by": view.actor.person,
            "made_at": change.now,
        }
        change.connection.execute(insert(tables.webhooks).values(values))
        change.record("webhook.added", [organisation_subject(organisation)], {"webhook": identity})
        change.settle(identity)
    return Webhook(identity, organisation, url, change.now, None), secret


def end_webhook(view: View, identity: str) -> None:
    """Tell a webhook of the actor's organisation nothing more; raises `NotFoundError`, `RefusedError`."""
    _require_member(view)
    organisation = view.actor.organisation
    with view.transaction("webhook.ended") as change:
        if view.within(change).outcome() is not None:
            return
        own = (_rows.identity == identity, _rows.organisation == organisation, _rows.ended_at.is_(None))
        ended = change.connection.execute(update(tables.webhooks).where(*own).values(ended_at=change.now))
        if ended.rowcount == 0:
            raise NotFoundError("notice.no_webhook")
        waiting = tables.webhook_deliveries.c
        waits = (waiting.webhook == identity, waiting.state == "waiting")
        dropped = {"state": "dropped", "next_at": None, "ended_at": change.now}
        change.connection.execute(update(tables.webhook_deliveries).where(*waits).values(dropped))
        change.record("webhook.ended", [organisation_subject(organisation)], {"webhook": identity})
        change.settle(identity)


def list_webhooks(view: View) -> list[Webhook]:
    """Return the webhooks of the actor's organisation that are told, oldest first; none for those without one."""
    if not permitted(ExchangeAct.WEBHOOK_MANAGE, view.actor, Stands(organisation=view.actor.organisation)):
        return []
    with view.reading() as connection:
        return _webhooks(connection, view.actor.organisation)


def find_webhook(view: View, identity: str) -> Webhook:
    """Return a webhook of the actor's organisation; raises `NotFoundError`."""
    for webhook in list_webhooks(view):
        if webhook.identity == identity:
            return webhook
    raise NotFoundError("notice.no_webhook")


def all_webhooks(connection: Connection) -> list[Webhook]:
    """Return every webhook that is told, of whomever."""
    rows = select(tables.webhooks).where(_rows.ended_at.is_(None)).order_by(_rows.made_at)
    return [_webhook(row) for row in connection.execute(rows)]


def secret_of(connection: Connection, keys: KeyFolder, identity: str) -> str:
    """Return the secret by which messages to a webhook are signed; raises `InvalidProofError` where the key is gone."""
    sealed = connection.scalar(select(_rows.secret).where(_rows.identity == identity)) or b""
    try:
        return _cipher(keys).decrypt(bytes(sealed)).decode()
    except InvalidToken:
        raise InvalidProofError("notice.secret_lost", webhook=identity) from None


def _require_member(view: View) -> None:
    stands = Stands(organisation=view.actor.organisation)
    if view.actor.person is None or not permitted(ExchangeAct.WEBHOOK_MANAGE, view.actor, stands):
        raise RefusedError("record.not_permitted", act=act_name(ExchangeAct.WEBHOOK_MANAGE), organisation="–")


def _webhooks(connection: Connection, organisation: str) -> list[Webhook]:
    return [webhook for webhook in all_webhooks(connection) if webhook.organisation == organisation]


def _webhook(row: Any) -> Webhook:
    return Webhook(row.identity, row.organisation, row.url, row.made_at, row.ended_at)


def _cipher(keys: KeyFolder) -> Fernet:
    return Fernet(keys.create("webhooks.key", Fernet.generate_key))
