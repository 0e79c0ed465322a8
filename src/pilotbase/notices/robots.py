"""What the robots of group chats have in common: JSON by POST, and an answer 200 whose body says whether it worked."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pilotbase.documents.hashes import canonical_json
from pilotbase.documents.texts import text
from pilotbase.documents.visible_text import make_visible
from pilotbase.notices.channel import Carriers, Sent, answered
from pilotbase.protocols.guarded_http import Answer

_MARKUP = str.maketrans({mark: chr(ord(mark) + 0xFEE0) for mark in "<>[]*`#"})
"""What robots read as markup, mentions or links, in its full width: it is shown, and does nothing."""
_LONGEST_WORDS = 200


def plain(words: str) -> str:
    """Return words of strangers as they may stand in the Markdown of a robot."""
    return " ".join(words.translate(_MARKUP).split())


def shortened(words: str, most_bytes: int) -> str:
    """Return ``words`` within ``most_bytes`` of UTF-8."""
    if len(words.encode()) <= most_bytes:
        return words
    return words.encode()[: most_bytes - 3].decode(errors="ignore") + "…"


def say(carriers: Carriers, url: str, message: Mapping[str, object], code: str, rests: Mapping[int, int]) -> Sent:
    """Send ``message`` to the robot at ``url``; raises `PilotbaseError` when it does not answer.

    ``code`` is the field of the answer that is 0 when the message was taken; ``rests`` has for codes that say "too
    much" how many seconds the robot is left alone.
    """
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "pilotbase"}
    return _meaning(carriers.http.post(url, canonical_json(dict(message)), headers), code, rests)


def _meaning(answer: Answer, code: str, rests: Mapping[int, int]) -> Sent:
    try:
        found = json.loads(answer.body)
        result, words = found[code], found.get("errmsg") or found.get("msg") or ""
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Sent(False, answered(answer.status).said)
    if result == 0 and answered(answer.status).ok:
        return answered(answer.status)
    shown = make_visible(str(words))[:_LONGEST_WORDS]
    refused = text("notice.robot_refused", status=answer.status, code=str(result)[:20], message=shown)
    return Sent(False, refused, rests.get(result, 0) if isinstance(result, int) else 0)
