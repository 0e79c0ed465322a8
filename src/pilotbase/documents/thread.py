"""Exchange 技术交流: a thread is a question about a scenario or an application, what was said to it, and its answer.

Every change makes a new version. Its history tells who changed what; earlier versions stay with the base, where
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
"""Plain text: it is shown as it was typed, never read as HTML or anything else."""
Topic = Annotated[str, Trimmed(200), AfterValidator(_without_zero)]
FileName = Annotated[str, StringConstraints(min_length=1, max_length=150), AfterValidator(_require_file_name)]
"""The last part of a file's name: no path, no control or reordering character."""


class Mention(Part):
    """Who is called: an organisation, or one person of it."""

    organisation: Name
    person: PersonId | None = None


class Attachment(Part):
    """A file of a message: bytes that nobody here reads, named by their hash."""

    name: FileName
    digest: Digest
    size: int = pydantic.Field(ge=0)


class Message(Part):
    """One thing that was said. ``text`` is empty once it was removed."""

    number: int = pydantic.Field(ge=1)
    organisation: Name
    person: PersonId
    at: Moment
    text: str
    mentions: tuple[Mention, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    request: Digest | None = None
    """Names the request that brought it: sent again, it is not said again."""
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
    """A question and what was said to it, in order."""

    document: Literal["thread/1"] = "thread/1"
    identity: ThreadId
    subject: Subject
    title: Topic
    private: bool = False
    """Whether only the asker and the owner of the subject see it, besides operator and regulator."""
    messages: tuple[Message, ...] = pydantic.Field(min_length=1, max_length=MAXIMUM_MESSAGES)
    """The first is the question."""
    answer: int | None = None
    """Number of the message that was marked as the answer."""
    history: tuple[ThreadStep, ...] = ()

    @property
    def asker(self) -> str:
        return self.messages[0].organisation

    def message(self, number: int) -> Message | None:
        """Return the message of that number, or None."""
        return self.messages[number - 1] if 1 <= number <= len(self.messages) else None


class Question(Part):
    """What opens a thread."""

    subject: Subject
    title: Topic
    text: Words
    private: bool = False
    mentions: tuple[Mention, ...] = pydantic.Field(default=(), max_length=20)


class Reply(Part):
    """What is said to a question."""

    text: Words
    mentions: tuple[Mention, ...] = pydantic.Field(default=(), max_length=20)


class Correction(Part):
    """The words that take the place of those that stand there."""

    text: Words


class Removal(Part):
    """Why a message is taken away."""

    reason: Annotated[str, Trimmed(400)]


class Marking(Part):
    """Which message is the answer; none: there is no answer any more."""

    message: int | None = pydantic.Field(ge=1, le=MAXIMUM_MESSAGES)


def mentions_in(words: str) -> tuple[Mention, ...]:
    """Return the organisations that ``words`` call by ``@name``; whether there are such, nobody is told."""
    return tuple(Mention(organisation=name) for name in dict.fromkeys(_NAMED.findall(words)))[:20]
