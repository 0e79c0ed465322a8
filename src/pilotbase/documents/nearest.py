"""Suggestions for an unknown word: one question for fields, measures, columns, settings.

Further checks of a document assume the word suggested in "did you mean …?".
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from pilotbase.documents.texts import Text, text

MOST_LISTED = 12
"""Maximum known words to list; if there are more, only the nearest is named."""
_MOST_COMPARED = 300
_LONGEST = 64


def nearest(found: str, known: Iterable[str]) -> str | None:
    """Return the word of ``known`` most similar to ``found``, ignoring case; None if none is similar.

    A prefix common to all, such as ``PILOTBASE_HUB_``, doesn't count as similarity.
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
    """Return the part of a sentence with the words allowed instead of ``found``, and the one possibly meant."""
    words = [str(word) for word in known]
    near, listed = nearest(found, words), ", ".join(words[:MOST_LISTED])
    if near is not None:
        few = len(words) <= MOST_LISTED
        return text("input.offer.of_few", known=listed, nearest=near) if few else text("input.offer.one", nearest=near)
    if len(words) > MOST_LISTED:
        return text("input.offer.first", known=listed, count=len(words))
    return text("input.offer.few", known=listed) if words else text("input.offer.none")


def meant(problem: Text) -> str | None:
    """Return the word that ``problem`` suggests ("did you mean …?"); None if it suggests none."""
    allowed = problem.params.get("allowed")
    near = allowed.params.get("nearest") if isinstance(allowed, Text) else None
    return near if isinstance(near, str) else None
