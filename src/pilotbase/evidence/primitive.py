"""The contract of every primitive: ``update`` takes values in order, ``state`` is everything it remembers.

A primitive is created from its design and, to resume another one, from that one's state. The same values give the same
state, bit for bit, however they are batched. A state contains only plain numbers, so it can be written as JSON
(`dataclasses.asdict`) and read back with `state_from`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, get_type_hints, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.errors import InputError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

StateT_co = TypeVar("StateT_co", covariant=True)
ResultT_co = TypeVar("ResultT_co", covariant=True)
StateT = TypeVar("StateT", bound="DataclassInstance")


@runtime_checkable
class Primitive(Protocol[StateT_co, ResultT_co]):
    """Anything that takes values in batches and can be stored between them."""

    @property
    def state(self) -> StateT_co:
        """A frozen dataclass of plain numbers from which an equal primitive can resume."""

    def update(self, values: NDArray[Any], /) -> ResultT_co:
        """Take values, shape (n,) or (n, columns), in order; return the result after them (or after each)."""


@dataclass(frozen=True)
class Bounds:
    """A lower and an upper bound, each valid at the level it was asked for."""

    lower: float
    upper: float

    @property
    def empty(self) -> bool:
        """True when nothing is left between the bounds: an assumption is violated (drift, dependence, bad order)."""
        return self.lower > self.upper


def state_from(kind: type[StateT], stored: Mapping[str, Any]) -> StateT:
    """Return the state that was stored as ``stored`` (of `dataclasses.asdict`, also after a way through JSON)."""
    hints = get_type_hints(kind)
    return kind(**{field.name: _restored(hints[field.name], stored[field.name]) for field in fields(kind)})


def integers(values: NDArray[Any], low: int | None = None, high: int | None = None) -> Ints:
    """Return flat ``values`` as int64; refuse other shapes, other kinds of numbers and values out of range."""
    _refuse_unless_shaped(values, None)
    if values.dtype.kind not in "biu" and len(values):
        raise InputError("evidence.values_not_integers", found=str(values.dtype))
    whole = values.astype(np.int64, copy=False)
    if len(whole):
        _refuse_unless_within(whole, low, high)
    return whole


def reals(values: NDArray[Any], low: float, high: float) -> Floats:
    """Return flat ``values`` as floats; refuse other shapes, NaN and values out of range."""
    _refuse_unless_shaped(values, None)
    real = values.astype(np.float64, copy=False)
    _refuse_unless_within(real, low, high)
    return real


def table(values: NDArray[Any], columns: tuple[int, ...]) -> NDArray[Any]:
    """Return ``values`` if it has rows of one of the numbers of ``columns``; refuse it otherwise."""
    _refuse_unless_shaped(values, columns)
    return values


def within(name: str, found: float, low: float, high: float) -> None:
    """Refuse a setting of a primitive that does not lie strictly between ``low`` and ``high``."""
    if not low < found < high:
        raise InputError("evidence.setting_out_of_range", name=name, found=float(found), low=low, high=high)


def _refuse_unless_shaped(values: NDArray[Any], columns: tuple[int, ...] | None) -> None:
    good = values.ndim == 1 if columns is None else values.ndim == 2 and values.shape[1] in columns
    if not good:
        expected = "(n,)" if columns is None else " | ".join(f"(n, {count})" for count in columns)
        raise InputError("evidence.values_shape", found=str(values.shape), expected=expected)


def _refuse_unless_within(values: Ints | Floats, low: float | None, high: float | None) -> None:
    lowest, highest = -np.inf if low is None else low, np.inf if high is None else high
    outside = ~((values >= lowest) & (values <= highest))
    if outside.any():
        place = int(np.argmax(outside))
        found = float(values[place])
        raise InputError("evidence.value_out_of_range", found=found, place=place + 1, low=lowest, high=highest)


def _restored(hint: Any, stored: Any) -> Any:
    if isinstance(hint, type) and is_dataclass(hint):
        return state_from(hint, stored)
    return _tuples(stored)


def _tuples(stored: Any) -> Any:
    return tuple(_tuples(each) for each in stored) if isinstance(stored, list | tuple) else stored
