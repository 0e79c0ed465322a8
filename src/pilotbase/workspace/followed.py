"""Saved searches: the records whose matches a person follows, acting for an organisation."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, select

from pilotbase.workspace import tables
from pilotbase.workspace.columns import set_row
from pilotbase.workspace.listings import Listing, find_listings, require_listing
from pilotbase.workspace.store import View

_rows = tables.followed_matches.c


@dataclass(frozen=True)
class FollowedMatches:
    """A record whose matches are followed, and by whom."""

    subject: str
    organisation: str
    person: str


def follow(view: View, subject: str) -> None:
    """Notify the person of ``view`` of new matches for ``subject``; raises as `require_listing`.

    Followed again, it stays as it is.
    """
    require_listing(view, subject)
    if any(one.subject == subject for one in followed(view)):
        return
    whose = {"person": view.actor.person or "", "organisation": view.actor.organisation, "subject": subject}
    with view.store.database.write() as connection:
        set_row(connection, tables.followed_matches, whose, {"since": view.store.clock()})


def unfollow(view: View, subject: str) -> None:
    """Stop notifying them."""
    with view.store.database.write() as connection:
        connection.execute(delete(tables.followed_matches).where(*_own(view), _rows.subject == subject))


def followed(view: View) -> list[Listing]:
    """Return the records whose matches the person of ``view`` follows and still sees, in the order of names."""
    with view.reading() as connection:
        subjects = connection.scalars(select(_rows.subject).where(*_own(view)).order_by(_rows.subject)).all()
    seen = find_listings(view, subjects)
    return [seen[subject] for subject in subjects if subject in seen]


def followed_by_anyone(view: View) -> list[FollowedMatches]:
    """Return what anyone follows."""
    rows = select(_rows.subject, _rows.organisation, _rows.person).order_by(_rows.subject)
    with view.reading() as connection:
        return [FollowedMatches(*row) for row in connection.execute(rows)]


def _own(view: View) -> tuple[ColumnElement[bool], ...]:
    return _rows.person == (view.actor.person or ""), _rows.organisation == view.actor.organisation
