"""Units of privacy in a table: of each group no more records than are declared, a fifth of the units set aside.

Which records of a group count, and whether a unit is set aside, is decided by that unit alone: another unit that comes
or goes changes nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from pilotbase.data.quality.columns import RecordTable, TableColumn, row_hash
from pilotbase.documents.dataset import RecordSet
from pilotbase.documents.private import PrivacyUnit, PrivateQuestion

HOLDOUT = 5
"""One unit of so many is set aside."""
_ORDER, _SIDE = 11, 12


def unit_of(record_set: RecordSet, question: PrivateQuestion) -> PrivacyUnit:
    """Return the unit: all records of a group where the contract names a group column, else a record."""
    if record_set.group is None:
        return PrivacyUnit(kind="record")
    return PrivacyUnit(kind="group", column=record_set.group, at_most=question.at_most)


@dataclass(frozen=True)
class TableRecords:
    """Some of the records of a table. ``frame``: what `TableColumn` names."""

    columns: Mapping[str, TableColumn]
    frame: pl.LazyFrame


@dataclass(frozen=True)
class Units:
    """The records of a table by their units; those without a group are left out where groups are the unit."""

    table: RecordTable
    unit: PrivacyUnit

    def training(self, holdout: bool) -> TableRecords:
        """Return the records that are profiled: all, or without those set aside."""
        return self._bounded(~self._set_aside() if holdout else pl.lit(True))

    def holdout(self) -> TableRecords:
        """Return the records that are set aside."""
        return self._bounded(self._set_aside())

    def _bounded(self, side: pl.Expr) -> TableRecords:
        frame = self.table.frame.filter(side)
        if self.unit.kind == "group":
            group = self._group().value
            order = row_hash(list(self.table.columns.values()), _ORDER).rank("ordinal").over(group)
            frame = frame.filter(group.is_not_null()).filter(order <= self.unit.at_most)
        return TableRecords(self.table.columns, frame)

    def _set_aside(self) -> pl.Expr:
        named = [self._group()] if self.unit.kind == "group" else list(self.table.columns.values())
        return row_hash(named, _SIDE) % HOLDOUT == 0

    def _group(self) -> TableColumn:
        return self.table.columns[self.unit.column or ""]
