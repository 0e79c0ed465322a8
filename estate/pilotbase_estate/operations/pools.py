"""Shared pools: what each organisation holds, waiting jobs, the caller's own jobs, and what-ifs."""

from __future__ import annotations

from typing import Annotated

import pydantic
from pydantic import StringConstraints

from pilotbase.documents.api.shapes import SHORT, RequestModel
from pilotbase.documents.api.uploads import UploadId
from pilotbase.documents.base import Moment, Name
from pilotbase.documents.files import File
from pilotbase.documents.hashes import HEX
from pilotbase.documents.permissions import DeskAct, ReadScope
from pilotbase.operations.operation import PATH, NoInput, Operation, Repeated
from pilotbase_estate.documents.api.pools import (
    MOST_SEED,
    DataFile,
    Hours,
    JobDetail,
    JobEstimateTold,
    Members,
    PoolTold,
    QueueTold,
    UsageSpan,
    UsageTold,
    WhatIfTold,
    Word,
)
from pilotbase_estate.documents.pool import Pool
from pilotbase_estate.documents.pool_replay import Policy, PoolReplay
from pilotbase_estate.documents.resources import Demand


class OfPool(RequestModel):
    """Which pool."""

    pool: Annotated[Name, PATH]


class OverSpan(OfPool):
    """How far back."""

    span: UsageSpan = UsageSpan.DAY


class ConsideredJob(OfPool):
    """What a job would ask a pool for."""

    entry: Annotated[tuple[Word, ...], pydantic.Field(min_length=1, max_length=100)]
    """A Python file, then its arguments: earlier runs of a program of that name are looked at."""
    demand: Demand
    """Of each member, as people write it: ``{"cpu": 1.5, "memory": "2 GiB", "gpu/t4": 1}``."""
    hours: Hours = 1.0
    members: Members = 1


class NewJob(OfPool):
    """A program, and what it asks a pool for."""

    upload: UploadId
    """A zip of the program's folder."""
    entry: Annotated[tuple[Word, ...], pydantic.Field(min_length=1, max_length=100)]
    """A Python file of the folder, then its arguments."""
    demand: Demand
    """Of each member, as people write it: ``{"cpu": 1.5, "memory": "2 GiB", "gpu/t4": 1}``."""
    hours: Hours = 1.0
    members: Members = 1
    priority: Annotated[int, pydantic.Field(ge=-100, le=100)] = 0
    preemptible: bool = True
    data: Annotated[tuple[DataFile, ...], pydantic.Field(max_length=50)] = ()
    voucher: Annotated[str, StringConstraints(max_length=80, pattern=r"^[^\x00]*$")] = ""
    """The one that pays; empty: none."""
    consent: bool = False
    """That it may cost more than the limit above which the base asks."""


class OfJob(RequestModel):
    """Which job."""

    job: Annotated[Name, PATH]


class OfMember(OfJob):
    """Which member of a job."""

    member: Annotated[int, pydantic.Field(ge=0, le=10_000), SHORT, PATH]


class NewWhatIf(OfPool):
    """The part of a pool's record to replay, with the policies and rules to apply."""

    since: Moment
    """Jobs that were handed in from then on."""
    until: Moment | None = None
    """And before then; null: up to now."""
    policies: Annotated[tuple[Policy, ...], pydantic.Field(min_length=1, max_length=len(Policy))]
    considered: Pool | None = None
    """A pool with other rules or machines; ``shared`` is then played by the rules of today, too. Null: as it is."""
    seed: Annotated[int, pydantic.Field(ge=0, le=MOST_SEED)] = 0
    """Of chance, for ``random``."""


class OfWhatIf(OfPool):
    """Which what-if of a pool."""

    asked: Annotated[str, StringConstraints(pattern=f"^{HEX}$"), PATH]


_POOL, _JOB, _MEMBER = "/pools/{pool}", "/pool-jobs/{job}", "/pool-jobs/{job}/members/{member}"
_OWN_QUEUE, _OF_JOB = "members, of their own organisation; operator and regulator of all", "organisation of the job"
_WHAT_IF, _SEES_ALL = f"{_POOL}/what-ifs/{{asked}}", ReadScope.WHAT_IF
LIST = Operation("pools.list", "GET /pools", NoInput, list[PoolTold])
SHOW = Operation("pools.show", f"GET {_POOL}", OfPool, PoolTold)
QUEUE = Operation("pools.queue", f"GET {_POOL}/jobs", OfPool, QueueTold, only=_OWN_QUEUE)
USAGE = Operation("pools.usage", f"GET {_POOL}/usage", OverSpan, UsageTold)
SUBMIT = Operation(
    "pools.submit", f"POST {_POOL}/jobs", NewJob, JobDetail, who=DeskAct.UPLOAD, location="/api/pool-jobs/{given.name}"
)
ESTIMATE = Operation(
    "pools.estimate",
    f"POST {_POOL}/jobs/estimate",
    ConsideredJob,
    JobEstimateTold,
    who=DeskAct.UPLOAD,
    repeated=Repeated.HARMLESS,
)
SHOW_JOB = Operation("pools.show_job", f"GET {_JOB}", OfJob, JobDetail, only=f"{_OF_JOB}, operator, regulator")
CANCEL = Operation("pools.cancel", f"POST {_JOB}/cancel", OfJob, JobDetail, who=DeskAct.CANCEL)
LOG = Operation("pools.log", f"GET {_MEMBER}/log", OfMember, File, only=_OF_JOB)
OUTPUT = Operation("pools.output", f"GET {_MEMBER}/output", OfMember, File, only=_OF_JOB)
WHAT_IFS = Operation("pools.what_ifs", f"GET {_POOL}/what-ifs", OfPool, list[WhatIfTold], who=_SEES_ALL)
ASK_WHAT_IF = Operation(
    "pools.ask_what_if",
    f"POST {_POOL}/what-ifs",
    NewWhatIf,
    WhatIfTold,
    who=_SEES_ALL,
    later=True,
    location="/api/pools/{asked.pool}/what-ifs/{given.identity}",
    example={"since": "2027-03-01T00:00:00Z", "until": "2027-03-08T00:00:00Z", "policies": ["shared", "fifo"]},
)
WHAT_IF = Operation("pools.what_if", f"GET {_WHAT_IF}", OfWhatIf, WhatIfTold, who=_SEES_ALL)
REPLAY = Operation("pools.replay", f"GET {_WHAT_IF}/replay", OfWhatIf, PoolReplay, who=_SEES_ALL, marked=True)
CANCEL_WHAT_IF = Operation("pools.cancel_what_if", f"POST {_WHAT_IF}/cancel", OfWhatIf, WhatIfTold, who=_SEES_ALL)
