"""Which observed cases break the data contract that the application was verified under."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.contract import Contract, DataType, Field
from pilotbase.documents.observation import Scalar
from pilotbase.documents.texts import Text, text
from pilotbase.protocols.contract_cases import TYPE_TEXTS, TYPES
from pilotbase.watch.packs import Pack

_TIMES = {DataType.DATE: date.fromisoformat, DataType.DATETIME: datetime.fromisoformat}


@dataclass(frozen=True, eq=False)
class ContractBreach:
    """One way in which cases break the contract, and which of them do, shape (cases,)."""

    how: Text
    cases: NDArray[np.bool_]


def broken_cases(pack: Pack, contract: Contract, may_miss: frozenset[str]) -> NDArray[np.bool_]:
    """Return which cases of ``pack`` break ``contract``, shape (cases,).

    A case breaks it when a field is missing or one that nobody knows is there, and when a value is of another type, out
    of range, or missing where none was ever missing (``may_miss`` are the fields where some were).
    """
    broken = np.zeros(len(pack), dtype=np.bool_)
    for fault in _faults(pack, contract, may_miss):
        broken |= fault.cases
    return broken


def worst_fault(pack: Pack, contract: Contract, may_miss: frozenset[str]) -> Text | None:
    """Return which column most cases of ``pack`` break the contract at, and how; None where none does."""
    worst = max(_faults(pack, contract, may_miss), key=lambda fault: int(fault.cases.sum()), default=None)
    count = 0 if worst is None else int(worst.cases.sum())
    return text("detector.at_fault", how=worst.how, count=count, cases=len(pack)) if worst and count else None


def _faults(pack: Pack, contract: Contract, may_miss: frozenset[str]) -> Iterator[ContractBreach]:
    everywhere = np.ones(len(pack), dtype=np.bool_)
    names = {field.name for field in contract.features}
    for name in [name for name in pack.inputs if name not in names]:
        yield ContractBreach(text("detector.fault_extra", column=name), everywhere)
    for field in contract.features if pack.inputs else ():
        if field.name in pack.inputs:
            yield from _faults_of(pack.inputs[field.name], field, field.name in may_miss)
        else:
            yield ContractBreach(text("detector.fault_absent", column=field.name), everywhere)


def _faults_of(values: Sequence[Scalar], field: Field, may_miss: bool) -> Iterator[ContractBreach]:
    allowed, found = TYPES[field.data_type], set(map(type, values))
    missing = broken = np.zeros(len(values), dtype=np.bool_)
    if type(None) in found:
        missing = np.array([value is None for value in values], dtype=np.bool_)
        if not may_miss:
            yield ContractBreach(text("detector.fault_missing", column=field.name), missing)
    if not found <= allowed | {type(None)}:
        broken = np.array([type(value) not in allowed for value in values], dtype=np.bool_) & ~missing
    if field.data_type in _TIMES:
        broken = broken | np.array(
            [isinstance(one, str) and not _is_time(one, field) for one in values], dtype=np.bool_
        )
    if broken.any():
        wanted = TYPE_TEXTS[field.data_type]
        yield ContractBreach(text("detector.fault_type", column=field.name, wanted=wanted), broken)
    if field.data_type in (DataType.FLOAT, DataType.INTEGER) and (field.minimum, field.maximum) != (None, None):
        yield _out_of_range(values, field, missing | broken)


def _out_of_range(values: Sequence[Scalar], field: Field, no_number: NDArray[np.bool_]) -> ContractBreach:
    if no_number.any():
        values = [np.nan if none else value for value, none in zip(values, no_number, strict=True)]
    numbers = _floats(values)
    low = -np.inf if field.minimum is None else field.minimum
    high = np.inf if field.maximum is None else field.maximum
    how = text("detector.fault_range", column=field.name, low=f"{low:g}", high=f"{high:g}")
    return ContractBreach(how, (numbers < low) | (numbers > high))


def _floats(values: Sequence[Any]) -> NDArray[np.float64]:
    """Return numbers as floats, a whole number that is larger than any of them as infinite."""
    try:
        return np.array(values, dtype=np.float64)
    except OverflowError:
        largest = int(np.finfo(np.float64).max)
        near = [
            one if isinstance(one, float) or abs(one) <= largest else np.inf if one > 0 else -np.inf for one in values
        ]
        return np.array(near, dtype=np.float64)


def _is_time(value: str, field: Field) -> bool:
    try:
        _TIMES[field.data_type](value)
    except ValueError:
        return False
    return True
