"""``pilotbase compute replay`` and ``trace``: what a change of policy would make of a recorded trace."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text as Cell

from pilotbase.cli.framework.terminal import command, language, print_json, progress_shown, say, shown
from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.texts import text
from pilotbase.documents.visible_text import format_for_terminal
from pilotbase_estate.cli.computing import operators_view
from pilotbase_estate.documents.pool_replay import Policy

if TYPE_CHECKING:
    from pilotbase_estate.documents.pool import Pool
    from pilotbase_estate.documents.pool_replay import PoolReplay
    from pilotbase_estate.replay.page.wording import FigureRow
    from pilotbase_estate.replay.traces import Trace, TraceFormat

USUAL = (Policy.FIFO, Policy.DRF, Policy.SHARED, Policy.FGD)
PLACEMENTS = (Policy.RANDOM, Policy.BEST_FIT, Policy.FGD)
RUNS = 3
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
Since = Annotated[datetime | None, typer.Option(help="Of a pool's record: jobs handed in from then on (UTC).")]


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
