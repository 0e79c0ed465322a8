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
from pilotbase.documents.observation import MAXIMUM_CASES
from pilotbase.documents.texts import Text, text
from pilotbase.protocols.array_cells import array_in, cell_of
from pilotbase.protocols.frames import MISSING_BOOLEAN, FeatureBatch

Column = npt.NDArray[Any]

SHOWN = 20
"""Problems that an answer names."""
TYPES: Mapping[DataType, frozenset[type]] = {
    DataType.FLOAT: frozenset({int, float}),
    DataType.INTEGER: frozenset({int}),
    DataType.BOOLEAN: frozenset({bool}),
    DataType.TEXT: frozenset({str}),
    DataType.DATE: frozenset({str}),
    DataType.DATETIME: frozenset({str}),
    DataType.IMAGE: frozenset({str}),
    DataType.AUDIO: frozenset({str}),
}
TYPE_TEXTS = {
    DataType.FLOAT: text("contract.type.number"),
    DataType.INTEGER: text("contract.type.integer"),
    DataType.BOOLEAN: text("contract.type.boolean"),
    DataType.TEXT: text("contract.type.text"),
    DataType.DATE: text("contract.type.date"),
    DataType.DATETIME: text("contract.type.datetime"),
    DataType.IMAGE: text("contract.type.array"),
    DataType.AUDIO: text("contract.type.array"),
}


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
        return _COLUMNS[field.data_type](values, field.name in self.may_miss)


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


def scalars_of(batch: FeatureBatch) -> Mapping[str, list[bool | int | float | str | None]]:
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
    allowed = TYPES[field.data_type]
    if not set(map(type, present)) <= allowed:
        strange = next(value for value in present if type(value) not in allowed)
        yield text("contract.wrong_type", found=repr(strange)[:40], allowed=TYPE_TEXTS[field.data_type])
        return
    if field.data_type in (DataType.FLOAT, DataType.INTEGER):
        yield from _number_problems(field, present)  # type: ignore[arg-type]
    elif field.data_type in _READS:
        yield from _spelling_problems(field, present)  # type: ignore[arg-type]


def _number_problems(field: Field, present: Sequence[int | float]) -> Iterator[Text]:
    low = min(present, default=0)
    high = max(present, default=0)
    if max(abs(low), abs(high)) > (1 << 63) - 1 and field.data_type is DataType.INTEGER:
        yield text("contract.wrong_type", found=str(high)[:40], allowed=TYPE_TEXTS[field.data_type])
    elif math.isinf(_as_float(low)) or math.isinf(_as_float(high)):
        yield text("contract.wrong_type", found="Infinity", allowed=TYPE_TEXTS[field.data_type])
    elif present and field.minimum is not None and low < field.minimum:
        yield text("contract.below_minimum", found=low, limit=f"{field.minimum:g}")
    elif present and field.maximum is not None and high > field.maximum:
        yield text("contract.above_maximum", found=high, limit=f"{field.maximum:g}")


def _as_float(number: int | float) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf


def _spelling_problems(field: Field, present: Sequence[str]) -> Iterator[Text]:
    read = _READS[field.data_type]
    for value in present:
        try:
            read(value)
        except (ValueError, OverflowError):
            yield text("contract.wrong_type", found=value[:40], allowed=TYPE_TEXTS[field.data_type])
            return


def _floats(values: Sequence[Any], _: bool) -> Column:
    return np.array([math.nan if value is None else value for value in values], dtype=np.float64)


def _integers(values: Sequence[Any], may_miss: bool) -> Column:
    return _floats(values, may_miss) if may_miss else np.array(values, dtype=np.int64)


def _booleans(values: Sequence[Any], may_miss: bool) -> Column:
    return _floats(values, may_miss) if may_miss else np.array(values, dtype=np.uint8)


def _texts(values: Sequence[Any], _: bool) -> Column:
    return np.array(list(values), dtype=object)


def _dates(values: Sequence[Any], _: bool) -> Column:
    return np.array([None if value is None else _read_date(value) for value in values], dtype=object)


def _moments(values: Sequence[Any], _: bool) -> Column:
    return np.array([None if value is None else _read_moment(value) for value in values], dtype=object)


def _arrays(values: Sequence[Any], _: bool) -> Column:
    found = np.empty(len(values), dtype=object)
    for row, value in enumerate(values):
        found[row] = None if value is None else array_in(value)
    return found


_COLUMNS: Mapping[DataType, Callable[[Sequence[Any], bool], Column]] = {
    DataType.FLOAT: _floats,
    DataType.INTEGER: _integers,
    DataType.BOOLEAN: _booleans,
    DataType.TEXT: _texts,
    DataType.DATE: _dates,
    DataType.DATETIME: _moments,
    DataType.IMAGE: _arrays,
    DataType.AUDIO: _arrays,
}
"""As `data.batches.feature_columns` makes the columns of a trial."""


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


_READS: Mapping[DataType, Callable[[str], object]] = {
    DataType.DATE: _read_date,
    DataType.DATETIME: _read_moment,
    DataType.IMAGE: array_in,
    DataType.AUDIO: array_in,
}
"""What must succeed on a text of the type."""


def _scalars(column: Column) -> list[bool | int | float | str | None]:
    values: list[Any] = column.tolist()
    if column.dtype.kind == "O":
        return [cell_of(value) if isinstance(value, np.ndarray) else value for value in values]
    if column.dtype.kind == "f":
        return [None if value != value else value for value in values]
    if column.dtype == np.uint8:
        return [None if value == MISSING_BOOLEAN else bool(value) for value in values]
    return values
