"""Splits a text for comparison: words, Chinese and Japanese by character, numbers as wholes; without punctuation.

Width and compatibility forms are unified (Unicode NFKC), letters lowercased, traditional characters simplified if the
table of `characters` has them.
"""

import re
import unicodedata

from pilotbase.measures.characters import SIMPLIFIED

_ARTICLES = frozenset({"a", "an", "the"})
_SINGLE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Scripts that are written without spaces: a character is a word."""
_TOKEN = re.compile(
    rf"(?:(?<!\w)[-\u2212])?\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?(?!,?\d)|(?:(?<!\w)[-\u2212])?\d+(?:\.\d+)?"
    rf"|[{_SINGLE}]|(?:(?![{_SINGLE}])[^\W_])+(?:['’](?:(?![{_SINGLE}])[^\W_])+)*"
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？；])|\n+")


def normal(text: str) -> str:
    """Return ``text`` in one width, one case and one script, with single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().translate(SIMPLIFIED).split())


def tokens(text: str) -> list[str]:
    """Return the words and numbers of ``text``, in order."""
    found = _TOKEN.findall(normal(text))
    return [token.replace(",", "").replace("\u2212", "-").replace("’", "'") for token in found]


def without_articles(text: str) -> list[str]:
    """Return `tokens` without a, an, the."""
    return [token for token in tokens(text) if token not in _ARTICLES]


def sentences(text: str) -> list[str]:
    """Return the sentences of ``text`` that hold a word."""
    return [piece for piece in _SENTENCE.split(text) if _TOKEN.search(piece)]
