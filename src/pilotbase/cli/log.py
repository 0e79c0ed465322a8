"""``pilotbase log``: verify the append-only log."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pilotbase.cli.edge.terminal import command, say

app = typer.Typer(help="The append-only log of the base.", no_args_is_help=True)


@app.callback()
def _log() -> None:
    """The append-only log of the base."""


@app.command("verify")
@command
def verify(
    checkpoint: Annotated[
        list[Path] | None, typer.Option(help="A log-checkpoint.txt kept outside the base; may be repeated.")
    ] = None,
) -> None:
    """Recompute the Merkle log and its signed checkpoints; exit 0 when all of it holds, 3 when not."""
    from pilotbase.worker.base import open_base
    from pilotbase.worker.intake.proofs import verify_base_log

    say(verify_base_log(open_base(), checkpoint or ()))
