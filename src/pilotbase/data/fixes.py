"""What a draft does about remarks of the data doctor where the owner says so: declared in the scenario, and no edit.

The file of the cases stays as it is. What was done stands under ``data`` in scenario.yaml and is undone there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import polars as pl

from pilotbase.data.column_guesses import MISSING_SPELLINGS
from pilotbase.data.column_types import read_cells, type_column
from pilotbase.documents.contract import DataType
from pilotbase.documents.errors import InputError, offer
from pilotbase.documents.scenario_data import ColumnReader
from pilotbase.documents.texts import Text, text

FixName = Literal[
    "unlabelled",
    "classes",
    "sentinels",
    "units",
    "spellings",
    "repeats",
    "groups",
    "keys",
    "people",
    "sensitive",
    "secrets",
    "gaps",
    "afterwards",
]
"""``unlabelled``: rows that lack the answer; ``classes``: rows of a class with hardly any; ``sentinels``: numbers that
mean a missing value; ``afterwards``: columns that tell much of the answer."""
ALL = "all"
"""Asks for everything that the doctor advises."""
_SIZES: tuple[dict[str, float], ...] = (
    {"mm": 1e-3, "cm": 1e-2, "m": 1.0, "km": 1e3, "毫米": 1e-3, "厘米": 1e-2, "米": 1.0, "公里": 1e3, "千米": 1e3},
    {"mg": 1e-6, "g": 1e-3, "kg": 1.0, "t": 1e3, "克": 1e-3, "千克": 1.0, "公斤": 1.0, "吨": 1e3},
    {"ml": 1e-3, "mL": 1e-3, "l": 1.0, "L": 1.0, "m3": 1e3, "m³": 1e3, "毫升": 1e-3, "升": 1.0},
    {
        "ms": 1e-3,
        "s": 1.0,
        "min": 60.0,
        "h": 3600.0,
        "d": 86400.0,
        "秒": 1.0,
        "分钟": 60.0,
        "小时": 3600.0,
        "天": 86400.0,
    },
    {"W": 1.0, "kW": 1e3, "MW": 1e6, "GW": 1e9, "瓦": 1.0, "千瓦": 1e3},
    {"Wh": 1.0, "kWh": 1e3, "MWh": 1e6, "GWh": 1e9},
    {"mV": 1e-3, "V": 1.0, "kV": 1e3, "伏": 1.0, "千伏": 1e3},
    {"mA": 1e-3, "A": 1.0, "kA": 1e3, "安": 1.0},
    {"Pa": 1.0, "hPa": 1e2, "kPa": 1e3, "MPa": 1e6, "mbar": 1e2, "bar": 1e5},
    {"Hz": 1.0, "kHz": 1e3, "MHz": 1e6},
    {"元": 1.0, "万元": 1e4, "亿元": 1e8},
)
"""Units of one quantity → how large each is."""
_WITHHELD: frozenset[FixName] = frozenset({"keys", "people", "sensitive", "gaps", "afterwards"})
_ADVISED: frozenset[FixName] = frozenset(get_args(FixName)) - {"classes", "sensitive", "gaps", "afterwards"}
_OF_ROWS: frozenset[FixName] = frozenset({"unlabelled", "classes"})
"""Leave rows out, unless their owner says what else their answer means."""


@dataclass(frozen=True)
class Fix:
    """One remedy that a draft can carry out. ``column`` is empty where it is about whole rows."""

    name: FixName
    column: str = ""
    reader: ColumnReader | None = None
    count: int = 0
    """Of ``unlabelled``: how many rows it is about."""
    label: str = ""
    """Of ``classes``: the class that it is about."""

    @property
    def advised(self) -> bool:
        """Return whether it is right unless the owner knows better."""
        return self.name in _ADVISED

    @property
    def offered(self) -> str:
        """Return it as ``--fix`` names it: ``sentinels:temperature``, ``classes:state/burst``."""
        about = f"{self.column}/{self.label}" if self.label else self.column
        return f"{self.name}:{about}" if about else self.name

    @property
    def spelled(self) -> str:
        """Return it as ``--fix`` names it, with what its owner has said: ``unlabelled:state=none``."""
        return f"{self.offered}={self.meant}" if self.meant else self.offered

    @property
    def leaves_rows_out(self) -> bool:
        """Return whether rows are left out for their answer, which may mean another instead."""
        return self.name in _OF_ROWS

    @property
    def meant(self) -> str:
        """Return what the answer of these rows is taken for; empty: they are left out."""
        if self.reader is None or not self.leaves_rows_out:
            return ""
        return self.reader.empty or (self.reader.spellings or {}).get(self.label, "")

    @property
    def question(self) -> Text:
        """Return the question for an owner who keeps these rows."""
        return text(f"doctor.fix.{'class' if self.label else 'empty'}_means", column=self.column, label=self.label)

    @property
    def words(self) -> Text:
        """Return what it does."""
        code = "filled" if self.name == "unlabelled" else "merged"
        known = {"count": self.count, "label": self.label, "value": self.meant}
        return text(
            f"doctor.fix.{code if self.meant else self.name}",
            column=self.column,
            **{name: value for name, value in known.items() if value},
        )


@dataclass(frozen=True)
class Fixes:
    """Everything that a draft is to do about its cases."""

    every: tuple[Fix, ...] = ()

    @property
    def readers(self) -> tuple[ColumnReader, ...]:
        """Return the readers that are declared, one a column."""
        found: dict[str, ColumnReader] = {}
        for reader in filter(None, (one.reader for one in self.every)):
            before = found.get(reader.column, ColumnReader(column=reader.column))
            update = {**before.model_dump(exclude_none=True), **reader.model_dump(exclude_none=True)}
            if before.missing and reader.missing:
                update["missing"] = tuple(dict.fromkeys((*before.missing, *reader.missing)))
            if before.spellings and reader.spellings:
                update["spellings"] = before.spellings | reader.spellings
            found[reader.column] = ColumnReader.model_validate(update)
        return tuple(found.values())

    @property
    def withheld(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(one.column for one in self.every if one.name in _WITHHELD))

    @property
    def needed(self) -> tuple[str, ...]:
        """Return the columns without which a row is left out."""
        return tuple(dict.fromkeys(one.column for one in self.every if one.leaves_rows_out and not one.meant))

    @property
    def filled(self) -> tuple[str, ...]:
        """Return the columns whose empty cells mean something."""
        return tuple(dict.fromkeys(one.column for one in self.every if one.meant))

    @property
    def left_out(self) -> frozenset[str]:
        """Return the columns that no field describes, and that the copy of the cases lacks."""
        return frozenset(one.column for one in self.every if one.name == "secrets")

    @property
    def group(self) -> str | None:
        """Return the column whose equal values belong together; the first if there are several."""
        return next((one.column for one in self.every if one.name == "groups"), None)

    @property
    def once(self) -> bool:
        """Return whether a row that repeats another counts only once."""
        return any(one.name == "repeats" for one in self.every)

    @property
    def units(self) -> Mapping[str, str]:
        """Return the unit of each column whose cells lose theirs."""
        named = (one.reader for one in self.every if one.reader is not None)
        return {one.column: next(unit for unit, size in one.units.items() if size == 1) for one in named if one.units}


NO_FIXES = Fixes()


def check_fixes(asked: Iterable[str]) -> None:
    """Raise `InputError` for each of ``asked`` that is no fix: ``sentinels``, ``sentinels:temperature``, ``all``."""
    known = (*get_args(FixName), ALL)
    for one in asked:
        if one.partition(":")[0] not in known:
            raise InputError("doctor.fix.unknown", found=one, allowed=offer(one, known))


def chosen_fixes(offered: Sequence[Fix], asked: Sequence[str]) -> Fixes:
    """Return those of ``offered`` that ``asked`` names, by name or by name and column; ``all``: those advised.

    ``unlabelled:state=none`` takes an empty cell of *state* for *none*, where ``unlabelled:state`` leaves its row out;
    ``classes:state/burst=broken`` counts *burst* as *broken*.

    Raises:
        InputError: one that is no fix, or names a column that it is not offered for.
    """
    check_fixes(asked)
    offered = [as_meant(one, asked) for one in offered]
    spelled = [one.spelled for one in offered]
    for one in asked:
        if ":" in one and one not in spelled:
            raise InputError("doctor.fix.unknown", found=one, allowed=offer(one, spelled))
    named = set(asked)
    return Fixes(tuple(one for one in offered if named & {one.name, one.spelled, *([ALL] if one.advised else [])}))


def as_meant(fix: Fix, asked: Sequence[str]) -> Fix:
    """Return a fix that leaves rows out with what their answer means instead, if ``asked`` says it."""
    said = (one.removeprefix(f"{fix.offered}=") for one in asked if one.startswith(f"{fix.offered}="))
    if not fix.leaves_rows_out or not (value := next(said, "")):
        return fix
    how = {"spellings": {fix.label: value}} if fix.label else {"empty": value}
    return replace(fix, reader=ColumnReader.model_validate({"column": fix.column, **how}))


def fix_units(values: pl.Series, units: Sequence[str]) -> Fix | None:
    """Return the reader that turns ``values`` into numbers of the most frequent of ``units``; None if none does."""
    sizes = {units[0]: 1.0} if len(units) == 1 else _sizes_of(units)
    if not sizes:
        return None
    reader = ColumnReader(column=values.name, units=sizes)
    read = read_cells(values, (reader,))
    wrong = values.filter(type_column(read, DataType.FLOAT).wrong)
    words = wrong.str.strip_chars().unique(maintain_order=True).to_list()
    if not set(words) <= set(MISSING_SPELLINGS):
        return None
    return Fix("units", values.name, reader.model_copy(update={"missing": tuple(words)}) if words else reader)


def _sizes_of(units: Sequence[str]) -> dict[str, float]:
    """Return how many of the first unit each is; empty if they are not of one quantity."""
    known = next((sizes for sizes in _SIZES if set(units) <= sizes.keys()), None)
    return {} if known is None else {unit: float(f"{known[unit] / known[units[0]]:.12g}") for unit in units}


def fix_spellings(column: str, alike: Sequence[tuple[str, ...]]) -> Fix:
    """Return the reader that takes the most frequent spelling for each of the others."""
    meant = {spelled: same[0].strip() for same in alike for spelled in same if spelled != same[0].strip()}
    return Fix("spellings", column, ColumnReader(column=column, spellings=meant))
