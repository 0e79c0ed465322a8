"""Who sees which listings: the parts that an actor sees, which have nothing in common, each found by an index.

What is public is one range of the index by which lists are ordered; so is each other scope for those who see all. What
an organisation has to do with is found by its name, as owner or as party, and is little against the whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, tuple_

from pilotbase.workspace import tables
from pilotbase.workspace.actors import Actor

_rows, _parties = tables.listings.c, tables.document_parties.c
SCOPES = ("public", "parties", "base")


@dataclass(frozen=True)
class AudiencePart:
    """Some of the listings that an actor sees: all of one scope, or (``whole`` is None) an organisation's own."""

    condition: ColumnElement[bool]
    whole: str | None = None

    def column(self, name: str) -> ColumnElement[Any]:
        """Return a column of ``listings``, to be compared in this part.

        An organisation's own is found by its name; no other index is to be used, as SQLite would, which without
        statistics takes a kind for rarer.
        """
        return _rows[name] if self.whole is not None else _unindexed(_rows[name])


def parts_seen_by(actor: Actor) -> tuple[AudiencePart, ...]:
    """Return the parts of the listings that ``actor`` sees, as `Visibility.admits` says of the documents they show."""
    if actor.sees_all:
        return tuple(AudiencePart(_rows.scope == scope, scope) for scope in SCOPES)
    public = AudiencePart(_rows.scope == "public", "public")
    if not actor.organisation:
        return (public,)
    of_parties, owned = _unindexed(_rows.scope) == "parties", _rows.owner == actor.organisation
    named = select(_parties.digest, _parties.owner).where(_parties.organisation == actor.organisation)
    shown = tuple_(_rows.digest, _rows.owner).in_(named)
    return (public, AudiencePart(and_(of_parties, owned)), AudiencePart(and_(of_parties, ~owned, shown)))


def seen_by(actor: Actor) -> ColumnElement[bool]:
    """Return the condition on rows of ``listings`` that ``actor`` sees them."""
    return or_(*(part.condition for part in parts_seen_by(actor)))


def _unindexed(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.coalesce(column, "")
