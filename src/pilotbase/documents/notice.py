"""Notices: an event in a sentence for those it concerns; a person's mail settings; the interface that sends mail."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from pilotbase.documents.base import Localized, Moment, Part
from pilotbase.documents.moments import format_day
from pilotbase.documents.texts import Language, Text, text
from pilotbase.documents.vocabularies import Role, extended


@extended
class NoticeKind(StrEnum):
    """Reason for a notice; names: text ``notice.<value>``."""

    STEP = "step"
    """A record has moved."""
    DUE = "due"
    """Work is due soon."""
    OVERDUE = "overdue"
    """The due date of work has passed."""
    QUESTION = "question"
    REPLY = "reply"
    ANSWER = "answer"
    """A message was marked as the answer."""
    MENTION = "mention"
    REMOVAL = "removal"
    """The recipient's own message was removed."""
    GIVEN_UP = "given_up"
    """A webhook did not accept a message despite all retries."""
    WATCH = "watch"
    """The watch of a service, or a reaction to it."""
    DATA = "data"
    """The recipient's data were used, or a use was refused."""
    MATCH = "match"
    """Something new may fit what the recipient follows."""
    ROOM = "room"
    """Something new in the room of a match."""
    TEST = "test"
    """A message by which a webhook is tried."""
    ASKED = "asked"
    """A request outside any record: to agree to a pack for a site, to label items."""


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
    """The content of a notice, apart from catalogue texts."""

    title: Localized
    """Title of its subject, as given by the owner."""
    record: str = ""
    """Kind of the record that it is about."""
    act: str = ""
    """The act that was done, or that is awaited."""
    state: str = ""
    """State of the record after it."""
    organisation: str = ""
    """Who did it; empty if it happened by passage of time."""
    due: Moment | None = None
    said: Text | None = None
    """The whole sentence, for notices that no step of a record makes."""


class Notice(Part):
    """One notice as its reader sees it."""

    identity: str
    kind: NoticeKind
    subject: str
    """The record that it is about, empty for a webhook."""
    thread: str = ""
    """The thread that it is about, else empty."""
    organisation: str
    """The organisation for which the reader gets it."""
    body: NoticeBody
    made_at: Moment
    read: bool = False

    @property
    def sentence(self) -> Text:
        """Return what happened, without the subject."""
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
    """Their mail address."""
    language: Language = "en"


@dataclass(frozen=True)
class Letter:
    """A mail; the same ``identity`` names the same mail."""

    to: str
    subject: str
    body: str
    identity: str


class Post(Protocol):
    """Access to people and their mail; the hub implements it."""

    def people(self) -> Iterable[Recipient]:
        """Return everyone who has an account and belongs to an organisation."""

    def send(self, letter: Letter) -> None:
        """Mail a letter; raises `OSError` if it can't be sent."""
