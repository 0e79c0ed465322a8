"""What is sent to webhooks: one row a notice and webhook, tried again with growing delays, given up visibly, replayed.

    waiting ──▶ delivered         the other end answered 2xx
       │  ▲ └─▶ given_up          the last try failed, and why stands in the row
       │  └──── replay
       └──────▶ dropped           the webhook was ended, or the organisation does not see any more what it is about

A row is claimed before it is sent: it waits out of reach for a while, and whoever is killed in between leaves it to be
sent again, with the same ``webhook-id``. So a receiver gets each at least once, and knows again what it has had.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from pilotbase.documents.base import Localized
from pilotbase.documents.notice import Address, Notice, NoticeBody, NoticeKind
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Role
from pilotbase.notices.making import Draft
from pilotbase.notices.rows import as_notice, find_for_organisation, keep
from pilotbase.notices.webhooks import Webhook, all_webhooks, find_webhook
from pilotbase.workspace import tables
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View

DELAYS = (5, 60, 300, 1800, 7200, 18_000, 36_000, 86_400)
"""Seconds between one try and the next: nine tries in about a day and three quarters."""
CLAIMED_SECONDS = 60
"""How long a row is out of reach while it is sent; longer than any exchange may take."""
_rows, _notices = tables.webhook_deliveries.c, tables.notices.c
RolesOf = Callable[[str], frozenset[Role]]


@dataclass(frozen=True)
class Delivery:
    """A notice on its way to a webhook."""

    identity: str
    """The ``webhook-id`` of every try."""
    webhook: str
    state: str
    tries: int
    next_at: datetime | None
    status: int | None
    """What the other end answered last."""
    failure: str
    """Code of the error by which the last try failed; empty where it was answered."""
    host: str
    notice: Notice

    @property
    def reason(self) -> Text | None:
        """Return in words why the last try failed without an answer."""
        return text(self.failure, host=self.host, webhook=self.webhook) if self.failure else None


@dataclass(frozen=True)
class Sending:
    """A delivery that was claimed to be sent now."""

    delivery: Delivery
    webhook: Webhook


def enqueue(connection: Connection, kept: Iterable[tuple[int, Draft]], roles_of: RolesOf, now: datetime) -> int:
    """Let new notices wait for the webhooks of the organisations that they are for; return how many do."""
    webhooks, count = all_webhooks(connection), 0
    for number, draft in kept if webhooks else ():
        for webhook in webhooks:
            if draft.kind is not NoticeKind.GIVEN_UP and _is_for(draft.address, webhook.organisation, roles_of):
                values = {
                    "identity": _identity(webhook.identity, draft.identity),
                    "webhook": webhook.identity,
                    "notice": number,
                    "state": "waiting",
                    "tries": 0,
                    "next_at": now,
                    "failure": "",
                }
                connection.execute(insert(tables.webhook_deliveries).values(values))
                count += 1
    return count


def is_due(view: View) -> bool:
    """Tell whether there is anything to send now."""
    due = select(_rows.identity).where(_rows.state == "waiting", _rows.next_at <= view.store.clock()).limit(1)
    with view.reading() as connection:
        return connection.scalar(due) is not None


def claim_due(view: View, roles_of: RolesOf, at_most: int = 8) -> list[Sending]:
    """Return deliveries to send now, one a webhook, each counted as tried and out of reach for `CLAIMED_SECONDS`."""
    claimed = []
    with view.store.database.write() as connection:
        now = view.store.clock()
        webhooks = {webhook.identity: webhook for webhook in all_webhooks(connection)}
        first = (
            select(func.min(_rows.next_at).label("next_at"), _rows.webhook)
            .where(_rows.state == "waiting", _rows.next_at <= now)
            .group_by(_rows.webhook)
            .order_by(func.min(_rows.next_at))
            .limit(at_most)
        )
        for _, webhook in connection.execute(first).all():
            sending = _claim(connection, webhooks[webhook], roles_of, now) if webhook in webhooks else None
            if sending is not None:
                claimed.append(sending)
    return claimed


def note_answer(view: View, sending: Sending, status: int | None, failure: str = "") -> str:
    """Note what came of a try and return the state of the delivery; ``failure`` is the code of a text."""
    identity, tries = sending.delivery.identity, sending.delivery.tries
    with view.store.database.write() as connection:
        now = view.store.clock()
        values: dict[str, Any] = {"status": status, "failure": failure, "next_at": None, "ended_at": now}
        if status is not None and 200 <= status < 300:
            values["state"] = "delivered"
        elif tries > len(DELAYS):
            values["state"] = "given_up"
            keep(connection, [_given_up(sending, now)], now)
        else:
            values |= {"state": "waiting", "ended_at": None, "next_at": now + timedelta(seconds=DELAYS[tries - 1])}
        here = (_rows.identity == identity, _rows.state == "waiting", _rows.tries == tries)
        connection.execute(update(tables.webhook_deliveries).where(*here).values(values))
    return str(values["state"])


def list_deliveries(view: View, webhook: str, limit: int = 50) -> list[Delivery]:
    """Return what was sent to a webhook of the actor's organisation, newest first; raises `NotFoundError`."""
    find_webhook(view, webhook)
    rows = _joined().where(_rows.webhook == webhook).order_by(_rows.notice.desc()).limit(min(limit, 200))
    with view.reading() as connection:
        return [_delivery(row, view.actor) for row in connection.execute(rows)]


def replay(view: View, webhook: str, identity: str) -> None:
    """Send a delivery again, under the same ``webhook-id``; raises `NotFoundError` for what is not one's own."""
    if view.outcome() is not None:
        return
    find_webhook(view, webhook)
    with view.transaction("webhook.replayed") as change:
        own = (_rows.identity == identity, _rows.webhook == webhook)
        again = {
            "state": "waiting",
            "tries": 0,
            "next_at": change.now,
            "status": None,
            "failure": "",
            "ended_at": None,
        }
        if change.connection.execute(update(tables.webhook_deliveries).where(*own).values(again)).rowcount == 0:
            raise NotFoundError("notice.no_delivery")
        change.settle(identity)


def _claim(connection: Connection, webhook: Webhook, roles_of: RolesOf, now: datetime) -> Sending | None:
    acting = Actor(webhook.organisation, roles_of(webhook.organisation))
    due = (_rows.webhook == webhook.identity, _rows.state == "waiting", _rows.next_at <= now)
    row = connection.execute(_joined().where(*due).order_by(_rows.next_at, _rows.notice).limit(1)).one()
    here = _rows.identity == row.delivery
    if find_for_organisation(connection, acting, row.notice) is None:
        dropped = {"state": "dropped", "next_at": None, "ended_at": now}
        connection.execute(update(tables.webhook_deliveries).where(here).values(dropped))
        return None
    tried = {"tries": row.tries + 1, "next_at": now + timedelta(seconds=CLAIMED_SECONDS)}
    connection.execute(update(tables.webhook_deliveries).where(here).values(tried))
    claimed = connection.execute(_joined().where(here)).one()
    return Sending(_delivery(claimed, acting), webhook)


def _joined() -> Any:
    rows = select(
        _rows.identity.label("delivery"),
        _rows.webhook,
        _rows.notice,
        _rows.state,
        _rows.tries,
        _rows.next_at,
        _rows.status,
        _rows.failure,
        tables.webhooks.c.url,
        tables.notices,
    )
    return rows.join(tables.notices, _notices.sequence == _rows.notice).join(
        tables.webhooks, tables.webhooks.c.identity == _rows.webhook
    )


def _delivery(row: Any, actor: Actor) -> Delivery:
    return Delivery(
        identity=row.delivery,
        webhook=row.webhook,
        state=row.state,
        tries=row.tries,
        next_at=row.next_at,
        status=row.status,
        failure=row.failure,
        host=_host(row.url),
        notice=as_notice(row, actor),
    )


def _is_for(address: Address, organisation: str, roles_of: RolesOf) -> bool:
    if address.organisation:
        return address.organisation == organisation
    return not address.role or address.role in roles_of(organisation)


def _identity(webhook: str, notice: str) -> str:
    return f"msg_{hashlib.sha256(f'{webhook} {notice}'.encode()).hexdigest()[:32]}"


def _given_up(sending: Sending, now: datetime) -> Draft:
    """Return the notice that a message was given up: told to people, for the webhook does not hear it."""
    host = sending.delivery.host
    return Draft(
        kind=NoticeKind.GIVEN_UP,
        subject="",
        address=Address(organisation=sending.webhook.organisation),
        body=NoticeBody(title=Localized(en=host, zh=host)),
        happening=f"{sending.delivery.identity} {now.isoformat()}",
    )


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0]
