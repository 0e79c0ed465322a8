"""What an implicit label says: JSON under the key AIGC, wherever a format keeps its texts.

Source: GB 45438-2025 as excerpted (kind of content, provider, number of the content); the names of the three fields
are only remembered, so that what lacks them is told apart from what has no label.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pilotbase.documents.standards import LabelState

KEY = "AIGC"
FIELDS = ("Label", "ContentProducer", "ProduceID")
LONGEST_JSON = 64 << 10
MOST_PLACES = 32
"""Places of one text that are looked at: each takes a pass over what follows."""
_IN_XML = re.compile(r'AIGC\s*+=\s*+"([^"]*)"|AIGC\s*+=\s*+\'([^\']*)\'|AIGC(?:\s[^<>]*+)?>([^<]*)<')


@dataclass(frozen=True)
class Implicit:
    """The implicit label of one file, and which fields it lacks."""

    state: LabelState
    lacking: tuple[str, ...] = ()


def implicit_label(texts: Iterable[tuple[str, str]]) -> Implicit:
    """Return the best label among (key, text) of a file's metadata: a sound one, else one that cannot be read."""
    found = Implicit("absent")
    for key, written in texts:
        for spelled in _spelled(key, written):
            one = _read(spelled)
            if one.state == "present" and not one.lacking:
                return one
            found = one if one.state == "present" or found.state == "absent" else found
    return found


def _spelled(key: str, written: str) -> Iterator[str]:
    """Yield what stands under the key: as its own text, in a JSON object, or in XMP."""
    if key.rpartition(":")[2] == KEY:
        yield written
    elif KEY in written:
        if (inner := _inside(written)) is not None:
            yield inner
        yield from _in_xml(written)


def _in_xml(written: str) -> Iterator[str]:
    at = -1
    for _ in range(MOST_PLACES):
        at = written.find(KEY, at + 1)
        if at < 0:
            return
        match = _IN_XML.match(written[at : at + LONGEST_JSON])
        if match is not None:
            yield html.unescape(next(group for group in match.groups() if group is not None))


def _inside(written: str) -> str | None:
    value = _parsed(written)
    if not isinstance(value, dict) or KEY not in value:
        return None
    inner = value[KEY]
    return inner if isinstance(inner, str) else json.dumps(inner)


def _read(spelled: str) -> Implicit:
    value = _parsed(spelled)
    if isinstance(value, dict) and isinstance(value.get(KEY), dict):
        value = value[KEY]
    if not isinstance(value, dict) or not value:
        return Implicit("malformed")
    return Implicit("present", tuple(name for name in FIELDS if not _is_filled(value.get(name))))


def _is_filled(value: Any) -> bool:
    return (isinstance(value, str) and bool(value.strip())) or (isinstance(value, int) and not isinstance(value, bool))


def _parsed(spelled: str) -> Any:
    if len(spelled) > LONGEST_JSON:
        return None
    try:
        return json.loads(spelled.strip("\ufeff\x00 \t\r\n"))
    except (ValueError, RecursionError):
        return None
