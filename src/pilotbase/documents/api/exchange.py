"""Models of the hub's API for threads, rooms, notices and webhooks, other than documents."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pilotbase.documents.api.shapes import RequestModel, ResponseModel
from pilotbase.documents.notice import MailChoice, NoticeBody, NoticeKind
from pilotbase.documents.room import Awaited, RoomEntry, RoomOutcome, RoomState


class RoomTold(ResponseModel):
    """A room of a match as the caller sees it."""

    identity: str
    demand: str
    """A scenario, or a demand in words."""
    application: str
    owner: str
    supplier: str
    by: str
    """The side that proposed it."""
    words: str
    opened_at: datetime
    state: RoomState
    outcome: RoomOutcome | None
    awaits: list[tuple[Awaited, int | None]]
    """What it waits for from the caller's side, and the number of the entry that this is about."""
    entries: list[RoomEntry]
    """Oldest first."""


class ListedThread(ResponseModel):
    """One thread as lists show it."""

    identity: str
    subject: str
    title: str
    asker: str
    private: bool
    answered: bool
    messages: int
    last_at: datetime
    url: str


class ThreadPage(ResponseModel):
    """Some threads, most recently changed first; pass ``next`` as ``after`` to read on."""

    items: list[ListedThread]
    total: int
    next: str | None


class ToldNotice(ResponseModel):
    """What happened, and in a sentence of the caller's language."""

    identity: str
    kind: NoticeKind
    subject: str
    thread: str
    organisation: str
    said: str
    body: NoticeBody
    made_at: datetime
    read: bool


class NoticePage(ResponseModel):
    """Some notices, newest first; pass ``next`` as ``after`` to read on. ``unread`` counts up to 100."""

    items: list[ToldNotice]
    unread: int
    next: str | None


class MarkedNotices(ResponseModel):
    """How many of them were unread."""

    marked: int


class MailWish(RequestModel):
    """How a person wants to be notified by mail."""

    mail: MailChoice


class OpenWebhook(ResponseModel):
    """A webhook of the caller's organisation."""

    identity: str
    url: str
    made_at: datetime
    channel: str
    """The channel through which it gets notices."""
    secret: str | None = None
    """The secret that signs messages, if the base generated it; only in the response that creates the webhook."""


class WebhookMessage(ResponseModel):
    """A message to a webhook."""

    identity: str
    """The ``webhook-id`` of every attempt."""
    state: Literal["waiting", "delivered", "given_up", "dropped"]
    tries: int
    next_at: datetime | None
    status: int | None
    """The receiver's last response."""
    reason: str | None
    """Why the receiver didn't respond."""
    notice: ToldNotice
