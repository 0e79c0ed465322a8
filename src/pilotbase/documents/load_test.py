"""A load test 负载测试: requests at a pace of their own, whether the application keeps up or not."""

from __future__ import annotations

from enum import StrEnum

import pydantic

from pilotbase.documents.base import Part
from pilotbase.documents.quantities import Seconds

MOST_RATE = 10_000.0


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
