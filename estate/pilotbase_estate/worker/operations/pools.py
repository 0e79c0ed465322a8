"""Shared pools, their jobs and what-ifs."""

from __future__ import annotations

from contextlib import suppress

from pilotbase.documents.api.shapes import filled
from pilotbase.documents.files import File
from pilotbase.documents.permissions import DeskAct
from pilotbase.vault.opening import ReaderGrant
from pilotbase.vault.uploads import erase_upload, find_upload, read_upload
from pilotbase.worker.base import Base, vault_of
from pilotbase.worker.intake.versions import unpacked
from pilotbase.worker.operations.binding import Caller, does
from pilotbase.worker.progress import told
from pilotbase.workspace.actors import require_may_begin
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View
from pilotbase_estate.computing import told_pools, what_if
from pilotbase_estate.computing.estimates import consent_by, consented, job_estimate_told
from pilotbase_estate.computing.orders import SubmittedProgram, submit_order
from pilotbase_estate.computing.told_pools import log_of, output_of
from pilotbase_estate.documents.api.pools import JobDetail, JobEstimateTold, WhatIfTold
from pilotbase_estate.documents.vocabularies import JobKind
from pilotbase_estate.operations import pools as declared
from pilotbase_estate.operations.pools import NewJob
from pilotbase_estate.queue.rows import JobRow
from pilotbase_estate.queue.showing import job_seen
from pilotbase_estate.queue.submitting import JobRequest
from pilotbase_estate.queue.submitting import cancel as cancel_job

does(declared.LIST)(lambda caller, asked: told_pools.pools_told(caller.view, caller.language))
does(declared.SHOW)(lambda caller, asked: told_pools.pool_told(caller.view, caller.language, asked.pool))
does(declared.QUEUE)(lambda caller, asked: told_pools.queue_told(caller.view, caller.language, asked.pool))
does(declared.USAGE)(lambda caller, asked: told_pools.usage_told(caller.view, asked.pool, asked.span))
does(declared.SHOW_JOB)(lambda caller, asked: told_pools.job_told(caller.view, caller.language, asked.job))
does(declared.WHAT_IFS)(
    lambda caller, asked: [_what_if(caller, one) for one in what_if.what_ifs(caller.view, asked.pool)]
)
does(declared.ASK_WHAT_IF)(lambda caller, asked: _what_if(caller, what_if.order_what_if(caller.view, asked)))
does(declared.WHAT_IF)(lambda caller, asked: _what_if(caller, _found(caller, asked)))
does(declared.REPLAY)(lambda caller, asked: what_if.replay_of(caller.base, _found(caller, asked)))
does(declared.CANCEL_WHAT_IF)(
    lambda caller, asked: _what_if(caller, what_if.take_back(caller.view, asked.pool, asked.asked))
)


@does(declared.SUBMIT)
def submit(caller: Caller, asked: declared.NewJob) -> JobDetail:
    """Queue an uploaded program for a pool."""
    require_may_begin(DeskAct.UPLOAD, caller.view.actor)
    job = submit_upload(caller.base, caller.view, asked, caller.limits.unpacked)
    return told_pools.job_told(caller.view, caller.language, job.name)


@does(declared.ESTIMATE)
def estimate(caller: Caller, asked: declared.ConsideredJob) -> JobEstimateTold:
    """Return the estimated time and cost of a job."""
    require_may_begin(DeskAct.UPLOAD, caller.view.actor)
    return job_estimate_told(caller.view, caller.language, asked)


@does(declared.CANCEL)
def cancel(caller: Caller, asked: declared.OfJob) -> JobDetail:
    """Cancel a job."""
    cancel_job(caller.view, asked.job)
    return told_pools.job_told(caller.view, caller.language, asked.job)


@does(declared.LOG)
def log(caller: Caller, asked: declared.OfMember) -> File:
    """Return the output of one member of a job."""
    return File.of(f"{asked.job}-{asked.member}.log", log_of(caller.base, caller.view, asked.job, asked.member).text)


@does(declared.OUTPUT)
def output(caller: Caller, asked: declared.OfMember) -> File:
    """Return the archive that one member of a job has left."""
    return File.of(f"{asked.job}-{asked.member}.zip", output_of(caller.base, caller.view, asked.job, asked.member))


def _found(caller: Caller, asked: declared.OfWhatIf) -> what_if.WhatIf:
    return what_if.find_what_if(caller.view, asked.pool, asked.asked)


def _what_if(caller: Caller, found: what_if.WhatIf) -> WhatIfTold:
    order, work = found.order, told(found.job)
    return filled(
        WhatIfTold,
        order,
        policies=list(order.policies),
        considered=order.considered.digest() if order.considered is not None else None,
        state=work.state,
        stage=work.stage.render(caller.language) if work.stage else None,
        share=work.share,
        reason=work.reason.render(caller.language) if work.reason else None,
        replay=found.played.replay if found.played is not None else None,
        kept_until=found.played.until if found.played is not None else None,
    )


def submit_upload(base: Base, view: View, given: NewJob, most_bytes: int) -> JobRow:
    """Take a program in from an upload, which is then erased, and queue it for a pool.

    The same request again finds the job that it made.

    Raises:
        NotFoundError: there is no such upload of the actor's organisation, no such pool or voucher.
        InputError: the archive is refused, or lacks the program.
        RefusedError: the terms of the data do not permit it; the job could never run; the voucher does not pay; it may
            cost more than the limit, and ``given.consent`` is not set.
    """
    vault, made = vault_of(base, view), view.outcome()
    if made is None:
        grant = ReaderGrant.of_owner(view.actor.organisation)
        data = tuple((one.dataset, one.file) for one in given.data)
        with unpacked(base, read_upload(vault, given.upload, grant), most_bytes) as folder:
            asking = filled(JobRequest, given, max_seconds=given.hours * 3600, kind=JobKind.DEVELOPMENT)
            consents = consented if given.consent else consent_by(view, asking)
            made = submit_order(base, view, SubmittedProgram(folder, given.entry, data), asking, consents).name
    with suppress(NotFoundError):
        find_upload(vault, given.upload)
        erase_upload(vault, given.upload)
    return job_seen(view, made).job
