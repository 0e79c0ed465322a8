"""``pilotbase watch drill``: how soon the base decides, acts and tells."""

from __future__ import annotations

from typing import Annotated

import typer

from pilotbase.cli.edge.terminal import command, print_json, say
from pilotbase.documents.texts import text


@command
def drill(
    service: Annotated[str, typer.Argument(help="Name of the service.")],
    for_real: Annotated[
        bool, typer.Option("--for-real", help="Move the service as its runbook says; a person restores it.")
    ] = False,
    patience: Annotated[float, typer.Option(help="Seconds to wait for a worker.", min=1, max=3600)] = 30,
    as_json: Annotated[bool, typer.Option("--json", help="Print the seconds of each step.")] = False,
) -> None:
    """Raise a red warning that is none, and time what a running worker does about it."""
    from pilotbase.worker.base import open_base
    from pilotbase.worker.reactions.drills import await_drill, start_drill

    view = open_base().lab.view
    digest, started = start_drill(view, service, for_real)
    done = await_drill(view, digest, patience)
    seconds = {step: max(0.0, (one.at - started.at).total_seconds()) for step, one in done.items()}
    if as_json:
        print_json(seconds)
        return
    for step, one in done.items():
        say(text("reaction.drill_line", seconds=f"{seconds[step]:.1f}", what=one.what))
    if for_real:
        say(text("reaction.drill_restore", service=service))
