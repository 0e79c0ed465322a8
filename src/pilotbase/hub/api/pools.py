"""Shared pools over the API: who holds what, who waits and why, jobs of one's own, their logs and what they left."""

from __future__ import annotations

from typing import Annotated

import pydantic
from django.conf import settings
from django.http import HttpResponse
from ninja import Path, Query, Router

from pilotbase.compute.queue.submitting import cancel as cancel_job
from pilotbase.documents.api.job_estimates import ConsideredJob, JobEstimateTold
from pilotbase.documents.api.pools import JobDetail, NewJob, PoolTold, QueueTold, UsageSpan, UsageTold
from pilotbase.documents.api.shapes import SHORT, InAddress
from pilotbase.documents.base import Name
from pilotbase.documents.permissions import DeskAct
from pilotbase.hub.acting import HubRequest, language
from pilotbase.hub.api.answers import answers, once, told
from pilotbase.hub.api.authentication import MEMBERS
from pilotbase.hub.api.media import BINARY
from pilotbase.hub.base import base
from pilotbase.hub.shown.attachments import download
from pilotbase.hub.shown.job_files import log_of, output_of
from pilotbase.hub.shown.pools import job_told, pool_told, pools_told, queue_told, usage_told
from pilotbase.worker.computing.told_estimates import job_estimate_told
from pilotbase.worker.computing.uploads import hand_in_upload
from pilotbase.workspace.store import View

router = Router(tags=["pools"], auth=MEMBERS)
PoolName = Path[Name]
JobName = Path[Name]
Member = Path[Annotated[int, pydantic.Field(ge=0, le=10_000), SHORT]]
LOG = {"responses": {200: {"description": "What was printed.", "content": BINARY}}}
OUTPUT = {"responses": {200: {"description": "The archive.", "content": BINARY}}}


class Over(InAddress):
    """How far back."""

    span: UsageSpan = UsageSpan.DAY


@router.get("/pools", response=answers(list[PoolTold]), summary="Shared pools")
def read_all(request: HubRequest) -> list[PoolTold]:
    """Return every pool with who holds what of it, by name."""
    return pools_told(request.acting.view)


@router.get("/pools/{pool}", response=answers(PoolTold), summary="A pool as it stands")
def read(request: HubRequest, pool: PoolName) -> PoolTold:
    """Return who holds what, what is free, and which machines are under maintenance."""
    return pool_told(request.acting.view, pool)


@router.get("/pools/{pool}/jobs", response=answers(QueueTold), summary="Who waits and runs in a pool")
def read_queue(request: HubRequest, pool: PoolName) -> QueueTold:
    """Return one's own jobs with the reason why each waits, and of others how much; operator and regulator see all."""
    return queue_told(request.acting.view, pool)


@router.get("/pools/{pool}/usage", response=answers(UsageTold), summary="Who had how much of a pool over time")
def read_usage(request: HubRequest, pool: PoolName, asked: Query[Over]) -> UsageTold:
    """Return each organisation's mean dominant share of the pool by stretches of time, up to now."""
    return usage_told(request.acting.view, pool, asked.span)


@router.post("/pools/{pool}/jobs", response=answers(JobDetail, 201), summary="Hand in a job")
def submit(request: HubRequest, given: NewJob, pool: PoolName) -> HttpResponse:
    """Let an uploaded program wait for a pool; what could never run, or reads what is not open, is refused at once."""
    request.acting.require(DeskAct.UPLOAD)

    def act(view: View) -> HttpResponse:
        job = hand_in_upload(base(), view, pool, given, settings.CONFIGURATION.unpacked_bytes)
        return told(job_told(view, job.name), 201, f"/api/pool-jobs/{job.name}")

    return once(request, act)


@router.post("/pools/{pool}/jobs/estimate", response=answers(JobEstimateTold), summary="What a job would cost")
def estimate(request: HubRequest, given: ConsideredJob, pool: PoolName) -> HttpResponse:
    """Return what a job takes and costs at most, at which rates, and what one's own earlier runs say; none is made."""
    request.acting.require(DeskAct.UPLOAD)
    return told(job_estimate_told(request.acting.view, language(), pool, given))


@router.get("/pool-jobs/{job}", response=answers(JobDetail), summary="A job")
def read_job(request: HubRequest, job: JobName) -> JobDetail:
    """Return where a job stands, why it waits, and every attempt; to its organisation, operator and regulator."""
    return job_told(request.acting.view, job)


@router.post("/pool-jobs/{job}/cancel", response=answers(JobDetail), summary="Take a job back")
def cancel(request: HubRequest, job: JobName) -> HttpResponse:
    """Take back a job of one's own; the operator any. What waits is over at once, what runs ends at the next turn."""

    def act(view: View) -> HttpResponse:
        cancel_job(view, job)
        return told(job_told(view, job))

    return once(request, act)


@router.get("/pool-jobs/{job}/members/{member}/log", summary="What a job printed", openapi_extra=LOG)
def read_log(request: HubRequest, job: JobName, member: Member) -> HttpResponse:
    """Give what a member of the last attempt has printed, as far as it is kept, to the job's organisation alone."""
    return download(log_of(request.acting.view, job, member).text, f"{job}-{member}.log")


@router.get("/pool-jobs/{job}/members/{member}/output", summary="What a job has left", openapi_extra=OUTPUT)
def read_output(request: HubRequest, job: JobName, member: Member) -> HttpResponse:
    """Give the archive that a member of the last attempt has left, unread, to the job's organisation alone."""
    return download(output_of(request.acting.view, job, member), f"{job}-{member}.zip")
