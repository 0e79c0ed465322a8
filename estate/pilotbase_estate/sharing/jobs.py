"""What sharing knows of jobs, and what it decides about them. Times are seconds of the base's clock."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple

from pilotbase.documents.api.shapes import filled
from pilotbase.documents.errors import RefusedError
from pilotbase_estate.documents.pool import ComputeJob
from pilotbase_estate.documents.resources import ANY_GPU, Vector, counted, on_cards

Ask = str
"""A key of each member's request, their number and their time in one string, because it is looked up often."""


@dataclass(frozen=True)
class QueuedJob:
    """One job, as its `ComputeJob` orders it."""

    name: str
    organisation: str
    person: str
    demand: Vector
    """Of each member."""
    max_seconds: float
    members: int = 1
    priority: int = 0
    submitted: float = 0.0
    preemptible: bool = True
    labels: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, document: ComputeJob) -> QueuedJob:
        """Return the job that a document describes."""
        submitted = document.submitted.timestamp()
        return filled(cls, document, demand=document.demand.vector, submitted=submitted)

    @cached_property
    def each(self) -> Vector:
        """What each member holds of its machine, with ``gpu/any`` as the sum of its GPUs."""
        return counted(on_cards(self.demand_each))

    @cached_property
    def demand_each(self) -> Vector:
        """Each member's request, without zeros: quotas and shares count by this."""
        return {name: amount for name, amount in self.demand.items() if amount}

    @cached_property
    def total(self) -> Vector:
        """The request of all members together."""
        return {name: amount * self.members for name, amount in counted(self.demand_each).items()}

    @cached_property
    def takes_any(self) -> bool:
        """Whether it takes GPUs of any kind."""
        return self.demand.get(ANY_GPU, 0) > 0

    @cached_property
    def ask(self) -> Ask:
        """Its request as a key: of jobs with the same request, either all fit or none do."""
        return f"{sorted(self.demand.items())} {self.members} {self.max_seconds}"

    @cached_property
    def shape(self) -> Hashable:
        """What its admission depends on: of jobs of one shape, either all can start or none can."""
        labels = tuple(sorted(self.labels.items()))
        return self.ask, self.person, labels, self.priority, self.preemptible


@dataclass(frozen=True)
class Pending:
    """A job that waits, and how often it was evicted."""

    job: QueuedJob
    evictions: int = 0


@dataclass(frozen=True)
class Running:
    """A job that runs: a node for each member."""

    job: QueuedJob
    nodes: tuple[str, ...]
    started: float
    evictions: int = 0
    protected: bool | None = None
    """Whether nobody else can take back what it holds; None: depends on what else runs."""

    @property
    def ends(self) -> float:
        """When it ends at the latest."""
        return self.started + self.job.max_seconds


class Recent(NamedTuple):
    """An organisation's recent use beyond its guarantee: a mean share that forgets, as it was at a moment."""

    share: float
    at: float


@dataclass(frozen=True)
class RunningJob:
    """What was announced to the first job that waits for machines: where it starts, and when at the latest."""

    job: str
    at: float
    nodes: tuple[str, ...]


@dataclass(frozen=True)
class PoolState:
    """All that a decision depends on, besides the pool, the moment and the placer."""

    running: tuple[Running, ...] = ()
    pending: tuple[Pending, ...] = ()
    recent: Mapping[str, Recent] = field(default_factory=dict)
    """By organisation; no recent use if it is not named."""
    kept: RunningJob | None = None


Cause = Literal["reclaim", "share", "own"]
"""Why a job is evicted: a guarantee, a fair share, a higher priority in its own organisation."""


@dataclass(frozen=True)
class JobStart:
    """A job starts, with a node for each member."""

    job: str
    nodes: tuple[str, ...]


@dataclass(frozen=True)
class Evict:
    """A job makes room for another one and waits again, with its place in the queue."""

    job: str
    cause: Cause
    by: str
    """The job that starts in its place."""


@dataclass(frozen=True)
class UnplaceableJob:
    """A job that could never run, and why."""

    job: str
    error: RefusedError


@dataclass(frozen=True)
class SchedulingDecisions:
    """What to do now: evictions first, then starts."""

    starts: tuple[JobStart, ...] = ()
    evictions: tuple[Evict, ...] = ()
    again_at: float | None = None
    """When to decide again if nothing came or ended; None: not before that."""
