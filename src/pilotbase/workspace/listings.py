"""Listings: the present state of each record, to list, search, count and wait for, by those who may see it.

A listing is a copy for reading; the source is the record under the head ``record:<subject>``. An actor who sees the
document of a listing sees the listing: lists, counts and searches are cut to the parts that the actor sees, so hidden
listings never show in any of them. Each part is found by an index, however many listings there are: public ones are one
range of it, and so is each other scope for those who see all; an organisation's own are found by its name, as owner or
as party, and are few compared with the whole.

Listings that hold most of some words: a first, quick choice of those that are worth reading one by one. A rare word
brings all listings that hold it, a common one the newest. So listings that share a rare word with the query are chosen
however many listings there are, and neither time nor number of statements depends on their number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    not_,
    or_,
    select,
    tuple_,
    union_all,
    update,
)

from pilotbase.documents.api.shapes import MOST_LISTED
from pilotbase.documents.base import Localized
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import canonical_json
from pilotbase.workspace import records, tables, text_index, transaction
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction

_rows, _waits = tables.listings.c, tables.waits.c
MAXIMUM_PAGE = MOST_LISTED
_WORDS_LIMIT = 8000
"""Characters of a listing that a search reads."""
_parties = tables.document_parties.c
SCOPES = ("public", "parties", "base")
OF_A_WORD = 100
"""The number of listings that a word brings, of each scope."""
LAPSED = "expired"
"""The state of a listing past `Listing.ends_at`; no step leads to it."""


@dataclass(frozen=True)
class Listing:
    """A record as lists show it."""

    subject: str
    kind: str
    state: str
    digest: str
    """Digest of the document that it shows."""
    owner: str
    title: Localized
    sector: str = ""
    action: str = ""
    words: str = ""
    """The text that a search reads."""
    scenario: str = ""
    """Subject of the scenario that it builds on; of a demand, of what was made of it or what it joins."""
    application: str = ""
    """Subject of the application that it builds on."""
    facets: str = ""
    """Further values for narrowing and counting, for kinds that have them: opaque here."""
    ends_at: datetime | None = None
    """When its present state ends by the clock: a listing that is read after that is in the state `LAPSED`."""
    moved_at: datetime | None = field(default=None, compare=False)
    """When it reached its present state; set when read."""


@dataclass(frozen=True)
class PendingWork:
    """Work that waits; an empty organisation or person means any."""

    act: str
    role: str
    organisation: str
    person: str
    since: datetime
    due: datetime | None


@dataclass(frozen=True)
class Query:
    """What to list. Empty fields match everything; ``words`` are found anywhere, in English and Chinese."""

    kind: str
    words: str = ""
    states: Sequence[str] = ()
    sector: str = ""
    action: str = ""
    owner: str = ""
    scenario: str = ""
    application: str = ""
    facets: Sequence[str] = ()
    """Values of `Listing.facets`, all of them required."""


@dataclass(frozen=True)
class Page:
    """Some listings, newest first, and the ``after`` for the next ones (None: these are the last)."""

    items: tuple[Listing, ...]
    after: str | None


def put_listing(change: Transaction, listing: Listing, waiting: Iterable[PendingWork]) -> None:
    """Replace the listing of ``listing.subject`` and the work that waits."""
    connection = change.connection
    values = {
        **{name: value for name, value in listing.__dict__.items() if name != "subject"},
        "title": canonical_json(listing.title.to_json_value()),
        "words": records.fold(listing.words)[:_WORDS_LIMIT],
        "moved_at": change.now,
    }
    transaction.put_row(connection, listing.subject, values)
    connection.execute(delete(tables.waits).where(_waits.subject == listing.subject))
    for position, wait in enumerate(waiting):
        row = {"subject": listing.subject, "position": position, **wait.__dict__}
        connection.execute(insert(tables.waits), row)


def set_facets(change: Transaction, subject: str, facets: str) -> None:
    """Replace a listing's facets; everything else of it stays."""
    change.connection.execute(update(tables.listings).where(_rows.subject == subject).values(facets=facets))


def list_page(view: View, query: Query, after: str | None = None, limit: int = 50) -> Page:
    """Return the listings that ``view`` sees and that match ``query``, those after the subject ``after``.

    A page is a position among subjects that the actor sees: it reveals nothing of others.

    Raises:
        InputError: there is no such subject for this actor.
    """
    limit = max(1, min(limit, MAXIMUM_PAGE))
    with view.reading() as connection:
        before = None if after is None else sequence_of(connection, view.actor, after)
        found: list[Row[Any]] = []
        for rows in seen_rows(connection, select(tables.listings), view, query):
            further = rows if before is None else rows.where(_rows.sequence < before)
            found += connection.execute(further.order_by(_rows.sequence.desc()).limit(limit + 1)).all()
    found.sort(key=lambda row: row.sequence, reverse=True)
    now = view.store.clock()
    items = tuple(listing_from(row, now) for row in found[:limit])
    return Page(items, items[-1].subject if len(found) > limit else None)


def every_listing(view: View, query: Query) -> Iterator[Listing]:
    """Yield all listings that ``view`` sees and that match ``query``, newest first, read a page at a time."""
    page = list_page(view, query, None, MAXIMUM_PAGE)
    yield from page.items
    while page.after is not None:
        page = list_page(view, query, page.after, MAXIMUM_PAGE)
        yield from page.items


def count(view: View, query: Query, most: int | None = None) -> int:
    """Return the number of listings that ``view`` sees and that match ``query``.

    ``most``: where to stop counting, if not at all of them; ``most`` + 1 then means more.
    """
    with view.reading() as connection:
        number = sum(_number(connection, part, query, view, most) for part in _parts_seen_by(view.actor))
    return number if most is None else min(number, most + 1)


def count_by(view: View, query: Query, column: str) -> dict[str, int]:
    """Return value → number of the seen listings, by ``state``, ``sector``, ``action``, ``owner`` or ``facets``."""
    by = _rows[column]
    numbers, found = select(by, func.count()).select_from(tables.listings).group_by(by), Counter[str]()
    with view.reading() as connection:
        for rows in seen_rows(connection, numbers, view, query):
            found.update({value: number for value, number in connection.execute(rows)})
    return dict(sorted(found.items()))


def find_listing(view: View, subject: str) -> Listing | None:
    """Return one listing, or None if the actor sees none."""
    with view.reading() as connection:
        row = connection.execute(_one_listing(view.actor), {"subject": subject}).first()
    return None if row is None else listing_from(row, view.store.clock())


def require_listing(view: View, subject: str) -> Listing:
    """Return one listing; raises `NotFoundError`: none such, or none that the actor may see."""
    found = find_listing(view, subject)
    if found is None:
        raise NotFoundError("record.not_found", subject=subject)
    return found


def find_listings(view: View, subjects: Collection[str]) -> dict[str, Listing]:
    """Return subject → listing for those of ``subjects`` that the actor sees, read at once."""
    rows = cut_to(select(tables.listings), view.actor).where(_rows.subject.in_(subjects))
    now = view.store.clock()
    with view.reading() as connection:
        return {row.subject: listing_from(row, now) for row in connection.execute(rows)} if subjects else {}


def find_waits(view: View, limit: int) -> list[tuple[Listing, PendingWork]]:
    """Return the work that waits for the actor: its roles, organisation and person; earliest due date first."""
    return _found(view, _meant(view.actor), limit)


def find_waits_of_others(view: View, acts: Collection[str], limit: int) -> list[tuple[Listing, PendingWork]]:
    """Return work of ``acts`` that the actor sees and that waits for others; earliest due date first."""
    return _found(view, and_(_waits.act.in_(acts), not_(_meant(view.actor))), limit) if acts else []


def find_waits_on(view: View, scenarios: Collection[str]) -> list[tuple[str, PendingWork]]:
    """Return the work that the actor sees on ``scenarios`` and their trials, with the scenario; earliest due first."""
    of = case((_rows.kind == "scenario", _rows.subject), else_=_rows.scenario)
    rows = select(of.label("of"), tables.waits).join(tables.listings, _waits.subject == _rows.subject)
    rows = rows.where(of.in_(scenarios)).order_by(_waits.due.is_(None), _waits.due, _waits.since)
    with view.reading() as connection:
        return [(row.of, _wait(row)) for row in connection.execute(cut_to(rows, view.actor))] if scenarios else []


def cut_to(rows: Select[Any], actor: Actor) -> Select[Any]:
    """Return ``rows`` of listings without those that ``actor`` does not see."""
    return rows if actor.sees_all else rows.where(seen_by(actor))


def sequence_of(connection: Connection, actor: Actor, subject: str) -> int:
    """Return the position of a listing in the order of lists; raises `InputError` if the actor sees none."""
    seen = cut_to(select(_rows.sequence).select_from(tables.listings), actor).where(_rows.subject == subject)
    sequence = connection.scalar(seen)
    if sequence is None:
        raise InputError("workspace.no_such_page", after=subject)
    return int(sequence)


def listing_from(row: Any, now: datetime) -> Listing:
    """Return the listing in a row of the table, in its state at ``now``."""
    found = {one.name: getattr(row, one.name) for one in fields(Listing)}
    if row.ends_at is not None and row.ends_at <= now:
        found["state"] = LAPSED
    return Listing(**{**found, "title": Localized.model_validate_json(row.title)})


def is_in(column: ColumnElement[Any], states: Collection[str], now: datetime) -> ColumnElement[bool]:
    """Return the condition that a listing, whose state ``column`` holds, is in one of ``states`` at ``now``."""
    over = func.coalesce(_rows.ends_at <= now, False)
    named = and_(column.in_(states), not_(over))
    return or_(named, over) if LAPSED in states else named


@dataclass(frozen=True)
class _AudiencePart:
    """Some of the listings that an actor sees: all of one scope, or (``whole`` is None) an organisation's own."""

    condition: ColumnElement[bool]
    whole: str | None = None

    def column(self, name: str) -> ColumnElement[Any]:
        """Return a column of ``listings`` for comparisons in this part.

        An organisation's own are found by its name; this prevents the use of another index. SQLite would use one, since
        without statistics it takes a kind for rarer.
        """
        return _rows[name] if self.whole is not None else _unindexed(_rows[name])


def seen_by(actor: Actor) -> ColumnElement[bool]:
    """Return the condition on rows of ``listings`` that ``actor`` sees them."""
    return or_(*(part.condition for part in _parts_seen_by(actor)))


def list_resembling(
    view: View, query: Query, words: Sequence[str], limit: int, wanted: Callable[[list[int]], list[int]] = list
) -> list[Listing]:
    """Return at most ``limit`` listings that ``view`` sees, those with most of ``words`` first, then the newest.

    The words of ``query`` are ignored; the rest applies. ``wanted`` drops sequences that the caller has no use for.
    """
    folded = list(dict.fromkeys(word for one in words for word in records.fold(one).split()))
    if not folded:
        return []
    now, found = view.store.clock(), list[tuple[int, Row[Any]]]()
    with view.reading() as connection:
        for part in _parts_seen_by(view.actor):
            asked = select(tables.listings).where(part.condition, *_conditions_of(part, query, now))
            found += _resembling_in(connection, asked, (query.kind, part.whole), folded, 2 * limit, wanted)
    found.sort(key=lambda one: (one[0], one[1].sequence), reverse=True)
    return [listing_from(row, now) for _, row in found[:limit]]


@dataclass(frozen=True)
class Late:
    """One act that is late on one record."""

    listing: Listing
    act: str
    role: str
    organisation: str
    since: datetime
    due: datetime


@dataclass(frozen=True)
class LateActs:
    """How often one act is late for one role, and the earliest due date among these."""

    act: str
    role: str
    count: int
    first_due: datetime


def count_late(view: View, now: datetime) -> list[LateActs]:
    """Return late acts by act and role, the most frequent first."""
    columns = (_waits.act, _waits.role, func.count(), func.min(_waits.due))
    rows = select(*columns).join(tables.listings, _waits.subject == _rows.subject).where(_waits.due < now)
    grouped = cut_to(rows, view.actor).group_by(_waits.act, _waits.role)
    with view.reading() as connection:
        found = [LateActs(act, role, count, due) for act, role, count, due in connection.execute(grouped)]
    return sorted(found, key=lambda late: (-late.count, late.first_due, late.act))


@dataclass(frozen=True)
class WaitingFor:
    """How many tasks wait for one role of one organisation (empty: any), and since when the oldest does."""

    role: str
    organisation: str
    count: int
    late: int
    since: datetime


def count_waits(view: View, now: datetime) -> list[WaitingFor]:
    """Return whom the tasks that ``view`` sees wait for, those with the most overdue tasks first."""
    late = func.sum(case((_waits.due < now, 1), else_=0))
    columns = (_waits.role, _waits.organisation, func.count(), late, func.min(_waits.since))
    rows = select(*columns).join(tables.listings, _waits.subject == _rows.subject)
    grouped = cut_to(rows, view.actor).group_by(_waits.role, _waits.organisation)
    with view.reading() as connection:
        found = [WaitingFor(*row) for row in connection.execute(grouped)]
    return sorted(found, key=lambda one: (-one.late, -one.count, one.since))


def list_late(view: View, now: datetime, act: str = "") -> list[Late]:
    """Return late acts, of one act or of all, longest overdue first, at most 200."""
    joined = select(tables.listings, tables.waits).join(tables.waits, _waits.subject == _rows.subject)
    rows = cut_to(joined, view.actor).where(_waits.due < now)
    if act:
        rows = rows.where(_waits.act == act)
    with view.reading() as connection:
        ordered = rows.order_by(_waits.due, _rows.subject).limit(200)
        return [
            Late(listing_from(row, now), row.act, row.role, row.organisation, row.since, row.due)
            for row in connection.execute(ordered)
        ]


def _conditions_of(part: _AudiencePart, query: Query, now: datetime) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions of ``query`` other than its words, on the listings of one part."""
    yield part.column("kind") == query.kind
    if query.states:
        yield is_in(part.column("state"), query.states, now)
    for name in ("sector", "action", "owner", "scenario", "application"):
        if value := getattr(query, name):
            yield part.column(name) == value
    for held in query.facets:
        yield part.column("facets").contains(held, autoescape=True)


def _parts_seen_by(actor: Actor) -> tuple[_AudiencePart, ...]:
    """Return the parts of the listings that ``actor`` sees, by `Visibility.admits` for the documents they show."""
    if actor.sees_all:
        return tuple(_AudiencePart(_rows.scope == scope, scope) for scope in SCOPES)
    public = _AudiencePart(_rows.scope == "public", "public")
    if not actor.organisation:
        return (public,)
    of_parties, owned = _unindexed(_rows.scope) == "parties", _rows.owner == actor.organisation
    named = select(_parties.digest, _parties.owner).where(_parties.organisation == actor.organisation)
    shown = tuple_(_rows.digest, _rows.owner).in_(named)
    return (public, _AudiencePart(and_(of_parties, owned)), _AudiencePart(and_(of_parties, ~owned, shown)))


def _number(connection: Connection, part: _AudiencePart, query: Query, view: View, most: int | None) -> int:
    """Return the number of listings of one part that match ``query``; words alone are counted in their index."""
    words, alone = records.fold(query.words).split(), query == Query(query.kind, words=query.words)
    if words and alone and part.whole is not None:
        found = text_index.count(connection, query.kind, part.whole, words)
        if found is not None:
            return found
    asked = _of_part(connection, select(_rows.sequence), part, query, view.store.clock())
    if most is not None:
        asked = asked.limit(most + 1)
    return connection.scalar(select(func.count()).select_from(asked.subquery())) or 0


@lru_cache(records.EYES)
def _one_listing(actor: Actor) -> Select[Any]:
    return cut_to(select(tables.listings), actor).where(_rows.subject == bindparam("subject"))


def _meant(actor: Actor) -> ColumnElement[bool]:
    return and_(
        _waits.role.in_([role.value for role in actor.roles]),
        _waits.organisation.in_(["", actor.organisation]),
        _waits.person.in_(["", actor.person or ""]),
    )


def _found(view: View, which: ColumnElement[bool], limit: int) -> list[tuple[Listing, PendingWork]]:
    """Return the work first due. It is chosen within indexes; only the chosen listings, which are wide, are read."""
    order = (_waits.due.is_(None), _waits.due, _waits.since, _waits.subject)
    seen = [select(_waits.subject, _waits.position).where(which)]
    if not view.actor.sees_all:
        listed = seen[0].join(tables.listings, _waits.subject == _rows.subject)
        seen = [listed.where(part.condition) for part in _parts_seen_by(view.actor)]
    chosen = union_all(*(select(one.order_by(*order).limit(limit).subquery()) for one in seen)).subquery()
    rows = (
        select(tables.listings, tables.waits)
        .join(tables.waits, _waits.subject == _rows.subject)
        .join(chosen, and_(chosen.c.subject == _waits.subject, chosen.c.position == _waits.position))
        .order_by(*order)
        .limit(limit)
    )
    now = view.store.clock()
    with view.reading() as connection:
        return [(listing_from(row, now), _wait(row)) for row in connection.execute(rows)]


def seen_rows(connection: Connection, rows: Select[Any], view: View, query: Query) -> Iterator[Select[Any]]:
    """Yield ``rows`` that match ``query``, once for each part of the listings that ``view`` sees."""
    for part in _parts_seen_by(view.actor):
        yield _of_part(connection, rows, part, query, view.store.clock())


def _of_part(
    connection: Connection, rows: Select[Any], part: _AudiencePart, query: Query, now: datetime
) -> Select[Any]:
    words = records.fold(query.words).split()
    asked = rows.where(part.condition, *_conditions_of(part, query, now))
    if words and part.whole is not None:
        return asked.where(text_index.holding(connection, query.kind, part.whole, words))
    return asked.where(text_index.containing(words)) if words else asked


def _wait(row: Any) -> PendingWork:
    return PendingWork(row.act, row.role, row.organisation, row.person, row.since, row.due)


def _unindexed(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.coalesce(column, "")


def _resembling_in(
    connection: Connection,
    asked: Select[Any],
    place: tuple[str, str | None],
    words: list[str],
    most: int,
    wanted: Callable[[list[int]], list[int]],
) -> Iterator[tuple[int, Row[Any]]]:
    """Yield words held and row of at most ``most``: the conditions of what is ``asked`` may drop some."""
    kind, scope = place
    if scope is None:
        held = asked.where(or_(*(text_index.containing([word]) for word in words)))
        found = connection.execute(held.order_by(_rows.sequence.desc()).limit(most)).all()
        kept = set(wanted([row.sequence for row in found]))
        yield from ((sum(word in row.words for word in words), row) for row in found if row.sequence in kept)
        return
    hits = Counter(connection.scalars(text_index.newest_holding(connection, (kind, scope), words, OF_A_WORD)))
    best = sorted(wanted(list(hits)), key=lambda sequence: (hits[sequence], sequence), reverse=True)[:most]
    for row in connection.execute(asked.where(_rows.sequence.in_(best))):
        yield hits[row.sequence], row
