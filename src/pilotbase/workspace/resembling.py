"""Listings that hold most of some words: a first, quick choice of those that are worth looking at one by one.

A word that few listings hold brings all of them, a common one the newest. So what shares a rare word with the question
is among those chosen however many listings there are, and neither time nor number of statements hangs on their number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, or_, select

from pilotbase.workspace import records, tables, text_index
from pilotbase.workspace.audience import AudiencePart, parts_seen_by
from pilotbase.workspace.listings import Listing, Query, conditions_of, listing_from
from pilotbase.workspace.store import View

_rows = tables.listings.c
OF_A_WORD = 100
"""So many listings a word brings, of each scope."""


def list_resembling(view: View, query: Query, words: Sequence[str], limit: int) -> list[Listing]:
    """Return at most ``limit`` listings that ``view`` sees, those that hold most of ``words`` first, then the newest.

    Of ``query`` its words are not asked for; the rest is.
    """
    folded = list(dict.fromkeys(word for one in words for word in records.fold(one).split()))
    if not folded:
        return []
    found: list[tuple[int, int, Listing]] = []
    with view.reading() as connection:
        for part in parts_seen_by(view.actor):
            found += _of_part(connection, part, query, folded, limit)
    found.sort(key=lambda one: one[:2], reverse=True)
    return [listing for _, _, listing in found[:limit]]


def _of_part(
    connection: Connection, part: AudiencePart, query: Query, words: list[str], limit: int
) -> Iterator[tuple[int, int, Listing]]:
    """Yield (words held, sequence, listing) of at most twice ``limit``: some may go by the rest of the question."""
    asked = select(tables.listings).where(part.condition, *conditions_of(part, query))
    if part.whole is None:
        held = asked.where(or_(*(text_index.containing([word]) for word in words)))
        for row in connection.execute(held.order_by(_rows.sequence.desc()).limit(2 * limit)):
            yield sum(word in row.words for word in words), row.sequence, listing_from(row)
        return
    newest = text_index.newest_holding(connection, (query.kind, part.whole), words, OF_A_WORD)
    hits = Counter(connection.scalars(newest))
    best = sorted(hits, key=lambda sequence: (hits[sequence], sequence), reverse=True)[: 2 * limit]
    for row in connection.execute(asked.where(_rows.sequence.in_(best))):
        yield hits[row.sequence], row.sequence, listing_from(row)
