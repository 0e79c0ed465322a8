"""Which column of one table refers to the key of another: declared by a database, or all its values are found there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from pilotbase.data.describing.guesses import Guess, Sure
from pilotbase.data.describing.observing import Column
from pilotbase.data.describing.roles import Roles
from pilotbase.data.sources.source import SourceTable
from pilotbase.documents.dataset import Reference
from pilotbase.documents.texts import text

ALMOST = 0.98
"""Share of values found there that makes the rest orphans, not the columns strangers."""


@dataclass(frozen=True)
class ObservedTable:
    """A table with what was seen in it."""

    table: SourceTable
    columns: tuple[Column, ...]
    roles: Roles


@dataclass(frozen=True)
class FoundReference:
    """A column that refers to another table's key."""

    table: str
    column: str
    to: Reference
    guess: Guess
    orphans: int = 0
    """Rows whose value is not found there."""


def find_references(observed: Sequence[ObservedTable]) -> tuple[FoundReference, ...]:
    """Return the references between the tables: declared ones, and those that names suggest and values bear out."""
    return tuple(found for one in observed for found in _of_table(one, observed))


def _of_table(one: ObservedTable, observed: Sequence[ObservedTable]) -> Iterator[FoundReference]:
    there = {(other.table.name, column.name) for other in observed for column in other.columns}
    for name, to in one.table.references.items():
        if (to.record_set, to.field) in there:
            guess = Guess("references", text("describe.ground.declared_reference"), Sure.CERTAIN)
            yield FoundReference(one.table.name, name, to, guess)
    for column in one.columns:
        if column.name not in one.table.references:
            yield from _found(one, column, [other for other in observed if other is not one])


def _found(one: ObservedTable, column: Column, others: Sequence[ObservedTable]) -> Iterator[FoundReference]:
    for other in others:
        types = {known.name: known for known in other.columns}
        for target in sorted(other.roles.unique & set(other.roles.key[:1])):
            if types[target].data_type is column.data_type and _related(column.name, target, other.table.name):
                found = _included(one.table, column.name, other.table, target)
                if found is not None:
                    yield found
                    return


def _related(column: str, target: str, table: str) -> bool:
    """Tell whether a column is called like the other one, or like the table that it names."""
    if _plain(column) == _plain(target):
        return _plain(target) not in ("id", "no", "编号", "序号")
    singular = _plain(table).removesuffix("s")
    return bool(singular) and _plain(column) in {
        f"{singular}{_plain(target)}",
        singular,
        f"{singular}id",
        f"{singular}编号",
    }


def _plain(name: str) -> str:
    return re.sub(r"[\s_.-]", "", name).lower()


def _included(table: SourceTable, column: str, other: SourceTable, target: str) -> FoundReference | None:
    mine = table.frame.select(pl.col(column).cast(pl.String).str.strip_chars().alias("value")).drop_nulls()
    theirs = other.frame.select(pl.col(target).cast(pl.String).str.strip_chars().alias("value"))
    rows, orphans = pl.collect_all(
        [mine.select(pl.len()), mine.join(theirs, on="value", how="anti").select(pl.len())], engine="streaming"
    )
    count, lost = int(rows.item()), int(orphans.item())
    if not count or lost > (1 - ALMOST) * count:
        return None
    ground = text("describe.ground.reference", found=count - lost, count=count, table=other.name, field=target)
    guess = Guess("references", ground, Sure.LIKELY)
    return FoundReference(table.name, column, Reference(record_set=other.name, field=target), guess, lost)
