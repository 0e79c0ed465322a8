"""What a scenario tests in addition to its hidden cases: other environments 适配, load 负载测试, contamination 污染."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import pydantic
from pydantic import StringConstraints

from pilotbase.documents.base import Name, Part
from pilotbase.documents.endpoint import Currency, Endpoint, Money
from pilotbase.documents.errors import InputError
from pilotbase.documents.limits import EndReason, IsolationLevel
from pilotbase.documents.quantities import Bytes, Seconds

_Word = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[\w.+ -]+$")]
MOST_RATE = 10_000.0


class Cell(Part):
    """One environment; what is not set is as in the trial."""

    name: Name
    system: _Word | None = None
    """Such as ``linux``."""
    architecture: _Word | None = None
    """Such as ``x86_64`` or ``aarch64``."""
    accelerator: _Word | None = None
    """Such as ``ascend-910b``; ``none``: none is needed."""
    python: Annotated[str, StringConstraints(pattern=r"^3\.\d{1,2}$")] | None = None
    threads: int | None = pydantic.Field(default=None, ge=1, le=1024)
    memory_bytes: Bytes | None = pydantic.Field(default=None, ge=64 << 20)
    batch_rows: int | None = pydantic.Field(default=None, ge=1, le=65_536)
    isolation: IsolationLevel | None = None


class Matrix(Part):
    """The cells to run with cases of the public sample, and the tolerance for answers."""

    cells: tuple[Cell, ...] = pydantic.Field(min_length=1, max_length=50)
    tolerance: float = pydantic.Field(default=1e-6, ge=0, le=1e9)
    """Tolerance for numbers; anything else must be equal."""
    cases: int = pydantic.Field(default=256, ge=1, le=100_000)

    @pydantic.model_validator(mode="after")
    def _names_differ(self) -> Matrix:
        names = [cell.name for cell in self.cells]
        double = next((name for name in names if names.count(name) > 1), None)
        if double is not None:
            raise InputError("scenario.cell_twice", name=double)
        return self


class CellRun(Part):
    """Result of one cell."""

    cell: Cell
    differs_here: str | None = None
    """What this machine does not match; if set, nothing was run."""
    end: EndReason | None = None
    cases: int = 0
    differing: int = 0
    """Cases whose answers differ from the trial's."""
    largest: float | None = None
    """For numbers: the largest difference."""

    @property
    def measured(self) -> bool:
        """Return whether it was run."""
        return self.differs_here is None

    @property
    def agrees(self) -> bool:
        """Return whether every case was answered as in the trial."""
        return self.end is EndReason.FINISHED and self.cases > 0 and not self.differing


PANEL = "panel"
"""The column of experts' verdicts: ``judged(by=panel) >= 0.9``."""
MODEL = "judge"
"""The column of a judge model's corrections: ``judged(by=panel, scores=judge, weight=0.6) >= 0.9``."""
LONGEST_GUIDELINE = 50_000


class PanelJudge(Part):
    """A judge model of the base, which scores every answer so that fewer need a verdict.

    It sees case and answer, and neither the application nor a verdict.
    """

    endpoint: Endpoint
    """As of `pilotbase trial judge`; its prompt names ``{answer}`` and columns that the application sees."""
    scale: tuple[float, float] = (0.0, 1.0)
    """The worst and the best score."""
    group: int = pydantic.Field(default=9, ge=1, le=99)
    """Most unjudged answers that each judged one is compared with."""


class ExpertPanel(Part):
    """Two experts who judge answers blind, by this guideline; a third says who is right where they differ.

    Which expert judges an answer first is drawn by chance, and that verdict counts, so that a claim is about what an
    expert drawn at random says. The others are shown beside.
    """

    guideline: str = pydantic.Field(min_length=1, max_length=LONGEST_GUIDELINE)
    """When an answer is good. Frozen with the plan."""
    version: Annotated[str, StringConstraints(min_length=1, max_length=100)] = "1"
    cases: int | None = pydantic.Field(default=None, ge=1, le=2000)
    """How many answers to judge, drawn at random after all are committed; all of them when not set."""
    double: float = pydantic.Field(default=0.2, gt=0, le=1)
    """Share of these answers that both experts judge."""
    disagreement: float = pydantic.Field(default=0.25, ge=0, lt=1)
    """Largest share of doubly judged answers on which experts may differ; beyond it their verdicts decide nothing."""
    fee: Money | None = None
    """Cost of one judgement, if it is to be shown."""
    currency: Currency = "CNY"
    judge: PanelJudge | None = None
    """None when not set: then only experts judge."""


class Contamination(Part):
    """An endpoint with a text protocol gets the first half of cases of the public sample, once it has answered all.

    If it completes a case word for word, it knew it. A column with the same cases reworded, which it cannot have met,
    separates common phrases from memory; first halves of these are sent, too.
    """

    column: str = pydantic.Field(min_length=1, max_length=200)
    """Column of texts that applications receive."""
    control: str | None = pydantic.Field(default=None, min_length=1, max_length=200)
    """Column of the same cases in other words."""
    most: int = pydantic.Field(default=100, ge=1, le=10_000)
    """Maximum number of cases asked."""


class LoadTest(Part):
    """A load test with cases of the public sample, after the application has answered the hidden ones."""

    rate: float = pydantic.Field(gt=0, le=MOST_RATE)
    """Mean requests per second; they arrive independently, as from people (Poisson)."""
    rows: int = pydantic.Field(default=1, ge=1, le=65_536)
    """Cases in a request."""
    seconds: Seconds = pydantic.Field(default=30, ge=1, le=86_400)
    warm_up: Seconds = pydantic.Field(default=2, ge=0, le=3600)
    """Seconds of warm-up under the same load, before measuring."""
    block_seconds: Seconds = pydantic.Field(default=1, gt=0, le=3600)
    """Time blocks, which must be similar for the figures to apply to a next run."""
    starts: int = pydantic.Field(default=3, ge=1, le=20)
    """Number of cold starts of the application, each timed to its first answer."""
    target: Seconds | None = pydantic.Field(default=None, gt=0, le=3600)
    """If set, the rate then rises until the 99th percentile exceeds this, to find the highest rate within it."""
    step_seconds: Seconds = pydantic.Field(default=5, ge=0.5, le=3600)
    """How long each of these rates is held."""


class Void(StrEnum):
    """Why a load test is void; names: text ``trial.void.<value>``."""

    NOISY_HOST = "noisy_host"
    LATE_CLOCK = "late_clock"
    UNSTEADY = "unsteady"


class LoadStep(Part):
    """One rate: requests per second, their 99th percentile in seconds, and whether it stayed within the target."""

    rate: float
    requests: int
    p99: float | None = None
    """None: more than one request in a hundred was never answered."""
    held: bool


class LoadTested(Part):
    """Raw measurements of a load test."""

    test: LoadTest
    latencies: tuple[float | None, ...]
    """Seconds from each request's due time until its answer, in the order of the requests; None: never answered."""
    due: tuple[float, ...]
    """Due time of each request, in seconds from the first."""
    lateness: tuple[float, ...] = ()
    """Seconds by which requests were sent late although the application was idle."""
    calibration: tuple[tuple[float, ...], tuple[float, ...]] = ((), ())
    """Seconds of each repetition of the same piece of work, before and after the test."""
    starts: tuple[float, ...] = ()
    """Seconds from a cold start to the first answer, for each start."""
    recovery: float | None = None
    """Seconds from a crash under load to the first answer again; None: it did not recover."""
    memory: tuple[int, int] | None = None
    """Peak memory in bytes after the warm-up, and at the end."""
    cpu_seconds: float | None = None
    """CPU seconds of all measured requests."""
    joules: float | None = None
    """Energy used by the whole machine during the test, if readable."""
    steps: tuple[LoadStep, ...] | None = None
    """Higher rates that were tried, if the test has a target."""
    pinned: bool | None = None
    """Whether the box had dedicated processors; None: an older test."""


class LoadBlock(Part):
    """One time block: the number of requests, and their latencies in seconds."""

    requests: int
    p50: float | None = None
    p99: float | None = None


class LoadFigures(Part):
    """A load test as shown in a report."""

    void: Void | None = None
    requests: int
    unanswered: int
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    throughput: float
    """Answered requests per second."""
    unsteadiness: float | None = None
    """Ratio of the median in slow blocks to that in quick ones (90th over 10th percentile)."""
    blocks: tuple[LoadBlock, ...]
    cold_start: float | None = None
    """The slowest start, in seconds."""
    recovery: float | None = None
    memory_growth: int | None = None
    """Bytes by which the peak grew after the warm-up."""
    held: float | None = None
    """Cases per second served with the 99th percentile within the target; None if the test has no target."""
    target: float | None = None
    """Seconds."""
    steps: tuple[LoadStep, ...] | None = None
    pinned: bool | None = None
    """Whether the box had dedicated processors."""
    cpu_per_thousand: float | None = None
    """CPU seconds per thousand cases."""
    joules: float | None = None
