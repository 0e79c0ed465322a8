"""The places of words in listings: an index of pairs of characters, for words of every script and length.

Chinese has no spaces, and most of its words have two characters: too short for the trigrams that databases provide. So
each pair of neighbouring characters is a term. SQLite keeps terms in their order (FTS5): a word is a phrase of its
pairs. PostgreSQL keeps them as a set (GIN), together with each run of three neighbours, which fewer texts share: texts
that have all runs of a word are read and compared. Each term begins with kind and scope, so that a search reads nothing
of listings that the actor cannot see: its time does not reveal how many of them hold a word.

Both hold a copy: `rebuild` rebuilds it from the listings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, column, func, select, table, text, union_all

from pilotbase.workspace import tables

_rows = tables.listings.c
_fts = table("listing_search", column("rowid"), column("listing_search"))
_KEEP = text("INSERT INTO listing_search (rowid, terms) VALUES (:sequence, :terms)")
_FORGET = text("INSERT INTO listing_search (listing_search, rowid, terms) VALUES ('delete', :sequence, :terms)")
_AT_ONCE, _EXACT = 1000, (2, 3)


class Indexed(NamedTuple):
    """The index's knowledge of a listing; ``words`` are folded."""

    kind: str
    scope: str
    words: str


def put(connection: Connection, sequence: int, before: Indexed | None, after: Indexed) -> None:
    """Index the listing at ``sequence`` by its present words; ``before`` is how it was indexed."""
    if before == after:
        return
    if before is not None and connection.dialect.name == "postgresql":
        connection.execute(tables.listing_search.delete().where(tables.listing_search.c.sequence == sequence))
    elif before is not None:
        connection.execute(_FORGET, {"sequence": sequence, "terms": " ".join(_terms(before))})
    _keep(connection, {sequence: after})


def holding(connection: Connection, kind: str, scope: str, words: list[str]) -> ColumnElement[bool]:
    """Return the condition on ``listings`` of one kind and scope that their text holds each of the folded ``words``."""
    if connection.dialect.name == "postgresql":
        found = select(tables.listing_search.c.sequence).where(_has_runs(kind, scope, words))
        return and_(_rows.sequence.in_(found), containing(words))
    return _rows.sequence.in_(select(_fts.c.rowid).where(_matches(kind, scope, words)))


def newest_holding(connection: Connection, place: tuple[str, str], words: Sequence[str], limit: int) -> Select[Any]:
    """Return the ``sequence`` of the newest ``limit`` listings for each of the folded ``words`` that they hold.

    ``place`` is (kind, scope). A listing appears once for each of the words. The index is read from its end, and only
    as far as necessary: a word in every listing is found as fast as one in few.
    """
    return select(union_all(*(_newest(connection, place, word, limit) for word in words)).subquery())


def count(connection: Connection, kind: str, scope: str, words: list[str]) -> int | None:
    """Return how many listings of one kind and scope hold each of ``words``; None: the index alone cannot tell.

    PostgreSQL knows which pairs and threes there are, but not their order.
    """
    if connection.dialect.name != "postgresql":
        return connection.scalar(select(func.count()).select_from(_fts).where(_matches(kind, scope, words)))
    if any(len(word) not in _EXACT for word in words):
        return None
    return connection.scalar(select(func.count(tables.listing_search.c.sequence)).where(_has_runs(kind, scope, words)))


def containing(words: list[str]) -> ColumnElement[bool]:
    """Return the same condition without the index: for few listings, whose text is read."""
    return and_(*(_rows.words.contains(word, autoescape=True) for word in words))


def rebuild(connection: Connection) -> None:
    """Rebuild the index from the listings."""
    if connection.dialect.name == "postgresql":
        connection.execute(tables.listing_search.delete())
    else:
        connection.execute(text("INSERT INTO listing_search (listing_search) VALUES ('delete-all')"))
    rows = select(_rows.sequence, _rows.kind, _rows.scope, _rows.words).order_by(_rows.sequence)
    for some in connection.execute(rows).partitions(_AT_ONCE):
        _keep(connection, {row.sequence: Indexed(row.kind, row.scope, row.words) for row in some})


def _newest(connection: Connection, place: tuple[str, str], word: str, limit: int) -> Select[Any]:
    if connection.dialect.name == "postgresql":
        found = select(_rows.sequence).where(holding(connection, *place, [word])).order_by(_rows.sequence.desc())
    else:
        found = select(_fts.c.rowid.label("sequence")).where(_matches(*place, [word])).order_by(_fts.c.rowid.desc())
    return select(found.limit(limit).subquery())


def _keep(connection: Connection, listings: Mapping[int, Indexed]) -> None:
    if connection.dialect.name == "postgresql":
        sets = [{"sequence": at, "terms": sorted({*_terms(one), *_threes(one)})} for at, one in listings.items()]
        connection.execute(tables.listing_search.insert(), sets)
    else:
        texts = [{"sequence": at, "terms": " ".join(_terms(one))} for at, one in listings.items()]
        connection.execute(_KEEP, texts)


def _terms(listing: Indexed) -> Iterator[str]:
    """Yield the index terms of a listing, in order."""
    place = _place(listing.kind, listing.scope)
    yield place
    for part in listing.words.split():
        yield from (place + pair for pair in _pairs(part))
        yield place + _run(part[-1])


def _threes(listing: Indexed) -> Iterator[str]:
    """Yield each run of three neighbouring characters."""
    place = _place(listing.kind, listing.scope)
    return (place + _run(*three) for part in listing.words.split() for three in _neighbours(part))


def _matches(kind: str, scope: str, words: list[str]) -> ColumnElement[bool]:
    phrases = " AND ".join(_phrase(_place(kind, scope), word) for word in words)
    return _fts.c.listing_search.op("MATCH")(phrases)


def _has_runs(kind: str, scope: str, words: list[str]) -> ColumnElement[bool]:
    place = _place(kind, scope)
    runs = [place + run for word in words for run in _runs(word)]
    return tables.listing_search.c.terms.bool_op("@>")(runs or [place])


def _runs(word: str) -> list[str]:
    """Return the threes of a word, or the pair of a shorter one; none for a single character."""
    return [_run(*three) for three in _neighbours(word)] or [_run(*both) for both in pairwise(word)]


def _neighbours(word: str) -> Iterator[tuple[str, str, str]]:
    return zip(word, word[1:], word[2:], strict=False)


def _pairs(word: str) -> list[str]:
    """Return the pairs of a word; for a single character, the common prefix of its pairs."""
    return [_run(*both) for both in pairwise(word)] or [_run(word)]


def _phrase(place: str, word: str) -> str:
    phrase = f'"{" ".join(place + pair for pair in _pairs(word))}"'
    return phrase if len(word) > 1 else f"{phrase} *"


@lru_cache(1 << 16)
def _run(*characters: str) -> str:
    """Return neighbours in letters that no tokenizer changes; a single character is the prefix of its pairs."""
    spelled = "x".join(f"{ord(one):x}" for one in characters)
    return spelled if len(characters) > 1 else f"{spelled}x"


def _place(kind: str, scope: str) -> str:
    """Return kind and scope in four letters: every term carries them."""
    return f"{kind[:2]}{scope[:2]}"
