"""Jobs of shared pools: handed in, shown with every attempt, cancelled; their logs and output."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from pilotbase.documents.files import File
from pilotbase.documents.permissions import DeskAct
from pilotbase.documents.texts import text
from pilotbase.hub.acting import HubRequest, language, posted_files
from pilotbase.hub.base import base
from pilotbase.hub.forms.declared import AGAINST, add_errors, do
from pilotbase.hub.forms.files import chosen_file
from pilotbase.hub.presenters.taken import file_response
from pilotbase.hub.routing import FORM, POST, page
from pilotbase.hub.sentences import t
from pilotbase.workspace.failures import ConflictError, NotFoundError
from pilotbase_estate.computing.told_pools import job_told, log_of, output_of, pool_told
from pilotbase_estate.computing.told_vouchers import wallet_told
from pilotbase_estate.documents.api.pools import JobDetail
from pilotbase_estate.hub.forms.pools import JobForm
from pilotbase_estate.hub.pages.pools import crumbs
from pilotbase_estate.operations import pools
from pilotbase_estate.queue.submitting import cancel as cancel_job

_LIVE = ("waiting", "running", "stopping")
_SHOWN_LOG = 16 << 10
"""How many bytes of the end of a log a page shows."""


@page("pools/<slug:name>/jobs/new/", "pool-submit", DeskAct.UPLOAD, FORM)
def submit(request: HubRequest, name: str) -> HttpResponse:
    """Hand a program in to a pool."""
    view = request.acting.view
    pool = pool_told(view, language(), name)
    form = JobForm(_vouchers(request), *posted_files(request))
    chosen = chosen_file(request, form) if request.method == "POST" else None
    if request.method == "POST" and chosen is None:
        form.add_error("folder", t("hub.file_needed"))
    if chosen is not None and form.is_valid():
        try:
            job = do(pools.SUBMIT, view, {"pool": name, **form.said(chosen.identity)})
            messages.success(request, text("compute.told.submitted", job=job.name, pool=name).render(language()))
            return redirect("pool-job", name=name, job=job.name)
        except AGAINST as error:
            add_errors(form, error)
    button = text("pool.hub.submit")
    shown = {"title": button, "lead": text("pool.hub.submit_lead"), "form": form, "button": button}
    return render(request, "hub/upload.html", {**shown, "crumbs": crumbs(pool)})


@page("pools/<slug:name>/jobs/<slug:job>/", "pool-job")
def show(request: HubRequest, name: str, job: str) -> HttpResponse:
    """Show a job's state, why it waits, and every attempt at it."""
    found = _job(request, name, job)
    own = found.organisation == request.acting.organisation
    log = log_of(base(), request.acting.view, job) if own and found.attempt and not found.subject else None
    shown = {
        "title": text("pool.hub.job", job=job),
        "job": found,
        "own": own,
        "log": log.text[-_SHOWN_LOG:].decode("utf-8", "replace") if log is not None else "",
        "log_cut": log is not None and len(log.text) > _SHOWN_LOG,
        "log_lost": log is not None and log.lost,
        "may_cancel": found.state in _LIVE[:2]
        and not found.subject
        and request.acting.actor.may_write_for(found.organisation),
        "members": range(found.members),
        "live": found.state in _LIVE,
        "crumbs": [
            *crumbs(pool_told(request.acting.view, language(), name)),
            {"url": reverse("pool-queue", kwargs={"name": name}), "label": text("pool.hub.queue")},
        ],
    }
    return render(request, "hub/pool_job.html", shown)


@page("pools/<slug:name>/jobs/<slug:job>/cancel/", "pool-job-cancel", methods=POST)
def cancel(request: HubRequest, name: str, job: str) -> HttpResponse:
    """Cancel a job."""
    _job(request, name, job)
    try:
        cancel_job(request.acting.view, job)
        messages.success(request, text("pool.hub.cancelled").render(language()))
    except ConflictError as error:
        messages.error(request, error.render(language()))
    return redirect("pool-job", name=name, job=job)


@page("pools/<slug:name>/jobs/<slug:job>/<int:member>.log", "pool-job-log")
def log(request: HubRequest, name: str, job: str, member: int = 0) -> StreamingHttpResponse:
    """Return what a member of the last attempt has printed, to the organisation that owns the job."""
    _job(request, name, job)
    return file_response(File.of(f"{job}-{member}.log", log_of(base(), request.acting.view, job, member).text))


@page("pools/<slug:name>/jobs/<slug:job>/<int:member>.zip", "pool-job-output")
def output(request: HubRequest, name: str, job: str, member: int = 0) -> StreamingHttpResponse:
    """Return what a member of the last attempt has left, as an unopened archive."""
    _job(request, name, job)
    return file_response(File.of(f"{job}-{member}.zip", output_of(base(), request.acting.view, job, member)))


def _job(request: HubRequest, name: str, job: str) -> JobDetail:
    """Return a job of a pool that the reader may know; raises `NotFoundError`."""
    found = job_told(request.acting.view, language(), job)
    if found.pool != name:
        raise NotFoundError("pool.no_job", job=job)
    return found


def _vouchers(request: HubRequest) -> list[tuple[str, str]]:
    """Return the vouchers of the reader's organisation that can pay now."""
    found = wallet_told(request.acting.view, language(), request.acting.organisation).vouchers
    return [(one.identity, f"{one.programme} · {one.identity}") for one in found if one.pays]
