"""Jobs of shared pools: handed in, shown with every attempt, cancelled; their logs and output."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import Any

import pydantic
from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from pilotbase.documents.errors import InputError
from pilotbase.documents.files import File
from pilotbase.documents.loading import issues_of
from pilotbase.documents.permissions import DeskAct
from pilotbase.documents.subjects import dataset_subject
from pilotbase.documents.texts import make_visible, text
from pilotbase.hub.acting import HubRequest, language, posted_files
from pilotbase.hub.base import base
from pilotbase.hub.forms.declared import AGAINST, add_errors, do
from pilotbase.hub.forms.files import KeepingForm, SizedForm, chosen_file
from pilotbase.hub.presenters.taken import file_response
from pilotbase.hub.routing import FORM, POST, page
from pilotbase.hub.sentences import asked, t
from pilotbase.workspace.failures import ConflictError, NotFoundError
from pilotbase_estate.computing.told_pools import job_told, log_of, output_of, pool_told
from pilotbase_estate.computing.told_vouchers import wallet_told
from pilotbase_estate.documents.api.pools import MOST_HOURS, DataFile, JobDetail
from pilotbase_estate.documents.resources import Demand, Resources
from pilotbase_estate.hub.pages.pools import crumbs
from pilotbase_estate.operations import pools
from pilotbase_estate.queue.submitting import cancel as cancel_job

_DEMAND: pydantic.TypeAdapter[Resources] = pydantic.TypeAdapter(Demand)


class JobForm(SizedForm, KeepingForm):
    """A program's folder as a zip, how it is run, and what it requests."""

    keeps = "folder"
    folder = forms.FileField(
        **asked("pool.hub.folder", "pool.hub.folder_help"),
        required=False,
        widget=forms.FileInput(attrs={"data-asked": ""}),
    )
    entry = forms.CharField(**asked("pool.hub.entry", "pool.hub.entry_help"), max_length=2000)
    cpu = forms.DecimalField(
        label=t("pool.hub.cpu"), initial=1, min_value=0, max_value=1_000_000, decimal_places=3, max_digits=10
    )
    memory = forms.CharField(**asked("pool.hub.memory", "pool.hub.memory_help"), initial="1 GiB", max_length=40)
    more = forms.CharField(**asked("pool.hub.more", "pool.hub.more_help"), required=False, max_length=400)
    hours = forms.FloatField(
        **asked("pool.hub.hours", "pool.hub.hours_help"), initial=1, min_value=0.0003, max_value=MOST_HOURS
    )
    members = forms.IntegerField(
        **asked("pool.hub.members", "pool.hub.members_help"), initial=1, min_value=1, max_value=10_000
    )
    priority = forms.IntegerField(
        **asked("pool.hub.priority", "pool.hub.priority_help"), initial=0, min_value=-100, max_value=100
    )
    reads = forms.CharField(
        **asked("pool.hub.data", "pool.hub.data_help"),
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        required=False,
        max_length=4000,
    )
    voucher = forms.ChoiceField(**asked("pool.hub.voucher", "pool.hub.voucher_help"), required=False)

    consent = forms.BooleanField(**asked("estimate.hub.consent", "estimate.hub.consent_help"), required=False)

    def __init__(self, vouchers: Iterable[tuple[str, str]], *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self.fields["voucher"].choices = [("", "–"), *vouchers]  # type: ignore[attr-defined]

    def clean_entry(self) -> tuple[str, ...]:
        try:
            return tuple(shlex.split(self.cleaned_data["entry"]))
        except ValueError:
            raise ValidationError(t("pool.hub.bad_entry")) from None

    def clean_reads(self) -> tuple[DataFile, ...]:
        return tuple(_file(line.strip()) for line in self.cleaned_data["reads"].splitlines() if line.strip())

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        asked: dict[str, Any] = {"cpu": given.get("cpu", 1), "memory": given.get("memory", "")}
        for part in given.get("more", "").split():
            name, _, amount = part.partition("=")
            asked[name] = amount
        try:
            given["demand"] = _DEMAND.validate_python(asked)
        except pydantic.ValidationError as error:
            add_errors(self, InputError.from_issues("", issues_of("", error)))
        return given

    def said(self, upload: str) -> dict[str, Any]:
        """Return the request."""
        names = ("entry", "demand", "hours", "members", "priority", "voucher", "consent")
        return {
            "upload": upload,
            "data": self.cleaned_data["reads"],
            **{name: self.cleaned_data[name] for name in names},
        }


def _file(written: str) -> DataFile:
    """Return the file that ``OWNER/DATASET:FILE`` names; raises `ValidationError`."""
    dataset, _, file = written.partition(":")
    owner, _, name = dataset.partition("/")
    try:
        return DataFile(dataset=dataset_subject(owner, name), file=file)
    except pydantic.ValidationError:
        said = text("compute.bad_data", found=written[:120]).render(language(), make_visible)
        raise ValidationError(said) from None


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
