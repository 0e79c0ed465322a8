"""Shared pools, their jobs and what-ifs."""

from __future__ import annotations

from pilotbase.documents.files import File
from pilotbase.documents.permissions import DeskAct
from pilotbase.worker.operations.binding import Caller, does
from pilotbase.worker.progress import told
from pilotbase.workspace.actors import require_may_begin
from pilotbase_estate.computing import told_pools, what_if
from pilotbase_estate.computing.estimates import job_estimate_told
from pilotbase_estate.computing.told_pools import log_of, output_of
from pilotbase_estate.computing.uploads import submit_upload
from pilotbase_estate.documents.alike import alike
from pilotbase_estate.documents.api.job_estimates import JobEstimateTold
from pilotbase_estate.documents.api.pools import JobDetail
from pilotbase_estate.documents.api.what_ifs import WhatIfTold
from pilotbase_estate.operations import pools as declared
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
    return alike(
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
