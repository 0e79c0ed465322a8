"""Messages to webhooks: one row of the queue per notice and webhook, retried, visibly given up, replayed on demand.

    waiting ──▶ delivered         the receiver accepted it
       │  ▲ └─▶ given_up          the last try failed; the row says why
       │  └──── replay
       └──────▶ dropped           the webhook was ended, or the organisation can no longer see the subject

A row is claimed before it is sent. If a worker is killed in between, the row is sent again under the same name. So a
receiver gets each message at least once, and recognises repeats.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, select

from pilotbase.documents.base import Localized
from pilotbase.documents.notice import Address, Notice, NoticeBody, NoticeKind
from pilotbase.documents.texts import LANGUAGES, Text, text
from pilotbase.documents.vocabularies import Role
from pilotbase.notices.channel import LONGEST, NoticeChannel, Parcel, Sender, SendResult
from pilotbase.notices.channels import CHANNELS
from pilotbase.notices.rows import KNOWN, NoticeDraft, as_notice, find_for_organisation, keep
from pilotbase.notices.webhooks import (
    Webhook,
    all_webhooks,
    due_webhooks,
    find_webhook,
    lane_of,
    let_rest,
    secret_of,
)
from pilotbase.workspace import tables, work
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.keys import KeyFolder
from pilotbase.workspace.store import View
from pilotbase.workspace.work import WorkState

CLAIMED_SECONDS = 60
"""How long a row is reserved while it is sent; longer than any exchange can take."""
_AT_ONCE, _DROPPED_AT_ONCE = 8, 100
_STATES = {
    WorkState.QUEUED: "waiting",
    WorkState.RUNNING: "waiting",
    WorkState.DONE: "delivered",
    WorkState.FAILED: "given_up",
    WorkState.CANCELLED: "dropped",
}
_rows = tables.work.c
RolesOf = Callable[[str], frozenset[Role]]


@dataclass(frozen=True)
class WebhookDelivery:
    """A notice on its way to a webhook."""

    identity: str
    """Names the message at every try (``webhook-id``)."""
    state: str
    tries: int
    next_at: datetime | None
    said: Text | None
    """The result of the last try."""
    notice: Notice

    @property
    def status(self) -> int | None:
        """Return the status of the receiver's last answer."""
        status = self.said.params.get("status") if self.said is not None else None
        return status if isinstance(status, int) else None

    @property
    def reason(self) -> Text | None:
        """Return in words why the last try failed; None if the status says it all."""
        return None if self.said is None or self.said.code == "notice.answered" else self.said


@dataclass(frozen=True)
class ClaimedMessage:
    """A message that is claimed for sending now."""

    identity: str
    webhook: Webhook
    notice: Notice
    held: work.WorkLease

    @property
    def channel(self) -> NoticeChannel:
        return CHANNELS[self.webhook.channel]

    def parcel(self, view: View, keys: KeyFolder, sender: Sender) -> Parcel:
        """Return what to send; raises `InvalidProofError` if the key of the secret is gone."""
        with view.reading() as connection:
            secret = secret_of(connection, keys, self.webhook.identity)
        to = self.webhook
        return Parcel(self.identity, [self.notice], to.url, to.language, secret, view.store.clock(), sender)

    def note(self, view: View, sent: SendResult) -> None:
        """Note the result; raises `StaleLeaseError` if another worker has taken over."""
        with view.store.database.write() as connection:
            now = view.store.clock()
            let_rest(connection, self.webhook.identity, now + timedelta(seconds=max(sent.rest, self.channel.apart)))
            if sent.ok:
                work.end(connection, self.held, WorkState.DONE, sent.said, now)
            elif work.fail(connection, self.held, sent.said, self.channel.retry, now) is WorkState.FAILED:
                keep(connection, [_given_up(self, now)], now)


def tell(connection: Connection, drafts: Iterable[NoticeDraft], roles_of: RolesOf, now: datetime) -> None:
    """Store new notices, and queue them for the webhooks of the organisations that they address."""
    kept = keep(connection, drafts, now)
    webhooks = all_webhooks(connection) if kept else []
    for _, draft in kept:
        for webhook in webhooks:
            if draft.kind is not NoticeKind.GIVEN_UP and _is_for(draft.address, webhook.organisation, roles_of):
                _queue(connection, webhook, draft, now)


def send_test(view: View, webhook: str) -> str:
    """Queue a test message to this webhook alone and return its name; raises `NotFoundError`.

    It appears in nobody's notices.
    """
    tried = find_webhook(view, webhook)
    with view.transaction("webhook.tried") as change:
        made = view.within(change).outcome()
        if made is not None:
            return made
        name = Localized(**{language: text("notice.webhook").render(language) for language in LANGUAGES})
        happening = f"{webhook} {uuid4().hex}"
        to, author = Address(organisation=tried.organisation, person=view.actor.person or ""), view.actor.person or ""
        draft = NoticeDraft(NoticeKind.TEST, "", to, NoticeBody(title=name), happening, author=author)
        keep(change.connection, [draft], change.now)
        identity = _queue(change.connection, tried, draft, change.now)
        change.settle(identity)
    return identity


def _queue(connection: Connection, webhook: Webhook, draft: NoticeDraft, now: datetime) -> str:
    """Queue a stored notice for a webhook and return the name of the message."""
    name = f"msg_{hashlib.sha256(f'{webhook.identity} {draft.identity}'.encode()).hexdigest()[:32]}"
    order = work.WorkRequest(
        lane_of(webhook.identity), "notice", name, {"notice": draft.identity}, webhook.organisation
    )
    work.put(connection, order, now)
    return name


def claim_messages(view: View, roles_of: Callable[[], RolesOf]) -> list[ClaimedMessage]:
    """Return messages to send now, one per webhook, each counted as tried."""
    with view.reading() as connection:
        due = due_webhooks(connection, view.store.clock(), _AT_ONCE)
    if not due:
        return []
    roles = roles_of()
    with view.store.database.write() as connection:
        found = [_claim(connection, webhook, roles, view.store.clock()) for webhook in due]
    return [one for one in found if one is not None]


def _claim(connection: Connection, webhook: Webhook, roles_of: RolesOf, now: datetime) -> ClaimedMessage | None:
    """Return the next message to a webhook, dropping those that it may no longer get."""
    acting = Actor(webhook.organisation, roles_of(webhook.organisation))
    let_rest(connection, webhook.identity, now)
    for _ in range(_DROPPED_AT_ONCE):
        holder = work.Holder(uuid4().hex, CLAIMED_SECONDS)
        claimed = work.claim(connection, lane_of(webhook.identity), holder, now, LONGEST)
        if claimed is None:
            return None
        row, held = claimed
        notice = find_for_organisation(connection, acting, _notice_of(row))
        if notice is None:
            work.end(connection, held, WorkState.CANCELLED, None, now)
            continue
        message = ClaimedMessage(row.key, webhook, notice, held)
        if message.channel.retry.after(held.tries - 1) is not None:
            return message
        work.end(connection, held, WorkState.FAILED, None, now)  # each worker that sent it was killed
        keep(connection, [_given_up(message, now)], now)
    return None


def list_deliveries(view: View, webhook: str, limit: int = 50) -> list[WebhookDelivery]:
    """Return what was sent to a webhook of the actor's organisation, newest first; raises `NotFoundError`."""
    find_webhook(view, webhook)
    newest = select(tables.work).where(_rows.lane == lane_of(webhook)).order_by(_rows.identity.desc())
    with view.reading() as connection:
        rows = connection.execute(newest.limit(min(limit, 200))).all()
        told = select(tables.notices).where(KNOWN, tables.notices.c.identity.in_([_notice_of(row) for row in rows]))
        notices = {row.identity: as_notice(row, view.actor) for row in connection.execute(told)}
    return [_delivery(row, notices[_notice_of(row)]) for row in rows if _notice_of(row) in notices]


def replay(view: View, webhook: str, identity: str) -> None:
    """Send a message again, under the same name; raises `NotFoundError` for another organisation's message."""
    if view.outcome() is not None:
        return
    find_webhook(view, webhook)
    with view.transaction("webhook.replayed") as change:
        own = (_rows.lane == lane_of(webhook), _rows.key == identity)
        if work.queue_again(change.connection, change.now, *own) == 0:
            raise NotFoundError("notice.no_delivery")
        change.settle(identity)


def _delivery(row: Any, notice: Notice) -> WebhookDelivery:
    state = WorkState(row.state)
    said = Text.model_validate_json(row.reason) if row.reason else None
    return WebhookDelivery(row.key, _STATES[state], row.tries, row.ready_at, said, notice)


def _notice_of(row: Any) -> str:
    """Return the name of the notice in a row, empty if the row cannot be read."""
    try:
        return str(json.loads(row.payload)["notice"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


def _is_for(address: Address, organisation: str, roles_of: RolesOf) -> bool:
    if address.organisation:
        return address.organisation == organisation
    return not address.role or address.role in roles_of(organisation)


def _given_up(message: ClaimedMessage, now: datetime) -> NoticeDraft:
    """Return the notice that a message was given up; it is for people, since the webhook does not answer."""
    host = message.webhook.url.partition("://")[2].partition("/")[0]
    return NoticeDraft(
        kind=NoticeKind.GIVEN_UP,
        subject="",
        address=Address(organisation=message.webhook.organisation),
        body=NoticeBody(title=Localized(en=host, zh=host)),
        happening=f"{message.identity} {now.isoformat()}",
    )
