"""The definition of a perturbation: a name, parameters with ranges, the kinds of column it touches, and a pure change.

A perturbation never changes the number of cases or their order, touches only columns of its kinds, is the identity at
strength zero, and always gives the same result for the same columns, arguments and seed.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.contract import DataType, Field
from pilotbase.documents.texts import Text, text
from pilotbase.documents.world import ARM, EPISODE_FIELDS, Arm

Column = NDArray[Any]
Columns = Mapping[str, Column]
ColumnKind = Literal["number", "boolean", "text", "time", "image", "audio", "episode", "arm"]
"""``episode``: what fixes an episode in a world; ``arm``: what it is played under."""
Values = Mapping[str, Decimal | str]

_KINDS: Mapping[DataType, ColumnKind] = {
    DataType.FLOAT: "number",
    DataType.INTEGER: "number",
    DataType.BOOLEAN: "boolean",
    DataType.TEXT: "text",
    DataType.DATE: "time",
    DataType.DATETIME: "time",
    DataType.IMAGE: "image",
    DataType.AUDIO: "audio",
}


def kind_of(field: Field, column: Column | None = None) -> ColumnKind:
    """Return the kind of a column; an array of shape (rows, height, width, channels) always contains images."""
    if field in EPISODE_FIELDS:
        return "arm" if field.name == ARM else "episode"
    return "image" if column is not None and column.ndim == 4 else _KINDS[field.data_type]


@dataclass(frozen=True)
class PerturbationParameter:
    """A number from ``low`` to ``high``, both included, or one of ``words``; without a default it must be given.

    ``of_columns``: it names columns instead (several with ``|`` between them where ``many``); empty is none.
    """

    name: str
    default: Decimal | str | None = None
    low: Decimal = Decimal(0)
    high: Decimal = Decimal(1)
    whole: bool = False
    words: tuple[str, ...] = ()
    of_columns: bool = False
    many: bool = False

    def admits(self, value: Decimal | str) -> bool:
        """Return whether ``value`` is allowed."""
        if isinstance(value, str):
            return self.of_columns or value in self.words
        return not self.of_columns and self.low <= value <= self.high and (not self.whole or value == int(value))


COLUMNS = PerturbationParameter("columns", "", of_columns=True, many=True)
"""Which columns to touch; all of its kinds where none is named."""
SHARE = PerturbationParameter("share")


def of_each(column: Column, change: Callable[[Any], Any]) -> Column:
    """Return a column of objects with each value changed; missing values stay missing."""
    changed = np.empty(len(column), dtype=object)
    for row, value in enumerate(column):
        changed[row] = None if value is None else change(value)
    return changed


@dataclass(frozen=True)
class FieldRef:
    """Where a change happens: the column's field, its random numbers, and its context.

    ``reference``: the same column of the public sample, which defines spread and categories; ``columns``: all original
    columns. ``together`` gives the same random numbers for every column.
    """

    field: Field
    random: np.random.Generator
    together: np.random.Generator
    reference: Column
    columns: Columns


class Perturbation(ABC):
    """One perturbation with its arguments. The first parameter is its strength, zero for none."""

    name: ClassVar[str]
    title: ClassVar[Text]
    """Text ``measure.under.<name>``."""
    kinds: ClassVar[frozenset[ColumnKind]]
    parameters: ClassVar[tuple[PerturbationParameter, ...]]
    across_cases: ClassVar[bool] = False
    """What happens to a case depends on its neighbours: no claim about independent cases of a population."""

    def __init_subclass__(cls) -> None:
        if "name" in vars(cls):
            cls.title = text(f"measure.under.{cls.name}")

    def __init__(self, values: Values) -> None:
        """Take a value for every parameter; `perturbation_of` checks them first."""
        self.values = dict(values)

    def apply(
        self, columns: Columns, fields: Sequence[Field], seed: bytes, reference: Columns | None = None
    ) -> dict[str, Column]:
        """Return the perturbed columns, each in its original shape (rows, …), in the order of ``columns``.

        ``reference``: columns of the public sample, which define spread and known categories; without it the columns
        themselves do, and the change of a case then depends slightly on the others.
        """
        if self.number(self.parameters[0].name) == 0:
            return dict(columns)
        by_name = {field.name: field for field in fields}
        known = columns if reference is None else reference
        changed = dict(columns)
        for name in self.touched(columns, fields):
            place = FieldRef(by_name[name], self._draw(seed, name), self._draw(seed), known[name], columns)
            changed[name] = self.change(columns[name], place)
        return changed

    def touched(self, columns: Columns, fields: Sequence[Field]) -> tuple[str, ...]:
        """Return the names of the columns that would change."""
        there = [field for field in fields if field.name in columns]
        fitting = [field.name for field in there if kind_of(field, columns[field.name]) in self.kinds]
        named = self.names("columns")
        return tuple(name for name in fitting if not named or name in named)

    @abstractmethod
    def change(self, column: Column, place: FieldRef) -> Column:
        """Return ``column`` perturbed, as a new array of the same length."""

    def number(self, parameter: str) -> float:
        """Return the value of a parameter that is a number."""
        return float(self.values[parameter])

    def names(self, parameter: str) -> tuple[str, ...]:
        """Return the columns that a parameter names."""
        return tuple(filter(None, str(self.values.get(parameter, "")).split("|")))

    def _draw(self, seed: bytes, *names: str) -> np.random.Generator:
        """Return random numbers of this perturbation and column: no column's depend on which others there are."""
        mark = "\x00".join((self.name, *names)).encode()
        return np.random.Generator(np.random.PCG64(int.from_bytes(hashlib.sha256(seed + mark).digest(), "big")))


_WHOLE = PerturbationParameter("strength", Decimal(1), whole=True)


class _EpisodeArm(Perturbation):
    """Plays every episode in one arm, as its world does; no draw is shared with the clean one."""

    kinds = frozenset({"arm"})
    parameters = (_WHOLE, COLUMNS)

    def change(self, column: Column, place: FieldRef) -> Column:
        return np.full(len(column), self.name, dtype=object)


ARMS: tuple[type[Perturbation], ...] = tuple(type(arm.name, (_EpisodeArm,), {"name": arm.value}) for arm in Arm)
