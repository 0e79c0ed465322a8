"""What defines a channel: the wording of notices for one kind of address, how to send them, and how to read answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from urllib.parse import SplitResult

from pilotbase.documents.hashes import canonical_json
from pilotbase.documents.notice import Notice, Post
from pilotbase.documents.texts import Language, Text, make_visible, text
from pilotbase.protocols.guarded_http import GuardedHttp, GuardedResponse
from pilotbase.workspace.work import Retry

RETRY = Retry((5, 60, 300, 1800, 7200, 18_000, 36_000, 86_400))
"""Nine tries in about 42 hours."""
LONGEST = 86_400
"""The longest delay of a notice in seconds: between two tries, or until the daily mail."""
_MARKUP = str.maketrans({mark: chr(ord(mark) + 0xFEE0) for mark in "<>[]*`#"})
"""Markup, mentions and links for robots, as full-width characters that are shown without effect."""
_LONGEST_WORDS = 200


@dataclass(frozen=True)
class Sender:
    """The base that sends."""

    issuer: str
    url: str
    """Address of its pages; links begin with it."""
    title_of: Callable[[str, Language], str]
    """Short name of an organisation → its title."""


@dataclass(frozen=True)
class Parcel:
    """Notices on their way to one address."""

    identity: str
    """The same for every try, so that a receiver recognises what it already has."""
    notices: Sequence[Notice]
    address: str
    """URL, or mail address."""
    language: Language
    secret: str
    sent_at: datetime
    sender: Sender


@dataclass(frozen=True)
class RenderedNotice:
    """A notice in words, without characters that hide or reorder text."""

    title: str
    sentence: str
    link: str


@dataclass(frozen=True)
class SendResult:
    """The result of a try."""

    ok: bool
    said: Text
    """The receiver's answer, or why there was none."""
    rest: int = 0
    """Seconds for which to send nothing to the address, because it reported too many messages."""


@dataclass(frozen=True)
class Carriers:
    """What carries messages out of the base."""

    http: GuardedHttp
    post: Post | None


class Secret(Enum):
    """Where the secret of an address comes from."""

    NONE = auto()
    MADE = auto()
    """The base generates it and shows it once."""
    GIVEN = auto()
    """The receiver generates it; without one, messages are not signed."""


@dataclass(frozen=True)
class NoticeChannel:
    """One channel; name: text ``notice.channel.<name>``."""

    name: str
    send: Callable[[Parcel, Carriers], SendResult]
    """Raises `PilotbaseError` if there is no answer."""
    fits: Callable[[SplitResult], bool] | None = None
    """Whether a URL belongs to this channel; None: its addresses are people's, so organisations cannot add them."""
    example: str = ""
    """An address that belongs to this channel."""
    secret: Secret = Secret.NONE
    apart: float = 0.0
    """Seconds between two messages to one address, from the number that it accepts per minute."""
    retry: Retry = RETRY


def line_of(notice: Notice, parcel: Parcel) -> RenderedNotice:
    """Return a notice in the language of a parcel, with organisations by title."""
    title = parcel.sender.title_of(notice.body.organisation, parcel.language)
    titled = notice.model_copy(update={"body": notice.body.model_copy(update={"organisation": title})})
    return RenderedNotice(
        title=" ".join(make_visible(notice.body.title.render(parcel.language)).split()),
        sentence=titled.sentence.render(parcel.language, make_visible),
        link=f"{parcel.sender.url}/notices/{notice.identity}/",
    )


def answered(status: int) -> SendResult:
    """Return the result for a status alone: 2xx is success."""
    return SendResult(200 <= status < 300, text("notice.answered", status=status))


def plain(words: str) -> str:
    """Return strangers' words in a form that is safe in a robot's Markdown."""
    return " ".join(words.translate(_MARKUP).split())


def shortened(words: str, most_bytes: int) -> str:
    """Return ``words`` within ``most_bytes`` of UTF-8."""
    if len(words.encode()) <= most_bytes:
        return words
    return words.encode()[: most_bytes - 3].decode(errors="ignore") + "…"


def say(carriers: Carriers, url: str, message: Mapping[str, object], code: str, rests: Mapping[int, int]) -> SendResult:
    """Send ``message`` to the robot at ``url``; raises `PilotbaseError` when it does not answer.

    ``code`` is the field of the answer that is 0 on success; ``rests`` gives the seconds to wait after codes that mean
    "too many messages".
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
