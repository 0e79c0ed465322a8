"""What was meant by a word that is none of those that are known: one question for fields, measures, columns, settings.

What is asked, "did you mean …?", is also what further checks of a document take as said.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from pilotbase.documents.texts import Text, text

MOST_LISTED = 12
"""Known words that are listed; of more only the nearest is named."""
_MOST_COMPARED = 300
_LONGEST = 64


def nearest(found: str, known: Iterable[str]) -> str | None:
    """Return the word of ``known`` that ``found`` is most like, whatever its case; None where it is like none.

    What all begin with, such as ``PILOTBASE_HUB_``, makes none of them like another.
    """
    words = [word for word in list(known)[:_MOST_COMPARED] if len(word) <= _LONGEST]
    if not words or len(found) > _LONGEST:
        return None
    start = _common_start([found, *words])
    rests = {word[start:].casefold(): word for word in words}
    close = difflib.get_close_matches(found[start:].casefold(), rests, n=1)
    return rests[close[0]] if close else None


def _common_start(words: list[str]) -> int:
    first, last = min(words), max(words)
    shared = next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
    return max(first.rfind(end, 0, shared) for end in "_:.@") + 1


def offer(found: str, known: Iterable[str]) -> Text:
    """Return the part of a sentence that says what is allowed instead of ``found``, and what may have been meant."""
    words = [str(word) for word in known]
    near, listed = nearest(found, words), ", ".join(words[:MOST_LISTED])
    if near is not None:
        few = len(words) <= MOST_LISTED
        return text("input.offer.of_few", known=listed, nearest=near) if few else text("input.offer.one", nearest=near)
    if len(words) > MOST_LISTED:
        return text("input.offer.first", known=listed, count=len(words))
    return text("input.offer.few", known=listed) if words else text("input.offer.none")


def meant(problem: Text) -> str | None:
    """Return the word that ``problem`` asks about: did you mean it? None where it does not ask."""
    allowed = problem.params.get("allowed")
    near = allowed.params.get("nearest") if isinstance(allowed, Text) else None
    return near if isinstance(near, str) else None
