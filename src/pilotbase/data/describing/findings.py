"""Errors in the values of a readable table, each with its first lines and a remedy."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from pilotbase.data.column_types import TYPES, type_words
from pilotbase.data.date_forms import NUMBER_FORMS
from pilotbase.data.describing.meanings import guess_sensitivity
from pilotbase.data.describing.observing import DATE_NAME, SHOWN, Column, Misfits
from pilotbase.data.describing.roles import ObservedTable
from pilotbase.documents.contract import DataType
from pilotbase.documents.errors import Issue
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Sensitivity

_MANY_ALIKE = 50
_DAY_NUMBERS = (20_000.0, 60_000.0)
"""Days since 1899-12-30, as spreadsheets count them: from 1954 to 2064."""


def findings_of(one: ObservedTable) -> Iterator[Issue]:
    """Yield what the owner should correct; values are shown unless their column reveals who somebody is."""
    yield from _wide(one)
    for column in one.columns:
        told = guess_sensitivity(column.name, column.sample)
        hidden = told is not None and told[0] in (Sensitivity.IDENTIFIER, Sensitivity.SENSITIVE)
        for misfits in column.misfits:
            yield _misfit(one, column, misfits, hidden)
        if column.undecided:
            yield _issue(one, column, text("describe.date_order", **vars(column.undecided)))
        if len(column.forms) > 1:
            forms = ", ".join(f"{form} ({count})" for form, count in column.forms.items())
            yield _issue(one, column, text("describe.mixed_dates", forms=forms, count=len(column.forms)))
        if _seems_day_numbers(column):
            seen = text("describe.day_numbers", minimum=column.minimum, maximum=column.maximum)
            yield _issue(one, column, seen)


def _wide(one: ObservedTable) -> Iterator[Issue]:
    """Yield that columns of one type differ in name only by a number: a long table would say what the number is."""
    stems = Counter((re.sub(r"\d+", "0", column.name), column.data_type) for column in one.columns)
    for (stem, _), count in stems.items():
        if count >= _MANY_ALIKE and "0" in stem:
            alike = [column.name for column in one.columns if re.sub(r"\d+", "0", column.name) == stem]
            problem = text("describe.wide", count=count, names=", ".join(alike[:3]))
            yield Issue(file=one.table.resource, path="", problem=problem, hint=problem.hint)


def _misfit(one: ObservedTable, column: Column, misfits: Misfits, hidden: bool) -> Issue:
    values = "…" if hidden else ", ".join(repr(value[:40]) for value in misfits.values)
    places = [one.table.line_of(row) if one.table.line_of else row + 1 for row in misfits.rows]
    more = ", …" if misfits.count > SHOWN else ""
    other = "date" if column.is_time else "other"
    problem = text(
        f"describe.misfit.{misfits.form if misfits.form in NUMBER_FORMS else other}",
        values=values + more,
        lines=", ".join(map(str, places)) + more,
        allowed=type_words(TYPES.get(column.data_type, DataType.TEXT)),
        count=misfits.count,
    )
    return _issue(one, column, problem, places[0] if one.table.line_of else None)


def _issue(one: ObservedTable, column: Column, problem: Text, line: int | None = None) -> Issue:
    path = column.name if one.table.selector is None else f"{one.table.selector}.{column.name}"
    return Issue(file=one.table.resource, path=path, line=line, problem=problem, hint=problem.hint)


def _seems_day_numbers(column: Column) -> bool:
    if not column.is_number or not DATE_NAME.search(column.name) or column.minimum is None or column.maximum is None:
        return False
    return _DAY_NUMBERS[0] <= float(column.minimum) and float(column.maximum) <= _DAY_NUMBERS[1]
