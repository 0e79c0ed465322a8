"""Exchange 技术交流: a thread is a question about a scenario or an application, its replies, and its answer.

Every change makes a new version. Its history records who changed what; earlier versions stay with the base, where
operator and regulator can read what was corrected or removed.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

import pydantic
from pydantic import AfterValidator, StringConstraints

from pilotbase.documents.base import NAME, Document, Moment, Name, Part, Trimmed
from pilotbase.documents.hashes import Digest
from pilotbase.documents.permissions import ExchangeAct
from pilotbase.documents.record import PersonId
from pilotbase.documents.subjects import Subject

MAXIMUM_MESSAGES = 300
MAXIMUM_ATTACHMENTS = 5
MAXIMUM_LETTERS = 8000
_NAMED = re.compile(rf"(?<![\w@/.])@({NAME})", re.ASCII)
_HARMFUL = re.compile(r"[\x00-\x1f\x7f/\\\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def _without_zero(words: str) -> str:
    if "\x00" in words:
        raise ValueError("a text holds no zero byte")
    return words.replace("\r\n", "\n")


def _require_file_name(name: str) -> str:
    if _HARMFUL.search(name) or name.strip(" .") == "":
        raise ValueError("this is no name of a file")
    return name


ThreadId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
Words = Annotated[str, Trimmed(MAXIMUM_LETTERS), AfterValidator(_without_zero)]
"""Plain text: it is shown as typed, never interpreted as HTML or anything else."""
Topic = Annotated[str, Trimmed(200), AfterValidator(_without_zero)]
FileName = Annotated[str, StringConstraints(min_length=1, max_length=150), AfterValidator(_require_file_name)]
"""A file's base name: no path, no control or reordering characters."""


class Mention(Part):
    """Who is mentioned: an organisation, or one of its people."""

    organisation: Name
    person: PersonId | None = None


class Attachment(Part):
    """A file of a message: bytes that the base never reads, named by their hash."""

    name: FileName
    digest: Digest
    size: int = pydantic.Field(ge=0)


class Message(Part):
    """One message. ``text`` is empty once it is removed."""

    number: int = pydantic.Field(ge=1)
    organisation: Name
    person: PersonId
    at: Moment
    text: str
    mentions: tuple[Mention, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    request: Digest | None = None
    """Identifies the request that sent it: a repeated request adds no second message."""
    corrected_at: Moment | None = None
    removed_at: Moment | None = None


class ThreadStep(Part):
    """One entry of the history: who did what to which message."""

    act: ExchangeAct
    message: int
    organisation: Name
    person: PersonId
    at: Moment
    reason: Annotated[str, StringConstraints(max_length=400)] = ""
    before: Digest | None = None
    """The version of the thread before it, for operator and regulator to read."""


class Thread(Document):
    """A question and its replies, in order."""

    document: Literal["thread/1"] = "thread/1"
    identity: ThreadId
    subject: Subject
    title: Topic
    private: bool = False
    """Whether only the asker and the subject's owner see it, in addition to operator and regulator."""
    messages: tuple[Message, ...] = pydantic.Field(min_length=1, max_length=MAXIMUM_MESSAGES)
    """The first message is the question."""
    answer: int | None = None
    """Number of the message that was marked as the answer."""
    history: tuple[ThreadStep, ...] = ()

    @property
    def asker(self) -> str:
        return self.messages[0].organisation

    def message(self, number: int) -> Message | None:
        """Return the message with this number, or None."""
        return self.messages[number - 1] if 1 <= number <= len(self.messages) else None


class Question(Part):
    """The content of a new thread."""

    subject: Subject
    title: Topic
    text: Words
    private: bool = False
    mentions: tuple[Mention, ...] = pydantic.Field(default=(), max_length=20)


class Reply(Part):
    """A reply to a question."""

    text: Words
    mentions: tuple[Mention, ...] = pydantic.Field(default=(), max_length=20)


class Correction(Part):
    """The new text of a message."""

    text: Words


class Removal(Part):
    """The removal of a message, with its reason."""

    reason: Annotated[str, Trimmed(400)]


class Marking(Part):
    """The message that is the answer; None: there is no longer an answer."""

    message: int | None = pydantic.Field(ge=1, le=MAXIMUM_MESSAGES)


def mentions_in(words: str) -> tuple[Mention, ...]:
    """Return the organisations that ``words`` mention as ``@name``; whether they exist is not revealed."""
    return tuple(Mention(organisation=name) for name in dict.fromkeys(_NAMED.findall(words)))[:20]
