"""Perturbations of series: gaps, sensors that freeze, values that come late, clocks that are wrong.

Rows are in their given order, or in that of the column ``by``; with ``within`` each value of that column (a machine, a
ward) is a separate series.

Perturbations of sounds: a column of arrays (samples,), floats around 1 at full scale, or whole numbers.

Shares of time and of frequencies need no rate. Each sound is changed independently; silence stays silent.
"""

from abc import abstractmethod
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotbase.measures.perturbations.definition import (
    COLUMNS,
    SHARE,
    Column,
    FieldRef,
    Perturbation,
    PerturbationParameter,
    of_each,
)
from pilotbase.measures.perturbations.tabular import without

Floats = NDArray[np.float64]


class _OfSounds(Perturbation):
    """A change of each sound independently."""

    kinds = frozenset({"audio"})

    def change(self, column: Column, place: FieldRef) -> Column:
        return of_each(column, lambda sound: _as_before(self.sound(sound.astype(np.float64), place.random), sound))

    @abstractmethod
    def sound(self, samples: Floats, random: np.random.Generator) -> Floats:
        """Return samples, shape (samples,), changed."""


class Hiss(_OfSounds):
    """Adds white noise to each sound with probability ``share``, ``snr`` decibels below it (in power)."""

    name = "hiss"
    parameters = (SHARE, PerturbationParameter("snr", Decimal(20), Decimal(-20), Decimal(100)), COLUMNS)

    def sound(self, samples: Floats, random: np.random.Generator) -> Floats:
        touched, noise = random.random() < self.number("share"), random.standard_normal(len(samples))
        power = float(np.mean(samples**2)) if len(samples) else 0.0
        return samples + noise * np.sqrt(power * 10 ** (-self.number("snr") / 10)) if touched else samples


class Loudness(_OfSounds):
    """Makes sounds louder by ``decibels`` (fainter if negative); values beyond full scale are clipped."""

    name = "loudness"
    parameters = (PerturbationParameter("decibels", low=Decimal(-60), high=Decimal(60)), COLUMNS)

    def sound(self, samples: Floats, random: np.random.Generator) -> Floats:
        return samples * 10 ** (self.number("decibels") / 20)


class Dropouts(_OfSounds):
    """Silences runs of ``length`` samples that cover ``share`` of each sound: packets are lost, a contact is loose."""

    name = "dropouts"
    parameters = (
        SHARE,
        PerturbationParameter("length", Decimal(1600), Decimal(1), Decimal(1_000_000), whole=True),
        COLUMNS,
    )

    def sound(self, samples: Floats, random: np.random.Generator) -> Floats:
        gone = runs(len(samples), self.number("share"), int(self.number("length")), random)
        return np.where(gone, 0.0, samples)


class Clipping(_OfSounds):
    """Clips values above 1 - ``share`` of a sound's own peak: an overdriven microphone."""

    name = "clipping"
    parameters = (PerturbationParameter("share", high=Decimal("0.99")), COLUMNS)

    def sound(self, samples: Floats, random: np.random.Generator) -> Floats:
        limit = (1 - self.number("share")) * np.abs(samples).max(initial=0.0)
        return np.clip(samples, -limit, limit)


class BandLimit(_OfSounds):
    """Takes away the upper ``share`` of the frequencies, up to half the rate: a telephone line."""

    name = "band_limit"
    parameters = (PerturbationParameter("share", high=Decimal("0.99")), COLUMNS)

    def sound(self, samples: Floats, random: np.random.Generator) -> Floats:
        if not len(samples):
            return samples
        spectrum = np.fft.rfft(samples)
        spectrum[max(int((1 - self.number("share")) * len(spectrum)), 1) :] = 0
        return np.fft.irfft(spectrum, len(samples))


def _as_before(samples: Floats, sound: NDArray[Any]) -> NDArray[Any]:
    """Return ``samples`` in the sound's own type, within its full scale, or its own peak where that is higher."""
    if sound.dtype.kind in "iu":
        ends = np.iinfo(sound.dtype)
        return np.clip(np.rint(samples), ends.min, ends.max).astype(sound.dtype)
    most = max(float(np.abs(sound).max(initial=0.0)), 1.0)
    return np.clip(samples, -most, most).astype(sound.dtype)


Ints = NDArray[np.int64]

_BY = PerturbationParameter("by", "", of_columns=True)
_WITHIN = PerturbationParameter("within", "", of_columns=True)
_LENGTH = PerturbationParameter("length", Decimal(10), Decimal(1), Decimal(1_000_000), whole=True)
_TO_SECONDS = len("2027-06-30T12:00:00")
_TO_DAYS = len("2027-06-30")


class _OfSeries(Perturbation):
    """A change that follows the rows of each series."""

    across_cases = True

    def _series(self, place: FieldRef) -> list[Ints]:
        """Return the row numbers of each series, in order."""
        rows = np.arange(len(place.reference) if not place.columns else len(next(iter(place.columns.values()))))
        for column in self.names("by"):
            rows = rows[np.argsort(_sortable(place.columns[column]), kind="stable")]
        for column in self.names("within"):
            codes = np.unique(_sortable(place.columns[column]), return_inverse=True)[1]
            ordered = rows[np.argsort(codes[rows], kind="stable")]
            return np.split(ordered, np.flatnonzero(np.diff(codes[ordered])) + 1)
        return [rows]

    def _sources(self, place: FieldRef, of: Callable[[int], Ints]) -> Ints:
        """Return for each row the row whose value it gets; ``of(n)`` says so for a series of n rows."""
        sources = np.empty(len(next(iter(place.columns.values()))), dtype=np.int64)
        for rows in self._series(place):
            sources[rows] = rows[of(len(rows))]
        return sources

    def _runs(self, count: int, random: np.random.Generator) -> NDArray[np.bool_]:
        """Return which of ``count`` rows lie in runs of ``length`` that begin at random and cover ``share`` of all."""
        return runs(count, self.number("share"), int(self.number("length")), random)


def runs(count: int, share: float, length: int, random: np.random.Generator) -> NDArray[np.bool_]:
    """Return which of ``count`` places lie in runs of ``length`` that begin at random and cover ``share`` of all."""
    length = min(length, count)
    starts = random.random(count) < 1 - (1 - share) ** (1 / length) if length else np.empty(0, bool)
    last = np.maximum.accumulate(np.where(starts, np.arange(count), -count - 1))
    return np.arange(count) - last < length


class Stale(_OfSeries):
    """Gives each row the values from ``lag`` rows before; the first rows get those of the first."""

    name = "stale"
    kinds = frozenset({"number", "boolean", "text", "time"})
    parameters = (PerturbationParameter("lag", high=Decimal(1_000_000), whole=True), COLUMNS, _BY, _WITHIN)

    def change(self, column: Column, place: FieldRef) -> Column:
        lag = int(self.number("lag"))
        return column[self._sources(place, lambda count: np.maximum(np.arange(count) - lag, 0))]


class Freeze(_OfSeries):
    """Lets a sensor repeat its last value over runs of ``length`` rows that cover ``share``; columns independently."""

    name = "freeze"
    kinds = frozenset({"number", "boolean"})
    parameters = (SHARE, _LENGTH, COLUMNS, _BY, _WITHIN)

    def change(self, column: Column, place: FieldRef) -> Column:
        def last_alive(count: int) -> Ints:
            alive = ~self._runs(count, place.random)
            return np.maximum.accumulate(np.where(alive, np.arange(count), 0))

        return column[self._sources(place, last_alive)]


class Gaps(_OfSeries):
    """Takes away all touched columns together over runs of ``length`` rows that cover ``share``: a line is down."""

    name = "gaps"
    kinds = frozenset({"number", "boolean", "text"})
    parameters = (SHARE, _LENGTH, COLUMNS, _BY, _WITHIN)

    def change(self, column: Column, place: FieldRef) -> Column:
        gone = np.zeros(len(column), dtype=np.bool_)
        for rows in self._series(place):
            gone[rows] = self._runs(len(rows), place.together)
        return without(column, gone, place)


class ClockShift(Perturbation):
    """Moves times by ``seconds`` (dates by whole days of them): a clock that runs ahead, or behind if negative."""

    name = "clock_shift"
    kinds = frozenset({"time"})
    parameters = (PerturbationParameter("seconds", low=Decimal(-(10**9)), high=Decimal(10**9), whole=True), COLUMNS)

    def change(self, column: Column, place: FieldRef) -> Column:
        shift = timedelta(seconds=int(self.number("seconds")))
        moved = np.empty(len(column), dtype=object)
        moved[:] = [None if value is None else _moved(value, shift) for value in column.tolist()]
        return moved


def _moved(value: str, shift: timedelta) -> str:
    """Return an ISO 8601 date or time shifted; a result outside the years 1 to 9999 leaves it unchanged."""
    kept = _TO_SECONDS if len(value) >= _TO_SECONDS else _TO_DAYS
    try:
        moment = datetime.fromisoformat(value[:kept]) + shift
    except (ValueError, OverflowError):
        return value
    return moment.isoformat()[:kept] + value[kept:]


def _sortable(column: Column) -> Column:
    if column.dtype.kind != "O":
        return column
    return np.array(["\uffff" if value is None else str(value).rstrip("Z") for value in column.tolist()])
