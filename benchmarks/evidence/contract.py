"""What a claim is: a sentence with its assumptions, simulations, and a condition on their results.

A claim's studies draw values by seed in batches of fixed size, so the numbers are the same on any number of cores.
Every condition on a share of runs allows three standard errors of the simulation, and nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], Any]
Way = Literal["wrong", "ours", "fact"]
"""``wrong``: the tempting way, which has to fail. ``ours``: the product's. ``fact``: a number for comparison."""

_MARGIN = 3.0


class Condition(Protocol):
    """The condition on a simulated number."""

    def holds(self, value: float, runs: int) -> bool: ...

    def said(self, runs: int) -> str:
        """Return the condition as the page prints it, with the margin of ``runs`` runs."""


@dataclass(frozen=True)
class AtMost:
    """A share of runs that may not exceed ``level``."""

    level: float

    def holds(self, value: float, runs: int) -> bool:
        return value <= self.level + margin(self.level, runs)

    def said(self, runs: int) -> str:
        return f"≤ {self.level:g}" + _spelled("+", self.level, runs)


@dataclass(frozen=True)
class Beyond:
    """A share of runs that has to exceed ``level``: here the tempting way breaks the promise."""

    level: float

    def holds(self, value: float, runs: int) -> bool:
        return value > self.level + margin(self.level, runs)

    def said(self, runs: int) -> str:
        return f"> {self.level:g}" + _spelled("+", self.level, runs)


@dataclass(frozen=True)
class Between:
    """A number between two others, exactly."""

    low: float
    high: float

    def holds(self, value: float, runs: int) -> bool:
        return self.low <= value <= self.high

    def said(self, runs: int) -> str:
        if self.high == math.inf:
            return f"≥ {self.low:g}"
        if self.low == -math.inf:
            return f"≤ {self.high:g}"
        return f"{self.low:g}" if self.low == self.high else f"{self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class Shown:
    """A number that is shown without a condition."""

    def holds(self, value: float, runs: int) -> bool:
        return True

    def said(self, runs: int) -> str:
        return "shown only"


def near(target: float, share: float) -> Between:
    """Return the condition *within ``share`` of ``target``*, relative."""
    return Between(target - share * abs(target), target + share * abs(target))


def margin(level: float, runs: int) -> float:
    """Return three standard errors of a share of ``runs`` at ``level``."""
    return _MARGIN * math.sqrt(level * (1 - level) / runs)


@dataclass(frozen=True)
class Reading:
    """One number read off a study's values (shape (runs,) or (runs, columns)).

    ``target``: the figure of the reference or of the literature, if there is one.
    """

    label: str
    way: Way
    condition: Condition
    target: float | None = None
    read: Callable[[Any], float] = lambda values: float(np.mean(values))
    share: bool = True
    """True for a share of runs, whose simulation error is known."""
    key: str = ""


@dataclass(frozen=True)
class Study:
    """``draw(rng, size)`` returns the values of ``size`` independent runs; ``quick`` of them in the test command."""

    draw: Draw
    readings: tuple[Reading, ...]
    runs: int = 2000
    quick: int = 100
    batch: int = 50


@dataclass(frozen=True)
class Row:
    """The result of a reading: the value, the 99.7 % interval of the simulation if it is a share, the condition."""

    label: str
    way: Way
    value: float
    low: float | None
    high: float | None
    runs: int
    condition: str
    holds: bool
    target: float | None
    key: str


@dataclass(frozen=True)
class Words:
    """A sentence in both languages."""

    en: str
    zh: str


@dataclass(frozen=True)
class Claim:
    """A sentence that the studies have to prove, and what it assumes.

    ``figure`` draws the rows as SVG; without one the shares of runs are drawn.
    """

    id: str
    title: Words
    sentence: Words
    assumes: Words
    studies: tuple[Study, ...]
    source: str = ""
    """Where the specification requires it."""
    note: str = ""
    figure: Callable[[Sequence[Row]], str] | None = None
    level: float | None = 0.05
    """The promised level, drawn as a line; None: there is none."""
    seed: int = field(default=20261125)

    def simulate(self, runs: int | None, seed: int) -> list[Row]:
        """Return the rows of all studies with at most ``runs`` runs each; None: as many as each specifies."""
        rows = []
        for number, study in enumerate(self.studies):
            count = study.runs if runs is None else min(runs, study.runs)
            parts = [draw_batch(study, (seed, number, start), count) for start in range(0, count, study.batch)]
            rows += read(study, np.concatenate(parts))
        return rows

    def quick(self) -> list[Row]:
        """Return the rows of the short simulation of the test command."""
        return [
            row
            for number, study in enumerate(self.studies)
            if study.quick
            for row in read(study, draw_batch(study, (self.seed, number, 0), study.quick, study.quick))
        ]


def draw_batch(study: Study, seed: tuple[int, int, int], runs: int, batch: int | None = None) -> Floats:
    """Return the values of the batch that starts at run ``seed[2]``, regardless of other draws."""
    size = min(batch or study.batch, runs - seed[2])
    values: Floats = np.asarray(study.draw(np.random.default_rng(seed), size), dtype=np.float64)
    return values


def _spelled(sign: str, level: float, runs: int) -> str:
    return f" {sign} {margin(level, runs):.4f}" if margin(level, runs) else ""


def read(study: Study, values: Floats) -> list[Row]:
    """Return a row for every reading of ``values``."""
    return [_row(reading, values) for reading in study.readings]


def rows_from(entry: Mapping[str, Any]) -> list[Row]:
    """Return the rows of one claim as `results.json` has them."""
    return [Row(**row) for row in entry["rows"]]


def each(one: Callable[[np.random.Generator], Any]) -> Draw:
    """Return a draw that calls ``one`` for every run."""
    return lambda rng, size: [one(rng) for _ in range(size)]


def column(index: int, read: Callable[[Floats], float] = lambda values: float(np.mean(values))) -> Any:
    """Return a reading of one column of the values, NaN left out."""

    def of(values: Floats) -> float:
        chosen = values[:, index]
        found = chosen[~np.isnan(chosen)]
        return read(found) if len(found) else math.nan

    return of


def _row(reading: Reading, values: Floats) -> Row:
    runs = len(values)
    value = reading.read(values)
    low = high = None
    if reading.share:
        count = round(value * runs)
        tail = float(stats.norm.sf(_MARGIN))
        low = float(stats.beta.ppf(tail, count, runs - count + 1)) if count else 0.0
        high = float(stats.beta.isf(tail, count + 1, runs - count)) if count < runs else 1.0
    holds = bool(reading.condition.holds(value, runs)) and not math.isnan(value)
    return Row(
        reading.label,
        reading.way,
        value,
        low,
        high,
        runs,
        reading.condition.said(runs),
        holds,
        reading.target,
        reading.key,
    )
