"""The explicit label of a text; for an HTML page, the visible text and its meta elements."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from pilotbase.documents.standards import LabelState

NEAR = 200
"""Letters from either end that count as beginning and end; further inside, the place can't be judged."""
_LABEL = re.compile(r"(?<![A-Za-z])(?:人工智能|AI)(?:技术|模型|大模型|辅助)?\s*(?:自动)?(?:生成|合成)")
_DENIED = re.compile(r"(?:非|不是|并非|未经|没有|不含|不由|无)\s*(?:由|经)?\s*$")
_BEGINS = re.compile(r"\s*+(?:<!--[^>]{0,1000}-->\s*+)?<(?:!doctype|html)", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"\s*+([A-Za-z-]++)\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)')")
_NAME = re.compile(r"/?[A-Za-z]*+")
_SILENT = ("head", "script", "style", "template")


def explicit_label(content: str) -> LabelState:
    """Return ``present`` for a label at either end, ``not_measured`` for one elsewhere, otherwise ``absent``."""
    places = [
        match.start()
        for match in _LABEL.finditer(content)
        if not _DENIED.search(content[max(0, match.start() - 12) : match.start()])
    ]
    stripped = len(content.rstrip())
    if any(place < NEAR or place >= stripped - NEAR for place in places):
        return "present"
    return "not_measured" if places else "absent"


def is_page(content: str) -> bool:
    """Return whether a text is an HTML page."""
    return _BEGINS.match(content) is not None


def shown_words(content: str) -> str:
    """Return a page's text without its elements, and without what is never displayed."""
    return "".join(_pieces(content)).strip()


def meta_texts(content: str) -> Iterator[tuple[str, str]]:
    """Yield (name, content) of the page's meta elements, up to one with an attribute that never ends."""
    at = 0
    while (at := content.find("<meta", at)) >= 0:
        at += len("<meta")
        found: dict[str, str] = {}
        while (one := _ATTRIBUTE.match(content, at)) is not None:
            found[one[1].lower()] = html.unescape(one[2] if one[2] is not None else one[3])
            at = one.end()
        if "name" in found and "content" in found:
            yield found["name"], found["content"]


def _pieces(content: str) -> Iterator[str]:
    """Yield the text before and after each element, up to an element that never ends."""
    at, lowered = 0, content.lower()
    if len(lowered) != len(content):  # lowercasing changes the length of a few letters
        lowered = content
    while (opens := content.find("<", at)) >= 0:
        yield html.unescape(content[at:opens])
        named = _NAME.match(lowered, opens + 1)
        name = named[0] if named else ""
        if name in _SILENT:
            opens = lowered.find(f"</{name}", opens)
        at = content.find(">", opens) + 1 if opens >= 0 else 0
        if at == 0:
            return
    yield html.unescape(content[at:])
