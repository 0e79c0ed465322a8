"""Sixteen kinds of faults planted by seed into a table of texts: where each was put, or that it does not apply.

What a column has to be for a fault to be possible in it is decided by its type alone, never by how easily the fault is
found there: a number with ten values and more, a text with a letter, a day.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import NamedTuple

import numpy as np
import polars as pl

RATE = 0.02
"""Share of the rows at fault, five at least; units and labels: a tenth; a shift: from a row in the middle on."""
MANY = 0.1
_FEWEST = 5
_DISTINCT = 10
_TIMES = r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}"


class Planted(NamedTuple):
    """A table with one fault, and the columns that it is in; none: in whole rows."""

    table: pl.DataFrame
    fields: tuple[str, ...]


class Ground(NamedTuple):
    """A clean table of texts, its label, and the generator that decides."""

    table: pl.DataFrame
    label: str
    random: np.random.Generator

    @property
    def features(self) -> list[str]:
        return [name for name in self.table.columns if name != self.label]

    def numbers(self, name: str) -> np.ndarray:
        return self.table[name].cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()

    def numeric(self, positive: bool = False) -> list[str]:
        """Return the columns of numbers with several values; the order of their names decides nothing."""
        found = []
        for name in self.features:
            numbers = self.numbers(name)
            told = numbers[np.isfinite(numbers)]
            filled = self.table[name].count()
            several = len(np.unique(told)) >= _DISTINCT and not _counts(told)
            if 0 < len(told) == filled and several and (not positive or (told >= 0).all()):
                found.append(name)
        return found

    def words(self) -> list[str]:
        return [
            name
            for name in self.features
            if self.table[name].count()
            and self.table[name].cast(pl.Float64, strict=False).count() < 0.5 * self.table[name].count()
            and not (self.table[name].drop_nulls().str.contains(_TIMES).mean() or 0) > 0.5
            and (self.table[name].drop_nulls().str.contains(r"[A-Za-z]").mean() or 0) > 0.5
        ]

    def one_of(self, names: list[str]) -> str | None:
        return str(self.random.choice(names)) if names else None

    def rows(self, rate: float = RATE, among: np.ndarray | None = None) -> np.ndarray:
        """Return some rows in order, ``among`` those where something stands."""
        known = np.arange(self.table.height) if among is None else np.flatnonzero(among)
        count = min(len(known), max(_FEWEST, round(rate * self.table.height)))
        return np.sort(self.random.choice(known, count, replace=False))

    def differ(self, one: str, other: str) -> bool:
        """Return whether the middle halves of two columns share no value: otherwise they may be of one quantity."""
        mine, theirs = self.numbers(one), self.numbers(other)
        numeric = [np.isfinite(each).sum() > 0.5 * self.table.height for each in (mine, theirs)]
        if all(numeric):
            (low, high), (least, most) = (np.nanquantile(each, [0.25, 0.75]) for each in (mine, theirs))
            return bool(high < least or most < low)
        if any(numeric):
            return True
        return not set(self.table[one].drop_nulls().unique()) & set(self.table[other].drop_nulls().unique())

    def told(self, name: str) -> np.ndarray:
        return self.table[name].is_not_null().to_numpy()

    def put(self, name: str, rows: np.ndarray, values: list[str]) -> Planted:
        column = self.table[name].scatter(rows, values)
        return Planted(self.table.with_columns(column.alias(name)), (name,))


Plant = Callable[[Ground], Planted | None]


def _counts(numbers: np.ndarray) -> bool:
    return bool((np.diff(numbers) == 1).mean() > 0.9)


def _text(number: float) -> str:
    return f"{number:.6g}"


def sentinel(ground: Ground) -> Planted | None:
    """-999, -9999, 9999 or 99999 instead of numbers."""
    name = ground.one_of(ground.numeric())
    value = str(ground.random.choice(["-999", "-9999", "9999", "99999"]))
    return name and ground.put(name, rows := ground.rows(), [value] * len(rows))


def placeholder(ground: Ground) -> Planted | None:
    """n/a, unknown, ?, 无 or 未知 instead of values."""
    name = ground.one_of(ground.features)
    value = str(ground.random.choice(["n/a", "unknown", "?", "无", "未知"]))
    return name and ground.put(name, rows := ground.rows(), [value] * len(rows))


def mixed_units(ground: Ground) -> Planted | None:
    """A tenth of a column 1000, 100, 60, 2.54, 2.2046 or 0.3048 times as large: another unit."""
    if (name := ground.one_of(ground.numeric(positive=True))) is None:
        return None
    factor = float(ground.random.choice([1000, 0.001, 100, 60, 25.4, 2.2046]))
    numbers = ground.numbers(name)
    rows = ground.rows(MANY, numbers > 0)
    return ground.put(name, rows, [_text(numbers[row] * factor) for row in rows])


def units_in_cells(ground: Ground) -> Planted | None:
    """A unit behind the number, in some cells."""
    if (name := ground.one_of(ground.numeric())) is None:
        return None
    unit = str(ground.random.choice(["kg", " mm", "°C", " km/h", "元"]))
    rows = ground.rows(among=ground.told(name))
    return ground.put(name, rows, [ground.table[name][int(row)] + unit for row in rows])


def mojibake(ground: Ground) -> Planted | None:
    """An accent on the first vowel, written as UTF-8 and read as Windows-1252; or Chinese read as Latin-1 or GBK."""
    if (name := ground.one_of(ground.words())) is None:
        return None
    way = int(ground.random.integers(3))
    rows = ground.rows(among=ground.told(name))
    return ground.put(name, rows, [_misread(ground.table[name][int(row)], way) for row in rows])


def _misread(spelled: str, way: int) -> str:
    if way == 1:
        return spelled + "北京".encode("gbk").decode("latin-1")
    if way == 2:
        return spelled + "上海市区".encode().decode("gbk", "replace")
    place = next((at for at, sign in enumerate(spelled) if sign.lower() in "aeiou"), len(spelled))
    return spelled[:place] + "é".encode().decode("cp1252") + spelled[place + 1 :]


def variants(ground: Ground) -> Planted | None:
    """Other capitals, a blank more, or full-width letters."""
    if (name := ground.one_of(ground.words())) is None:
        return None
    way = int(ground.random.integers(3))
    letters = ground.table[name].str.contains(r"[a-zA-Z]").fill_null(False).to_numpy()
    rows = ground.rows(among=letters)
    return ground.put(name, rows, [_respelled(ground.table[name][int(row)], way) for row in rows])


def _respelled(spelled: str, way: int) -> str:
    if way == 0:
        return spelled.upper() if spelled != spelled.upper() else spelled.lower()
    if way == 1:
        return spelled + " "
    return "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in spelled)


def impossible_time(ground: Ground) -> Planted | None:
    """2099 or 1900-01-01 among days, 2099 or 1900 among years."""
    days = [one for one in ground.features if (ground.table[one].drop_nulls().str.contains(_TIMES).mean() or 0) > 0.9]
    years = [one for one in ground.features if one.lower() in ("year", "yr", "model_yr")]
    if (name := ground.one_of([*days, *years])) is None:
        return None
    late = bool(ground.random.integers(2))
    value = ("2099-07-01" if late else "1900-01-01") if name in days else ("2099" if late else "1900")
    if name in days and not ground.table[name].drop_nulls()[0][:4].isdigit():
        value = "7/1/2099" if late else "1/1/1900"
    return ground.put(name, rows := ground.rows(), [value] * len(rows))


def impossible_value(ground: Ground) -> Planted | None:
    """A minus before some positive numbers, or two to five digits too many."""
    if (name := ground.one_of(ground.numeric(positive=True))) is None:
        return None
    numbers = ground.numbers(name)
    rows = ground.rows(RATE / 2, numbers > 0)
    signs = bool(ground.random.integers(2))
    times = -np.ones(len(rows)) if signs else 10 ** ground.random.uniform(2.5, 5, len(rows))
    return ground.put(name, rows, [_text(numbers[row] * one) for row, one in zip(rows, times, strict=True)])


def level_shift(ground: Ground) -> Planted | None:
    """From a row in the middle on three standard deviations more or less."""
    if (name := ground.one_of(ground.numeric())) is None:
        return None
    numbers = ground.numbers(name)
    sign = float(ground.random.choice([-3, 3]))
    start = int(ground.random.uniform(0.3, 0.8) * len(numbers))
    rows = np.flatnonzero((np.arange(len(numbers)) >= start) & np.isfinite(numbers))
    return ground.put(name, rows, [_text(numbers[row] + sign * np.nanstd(numbers)) for row in rows])


def stuck(ground: Ground) -> Planted | None:
    """A tenth of the rows on end hold the value of the first of them."""
    if (name := ground.one_of(ground.numeric())) is None:
        return None
    known = np.flatnonzero(ground.told(name))
    length = max(12, round(MANY * ground.table.height))
    start = int(ground.random.choice(known[known < ground.table.height - length]))
    value = ground.table[name][start]
    return ground.put(name, np.arange(start, start + length), [value] * length)


def leak(ground: Ground) -> Planted | None:
    """A column more: a code of the label, wrong in one row of a hundred; of numbers three times it and a little."""
    label = ground.table[ground.label]
    numbers = ground.numbers(ground.label)
    if np.isfinite(numbers).sum() == label.count() and label.n_unique() > 20:
        noise = ground.random.normal(0, 1e-3 * np.nanstd(numbers), len(numbers))
        values = [_text(one) if np.isfinite(one) else None for one in 3 * numbers + noise]
        return Planted(ground.table.with_columns(pl.Series("outcome_code", values, pl.String)), ("outcome_code",))
    kinds = label.unique(maintain_order=True).to_list()
    codes = [f"k{kinds.index(one)}" for one in label.to_list()]
    for row in ground.rows(0.01):
        codes[row] = f"k{int(ground.random.integers(len(kinds)))}"
    return Planted(ground.table.with_columns(pl.Series("outcome_code", codes)), ("outcome_code",))


def label_noise(ground: Ground) -> Planted | None:
    """Another class in a tenth of the rows."""
    label = ground.table[ground.label]
    kinds = label.drop_nulls().unique(maintain_order=True).to_list()
    if not 2 <= len(kinds) <= 20:
        return None
    rows = ground.rows(MANY, ground.told(ground.label))
    others = [[one for one in kinds if one != label[int(row)]] for row in rows]
    return ground.put(ground.label, rows, [str(ground.random.choice(one)) for one in others])


def repeated(ground: Ground) -> Planted | None:
    """Some rows once more, at the end."""
    return Planted(pl.concat([ground.table, ground.table[ground.rows()]]), ())


def near_repeated(ground: Ground) -> Planted | None:
    """Some rows once more, at the end, with another number or spelling in one cell."""
    again = ground.table[ground.rows()]
    if (name := ground.one_of(ground.numeric())) is not None:
        values = again[name].cast(pl.Float64, strict=False) * 1.01 + 0.01
        again = again.with_columns(pl.Series(name, [one and _text(one) for one in values.to_list()], pl.String))
    elif (name := ground.one_of(ground.words())) is not None:
        again = again.with_columns(pl.col(name) + "x")
    else:
        return None
    return Planted(pl.concat([ground.table, again]), ())


def broken_key(ground: Ground) -> Planted | None:
    """A column of numbers of rows that says some twice."""
    keys = [f"R{one:06d}" for one in range(1, ground.table.height + 1)]
    for row in ground.rows(RATE / 2):
        keys[row] = keys[int(ground.random.integers(ground.table.height))]
    return Planted(ground.table.select(pl.Series("row_id", keys), pl.all()), ("row_id",))


def wrong_column(ground: Ground) -> Planted | None:
    """The cells of two columns exchanged in some rows: of two types, or with other values in their middle halves."""
    pairs = [pair for pair in combinations(ground.features, 2) if ground.differ(*pair)]
    if not pairs:
        return None
    one, other = pairs[int(ground.random.integers(len(pairs)))]
    differ = (ground.table[one] != ground.table[other]).fill_null(False).to_numpy()
    rows = ground.rows(among=differ)
    values, others = ground.table[one][rows].to_list(), ground.table[other][rows].to_list()
    return Planted(
        ground.put(other, rows, values).table.with_columns(ground.put(one, rows, others).table[one]), (one, other)
    )


KINDS: tuple[Plant, ...] = (
    *(sentinel, placeholder, mixed_units, units_in_cells, mojibake, variants, impossible_time, impossible_value),
    *(level_shift, stuck, leak, label_noise, repeated, near_repeated, broken_key, wrong_column),
)


def planted(kind: Plant, table: pl.DataFrame, label: str, seed: int) -> Planted | None:
    """Return ``table`` with one fault of ``kind``; None if none of its columns can have it."""
    found = kind(Ground(table, label, np.random.default_rng([seed, KINDS.index(kind)])))
    return found or None
