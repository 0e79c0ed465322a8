"""Pool replay 算力回放: what each policy would have made of a recorded trace of jobs, side by side.

Written by ``pilotbase compute replay`` and on a hub; figures as `pilotbase_estate.replay.figures` computes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

import pydantic

from pilotbase.documents.base import Document, Name, Part
from pilotbase.documents.hashes import Digest
from pilotbase_estate.documents.resources import Resources


class Policy(StrEnum):
    """Who is let in next, and where it runs; names: text ``replay.policy.<value>``."""

    FIFO = "fifo"
    """First come, first served, on the node that best fits."""
    DRF = "drf"
    """Whose dominant share is the least, on the node that best fits."""
    SHARED = "shared"
    """The sharing of our pools."""
    BEST_FIT = "best-fit"
    """As ``fifo``: named for where it places."""
    FGD = "fgd"
    """First come, first served, where the free GPUs lose the least use."""
    RANDOM = "random"
    """First come, first served, on any node that has room."""


class ReplayedTrace(Part):
    """What was replayed."""

    digest: Digest
    """Of nodes and jobs as they were played, after ``load``."""
    jobs: int
    nodes: int
    capacity: Resources
    """Of all nodes together."""
    span_seconds: float
    """From the first submission to the last one."""
    load: float = 1.0
    """The gaps between submissions were divided by this."""
    rows_left_out: int = 0
    """Broken rows that were passed over."""
    made_up_organisations: bool = False
    """Whether the trace names no organisations, and some were made up."""
    recorded_of: Name | None = None
    """The pool whose own record it is."""
    labelled_jobs: int = 0
    """Jobs that asked for machines with labels: ``shared`` alone heeds it."""
    windows: int = 0
    """Maintenance windows within the time in which jobs came: ``shared`` alone keeps out of them."""


class WaitFigures(Part):
    """How long jobs waited, in seconds; none where none of them ended. Those that could never run are not counted."""

    jobs: int
    ended: int
    median: float | None = None
    p90: float | None = None
    longest: float | None = None


class OrganisationReplay(Part):
    """How one organisation fared."""

    organisation: str
    share: float
    """Mean dominant share while it held something or waited, 0 to 1."""
    waits: WaitFigures


class FragmentPoint(Part):
    """How much of the free GPUs was of no use to typical jobs at a moment."""

    at: float
    """Seconds after the first submission."""
    share: float


class PolicyReplay(Part):
    """What one policy made of the trace."""

    policy: Policy
    utilisation: Mapping[str, float]
    """Dimension → share held while jobs came, 0 to 1; ``gpu`` is all kinds together."""
    jain: float
    """Jain's index of the shares of organisations, 1/n to 1."""
    organisations: tuple[OrganisationReplay, ...]
    waits: WaitFigures
    """Of all jobs."""
    fragmentation: float | None = None
    """Mean share of the free GPUs that was of no use to typical jobs; none without GPUs."""
    evictions: int
    lost_seconds: float
    """Of runs that were evicted."""
    impossible: int
    """Jobs that no empty pool could hold."""
    unfinished: int
    used: tuple[float, ...] = ()
    """Share of `shown_dimension` held in equal stretches of the time in which jobs came."""
    fragments: tuple[FragmentPoint, ...] = ()


class InflatedPart(Part):
    """How much of the GPUs a placement allocates when so much was asked for and nothing ends."""

    policy: Policy
    asked: float
    """As a multiple of the GPUs there are."""
    allocated: float
    """0 to 1; mean of `runs`."""


class PoolReplay(Document):
    """Policies side by side on one trace."""

    document: Literal["pool_replay/1"] = "pool_replay/1"
    trace: ReplayedTrace
    pool: Digest | None = None
    """The pool whose rules ``shared`` followed; none: equal guarantees of all there is."""
    before: PolicyReplay | None = None
    """What ``shared`` made of it on the pool as it is, where ``pool`` is one that is considered."""
    pool_before: Digest | None = None
    """The pool as it is, of `before`."""
    seed: int = 0
    shown_dimension: str = "cpu"
    """What `PolicyReplay.used` is told of."""
    policies: tuple[PolicyReplay, ...] = ()
    runs: int = pydantic.Field(default=0, ge=0)
    """Of `inflated`, with seeds from ``seed`` on."""
    inflated: tuple[InflatedPart, ...] = ()
