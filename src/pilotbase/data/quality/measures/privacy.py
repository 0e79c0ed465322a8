"""Who could be recognised: patterns that name a person, and how few share the same outward features."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from pilotbase.data.personal_values import IN_COLUMN
from pilotbase.data.quality.checks import ROWS, CheckCount, key_stream
from pilotbase.data.quality.columns import TableColumn
from pilotbase.data.quality.definition import (
    QualityContext,
    QualityFinding,
    QualityRequest,
    QualityResults,
    entry,
    measure,
    not_applicable,
    share,
)
from pilotbase.data.quality.views import INLINE, Views, may_be
from pilotbase.documents.contract import DataType
from pilotbase.documents.vocabularies import Sensitivity

_SHORTEST_NUMBER, _SHORTEST_MAIL = 11, 6
"""Letters."""
_PERSONAL = "personal in "


@measure("records with a personal pattern / N", "lower", iso="Idn-ML-1", tc609="0202", gbt="0106")
def identifiability(asked: QualityContext) -> QualityRequest:
    """Return how many records hold what looks like an identity card, a mobile number, a mail address or a card."""
    columns = [column for column in asked.table.columns.values() if column.data_type is DataType.TEXT or _long(column)]
    if not columns:
        return QualityRequest(lambda answers: share(0, answers.rows), (ROWS,))
    looked_at = [pl.col(_PERSONAL).struct.field(column.name) for column in columns]
    told = [CheckCount(f"personal in {one.name}", each.sum()) for one, each in zip(columns, looked_at, strict=True)]
    any_told = CheckCount("personal records", pl.any_horizontal(looked_at).sum())

    def conclude(answers: QualityResults) -> QualityFinding:
        found = zip(columns, map(answers.count, told), strict=True)
        entries = tuple(entry(column.name, number, answers.rows) for column, number in found if number)
        return share(answers.count(any_told), answers.rows, entries)

    return QualityRequest(conclude, (ROWS, any_told, *told), (_personal(columns),))


def _long(column: TableColumn) -> bool:
    """Return whether it is a whole number that may be a telephone's or a card's."""
    return column.data_type is DataType.INTEGER and not column.field.is_label


def _personal(columns: list[TableColumn]) -> pl.Expr:
    """Return for each column whether its value is personal: all in one go, as each would cost a change of threads."""
    looks = [_personal_texts if column.data_type is DataType.TEXT else _personal_numbers for column in columns]

    def look(records: pl.Series) -> pl.Series:
        values = records.struct.unnest().get_columns()
        return pl.DataFrame([one(value) for one, value in zip(looks, values, strict=True)]).to_struct(_PERSONAL)

    kind = pl.Struct({column.name: pl.Boolean for column in columns})
    together = pl.struct(column.value for column in columns)
    return together.map_batches(look, return_dtype=kind, is_elementwise=True).alias(_PERSONAL)


def _personal_texts(texts: pl.Series) -> pl.Series:
    """Examine only texts that are long enough for a number, or have the sign of a mail address."""
    if not may_be(texts, _may_tell):
        return _of_nobody(texts)
    letters = texts.str.len_bytes()
    suspect = letters >= _SHORTEST_NUMBER
    between = (letters >= _SHORTEST_MAIL) & ~suspect
    if between.any():
        mails = texts.filter(between).str.contains("@", literal=True)
        suspect = suspect.scatter(between.arg_true().filter(mails), True)
    return _matched(texts, suspect.fill_null(False))


def _may_tell(views: Views) -> bool:
    """Return whether any of these texts may be personal: not if it is short and has no mail sign or possible digits."""
    longest = int(views.view(np.uint32)[:, 0].max(initial=0))
    if longest > INLINE:
        return True
    if longest >= _SHORTEST_MAIL and (views == ord("@")).any():
        return True
    return longest >= _SHORTEST_NUMBER and bool((_may_be_digit(views[:, 5]) & _may_be_digit(views[:, 14])).any())


def _may_be_digit(signs: Views) -> npt.NDArray[np.bool_]:
    """Return whether a byte may belong to a digit: 0 to 9, or any that is not ASCII."""
    return (signs - np.uint8(ord("0")) < 10) | (signs > 127)


def _personal_numbers(numbers: pl.Series) -> pl.Series:
    if int(numbers.max() or 0) < 10 ** (_SHORTEST_NUMBER - 1):  # type: ignore[arg-type]
        return _of_nobody(numbers)
    return _matched(numbers, (numbers >= 10 ** (_SHORTEST_NUMBER - 1)).fill_null(False))


def _matched(values: pl.Series, suspect: pl.Series) -> pl.Series:
    places = suspect.arg_true()
    matched = values.gather(places).cast(pl.String).str.contains(IN_COLUMN)
    return _of_nobody(values).scatter(places.filter(matched), True)


def _of_nobody(values: pl.Series) -> pl.Series:
    return pl.Series(values.name, [False], dtype=pl.Boolean).new_from_index(0, len(values))


@measure(
    "records of the rarest combination of quasi-identifiers", costly=True, iso="Idn-ML-1", tc609="0202", gbt="0106"
)
def smallest_cell(asked: QualityContext) -> QualityRequest:
    """Return how many records the rarest combination of quasi-identifiers has (k of k-anonymity)."""
    columns = [
        column for column in asked.table.columns.values() if column.field.sensitivity is Sensitivity.QUASI_IDENTIFIER
    ]
    if not columns:
        raise not_applicable("quality.reason.no_quasi_identifier")

    def conclude(answers: QualityResults) -> QualityFinding:
        return QualityFinding(answers.tallies["cells"].smallest)

    return QualityRequest(conclude, groups={"cells": (key_stream(asked.table, columns),)})
