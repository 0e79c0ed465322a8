"""Faults that nobody declared: a small file a kind, found by itself, each of which looks at one sample of a table."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from pilotbase.data.suspects.definition import Found, SuspectKind, SuspectTable
from pilotbase.documents.plugins import loaded
from pilotbase.documents.quality import Suspect, SuspectName
from pilotbase.documents.texts import text

SUSPECT_KINDS: tuple[SuspectKind, ...] = tuple(
    found for family in loaded("data.suspects") for found in vars(family).values() if isinstance(found, SuspectKind)
)
"""All kinds of the files here."""
PRECISION: dict[SuspectName, float] = {
    "sentinel": 0.95,
    "placeholder": 0.88,
    "mixed_units": 0.89,
    "units_in_cells": 0.91,
    "mojibake": 0.95,
    "variants": 0.89,
    "impossible_time": 0.89,
    "impossible_value": 0.95,
    "level_shift": 0.93,
    "stuck": 0.86,
    "leak": 0.68,
    "label_noise": 0.83,
    "repeated": 0.87,
    "near_repeated": 0.94,
    "broken_key": 0.95,
    "wrong_column": 0.94,
}
"""Share of each kind's suspects that were faults, in the run of `make bench-faults` that is published."""
_SHOWN = 5
_WITHIN: dict[SuspectName, frozenset[SuspectName]] = {
    "impossible_value": frozenset({"sentinel", "mixed_units"}),
    "stuck": frozenset({"sentinel"}),
    "near_repeated": frozenset({"repeated"}),
    "variants": frozenset({"placeholder"}),
    "units_in_cells": frozenset({"impossible_time"}),
}
"""Kind → kinds that explain the same rows of the same column better."""


def suspects_of(table: SuspectTable, record_set: str) -> tuple[Suspect, ...]:
    """Return what seems to be at fault in ``table``, the surest first; linear in its rows."""
    kinds = SUSPECT_KINDS if table.height else ()
    found = [(kind.name, one) for kind in kinds for one in kind.look(table)]
    told = [_told(kind, one, table, record_set) for kind, one in found if not _is_explained(kind, one, found)]
    return tuple(sorted(told, key=lambda one: -one.probability))


def _is_explained(kind: SuspectName, one: Found, found: Iterable[tuple[SuspectName, Found]]) -> bool:
    better = (other for name, other in found if name in _WITHIN.get(kind, ()) and other.fields == one.fields)
    return any(np.isin(one.places, other.places).mean() > 0.5 for other in better if len(one.places))


def _told(kind: SuspectName, one: Found, table: SuspectTable, record_set: str) -> Suspect:
    code = f"suspect.{kind}_{one.code}" if one.code else f"suspect.{kind}"
    said = {"fields": ", ".join(one.fields), "count": len(one.places), **one.said}
    return Suspect(
        kind=kind,
        record_set=record_set,
        fields=one.fields,
        count=len(one.places),
        rows=tuple(int(row) for row in table.rows[one.places[:_SHOWN]]),
        sample=table.height if table.height < table.total else None,
        values=one.values,
        probability=PRECISION[kind],
        sentence=text(code, **said),
        remedy=text(f"suspect.{kind}.remedy"),
    )
