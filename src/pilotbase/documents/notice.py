"""Notices: what happened to whom it concerns, in a sentence; what a person chooses; who carries them out as mail."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from pilotbase.documents.base import Localized, Moment, Part
from pilotbase.documents.moments import format_day
from pilotbase.documents.texts import Language, Text, text
from pilotbase.documents.vocabularies import Role


class NoticeKind(StrEnum):
    """Why there is a notice; in words: text ``notice.<value>``."""

    STEP = "step"
    """A record has moved."""
    DUE = "due"
    """Work is due soon."""
    OVERDUE = "overdue"
    """The day until which work was due has passed."""
    QUESTION = "question"
    REPLY = "reply"
    ANSWER = "answer"
    """A message was marked as the answer."""
    MENTION = "mention"
    REMOVAL = "removal"
    """A message of one's own was removed."""
    GIVEN_UP = "given_up"
    """A webhook did not take what was sent to it, however often."""
    WATCH = "watch"
    """The watch over a service, or what was done about it."""
    DATA = "data"
    """Data of one's own were used, or somebody was refused."""
    ASKED = "asked"
    """Somebody is asked for what stands on no record: to agree to a pack for a site, to label items."""
    CLAIM = "claim"
    """A claim on a voucher was made, decided or paid out, or waits for a person."""


class MailChoice(StrEnum):
    """How a person wants notices by mail; names: text ``notice.mail.<value>``."""

    AT_ONCE = "at_once"
    DAILY = "daily"
    NONE = "none"


class Address(Part):
    """Whom a notice is for; an empty organisation, role or person means any."""

    organisation: str = ""
    role: str = ""
    person: str = ""


class NoticeBody(Part):
    """What a notice says, but for the words of a catalogue."""

    title: Localized
    """What it is about, as its owner calls it."""
    record: str = ""
    """Kind of the record that it is about."""
    act: str = ""
    """The act that was done, or that is waited for."""
    state: str = ""
    """State of the record after it."""
    organisation: str = ""
    """Who did it; empty where time did."""
    due: Moment | None = None
    said: Text | None = None
    """The whole sentence, of the watch, of uses of data, of what is asked and of claims."""


class Notice(Part):
    """One notice as its reader sees it."""

    identity: str
    kind: NoticeKind
    subject: str
    """The record that it is about, empty for a webhook."""
    thread: str = ""
    """The thread that it is about, else empty."""
    organisation: str
    """For which organisation the reader is told."""
    body: NoticeBody
    made_at: Moment
    read: bool = False

    @property
    def sentence(self) -> Text:
        """Return what happened, without what it is about."""
        body = self.body
        if body.said is not None:
            return body.said
        said: dict[str, object] = {"organisation": body.organisation}
        if body.act:
            done = self.kind is NoticeKind.STEP
            said["act"] = Text(code=f"done.{body.act}" if done else f"act.{body.act}")
        if body.state:
            said["state"] = Text(code=f"state.{body.record}.{body.state}")
        if body.due is not None:
            said["due"] = format_day(body.due)
        return text(f"notice.{self.kind}", **said)


@dataclass(frozen=True)
class Recipient:
    """A person with an account, and what they may act as: organisation and roles."""

    person: str
    memberships: tuple[tuple[str, frozenset[Role]], ...]
    mail: str = ""
    """Where mail reaches them."""
    language: Language = "en"


@dataclass(frozen=True)
class Letter:
    """A mail; the same ``identity`` names the same mail."""

    to: str
    subject: str
    body: str
    identity: str


class Post(Protocol):
    """Who knows the people and can mail them: the hub."""

    def people(self) -> Iterable[Recipient]:
        """Return everybody who has an account and belongs to an organisation."""

    def send(self, letter: Letter) -> None:
        """Mail a letter; raises `OSError` when it does not go out."""
