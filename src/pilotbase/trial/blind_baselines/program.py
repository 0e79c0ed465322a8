"""The input of a blind baseline, which is the same as an application's, and its output.

Some columns reveal a case's place in the owner's file: row numbers, or the timestamps of a log. Row numbers are numbers
of few decimals, or the first or last number within a name, decimal or hexadecimal, that repeat far less often than
measurements in the same range would by chance, whatever the step. A time counts if the file is sorted by it, even when
it is written as a number: days as spreadsheets count them, seconds or milliseconds. Other columns by which a file
happens to be sorted are features.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pilotbase.data.baselines import as_answered
from pilotbase.data.column_types import type_column
from pilotbase.documents.answer_texts import right_answer
from pilotbase.documents.contract import ARRAYS, Contract, DataType, Field, Prediction
from pilotbase.documents.texts import Text
from pilotbase.trial.delivering import Column, Features, Ints

_FEWEST = 20
_NEARLY_ALL = 0.99
_FAR_LESS = 3
"""So many times as many repeats, and at least so many, would be there by chance."""
_LARGEST = float(2**53)
_UNITS = (1.0, 10.0, 100.0, 1000.0)
_TIMES = frozenset({DataType.DATE, DataType.DATETIME})
_NUMBERS_IN_NAMES = (
    (r"^\D*(\d{1,15})(?:\D|$)", 10),
    (r"(\d{1,15})\D*$", 10),
    (r"(?:^|[^0-9A-Za-z])([0-9A-Fa-f]{1,12})(?:[^0-9A-Za-z]|$)", 16),
    (r"([0-9A-Fa-f]{1,12})[^0-9A-Za-z]*$", 16),
)
_SHEET_DAYS, _EPOCH_DAY, _DAY_SECONDS = (32_509, 73_415), 25_569, 86_400
"""Days from 1989 to 2100 in spreadsheet numbering, and the day from which seconds count."""
_MOMENTS = ((6e8, 4.2e9), (6e11, 4.2e12))
"""Seconds, and milliseconds, of 1989 to 2103."""
_LONGEST_LOG = 0.1
"""Largest share of such a range that a log spans, about ten years: numbers that spread wider aren't timestamps."""
Places = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class BlindInput:
    """The public sample with its answers, and the cases as they reach the box; features as `feature_columns` gives.

    ``truths``: of the public cases, in their order: codes of the classes, numbers or texts. ``rows``: the place of each
    hidden case in the run, rising; ``total``: how many there are in the run.
    """

    contract: Contract
    public: Features
    truths: Column
    hidden: Features
    rows: Ints
    total: int
    batch_rows: int

    @property
    def prediction(self) -> Prediction:
        return self.contract.prediction

    @property
    def size(self) -> int:
        return len(self.rows)

    @property
    def of_numbers(self) -> bool:
        return self.prediction.kind in ("value", "interval")

    def repeated(self, truth: object) -> Column:
        """Return ``truth``, a code or a number, as the answer to every case."""
        return self.as_answers(np.full(self.size, truth, dtype=np.float64 if self.of_numbers else np.int64))

    def picked(self, cases: Ints) -> Column:
        """Return the truths of public ``cases`` as answers, shape (cases,); for −1 the most common of all."""
        return self.as_answers(self.truths[np.where(cases < 0, _usual_case(self.truths), cases)])

    def as_answers(self, truths: Column) -> Column:
        """Return the answers that say what ``truths`` do, coded like an application's."""
        if truths.dtype == object:
            kind = self.prediction.kind
            return np.array([None if one is None else right_answer(one, kind) for one in truths.tolist()], dtype=object)
        return as_answered(truths, self.prediction)


@dataclass(frozen=True, eq=False)
class ProgramOutput:
    """A program's answers to every case in one of its variants, and the name of that variant."""

    way: Text
    values: Column
    perturbed: Mapping[str, Column] = field(default_factory=dict)
    """The answers in the same variant under each perturbation."""


@dataclass(frozen=True)
class BlindProgram:
    """A blind baseline; it returns nothing for a contract to which it doesn't apply.

    ``reads``: the program looks features up in the public sample, as a learner does, so its score proves blindness only
    where hidden cases are copies of public ones.
    """

    name: str
    answer: Callable[[BlindInput], Iterator[ProgramOutput]]
    reads: bool = False


def codes_of(truths: Column) -> Ints:
    """Return a code per truth, equal for equal ones, shape (rows,); a missing one is a truth too."""
    if truths.dtype == object:
        truths = np.array(["\x00" if one is None else one for one in truths.tolist()], dtype=str)
    return np.unique(truths, return_inverse=True)[1].astype(np.int64)


def _usual_case(truths: Column) -> int:
    """Return a case whose truth is the most frequent one, or of numbers nearest to the median."""
    if truths.dtype.kind == "f":
        middle = np.nanmedian(truths) if np.isfinite(truths).any() else 0.0
        return int(np.argmin(np.where(np.isfinite(truths), np.abs(truths - middle), np.inf)))
    codes = codes_of(truths)
    return int(np.flatnonzero(codes == np.bincount(codes).argmax())[0])


def counts_by(groups: Ints, width: int, codes: Ints) -> Ints:
    """Count each code in each of ``width`` groups, shape (width, codes); ``groups``: one per case."""
    kinds = int(codes.max()) + 1
    return np.bincount(groups * kinds + codes, minlength=width * kinds).reshape(width, kinds).astype(np.int64)


def usual_by(groups: Ints, width: int, codes: Ints) -> Ints:
    """Return for each of ``width`` groups a case with the group's most common code, or −1 if it has none."""
    counts = counts_by(groups, width, codes)
    first = np.full(counts.shape[1], -1, dtype=np.int64)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    return np.where(counts.any(axis=1), first[counts.argmax(axis=1)], -1)


@dataclass(frozen=True, eq=False)
class Numbering:
    """A column's places of the public and hidden cases, NaN where unknown; for row numbers in steps of one."""

    column: str
    public: Places
    hidden: Places
    is_time: bool


def numberings(asked: BlindInput) -> Iterator[Numbering]:
    """Yield the places in the file that each column reveals, if any."""
    for feature in asked.contract.features:
        if feature.data_type in ARRAYS:
            continue
        for public, hidden in _readings(feature, asked.public[feature.name], asked.hidden[feature.name]):
            found = _numbering(feature, public, hidden)
            if found is not None:
                yield found
                break


def _readings(field: Field, public: Column, hidden: Column) -> Iterator[tuple[Places, Places]]:
    """Yield the numbers in the cells, or their times in seconds; NaN where there is none."""
    if public.dtype != object:
        numbers = (public.astype(np.float64), hidden.astype(np.float64))
        if _are_sheet_days(np.concatenate(numbers)):
            first, second = (np.rint((side - _EPOCH_DAY) * _DAY_SECONDS) for side in numbers)
            yield first, second
        yield numbers
        return
    sides = [pl.Series("cell", side.tolist(), dtype=pl.String) for side in (public, hidden)]
    if field.data_type in _TIMES:
        moments = (type_column(side, field.data_type).values.cast(pl.Datetime("us")) for side in sides)
        first, second = (_floats(side.dt.epoch("s")) for side in moments)
        yield first, second
        return
    for pattern, base in _NUMBERS_IN_NAMES:
        found = (side.str.extract(pattern).str.to_integer(base=base, strict=False) for side in sides)
        first, second = (_floats(side) for side in found)
        yield first, second


def _are_sheet_days(numbers: Places) -> bool:
    """Return whether the numbers are fractional days, as spreadsheets store times."""
    known = numbers[np.isfinite(numbers)]
    low, high = _SHEET_DAYS
    return bool(((known >= low) & (known <= high)).all() and (known != np.rint(known)).any())


def _floats(cells: pl.Series) -> Places:
    numbers = cells.cast(pl.Float64, strict=False).fill_null(float("nan"))
    return np.asarray(numbers.to_numpy(), dtype=np.float64)


def _numbering(field: Field, public: Places, hidden: Places) -> Numbering | None:
    every = np.concatenate([public, hidden])
    known = every[np.isfinite(every)]
    distinct = np.unique(known)
    if len(distinct) < _FEWEST or len(known) < _NEARLY_ALL * len(every):
        return None
    if field.data_type in _TIMES:
        return _along_time(field, public, hidden)
    counted = _counted(field, public, hidden, known)
    if counted is None and any(_spans_log(distinct, *moments) for moments in _MOMENTS):
        return _along_time(field, public, hidden)
    return counted


def _spans_log(distinct: Places, low: float, high: float) -> bool:
    return bool(low <= distinct[0] and distinct[-1] <= high and np.ptp(distinct) <= _LONGEST_LOG * (high - low))


def _along_time(field: Field, public: Places, hidden: Places) -> Numbering | None:
    """Return moments as places where the file is written along them."""
    along = float(np.mean(np.diff(public[np.isfinite(public)]) >= 0)) >= _NEARLY_ALL
    return Numbering(field.name, public, hidden, is_time=True) if along else None


def _counted(field: Field, public: Places, hidden: Places, known: Places) -> Numbering | None:
    """Return numbers of few decimals as places where they repeat far less often than by chance."""
    unit = _unit(known)
    if unit is None:
        return None
    public, hidden, known = (np.rint(side * unit) for side in (public, hidden, known))
    distinct = np.unique(known)
    step = int(np.gcd.reduce(np.diff(distinct).astype(np.int64)))
    repeats = len(known) - len(distinct)
    by_chance = len(known) ** 2 / (2 * float(np.ptp(distinct)) / step)
    if repeats > (1 - _NEARLY_ALL) * len(known) or by_chance < _FAR_LESS * (1 + repeats):
        return None
    first, second = ((side - distinct[0]) / step for side in (public, hidden))
    return Numbering(field.name, first, second, is_time=False)


def _unit(known: Places) -> float | None:
    """Return how many steps of the last decimal make one, where so few decimals are written; else None."""
    for unit in _UNITS:
        scaled = known * unit
        if np.abs(scaled).max() <= _LARGEST and np.allclose(scaled, np.rint(scaled), rtol=1e-15, atol=1e-9):
            return unit
    return None
