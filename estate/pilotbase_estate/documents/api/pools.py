"""Shared pools over the API: who holds what, who waits and why, past usage, work that is handed in.

Amounts are in the units in which they are counted: cores and GPUs in thousandths, sizes in bytes, licences in pieces.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import pydantic
from pydantic import StringConstraints

from pilotbase.documents.api.shapes import RequestModel, ResponseModel, WaitTold
from pilotbase.documents.api.trials import SpanTold
from pilotbase.documents.api.uploads import FileName
from pilotbase.documents.hashes import Digest
from pilotbase.documents.subjects import Subject
from pilotbase_estate.documents.pool_replay import Policy

Amounts = Mapping[str, int]
"""Dimension → how much."""
Word = Annotated[str, StringConstraints(min_length=1, max_length=400, pattern=r"^[^\x00]*$")]
MOST_HOURS = 24 * 366
Hours = Annotated[float, pydantic.Field(gt=0, le=MOST_HOURS, allow_inf_nan=False)]
Members = Annotated[int, pydantic.Field(ge=1, le=10_000)]


class UsageSpan(StrEnum):
    """How far back usage is shown; names: text ``pool.hub.span.<value>``."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class DataFile(RequestModel):
    """A file of a dataset that a job reads."""

    dataset: Subject
    file: FileName


class HoldingTold(ResponseModel):
    """What an organisation has of a pool."""

    organisation: str
    guarantee: Amounts
    limit: Amounts
    """A dimension that it does not name is not limited."""
    held: Amounts
    borrowed: Amounts
    """The part beyond the guarantee."""
    weight: int
    share: float
    """Its dominant share of the pool, 0 to 1."""
    running: int
    waiting: int


class WindowTold(ResponseModel):
    """A maintenance window that is not over."""

    machines: list[str]
    """Names of entries; all machines if none are named."""
    starts: datetime
    ends: datetime
    why: str


class PoolTold(ResponseModel):
    """A pool's current state."""

    name: str
    title: str
    capacity: Amounts
    free: Amounts
    closed: list[str]
    """Machines that are under maintenance now."""
    maintenance: list[WindowTold]
    away: bool
    """Its machines do not answer: nothing starts, and the state of running jobs is unknown."""
    missing: list[str]
    """Machines without a node in the cluster."""
    smaller: dict[str, Amounts]
    """Machine → what its node has of each dimension in which it has less than the pool's document says."""
    holdings: list[HoldingTold]


class JobTold(ResponseModel):
    """A job of the caller's own organisation."""

    name: str
    pool: str
    organisation: str
    kind: str
    subject: str
    """The trial or service that has the seat; empty for other jobs."""
    demand: Amounts
    """Of each member."""
    members: int
    priority: int
    preemptible: bool
    max_seconds: float
    voucher: str
    state: str
    reason: str | None
    """Why it ended as it did."""
    wait: WaitTold | None
    """Null while it waits: it starts at the next turn."""
    attempt: int
    evictions: int
    submitted_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


class AttemptTold(ResponseModel):
    """One attempt at a job, and what it used by the backend's counters."""

    number: int
    nodes: list[str]
    ending: str | None
    """Null: it runs."""
    wall_ms: int
    cpu_ms: int
    memory_mib_ms: int
    began_at: datetime
    ended_at: datetime | None


class JobDetail(JobTold):
    """A job with every attempt at it."""

    attempts: list[AttemptTold]


class OthersTold(ResponseModel):
    """All that is shown of another organisation: the amount."""

    organisation: str
    held: Amounts
    running: int
    waiting: int


class QueueTold(ResponseModel):
    """Who waits and runs in a pool: the caller's own jobs, and how much others have."""

    jobs: list[JobTold]
    ended: list[JobTold]
    """The newest ended jobs, the last first."""
    others: list[OthersTold]


class UsageTold(ResponseModel):
    """Usage of a pool by organisation over time."""

    since: datetime
    until: datetime
    seconds: float
    """Length of one interval."""
    shares: dict[str, list[float]]
    """Organisation → its mean dominant share of the pool in each interval, 0 to 1."""
    guarantees: dict[str, float]
    """Organisation → the share of the pool that it is guaranteed now."""


class JobEstimateTold(ResponseModel):
    """What a job takes and costs: the most that it can, and what earlier runs of the caller's own programs suggest."""

    most_seconds: float
    """By the clock; the job is ended then."""
    most_money: int | None
    """In hundredths of ``currency``; null: the pool has no prices."""
    rates: Mapping[str, int]
    """Dimension requested → price in hundredths: per core-hour, GiB-hour, GPU-hour or licence-hour. A dimension that is
    not named is free."""
    currency: str
    runs: int
    """How many earlier runs of the caller's own in this pool are known: of a program of the same name, at most the
    newest thirty."""
    seconds: SpanTold | None
    """The estimate for the next run; null: there are no earlier runs."""
    money: SpanTold | None
    limit: str
    """The limit above which consent is needed, as ``4 h, 50.00 CNY``."""
    needs_consent: bool
    """Whether it may exceed that; once it is handed in, runs of the very same files take precedence."""
    said: str
    """The same in a sentence."""


MOST_SEED = 2**31 - 1


class WhatIfTold(ResponseModel):
    """A requested what-if and its progress."""

    identity: str
    pool: str
    organisation: str
    """Who asked."""
    since: datetime
    until: datetime
    policies: list[Policy]
    considered: Digest | None
    """The proposed pool; null: the pool as it is."""
    asked_at: datetime
    state: str
    stage: str | None
    share: int | None
    """Progress of the stage, in percent; null: not known."""
    reason: str | None
    """Why it waits, failed or was cancelled."""
    replay: Digest | None
    """The document with the figures, while it is kept."""
    kept_until: datetime | None
    """Null: there are no figures, not yet or no longer."""
