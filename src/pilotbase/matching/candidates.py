"""Which of a base's scenarios or applications are judged: all of a small base, of a large one those that words find.

The number of statements does not hang on the size of the base.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pilotbase.matching.words import texts_of
from pilotbase.workspace.listings import MAXIMUM_PAGE, Listing, Query, count, list_page, list_resembling
from pilotbase.workspace.store import View

MOST = 500
_MOST_TERMS = 16
"""Of each language."""
_FUNCTION_CHARACTERS = frozenset("的了在是和与及或等不有为以把被将对从到要个，。、；：？！“”（）")
_SHORTEST_WORD = 5


@dataclass(frozen=True)
class Candidates:
    """Listings to be judged, and how many there are that the actor sees."""

    listings: tuple[Listing, ...]
    listed: int


def find_candidates(view: View, query: Query, tied: Sequence[Query], sentences: Sequence[str]) -> Candidates:
    """Return at most `MOST` listings of what ``query`` asks for.

    ``tied`` are narrower queries whose newest come first (such as: made for this very scenario); ``sentences`` are what
    the others are to be like.
    """
    listed = count(view, query)
    if listed <= MOST:
        return Candidates(tuple(_all(view, query)), listed)
    found = [one for narrower in tied for one in list_page(view, narrower, limit=MAXIMUM_PAGE).items]
    found += list_resembling(view, query, terms_of(sentences), MOST)
    return Candidates(tuple({one.subject: one for one in found}.values())[:MOST], listed)


def newest(view: View, query: Query) -> Candidates:
    """Return the newest page of what ``query`` asks for."""
    return Candidates(list_page(view, query, limit=MAXIMUM_PAGE).items, count(view, query))


def terms_of(sentences: Sequence[str]) -> list[str]:
    """Return what to search for: English words, the longest first, and Chinese pairs in the order of the text."""
    texts = texts_of(sentences)
    english = dict.fromkeys(word for word in _words(texts.get("en", "")) if len(word) >= _SHORTEST_WORD)
    chinese = dict.fromkeys(pair for pair in _pairs(texts.get("zh", "")))
    return [*sorted(english, key=lambda word: (-len(word), word))[:_MOST_TERMS], *list(chinese)[:_MOST_TERMS]]


def _all(view: View, query: Query) -> Iterator[Listing]:
    after: str | None = None
    while True:
        page = list_page(view, query, after, MAXIMUM_PAGE)
        yield from page.items
        after = page.after
        if after is None:
            return


def _words(text: str) -> list[str]:
    return "".join(letter if letter.isalpha() else " " for letter in text).split()


def _pairs(text: str) -> Iterator[str]:
    for place in range(len(text) - 1):
        pair = text[place : place + 2]
        if not pair.isascii() and pair.isalpha() and not _FUNCTION_CHARACTERS.intersection(pair):
            yield pair
