"""``pilotbase compute``: shared pools, jobs that wait for them and run, and what a change would make of a trace."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotbase.cli.framework.terminal import AskAbove, command, consents, print_json, say
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.moments import format_minute
from pilotbase.documents.texts import Text, text
from pilotbase_estate.cli import compute_replay
from pilotbase_estate.cli.computing import AsJson, demand_of, operators_view

if TYPE_CHECKING:
    from pilotbase_estate.documents.resources import Vector
    from pilotbase_estate.queue.rows import JobRow
    from pilotbase_estate.queue.showing import JobView

app = typer.Typer(help="Shared computing power: pools, jobs, replay.", no_args_is_help=True)
PoolName = Annotated[str, typer.Argument(help="Name of the pool.")]
JobName = Annotated[str, typer.Argument(help="The job, as submit and jobs print it.")]


@app.command("pool")
@command
def pool(file: Annotated[Path, typer.Argument(help="YAML file with the pool.")]) -> None:
    """Set a pool: its machines, who is guaranteed what, its rules. What runs goes on."""
    from pilotbase.documents.loading import load_document
    from pilotbase_estate.documents.pool import Pool
    from pilotbase_estate.queue.pools import set_pool

    brought = load_document(Pool, file)
    digest = set_pool(operators_view(), brought)
    say(text("compute.told.pool", pool=brought.name, has=_spelled(brought.capacity), digest=digest))


@app.command("pools")
@command
def pools(as_json: AsJson = False) -> None:
    """Show the pools: who holds what of each, what is free."""
    from pilotbase_estate.queue.pools import pools
    from pilotbase_estate.queue.showing import standing

    view = operators_view()
    found = [standing(view, one.name) for one in pools(view)]
    if as_json:
        print_json([one.pool.to_json_value() for one in found])
        return
    for one in found:
        say(text("compute.told.standing", pool=one.pool.name, free=_spelled(one.free)))
        for holding in one.holdings:
            told = {"organisation": holding.organisation, "held": _spelled(holding.held)}
            counts = {"running": holding.running, "waiting": holding.waiting}
            say(text("compute.told.holding", **told, **counts, borrowed=_spelled(holding.borrowed)))


@app.command("submit")
@command
def submit(  # noqa: PLR0913 - each thing that is asked for is an option
    pool: PoolName,
    folder: Annotated[Path, typer.Argument(help="Folder with the program; requirements.lock in it is installed.")],
    entry: Annotated[list[str], typer.Argument(help="A Python file of the folder, and its arguments.")],
    organisation: Annotated[str, typer.Option("--as", help="For which organisation.")],
    of: Annotated[
        list[str] | None, typer.Option(help="What it needs: cpu=4, memory=8GiB, gpu/t4=1; repeat it.")
    ] = None,
    hours: Annotated[float, typer.Option(help="The longest that it may run.", min=0.0003)] = 1.0,
    members: Annotated[int, typer.Option(help="Processes that start together.", min=1)] = 1,
    priority: Annotated[int, typer.Option(help="Among the jobs of its organisation.", min=-100, max=100)] = 0,
    data: Annotated[list[str] | None, typer.Option(help="OWNER/DATASET:FILE that it reads; repeat it.")] = None,
    voucher: Annotated[str, typer.Option(help="The voucher that pays.")] = "",
    ask_above: AskAbove = None,
    yes: Annotated[bool, typer.Option("--yes", help="Consent to whatever it may cost.")] = False,
    estimate: Annotated[bool, typer.Option("--estimate", help="Only say what it takes and costs.")] = False,
    as_json: AsJson = False,
) -> None:
    """Hand a program in: it runs in a box without a network as soon as the pool has room for it."""
    from pilotbase.documents.vocabularies import Role
    from pilotbase.worker.base import open_base
    from pilotbase.worker.trials.consenting import ceiling_of
    from pilotbase.workspace.actors import Actor
    from pilotbase_estate.computing.estimates import consent_by, consented, estimate_job
    from pilotbase_estate.computing.orders import SubmittedProgram, order_of, submit_order
    from pilotbase_estate.documents.vocabularies import JobKind
    from pilotbase_estate.queue.submitting import JobRequest

    base = open_base()
    view = base.lab.store.as_actor(Actor(organisation, frozenset({Role.SUPPLIER})))
    asking = JobRequest(
        pool, demand_of(of or ["cpu=1", "memory=1GiB"]), hours * 3600,
        kind=JobKind.DEVELOPMENT, members=members, priority=priority, voucher=voucher,
    )  # fmt: skip
    program, ceiling = SubmittedProgram(folder, tuple(entry), tuple(map(_data, data or []))), ceiling_of(ask_above)
    if estimate:
        told = estimate_job(view, asking, order_of(program)[1])
        if as_json:
            print_json(told.to_json_value())
        else:
            say(told.said())
        return
    try:
        found = submit_order(base, view, program, asking, consented if yes else consent_by(view, asking, ceiling))
    except RefusedError as error:
        if not consents(error):
            raise
        found = submit_order(base, view, program, asking, consented)
    if as_json:
        print_json(found.asked.to_json_value())
    else:
        say(text("compute.told.submitted", job=found.name, pool=pool))


@app.command("jobs")
@command
def jobs(pool: PoolName, as_json: AsJson = False) -> None:
    """List what waits and runs, with the reason why each waits and when it starts about."""
    from pilotbase_estate.queue.showing import queue

    found = queue(operators_view(), pool)
    if as_json:
        print_json([_as_json(one) for one in found])
    for one in [] if as_json else found:
        _print_job(one)


@app.command("show")
@command
def show(job: JobName) -> None:
    """Show where a job stands, and every attempt at it."""
    seen = _seen(job)
    say(text("compute.told.job", job=job, state=Text(code=f"pool.state.{seen.job.state.value}"), **_whose(seen.job)))
    if seen.job.reason is not None:
        say(seen.job.reason)
    for one in seen.attempts:
        ending = Text(code=f"pool.ending.{one.ending.value}") if one.ending is not None else text("pool.state.running")
        used = {"wall": one.metered.wall_ms / 1000, "cpu": one.metered.cpu_ms / 1000}
        say(text("compute.told.attempt", number=one.number, nodes=", ".join(one.nodes), ending=ending, **used))


@app.command("logs")
@command
def logs(job: JobName, member: Annotated[int, typer.Option(help="Of which member.", min=0)] = 0) -> None:
    """Print what a job's last attempt has printed, as far as it is kept."""
    from pilotbase.worker.base import open_base
    from pilotbase_estate.backends.backend import MemberAttempt
    from pilotbase_estate.computing.told_pools import local_backend

    found = _seen(job).job
    part = local_backend(open_base()).logs(MemberAttempt(job, found.attempt, member), 0)
    if part.lost:
        raise InputError("compute.log_lost", job=job)
    sys.stdout.buffer.write(part.text)


@app.command("fetch")
@command
def fetch(
    job: JobName,
    out: Annotated[Path, typer.Option(help="Where to write the archive.")] = Path("output.zip"),
    member: Annotated[int, typer.Option(help="Of which member.", min=0)] = 0,
) -> None:
    """Write what a finished job has left in its output folder, as an archive that nobody here has opened."""
    from pilotbase.worker.base import open_base
    from pilotbase_estate.backends.backend import MemberAttempt
    from pilotbase_estate.computing.told_pools import local_backend

    found = _seen(job).job
    archive = local_backend(open_base()).output(MemberAttempt(job, found.attempt, member))
    if archive is None:
        raise InputError("compute.no_output", job=job)
    out.write_bytes(archive)
    say(text("compute.told.fetched", file=str(out), size=len(archive)))


@app.command("cancel")
@command
def cancel(job: JobName) -> None:
    """Take a job back; what runs is ended at the next turn."""
    from pilotbase_estate.queue.submitting import cancel

    found = cancel(operators_view(), job)
    say(text("compute.told.job", job=job, state=Text(code=f"pool.state.{found.state.value}"), **_whose(found)))


app.command("replay")(compute_replay.replay)
app.command("trace")(compute_replay.trace)


def _seen(name: str) -> JobView:
    from pilotbase_estate.queue.showing import job_seen

    return job_seen(operators_view(), name)


def _whose(job: JobRow) -> dict[str, str]:
    return {"organisation": job.asked.organisation, "pool": job.asked.pool, "asked": str(job.asked.demand)}


def _print_job(one: JobView) -> None:
    job = one.job
    say(text("compute.told.job", job=job.name, state=Text(code=f"pool.state.{job.state.value}"), **_whose(job)))
    if job.thing:
        say(text("compute.told.seat", subject=job.thing))
    if one.wait is None and job.state.value == "waiting":
        say(text("compute.told.next"))
    if one.wait is not None:
        said = {"reason": Text(code=f"pool.wait.{one.wait.reason.value}"), "blocker": one.wait.blocker or "–"}
        say(text("compute.told.wait", place=one.wait.position, starts=_about(one.wait.starts), **said))


def _about(seconds: float | None) -> str:
    from datetime import UTC, datetime

    return format_minute(datetime.fromtimestamp(seconds, UTC)) if seconds is not None else "–"


def _as_json(one: JobView) -> dict[str, object]:
    found = {**one.job.asked.to_json_value(), "state": one.job.state.value}
    return found if one.wait is None else {**found, "wait": {**vars(one.wait), "reason": one.wait.reason.value}}


def _data(written: str) -> tuple[str, str]:
    dataset, colon, file = written.rpartition(":")
    if not colon:
        raise InputError("compute.bad_data", found=written)
    return f"dataset:{dataset}", file


def _spelled(vector: Vector) -> str:
    from pilotbase_estate.documents.resources import format_vector

    return format_vector(vector) or "–"
