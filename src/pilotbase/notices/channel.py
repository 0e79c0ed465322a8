"""What a channel is: how notices are worded for one kind of address, how they go there, what the answer means."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from urllib.parse import SplitResult

from pilotbase.documents.hashes import canonical_json
from pilotbase.documents.notice import Notice, Post
from pilotbase.documents.texts import Language, Text, text
from pilotbase.documents.visible_text import make_visible
from pilotbase.protocols.guarded_http import GuardedHttp, GuardedResponse
from pilotbase.workspace.work import Retry

RETRY = Retry((5, 60, 300, 1800, 7200, 18_000, 36_000, 86_400))
"""Nine tries in about a day and three quarters."""
LONGEST = 86_400
"""The longest delay in seconds with which a notice waits: between two tries, or for the daily mail."""
_MARKUP = str.maketrans({mark: chr(ord(mark) + 0xFEE0) for mark in "<>[]*`#"})
"""What robots read as markup, mentions or links, in its full width: it is shown, and does nothing."""
_LONGEST_WORDS = 200


@dataclass(frozen=True)
class Sender:
    """The base that tells."""

    issuer: str
    url: str
    """Where its pages are; links begin with it."""
    title_of: Callable[[str, Language], str]
    """Short name of an organisation → what it is called."""


@dataclass(frozen=True)
class Parcel:
    """Notices on their way to one address."""

    identity: str
    """The same at every try: by it a receiver knows again what it has had."""
    notices: Sequence[Notice]
    address: str
    """URL, or mail address."""
    language: Language
    secret: str
    sent_at: datetime
    sender: Sender


@dataclass(frozen=True)
class RenderedNotice:
    """A notice in words, without anything in it that hides or reorders text."""

    title: str
    sentence: str
    link: str


@dataclass(frozen=True)
class SendResult:
    """What came of a try."""

    ok: bool
    said: Text
    """What the other end answered, or why it did not."""
    rest: int = 0
    """Seconds for which the address is left alone: it says that too much came."""


@dataclass(frozen=True)
class Carriers:
    """What carries messages out of the base."""

    http: GuardedHttp
    post: Post | None


class Secret(Enum):
    """Where the secret of an address comes from."""

    NONE = auto()
    MADE = auto()
    """The base draws it and shows it once."""
    GIVEN = auto()
    """The other end has drawn it; without one, messages are not signed."""


@dataclass(frozen=True)
class NoticeChannel:
    """One way out; name: text ``notice.channel.<name>``."""

    name: str
    send: Callable[[Parcel, Carriers], SendResult]
    """Raises `PilotbaseError` when there was no answer."""
    fits: Callable[[SplitResult], bool] | None = None
    """Whether an URL is one of this channel; None: its addresses belong to people, and no organisation adds them."""
    secret: Secret = Secret.NONE
    apart: float = 0.0
    """Seconds between two messages to one address, for what it takes a minute."""
    retry: Retry = RETRY


def line_of(notice: Notice, parcel: Parcel) -> RenderedNotice:
    """Return a notice in the language of a parcel, organisations by their titles."""
    title = parcel.sender.title_of(notice.body.organisation, parcel.language)
    titled = notice.model_copy(update={"body": notice.body.model_copy(update={"organisation": title})})
    return RenderedNotice(
        title=" ".join(make_visible(notice.body.title.render(parcel.language)).split()),
        sentence=titled.sentence.render(parcel.language, make_visible),
        link=f"{parcel.sender.url}/notices/{notice.identity}/",
    )


def answered(status: int) -> SendResult:
    """Return what an answer without a body that counts means: 2xx is well."""
    return SendResult(200 <= status < 300, text("notice.answered", status=status))


def plain(words: str) -> str:
    """Return words of strangers as they may stand in the Markdown of a robot."""
    return " ".join(words.translate(_MARKUP).split())


def shortened(words: str, most_bytes: int) -> str:
    """Return ``words`` within ``most_bytes`` of UTF-8."""
    if len(words.encode()) <= most_bytes:
        return words
    return words.encode()[: most_bytes - 3].decode(errors="ignore") + "…"


def say(carriers: Carriers, url: str, message: Mapping[str, object], code: str, rests: Mapping[int, int]) -> SendResult:
    """Send ``message`` to the robot at ``url``; raises `PilotbaseError` when it does not answer.

    ``code`` is the field of the answer that is 0 when the message was taken; ``rests`` has for codes that say "too
    much" how many seconds the robot is left alone.
    """
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "pilotbase"}
    return _meaning(carriers.http.post(url, canonical_json(dict(message)), headers), code, rests)


def _meaning(answer: GuardedResponse, code: str, rests: Mapping[int, int]) -> SendResult:
    try:
        found = json.loads(answer.body)
        result, words = found[code], found.get("errmsg") or found.get("msg") or ""
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return SendResult(False, answered(answer.status).said)
    if result == 0 and answered(answer.status).ok:
        return answered(answer.status)
    shown = make_visible(str(words))[:_LONGEST_WORDS]
    refused = text("notice.robot_refused", status=answer.status, code=str(result)[:20], message=shown)
    return SendResult(False, refused, rests.get(result, 0) if isinstance(result, int) else 0)
