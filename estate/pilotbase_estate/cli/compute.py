"""``pilotbase compute``: shared pools, jobs that wait for them and run, and what a change would make of a trace."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text as Cell

from pilotbase.cli.framework.terminal import (
    AskAbove,
    command,
    consents,
    language,
    print_json,
    progress_shown,
    say,
    shown,
)
from pilotbase.documents.errors import InputError, Issue, RefusedError
from pilotbase.documents.moments import format_minute
from pilotbase.documents.texts import Text, format_for_terminal, text
from pilotbase_estate.cli.computing import AsJson, demand_of, operators_view
from pilotbase_estate.documents.pool_replay import Policy

if TYPE_CHECKING:
    from pilotbase_estate.documents.pool import Pool
    from pilotbase_estate.documents.pool_replay import PoolReplay
    from pilotbase_estate.documents.resources import Vector
    from pilotbase_estate.queue.rows import JobRow
    from pilotbase_estate.queue.showing import JobView
    from pilotbase_estate.replay.page.wording import FigureRow
    from pilotbase_estate.replay.traces import Trace, TraceFormat

app = typer.Typer(help="Shared computing power: pools, jobs, replay.", no_args_is_help=True)
PoolName = Annotated[str, typer.Argument(help="Name of the pool.")]
JobName = Annotated[str, typer.Argument(help="The job, as submit and jobs print it.")]
USUAL = (Policy.FIFO, Policy.DRF, Policy.SHARED, Policy.FGD)
PLACEMENTS = (Policy.RANDOM, Policy.BEST_FIT, Policy.FGD)
RUNS = 3
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
Since = Annotated[datetime | None, typer.Option(help="Of a pool's record: jobs handed in from then on (UTC).")]


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


@app.command("replay")
@command
def replay(  # noqa: PLR0913 - each thing that can be asked is an option
    jobs: Annotated[Path | None, typer.Argument(help="CSV file with the jobs; --of takes a pool's record.")] = None,
    nodes: Annotated[Path | None, typer.Option(help="CSV file with the nodes.")] = None,
    policy: Annotated[list[Policy] | None, typer.Option(help="Which policy; repeat it to compare.")] = None,
    of: Annotated[str, typer.Option(help="Replay what this pool of the base has run, on its machines of today.")] = "",
    since: Since = None,
    pool: Annotated[
        Path | None, typer.Option(help="YAML file with a pool: its machines for all, its rules for shared.")
    ] = None,
    organisations: Annotated[
        int, typer.Option(help="How many are made up where the trace names none.", min=1, max=1000)
    ] = 3,
    load: Annotated[float, typer.Option(help="The gaps between submissions are divided by it.", min=1e-6)] = 1.0,
    skip_broken: Annotated[
        bool, typer.Option("--skip-broken", help="Pass over broken rows; they are counted.")
    ] = False,
    inflate: Annotated[
        bool,
        typer.Option("--inflate", help="How much of the GPUs is allocated as ever more is asked for, nothing ending."),
    ] = False,
    seed: Annotated[int, typer.Option(help="Of chance, where a policy has any.", min=0)] = 0,
    out: Annotated[Path | None, typer.Option(help="Where to write replay.html and replay.json.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the document.")] = False,
) -> None:
    """Play a trace under several policies: use, fairness, waits by organisation, fragments. Changes no pool."""
    from pilotbase.documents.loading import load_document
    from pilotbase_estate.computing.what_if import WhatIfOrder, play_record
    from pilotbase_estate.documents.pool import Pool
    from pilotbase_estate.replay.policies import PolicyContext
    from pilotbase_estate.replay.reporting import replay, replay_inflated
    from pilotbase_estate.replay.traces import TraceFormat

    if bool(of) == (jobs is not None):
        raise InputError("replay.one_source")
    considered = load_document(Pool, pool) if pool is not None else None
    chosen = tuple(dict.fromkeys(policy or (PLACEMENTS if inflate else USUAL)))
    trace = _read(jobs, nodes, considered, TraceFormat(organisations, skip_broken)) if jobs is not None else None
    with progress_shown(as_json) as on_progress:
        if trace is None and not inflate:
            view = operators_view()
            now, asked_by = view.store.clock(), view.actor.organisation
            order = WhatIfOrder(
                pool=of, since=_begins(since), until=now, policies=chosen, considered=considered, seed=seed,
                asked_at=now, organisation=asked_by,
            )  # fmt: skip
            found = play_record(view, order, on_progress, load)
        elif inflate:
            drawn_from = trace or _recorded(of, since, considered)
            found = replay_inflated(drawn_from, chosen, range(seed, seed + RUNS), on_progress)
        else:
            assert trace is not None
            found = replay(trace, chosen, PolicyContext(considered, seed), load, on_progress)
    if as_json:
        print_json(found.to_json_value())
    else:
        _print(found, trace.left_out if trace is not None else ())
    if out is not None:
        _write(found, out, as_json)


@app.command("trace")
@command
def trace(
    pool: Annotated[str, typer.Argument(help="Name of the pool.")],
    since: Since = None,
    out: Annotated[Path, typer.Option(help="Folder for jobs.csv and nodes.csv.")] = Path("trace"),
) -> None:
    """Write what a pool has run as the trace that replay reads: jobs.csv and nodes.csv."""
    from pilotbase_estate.replay.traces import write_trace

    found = _recorded(pool, since, None)
    write_trace(found, out)
    counts = {"jobs": f"{len(found.jobs):,}", "left_out": f"{found.rows_left_out:,}"}
    say(text("replay.told.trace", pool=pool, folder=str(out), **counts))


def _read(jobs: Path, nodes: Path | None, rules: Pool | None, reading: TraceFormat) -> Trace:
    from pilotbase_estate.replay.traces import read_jobs, read_trace

    if rules is not None:
        return read_jobs(jobs, rules.capacities, reading)
    if nodes is None:
        raise InputError("replay.no_nodes")
    return read_trace(jobs, nodes, reading)


def _recorded(pool: str, since: datetime | None, rules: Pool | None) -> Trace:
    from dataclasses import replace

    from pilotbase_estate.queue.pools import trace_of

    view = operators_view()
    found = trace_of(view, pool, _begins(since), view.store.clock())
    return found if rules is None else replace(found, nodes=rules.capacities)


def _begins(since: datetime | None) -> datetime:
    return since.replace(tzinfo=UTC) if since is not None else _EARLIEST


def _write(found: PoolReplay, folder: Path, as_json: bool) -> None:
    import json

    from pilotbase_estate.replay.page import render_replay

    folder.mkdir(parents=True, exist_ok=True)
    spelled = json.dumps(found.to_json_value(), ensure_ascii=False, indent=1)
    (folder / "replay.json").write_text(spelled + "\n", "utf-8")
    (folder / "replay.html").write_text(render_replay(found, language()), "utf-8")
    say(text("replay.told.written", file=str(folder / "replay.html")), err=as_json)


def _print(found: PoolReplay, left_out: Sequence[Issue]) -> None:
    from pilotbase.documents.quantities import format_span
    from pilotbase_estate.replay.page.wording import ReplayWording, assumptions

    words = ReplayWording(language(), found)
    for issue in left_out:
        typer.echo(issue.render(language(), format_for_terminal), err=True)
    told = {"jobs": f"{found.trace.jobs:,}", "nodes": f"{found.trace.nodes:,}"}
    say(text("replay.told.played", span=format_span(found.trace.span_seconds), **told))
    for rows in [words.placements] if found.inflated else [words.policies, words.organisations]:
        _print_table(rows)
    for sentence in assumptions(found):
        say(sentence)


def _print_table(rows: Sequence[FigureRow]) -> None:
    table, whose = Table(expand=False), ["replay.column.organisation"] if rows[0].organisation else []
    for code in (*whose, "replay.column.policy"):
        table.add_column(Cell(shown(text(code))), overflow="fold")
    for name, _ in rows[0].cells:
        table.add_column(Cell(format_for_terminal(name)), overflow="fold", justify="right")
    for row in rows:
        cells = (*([row.organisation] if whose else []), row.policy, *(value for _, value in row.cells))
        table.add_row(*(Cell(format_for_terminal(cell)) for cell in cells))
    Console(width=None if Console().is_terminal else 160).print(table)


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
