"""Which observed cases break the data contract that the application was verified under."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.contract import Contract, DataType, Field
from pilotbase.documents.observation import Scalar
from pilotbase.documents.vocabularies import CallEnd
from pilotbase.watch.packs import Pack

_TYPES: dict[DataType, frozenset[type]] = {
    DataType.FLOAT: frozenset({int, float}),
    DataType.INTEGER: frozenset({int}),
    DataType.BOOLEAN: frozenset({bool}),
    DataType.TEXT: frozenset({str}),
    DataType.DATE: frozenset({str}),
    DataType.DATETIME: frozenset({str}),
}
_TIMES = {DataType.DATE: date.fromisoformat, DataType.DATETIME: datetime.fromisoformat}


def broken_cases(pack: Pack, contract: Contract, may_miss: frozenset[str]) -> NDArray[np.bool_]:
    """Return which cases of ``pack`` break ``contract``, shape (cases,).

    A case breaks it when the gateway has refused it for that, when a field is missing or one that nobody knows is
    there, and when a value is of another type, out of range, or missing where none was ever missing (``may_miss`` are
    the fields where some were).
    """
    refused = np.array([end == CallEnd.BROKE_CONTRACT.value for end in pack.ends], dtype=np.bool_)
    names = {field.name for field in contract.features}
    if not pack.inputs:
        return refused
    if names != set(pack.inputs):
        return np.ones(len(pack), dtype=np.bool_)
    for field in contract.features:
        refused |= _broken_values(pack.inputs[field.name], field, field.name in may_miss)
    return refused


def _broken_values(values: Sequence[Scalar], field: Field, may_miss: bool) -> NDArray[np.bool_]:
    allowed = _TYPES[field.data_type] | ({type(None)} if may_miss else set())
    broken = np.array([type(value) not in allowed for value in values], dtype=np.bool_)
    if field.data_type in _TIMES:
        broken |= np.array([isinstance(value, str) and not _is_time(value, field) for value in values], dtype=np.bool_)
    if field.data_type in (DataType.FLOAT, DataType.INTEGER) and (field.minimum, field.maximum) != (None, None):
        numbers = np.array(
            [value if not bad and value is not None else np.nan for value, bad in zip(values, broken, strict=True)],
            dtype=np.float64,
        )
        low = -np.inf if field.minimum is None else field.minimum
        high = np.inf if field.maximum is None else field.maximum
        broken |= (numbers < low) | (numbers > high)
    return broken


def _is_time(value: str, field: Field) -> bool:
    try:
        _TIMES[field.data_type](value)
    except ValueError:
        return False
    return True
