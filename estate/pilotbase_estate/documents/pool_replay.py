"""Pool replay 算力回放: what each policy would have made of a recorded trace of jobs, side by side.

Written by ``pilotbase compute replay`` and on a hub; figures as `pilotbase_estate.replay.simulating` computes them.
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
    """Who starts next, and where; names: text ``replay.policy.<value>``."""

    FIFO = "fifo"
    """First come, first served, on the node that best fits."""
    DRF = "drf"
    """Lowest dominant share first, on the node that fits best."""
    SHARED = "shared"
    """The sharing of our pools."""
    BEST_FIT = "best-fit"
    """As ``fifo``: named for its placement."""
    FGD = "fgd"
    """First come, first served, where the free GPUs lose the least usefulness."""
    RANDOM = "random"
    """First come, first served, on any node that has room."""


class ReplayedTrace(Part):
    """What was replayed."""

    digest: Digest
    """Of nodes and jobs as replayed, after ``load``."""
    jobs: int
    nodes: int
    capacity: Resources
    """Of all nodes together."""
    span_seconds: float
    """From the first submission to the last."""
    load: float = 1.0
    """The gaps between submissions were divided by this."""
    rows_left_out: int = 0
    """Broken rows that were skipped."""
    made_up_organisations: bool = False
    """Whether the trace names no organisations, so that some were made up."""
    recorded_of: Name | None = None
    """The pool whose own record it is."""
    labelled_jobs: int = 0
    """Jobs that require labels: only ``shared`` obeys them."""
    windows: int = 0
    """Maintenance windows within the period of submissions: only ``shared`` obeys them."""


class WaitFigures(Part):
    """How long jobs waited, in seconds; none if no job ended. Jobs that could never run are not counted."""

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
    """How much of the free GPUs typical jobs could not use at a moment."""

    at: float
    """Seconds after the first submission."""
    share: float


class PolicyReplay(Part):
    """The result of one policy on the trace."""

    policy: Policy
    utilisation: Mapping[str, float]
    """Dimension → share held over the period of submissions, 0 to 1; ``gpu`` is all kinds together."""
    jain: float
    """Jain's index of the shares of organisations, 1/n to 1."""
    organisations: tuple[OrganisationReplay, ...]
    waits: WaitFigures
    """Of all jobs."""
    fragmentation: float | None = None
    """Mean share of the free GPUs that typical jobs could not use; none without GPUs."""
    evictions: int
    lost_seconds: float
    """Of runs that were evicted."""
    impossible: int
    """Jobs that even an empty pool could not hold."""
    unfinished: int
    used: tuple[float, ...] = ()
    """Share of `shown_dimension` held in equal intervals of the period of submissions."""
    fragments: tuple[FragmentPoint, ...] = ()


class InflatedPart(Part):
    """How much of the GPUs a placement allocates at a given demand when no job ends."""

    policy: Policy
    asked: float
    """As a multiple of the GPUs there are."""
    allocated: float
    """0 to 1; mean of `runs`."""


class PoolReplay(Document, published=True):
    """Policies side by side on one trace."""

    document: Literal["pool_replay/1"] = "pool_replay/1"
    trace: ReplayedTrace
    pool: Digest | None = None
    """The pool whose rules ``shared`` followed; none: equal guarantees of everything."""
    before: PolicyReplay | None = None
    """The result of ``shared`` on the pool as it is, if ``pool`` is a proposed one."""
    pool_before: Digest | None = None
    """The pool as it is, of `before`."""
    seed: int = 0
    shown_dimension: str = "cpu"
    """The dimension that `PolicyReplay.used` describes."""
    policies: tuple[PolicyReplay, ...] = ()
    runs: int = pydantic.Field(default=0, ge=0)
    """Of `inflated`, with seeds from ``seed`` on."""
    inflated: tuple[InflatedPart, ...] = ()
