"""Checks the cases of a call against the data contract, and converts them to the columns that the box had in the trial.

Any difference from the trial's columns (a missing value in a column that never had one, a number out of range, a
superfluous field) breaches the contract and is refused, because it was never verified.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from pilotbase.documents.contract import Contract, DataType, Field
from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.observation import MAXIMUM_CASES, Scalar
from pilotbase.documents.texts import Text, text
from pilotbase.protocols.array_cells import array_in, cell_of
from pilotbase.protocols.frames import MISSING_BOOLEAN, FeatureBatch

Column = npt.NDArray[Any]

SHOWN = 20
"""Problems that an answer names."""


class ContractBrokenError(InputError):
    """The request doesn't conform to the service's data contract; carries every problem found."""

    @staticmethod
    def of(problems: Sequence[tuple[str, Text]]) -> ContractBrokenError:
        """Return the error that lists ``problems``, each with the field concerned."""
        issues = [Issue(file="call", path=path, problem=problem) for path, problem in problems[:SHOWN]]
        return ContractBrokenError("contract.broken", issues=issues, count=len(problems))

    @property
    def field(self) -> str:
        return self.issues[0].path if self.issues else ""


@dataclass(frozen=True)
class CaseReader:
    """Reads cases under one contract."""

    contract: Contract
    may_miss: frozenset[str] = frozenset()
    """Fields that lacked a value somewhere in the data of the trial, so that they may lack one here."""

    def read(self, columns: Mapping[str, Sequence[object]]) -> FeatureBatch:
        """Return the batch of ``columns``, one entry a case each; numbers may be missing as None or NaN.

        Raises:
            ContractBrokenError: a field is missing or superfluous, lacks a value, or has one of another type or out of
                range; or there are no cases, or too many.
        """
        problems = [*self._misnamed(columns), *_miscounted(columns)]
        known = [field for field in self.contract.features if field.name in columns]
        read = {field.name: self._column(field, columns[field.name], problems) for field in known}
        if problems:
            raise ContractBrokenError.of(problems)
        return FeatureBatch(read, len(next(iter(read.values()))))

    def _misnamed(self, columns: Mapping[str, object]) -> Iterator[tuple[str, Text]]:
        names = [field.name for field in self.contract.features]
        yield from ((name, text("contract.missing_field")) for name in names if name not in columns)
        known = set(names)
        yield from ((name[:120], text("contract.unknown_field")) for name in columns if name not in known)

    def _column(self, field: Field, values: Sequence[object], problems: list[tuple[str, Text]]) -> Column:
        """Return the column of ``field``, and add its problems to ``problems``."""
        lacking = [value is None or value != value for value in values]
        if any(lacking) and field.name not in self.may_miss:
            problems.append((field.name, text("contract.missing_value", row=lacking.index(True))))
        present = [value for value, lacks in zip(values, lacking, strict=True) if not lacks] if any(lacking) else values
        problem = next(_column_problems(field, present), None)
        if problem is not None:
            problems.append((field.name, problem))
        if problem is not None or (any(lacking) and field.name not in self.may_miss):
            return np.zeros(len(values))
        return SPELLED[field.data_type].column(values, field.name in self.may_miss)


def columns_of(cases: Sequence[object]) -> Mapping[str, Sequence[object]]:
    """Return the columns of ``cases``, JSON objects that all have the same fields; raises `ContractBrokenError`."""
    first = cases[0] if cases else None
    if not isinstance(first, dict):
        raise ContractBrokenError.of([("", text("contract.no_case", row=0))])
    for row, case in enumerate(cases):
        if not isinstance(case, dict):
            raise ContractBrokenError.of([("", text("contract.no_case", row=row))])
        if case.keys() != first.keys():
            field = min(case.keys() ^ first.keys())
            raise ContractBrokenError.of([(field[:120], text("contract.uneven_case", row=row))])
    return {name: [case[name] for case in cases if isinstance(case, dict)] for name in first}


def scalars_of(batch: FeatureBatch) -> Mapping[str, list[Scalar]]:
    """Return the columns of ``batch`` as plain values, missing ones as None: what an observation keeps."""
    return {name: _scalars(column) for name, column in batch.columns.items()}


def _miscounted(columns: Mapping[str, Sequence[object]]) -> Iterator[tuple[str, Text]]:
    counts = {name: len(values) for name, values in columns.items()}
    most, least = max(counts.values(), default=0), min(counts.values(), default=0)
    if most != least:
        yield min(counts, key=counts.__getitem__), text("contract.uneven", found=least, wanted=most)
    elif not 1 <= most <= MAXIMUM_CASES:
        yield "", text("contract.case_count", found=most, allowed=MAXIMUM_CASES)


def _column_problems(field: Field, present: Sequence[object]) -> Iterator[Text]:
    spelled = SPELLED[field.data_type]
    if not set(map(type, present)) <= spelled.types:
        strange = next(value for value in present if type(value) not in spelled.types)
        yield text("contract.wrong_type", found=repr(strange)[:40], allowed=spelled.words)
    elif field.data_type in (DataType.FLOAT, DataType.INTEGER):
        yield from _number_problems(field, present)  # type: ignore[arg-type]
    elif spelled.read is not None:
        yield from _spelling_problems(spelled.read, spelled.words, present)  # type: ignore[arg-type]


def _number_problems(field: Field, present: Sequence[int | float]) -> Iterator[Text]:
    low, high = min(present, default=0), max(present, default=0)
    words = SPELLED[field.data_type].words
    if max(abs(low), abs(high)) > (1 << 63) - 1 and field.data_type is DataType.INTEGER:
        yield text("contract.wrong_type", found=str(high)[:40], allowed=words)
    elif math.isinf(_as_float(low)) or math.isinf(_as_float(high)):
        yield text("contract.wrong_type", found="Infinity", allowed=words)
    elif present and field.minimum is not None and low < field.minimum:
        yield text("contract.below_minimum", found=low, limit=f"{field.minimum:g}")
    elif present and field.maximum is not None and high > field.maximum:
        yield text("contract.above_maximum", found=high, limit=f"{field.maximum:g}")


def _as_float(number: int | float) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf


def _spelling_problems(read: Callable[[str], object], words: Text, present: Sequence[str]) -> Iterator[Text]:
    for value in present:
        try:
            read(value)
        except (ValueError, OverflowError):
            yield text("contract.wrong_type", found=value[:40], allowed=words)
            return


def _read_date(value: str) -> str:
    return date.fromisoformat(value).isoformat()


def _read_moment(value: str) -> str:
    """Return a moment in UTC as the trial spells it: no fraction, three digits of it, or six."""
    moment = datetime.fromisoformat(value)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    spelled = moment.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    micro = moment.microsecond
    fraction = f".{micro:06d}" if micro % 1000 else f".{micro // 1000:03d}" if micro else ""
    return f"{spelled}{fraction}Z"


@dataclass(frozen=True)
class SpelledType:
    """How JSON spells the values of a data type, and the column that they make."""

    words: Text
    types: frozenset[type] = frozenset({str})
    dtype: str = "O"
    """Of a column that can't miss a value; with missing numbers it is float64, as `data.batches` makes it."""
    read: Callable[[str], object] | None = None
    """Reads a cell from its text; raises `ValueError` or `OverflowError`."""

    def column(self, values: Sequence[Any], may_miss: bool) -> Column:
        """Return the column of ``values``, of which those that are missing are None."""
        if self.read is None:
            return np.array(values, dtype="f8" if may_miss and self.dtype != "O" else self.dtype)
        column = np.empty(len(values), dtype=object)
        for row, value in enumerate(values):
            column[row] = None if value is None else self.read(value)
        return column


SPELLED: Mapping[DataType, SpelledType] = {
    DataType.FLOAT: SpelledType(text("contract.type.number"), frozenset({int, float}), "f8"),
    DataType.INTEGER: SpelledType(text("contract.type.integer"), frozenset({int}), "i8"),
    DataType.BOOLEAN: SpelledType(text("contract.type.boolean"), frozenset({bool}), "u1"),
    DataType.TEXT: SpelledType(text("contract.type.text")),
    DataType.DATE: SpelledType(text("contract.type.date"), read=_read_date),
    DataType.DATETIME: SpelledType(text("contract.type.datetime"), read=_read_moment),
    DataType.IMAGE: SpelledType(text("contract.type.array"), read=array_in),
    DataType.AUDIO: SpelledType(text("contract.type.array"), read=array_in),
}


def _scalars(column: Column) -> list[Scalar]:
    values: list[Any] = column.tolist()
    if column.dtype.kind == "O":
        return [cell_of(value) if isinstance(value, np.ndarray) else value for value in values]
    if column.dtype.kind == "f":
        return [None if value != value else value for value in values]
    if column.dtype == np.uint8:
        return [None if value == MISSING_BOOLEAN else bool(value) for value in values]
    return values
