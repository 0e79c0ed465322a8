"""A private profile of a record set: counted in one pass over the records, then given noise, then cut.

Everything after the noise (suppression, quantiles, means as quotients) is computed from noisy counts, which reveals
nothing more about a record (post-processing; Dwork and Roth 2014, proposition 2.1).

Noise on counts: OpenDP's discrete Laplace mechanism over integers, the only way out for a true count.

A count plus noise is an integer drawn exactly (Canonne, Kamath, Steinke, "The Discrete Gaussian for Differential
Privacy", NeurIPS 2020, algorithm 2), so that no bit of a float reveals the count. Needs the extra ``opendp``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from pilotbase.data.private.grids import STEPS, FieldGrid, grids_of
from pilotbase.data.quality.columns import RecordTable, TableColumn, row_hash
from pilotbase.documents.dataset import FieldType, RecordSet
from pilotbase.documents.errors import InputError
from pilotbase.documents.extras import packages_of
from pilotbase.documents.hashes import digest_json
from pilotbase.documents.private import (
    LeftOut,
    Noise,
    PrivacyUnit,
    PrivateCell,
    PrivateField,
    PrivateMean,
    PrivatePair,
    PrivateProfile,
    PrivateQuantile,
    PrivateQuestion,
)
from pilotbase.documents.quality import Cell
from pilotbase.documents.terms import MILLIONTHS

_TYPE = "i64"


def mechanism() -> str:
    """Return the name and version of what draws the noise; raises `InputError` if OpenDP is not installed."""
    return f"discrete Laplace (OpenDP {_opendp().__version__})"


def noisy(counts: Sequence[int], noise: Noise) -> list[int]:
    """Return ``counts`` with independent noise.

    For any two lists of counts that are ``noise.sensitivity`` apart in L1, each outcome is at most exp(ε) times as
    likely under one as under the other: OpenDP itself states this of the mechanism that draws, or nothing is drawn.
    """
    drawn: list[int] = _mechanism(noise.sensitivity, noise.epsilon)(list(counts))
    return drawn


def noise_for(sensitivity: int, epsilon: int) -> Noise:
    """Return the noise that ``epsilon`` millionths buy, with its error at 95 %."""
    return Noise(epsilon=epsilon, sensitivity=sensitivity, error=error_of(sensitivity, epsilon, 0.05))


def error_of(sensitivity: int, epsilon: int, beyond: float) -> int:
    """Return the smallest t with P(abs(noise) > t) ≤ ``beyond``: 2αᵗ⁺¹ / (1 + α), where α = exp(-ε / sensitivity)."""
    rate = epsilon / (MILLIONTHS * sensitivity)
    steps = (math.log(2 / beyond) - math.log1p(math.exp(-rate))) / rate
    return max(math.ceil(steps) - 1, 0)


@cache
def _mechanism(sensitivity: int, epsilon: int) -> Any:
    dp = _opendp()
    space = dp.vector_domain(dp.atom_domain(T=_TYPE)), dp.l1_distance(T=_TYPE)
    scale = sensitivity * MILLIONTHS / epsilon
    while True:
        drawing = dp.m.make_geometric(*space, scale=scale)
        if Fraction(drawing.map(sensitivity)) <= Fraction(epsilon, MILLIONTHS):
            return drawing
        scale = math.nextafter(scale, math.inf)  # OpenDP rounds its loss up, by a bit or two


@cache
def _opendp() -> Any:
    try:
        dp: Any = import_module("opendp.prelude")
    except ImportError:
        raise InputError("private.no_opendp", packages=packages_of("opendp")) from None
    dp.enable_features("contrib")
    return dp


Counts = npt.NDArray[np.int64]
_BATCH = 100_000
_SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
_ROWS, _CELLS, _MEAN, _PAIR = 2, 4, 1, 5
"""Shares: the number of rows, each field's counts, each mean, each pair of fields."""
_HOLDOUT = 5
"""One unit in this many is set aside."""
_ORDER, _SIDE = 11, 12


@dataclass(frozen=True)
class NoiseSplit:
    """The noise of each part: all fields alike, all means alike, all pairs alike."""

    rows: Noise
    cells: Noise
    mean: Noise
    pair: Noise


@dataclass(frozen=True)
class ProfilePlan:
    """What is counted in a record set, and with how much noise: determined by the contract before anything is read."""

    grids: tuple[FieldGrid, ...]
    means: tuple[FieldGrid, ...]
    pairs: tuple[tuple[FieldGrid, FieldGrid], ...]
    left_out: tuple[LeftOut, ...]
    noise: NoiseSplit


@dataclass(frozen=True)
class RawCounts:
    """The counts without noise: they stay in the process that counted them."""

    rows: int
    cells: Mapping[str, Counts]
    sums: Mapping[str, int]
    """Of steps, see `FieldGrid.step`."""
    pairs: Mapping[tuple[str, str], Counts]


@dataclass(frozen=True)
class TableRecords:
    """Some of the records of a table. ``frame``: what `TableColumn` names."""

    columns: Mapping[str, TableColumn]
    frame: pl.LazyFrame


@dataclass(frozen=True)
class Units:
    """The records of a table by their units; those without a group are left out if groups are the unit.

    Of each group, at most the declared number of records count. Each unit alone determines which of its records count
    and whether it is set aside: adding or removing another unit changes nothing about it.
    """

    table: RecordTable
    unit: PrivacyUnit

    def training(self, holdout: bool) -> TableRecords:
        """Return the records to profile: all, or without those set aside."""
        return self._bounded(~self._set_aside() if holdout else pl.lit(True))

    def holdout(self) -> TableRecords:
        """Return the records that are set aside."""
        return self._bounded(self._set_aside())

    def _bounded(self, side: pl.Expr) -> TableRecords:
        frame = self.table.frame.filter(side)
        if self.unit.kind == "group":
            group = self._group().value
            order = row_hash(list(self.table.columns.values()), _ORDER).rank("ordinal").over(group)
            frame = frame.filter(group.is_not_null()).filter(order <= self.unit.at_most)
        return TableRecords(self.table.columns, frame)

    def _set_aside(self) -> pl.Expr:
        named = [self._group()] if self.unit.kind == "group" else list(self.table.columns.values())
        return row_hash(named, _SIDE) % _HOLDOUT == 0

    def _group(self) -> TableColumn:
        return self.table.columns[self.unit.column or ""]


def plan(record_set: RecordSet, question: PrivateQuestion) -> ProfilePlan:
    """Return what ``question`` counts; pairs are the first label, or the column it names, with every other field.

    Raises:
        InputError: the contract declares categories or a range of no field; ε is too small to be divided.
    """
    found = grids_of(record_set, question)
    grids = tuple(one for one in found if isinstance(one, FieldGrid))
    left_out = tuple(one for one in found if isinstance(one, LeftOut))
    if not grids:
        raise InputError("private.nothing_declared", record_set=record_set.name)
    means = tuple(one for one in grids if not one.values)
    labels = [one for one in grids if one.field.is_label]
    pairs = tuple((labels[0], one) for one in grids if one is not labels[0]) if labels else ()
    at_most = unit_of(record_set, question).at_most
    noise = split(question.epsilon, at_most, len(grids), len(means), len(pairs))
    return ProfilePlan(grids, means, pairs, left_out, noise)


def profile(table: RecordTable, question: PrivateQuestion) -> PrivateProfile:
    """Return the profile of the records of ``table``: every call draws new noise, so that ε must be spent before.

    Raises:
        InputError: as `require_ready`.
    """
    require_ready(table, question)
    planned, unit = plan(table.record_set, question), unit_of(table.record_set, question)
    counted = count(Units(table, unit).training(question.holdout), planned)
    released = _Released(counted, planned, question.cell_size)
    fields, pairs = released.fields(), released.pairs()
    return PrivateProfile(
        question=question,
        request=request_of(question),
        mechanism=mechanism(),
        unit=unit,
        rows=released.rows,
        rows_noise=planned.noise.rows,
        fields=fields,
        pairs=pairs,
        left_out=planned.left_out,
        suppressed=released.suppressed,
    )


def require_ready(table: RecordTable, question: PrivateQuestion) -> None:
    """Raise `InputError` if ``question`` cannot have an answer; only the header of ``table`` is read."""
    mechanism()
    wanted = [one.field.name for one in plan(table.record_set, question).grids]
    unit = unit_of(table.record_set, question)
    for name in [*wanted, *([unit.column] if unit.column else [])]:
        if name not in table.columns:
            raise InputError("private.no_column", name=name)


def count(records: TableRecords, planned: ProfilePlan) -> RawCounts:
    """Return the true counts of all ``records``."""
    cells = {one.field.name: np.zeros(one.missing + 1, np.int64) for one in planned.grids}
    pairs = {_names(pair): np.zeros((pair[0].coarse + 1, pair[1].coarse + 1), np.int64) for pair in planned.pairs}
    sums, rows = {one.field.name: 0 for one in planned.means}, 0
    columns = records.columns
    chosen = [one.cell(columns[one.field.name]) for one in planned.grids]
    chosen += [one.step(columns[one.field.name]).name.prefix("step ") for one in planned.means]
    for batch in records.frame.select(chosen).collect_batches(chunk_size=_BATCH, engine="streaming"):
        rows += batch.height
        codes = {name: batch[name].to_numpy() for name in cells}
        for name, found in codes.items():
            cells[name] += np.bincount(found, minlength=len(cells[name]))
        for name in sums:
            sums[name] += int(batch[f"step {name}"].sum())
        for first, second in planned.pairs:
            together = pairs[_names((first, second))]
            places = _coarse(first, codes) * together.shape[1] + _coarse(second, codes)
            together += np.bincount(places, minlength=together.size).reshape(together.shape)
    return RawCounts(rows, cells, sums, pairs)


def request_of(question: PrivateQuestion) -> str:
    """Return the name of this use of the budget in the ledger."""
    return digest_json(question.to_json_value())


def _names(pair: tuple[FieldGrid, FieldGrid]) -> tuple[str, str]:
    return pair[0].field.name, pair[1].field.name


def _coarse(grid: FieldGrid, codes: Mapping[str, Counts]) -> Counts:
    """Return merged cells; everything undeclared is in the one after them."""
    found = codes[grid.field.name]
    merged: Counts = np.where(found < grid.size, found // grid.merged, grid.coarse)
    return merged


class _Released:
    """Counts with noise, each drawn once, those below the smallest cell suppressed."""

    def __init__(self, counted: RawCounts, planned: ProfilePlan, least: int) -> None:
        self.counted, self.planned, self.least = counted, planned, least
        self.suppressed = 0
        self.rows = self._told(noisy([counted.rows], planned.noise.rows))[0]

    def fields(self) -> tuple[PrivateField, ...]:
        return tuple(self._field(grid) for grid in self.planned.grids)

    def pairs(self) -> tuple[PrivatePair, ...]:
        found = []
        for first, second in self.planned.pairs:
            true = self.counted.pairs[_names((first, second))][: first.coarse]
            drawn = self._told(noisy(true.ravel().tolist(), self.planned.noise.pair))
            width = second.coarse + 1
            counts = tuple(tuple(drawn[start : start + width]) for start in range(0, len(drawn), width))
            names = {"first": first.field.name, "second": second.field.name}
            found.append(PrivatePair(**names, counts=counts, noise=self.planned.noise.pair))
        return tuple(found)

    def _told(self, counts: Sequence[int]) -> list[Cell]:
        told: list[Cell] = [count if count >= self.least else None for count in counts]
        self.suppressed += told.count(None)
        return told

    def _field(self, grid: FieldGrid) -> PrivateField:
        noise, true = self.planned.noise.cells, self.counted.cells[grid.field.name].tolist()
        *told, outside, missing = self._told(noisy(true, noise))
        cells = tuple(_cell(grid, place, count) for place, count in enumerate(told))
        return PrivateField(
            field=grid.field.name,
            data_type=(grid.field.data_type or FieldType.TEXT).value,
            label=grid.field.is_label,
            cells=cells,
            outside=outside,
            missing=missing,
            merged=grid.merged,
            noise=noise,
            mean=self._mean(grid, missing) if grid in self.planned.means else None,
            quantiles=() if grid.values else _quantiles(cells),
        )

    def _mean(self, grid: FieldGrid, missing: Cell) -> PrivateMean:
        """Return Σ clamped / (rows - missing), both with noise; its error allows each of the three a third of 5 %."""
        noise = self.planned.noise.mean
        total = noisy([self.counted.sums[grid.field.name]], noise)[0]
        there = (self.rows or 0) - (missing or 0)
        if there < self.least or grid.field.minimum is None or grid.field.maximum is None:
            return PrivateMean(value=None, noise=noise)
        half = (grid.field.maximum - grid.field.minimum) / 2
        of_rows = _error(self.planned.noise.rows) + max(_error(self.planned.noise.cells), 0 if missing else self.least)
        share = min(max(total / (STEPS * there), -1.0), 1.0)
        error = (_error(noise) / STEPS + of_rows * abs(share)) / max(there - of_rows, 1) + 1 / (2 * STEPS)
        return PrivateMean(value=grid.field.minimum + half * (1 + share), error=half * min(error, 2.0), noise=noise)


def _error(noise: Noise) -> int:
    return error_of(noise.sensitivity, noise.epsilon, 0.05 / 3)


def _cell(grid: FieldGrid, place: int, count: Cell) -> PrivateCell:
    if grid.values:
        return PrivateCell(value=grid.values[place], count=count)
    low = grid.low + place * grid.width
    return PrivateCell(low=low, high=low + grid.width, count=count)


def _quantiles(cells: Sequence[PrivateCell]) -> tuple[PrivateQuantile, ...]:
    """Return quantiles of the released bins, linear between a bin's ends; none for empty bins."""
    heights = np.array([one.count or 0 for one in cells], np.float64)
    if not heights.sum():
        return ()
    edges = [one.low or 0.0 for one in cells] + [cells[-1].high or 0.0]
    reached = np.concatenate([[0.0], np.cumsum(heights) / heights.sum()])
    places = np.interp(_SHARES, reached, edges)
    return tuple(PrivateQuantile(share=share, value=float(place)) for share, place in zip(_SHARES, places, strict=True))


def split(epsilon: int, at_most: int, fields: int, means: int, pairs: int) -> NoiseSplit:
    """Return the noise of a profile of so many fields, means and pairs; ``at_most``: records of one unit.

    All parts are about the same records, so what they spend adds up (sequential composition; Dwork and Roth, "The
    Algorithmic Foundations of Differential Privacy", 2014, theorem 3.16): in whole millionths, never more than asked.

    Raises:
        InputError: ``epsilon`` is too small to be divided among them.
    """
    shares = _ROWS + _CELLS * fields + _MEAN * means + _PAIR * pairs
    if epsilon < shares:
        raise InputError("private.too_little", epsilon=epsilon, least=shares)
    one = epsilon // shares
    return NoiseSplit(
        rows=noise_for(at_most, one * _ROWS),
        cells=noise_for(at_most, one * _CELLS),
        mean=noise_for(at_most * STEPS, one * _MEAN),
        pair=noise_for(at_most, one * _PAIR),
    )


def unit_of(record_set: RecordSet, question: PrivateQuestion) -> PrivacyUnit:
    """Return the unit: all records of a group if the contract names a group column, else a record."""
    if record_set.group is None:
        return PrivacyUnit(kind="record")
    return PrivacyUnit(kind="group", column=record_set.group, at_most=question.at_most)
