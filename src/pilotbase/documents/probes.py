"""What a scenario asks besides its hidden cases: other environments 适配, a load test 负载测试, contamination 污染."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import pydantic
from pydantic import StringConstraints

from pilotbase.documents.base import Name, Part
from pilotbase.documents.errors import InputError
from pilotbase.documents.limits import EndReason, IsolationLevel
from pilotbase.documents.quantities import Bytes, Seconds

_Word = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[\w.+ -]+$")]
MOST_RATE = 10_000.0


class Cell(Part):
    """One environment; what it does not say is as in the trial."""

    name: Name
    system: _Word | None = None
    """Such as ``linux``."""
    architecture: _Word | None = None
    """Such as ``x86_64`` or ``aarch64``."""
    accelerator: _Word | None = None
    """Such as ``ascend-910b``; ``none`` says that none is needed."""
    python: Annotated[str, StringConstraints(pattern=r"^3\.\d{1,2}$")] | None = None
    threads: int | None = pydantic.Field(default=None, ge=1, le=1024)
    memory_bytes: Bytes | None = pydantic.Field(default=None, ge=64 << 20)
    batch_rows: int | None = pydantic.Field(default=None, ge=1, le=65_536)
    isolation: IsolationLevel | None = None


class Matrix(Part):
    """The cells that are run with cases of the public sample, and how far answers may lie apart."""

    cells: tuple[Cell, ...] = pydantic.Field(min_length=1, max_length=50)
    tolerance: float = pydantic.Field(default=1e-6, ge=0, le=1e9)
    """Of numbers; anything else must be the same."""
    cases: int = pydantic.Field(default=256, ge=1, le=100_000)

    @pydantic.model_validator(mode="after")
    def _names_differ(self) -> Matrix:
        names = [cell.name for cell in self.cells]
        double = next((name for name in names if names.count(name) > 1), None)
        if double is not None:
            raise InputError("scenario.cell_twice", name=double)
        return self


class CellRun(Part):
    """What became of one cell."""

    cell: Cell
    differs_here: str | None = None
    """What of it this machine is not: then nothing was run."""
    end: EndReason | None = None
    cases: int = 0
    differing: int = 0
    """Cases whose answers lie apart from the trial's."""
    largest: float | None = None
    """Of numbers: the largest distance."""

    @property
    def measured(self) -> bool:
        """Tell whether it was run."""
        return self.differs_here is None

    @property
    def agrees(self) -> bool:
        """Tell whether every case was answered as in the trial."""
        return self.end is EndReason.FINISHED and self.cases > 0 and not self.differing


class Contamination(Part):
    """An endpoint that is asked in words gets the first half of cases of the public sample, once it has answered all.

    What comes back word for word it knew. A column of the same cases in other words, which it cannot have met, tells
    standing phrases from memory; its first halves are sent, too.
    """

    column: str = pydantic.Field(min_length=1, max_length=200)
    """Of texts that applications are given."""
    control: str | None = pydantic.Field(default=None, min_length=1, max_length=200)
    """Of the same cases in other words."""
    most: int = pydantic.Field(default=100, ge=1, le=10_000)
    """So many cases at most are asked."""


class LoadTest(Part):
    """How an application is loaded with cases of the public sample, after it has answered the hidden ones."""

    rate: float = pydantic.Field(gt=0, le=MOST_RATE)
    """Requests a second, on average; they come as independently as people do (Poisson)."""
    rows: int = pydantic.Field(default=1, ge=1, le=65_536)
    """Cases in a request."""
    seconds: Seconds = pydantic.Field(default=30, ge=1, le=86_400)
    warm_up: Seconds = pydantic.Field(default=2, ge=0, le=3600)
    """Seconds of the same load before anything is measured."""
    block_seconds: Seconds = pydantic.Field(default=1, gt=0, le=3600)
    """Time blocks, which must be alike for a figure to say anything of a next run."""
    starts: int = pydantic.Field(default=3, ge=1, le=20)
    """How often the application is started anew, from nothing to its first answer."""
    target: Seconds | None = pydantic.Field(default=None, gt=0, le=3600)
    """Where set, the rate then rises until the 99th percentile is above it: how much can be served within it."""
    step_seconds: Seconds = pydantic.Field(default=5, ge=0.5, le=3600)
    """How long each rate is held then."""


class Void(StrEnum):
    """Why a load test says nothing; in words: text ``trial.void.<value>``."""

    NOISY_HOST = "noisy_host"
    LATE_CLOCK = "late_clock"
    UNSTEADY = "unsteady"


class LoadStep(Part):
    """One rate: requests a second, their 99th percentile in seconds, and whether it stayed within the target."""

    rate: float
    requests: int
    p99: float | None = None
    """None: more than one in a hundred was never answered."""
    held: bool


class LoadTested(Part):
    """What a load test has measured, raw."""

    test: LoadTest
    latencies: tuple[float | None, ...]
    """Seconds from when each request was due until it was answered, in the order of the requests; None: never."""
    due: tuple[float, ...]
    """When each was due, seconds from the first."""
    lateness: tuple[float, ...] = ()
    """By how many seconds requests left late although the application was idle."""
    calibration: tuple[tuple[float, ...], tuple[float, ...]] = ((), ())
    """Seconds that the same piece of work took before and after, each time."""
    starts: tuple[float, ...] = ()
    """Seconds from nothing to the first answer, each time."""
    recovery: float | None = None
    """Seconds from a crash under load to the first answer again; None: it did not recover."""
    memory: tuple[int, int] | None = None
    """Peak bytes after the warm-up, and at the end."""
    cpu_seconds: float | None = None
    """Processor seconds of all measured requests."""
    joules: float | None = None
    """What the whole machine took meanwhile, where it can be read."""
    steps: tuple[LoadStep, ...] | None = None
    """Rates that were tried beyond, where the test has a target."""
    pinned: bool | None = None
    """Whether the box had processors of its own; None: of a test of before."""


class LoadBlock(Part):
    """One time block: how many requests, and their latencies in seconds."""

    requests: int
    p50: float | None = None
    p99: float | None = None


class LoadFigures(Part):
    """A load test as a report tells it."""

    void: Void | None = None
    requests: int
    unanswered: int
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    throughput: float
    """Answered requests a second."""
    unsteadiness: float | None = None
    """How many times larger the median is in slow blocks than in quick ones (90th over 10th percentile)."""
    blocks: tuple[LoadBlock, ...]
    cold_start: float | None = None
    """The slowest of the starts, seconds."""
    recovery: float | None = None
    memory_growth: int | None = None
    """Bytes that the peak grew by after the warm-up."""
    held: float | None = None
    """Cases a second that were served with the 99th percentile within the target; None where the test has none."""
    target: float | None = None
    """Seconds."""
    steps: tuple[LoadStep, ...] | None = None
    pinned: bool | None = None
    """Whether the box had processors of its own."""
    cpu_per_thousand: float | None = None
    """Processor seconds for a thousand cases."""
    joules: float | None = None
