"""Webhooks: addresses that get an organisation's notices, each through one channel (programs, robots of group chats).

A secret that we generate is shown once; a key of the home seals every secret. An address can contain a secret too, so
the log has neither, only that a webhook was added or ended.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import Connection, func, insert, literal, or_, select, update

from pilotbase.documents.errors import BarredError, InputError, InvalidProofError, RefusedError
from pilotbase.documents.permissions import ExchangeAct, SubjectRelation, act_name, permitted
from pilotbase.documents.subjects import organisation_subject
from pilotbase.documents.texts import Language, Text
from pilotbase.notices.channel import LONGEST, Secret
from pilotbase.notices.channels import CHANNELS
from pilotbase.protocols.guarded_http import parts_of
from pilotbase.protocols.webhooks import new_secret
from pilotbase.workspace import tables, work
from pilotbase.workspace.failures import ConflictError, NotFoundError
from pilotbase.workspace.keys import KeyFolder
from pilotbase.workspace.store import View

MAXIMUM = 10
_LANE = "webhook:"
_LONGEST_REST = timedelta(hours=1)
_rows = tables.webhooks.c


class WebhookCaller(Protocol):
    """Calls addresses from users, and checks beforehand whether it would."""

    def check(self, url: str) -> None: ...


@dataclass(frozen=True)
class Webhook:
    """One webhook, without its secret."""

    identity: str
    organisation: str
    url: str
    made_at: datetime
    ended_at: datetime | None
    channel: str = "webhook"
    language: Language = "en"


@dataclass(frozen=True)
class Manner:
    """How to reach an address: the channel, the receiver's secret, and the language."""

    channel: str = "webhook"
    secret: str = ""
    language: Language = "en"


def add_webhook(
    view: View, keys: KeyFolder, caller: WebhookCaller, url: str, manner: Manner = Manner()
) -> tuple[Webhook, str]:
    """Return a new webhook of the actor's organisation and the generated secret, if its channel has one.

    Raises:
        InputError, RefusedError, PilotbaseError: the address may not be called, as the caller says, or does not fit
            the channel; the channel has no use for a secret.
        RefusedError: the actor is no person of an organisation, or it has too many.
        ConflictError: this very request has already added one, whose secret is not shown again.
    """
    _require_member(view)
    drawn = _drawn_secret(url, manner)
    caller.check(url)
    identity = secrets.token_hex(8)
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
            "secret": _cipher(keys).encrypt((drawn or manner.secret).encode()),
            "channel": manner.channel,
            "language": manner.language,
            "made_by": view.actor.person,
            "made_at": change.now,
        }
        change.connection.execute(insert(tables.webhooks).values(values))
        change.record("webhook.added", [organisation_subject(organisation)], {"webhook": identity})
        change.settle(identity)
    return Webhook(identity, organisation, url, change.now, None, manner.channel, manner.language), drawn


def end_webhook(view: View, identity: str) -> None:
    """End a webhook of the actor's organisation; raises `NotFoundError`, `RefusedError`."""
    _require_member(view)
    organisation = view.actor.organisation
    with view.transaction("webhook.ended") as change:
        if view.within(change).outcome() is not None:
            return
        own = (_rows.identity == identity, _rows.organisation == organisation, _rows.ended_at.is_(None))
        ended = change.connection.execute(update(tables.webhooks).where(*own).values(ended_at=change.now))
        if ended.rowcount == 0:
            raise NotFoundError("notice.no_webhook")
        work.cancel(change.connection, None, change.now, tables.work.c.lane == lane_of(identity))
        change.record("webhook.ended", [organisation_subject(organisation)], {"webhook": identity})
        change.settle(identity)


def list_webhooks(view: View) -> list[Webhook]:
    """Return the active webhooks of the actor's organisation, oldest first; none for actors without one."""
    if not permitted(ExchangeAct.WEBHOOK_MANAGE, view.actor, SubjectRelation(organisation=view.actor.organisation)):
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
    """Return the active webhooks of all organisations."""
    rows = select(tables.webhooks).where(_rows.ended_at.is_(None)).order_by(_rows.made_at)
    return [_webhook(row) for row in connection.execute(rows)]


def due_webhooks(connection: Connection, now: datetime, at_most: int) -> list[Webhook]:
    """Return webhooks with a due message that are not resting, those called longest ago first.

    So one with many waiting messages does not delay the others.
    """
    may_be_called = or_(_rows.rests_until.is_(None), _rows.rests_until <= now, _rows.rests_until > now + _LONGEST_REST)
    waits = work.waits(literal(_LANE) + _rows.identity, now, LONGEST)
    rows = select(tables.webhooks).where(_rows.ended_at.is_(None), may_be_called, waits)
    found = connection.execute(rows.order_by(func.coalesce(_rows.rests_until, 0), _rows.made_at).limit(at_most))
    return [_webhook(row) for row in found]


def let_rest(connection: Connection, identity: str, until: datetime) -> None:
    """Let a webhook rest until a moment."""
    connection.execute(update(tables.webhooks).where(_rows.identity == identity).values(rests_until=until))


def lane_of(identity: str) -> str:
    """Return the lane in which messages to a webhook wait."""
    return f"{_LANE}{identity}"


def secret_of(connection: Connection, keys: KeyFolder, identity: str) -> str:
    """Return the secret that signs messages to a webhook; raises `InvalidProofError` if its key is gone."""
    sealed = connection.scalar(select(_rows.secret).where(_rows.identity == identity)) or b""
    try:
        return _cipher(keys).decrypt(bytes(sealed)).decode()
    except InvalidToken:
        raise InvalidProofError("notice.secret_lost", webhook=identity) from None


def _require_member(view: View) -> None:
    stands = SubjectRelation(organisation=view.actor.organisation)
    if view.actor.person is None or not permitted(ExchangeAct.WEBHOOK_MANAGE, view.actor, stands):
        raise RefusedError("record.not_permitted", act=act_name(ExchangeAct.WEBHOOK_MANAGE), organisation="–")


def _webhooks(connection: Connection, organisation: str) -> list[Webhook]:
    return [webhook for webhook in all_webhooks(connection) if webhook.organisation == organisation]


def _drawn_secret(url: str, manner: Manner) -> str:
    """Return the secret that we generate for an address, empty if its channel needs none; raises `InputError`."""
    channel = CHANNELS.get(manner.channel)
    if channel is None or channel.fits is None:
        raise InputError("notice.no_channel", channel=manner.channel, known=", ".join(organisation_channels()))
    if not channel.fits(parts_of(url)):
        raise InputError("notice.other_address", channel=Text(code=f"notice.channel.{channel.name}"))
    if manner.secret and channel.secret is not Secret.GIVEN:
        raise InputError("notice.no_secret_taken", channel=Text(code=f"notice.channel.{channel.name}"))
    return new_secret() if channel.secret is Secret.MADE else ""


def organisation_channels() -> list[str]:
    """Return the names of the channels for organisations, with the one for programs first."""
    return sorted((name for name, one in CHANNELS.items() if one.fits is not None), key=lambda one: one != "webhook")


def _webhook(row: Any) -> Webhook:
    return Webhook(row.identity, row.organisation, row.url, row.made_at, row.ended_at, row.channel, row.language)


def _cipher(keys: KeyFolder) -> Fernet:
    return Fernet(keys.create("webhooks.key", Fernet.generate_key))
