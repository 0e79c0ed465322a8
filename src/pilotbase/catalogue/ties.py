"""Ownership ties: declared by organisations, found between the parties of a trial, printed on its certificate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pilotbase.catalogue.records import record_of
from pilotbase.documents.organisation import Organisation
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import Record
from pilotbase.documents.subjects import organisation_subject
from pilotbase.documents.vocabularies import Role
from pilotbase.workspace.listings import Query, list_page
from pilotbase.workspace.store import View


class Tie(NamedTuple):
    """Two parties of a trial that have an ownership tie declared by either, or that are one organisation."""

    one: str
    other: str


def ties(base: View, record: Record) -> tuple[Tie, ...]:
    """Return the ties of the supplier to the operator and to the demand owner; ``base`` must see every record."""
    if record.supplier is None:
        return ()
    others = sorted({*operators(base, record), *filter(None, [record.demand_owner])})
    return tuple(Tie(other, record.supplier) for other in others if are_tied(base, other, record.supplier))


def are_tied(base: View, one: str, other: str) -> bool:
    """Return whether two organisations are the same, or either has declared a tie to the other."""
    return one == other or other in _declared(base, one) or one in _declared(base, other)


def declared_ties(base: View) -> dict[str, frozenset[str]]:
    """Return organisation → those it has declared a tie to, for all registered ones."""
    return {one.name: frozenset(one.related) for one in _organisations(base)}


def operators(base: View, record: Record) -> frozenset[str]:
    """Return the organisations that act as operator: registered as such, or acting as such in this record."""
    registered = {one.name for one in _organisations(base) if Role.OPERATOR in one.roles}
    worked = {step.organisation for step in record.history if step.act in (Act.PLAN_DRAFT, Act.PLAN_FREEZE)}
    return frozenset(registered | worked)


def _organisations(base: View) -> Iterator[Organisation]:
    """Yield every registered organisation, a page of lists at a time."""
    after = None
    while True:
        page = list_page(base, Query("organisation"), after, limit=200)
        for stored in base.get_all([listing.digest for listing in page.items]).values():
            yield stored.load(Organisation)
        after = page.after
        if after is None:
            return


def organisation_of(base: View, name: str) -> Organisation | None:
    """Return an organisation's own document, or None if it is not registered."""
    record = record_of(base, organisation_subject(name))
    return None if record is None else base.load(record.documents["organisation"], Organisation)


def _declared(base: View, name: str) -> frozenset[str]:
    found = organisation_of(base, name)
    return frozenset(found.related) if found is not None else frozenset()
