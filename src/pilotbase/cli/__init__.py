"""The command line: one file per stage. Commands import their stage when they run, so that ``--help`` is quick."""

from __future__ import annotations

import gc
import os
from enum import StrEnum
from typing import Annotated

import typer

from pilotbase import __version__
from pilotbase.cli.first_level import FirstLevel
from pilotbase.cli.framework import connection


class Shell(StrEnum):
    """Shells that complete our commands."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


app = typer.Typer(
    name="pilotbase",
    cls=FirstLevel,
    help="Publish a real scenario, prove AI applications on data they never see, with evidence that stands up.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

_COMPLETE = "_PILOTBASE_COMPLETE"
"""The variable by which a shell asks what may come next."""
_ALLOCATIONS = 50_000
"""So many new objects are looked over for garbage at a time: what a command imports stays, and is most of them."""


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"pilotbase {__version__}")
        raise typer.Exit


def _list_all(context: typer.Context, asked: bool) -> None:
    if asked:
        context.params["all"] = True
        typer.echo(context.get_help())
        raise typer.Exit


def _print_completion(shell: Shell | None) -> None:
    """Print what makes a shell complete our commands; typer answers when the shell then asks."""
    if shell is not None:
        from typer._completion_shared import get_completion_script

        typer.echo(get_completion_script(prog_name="pilotbase", complete_var=_COMPLETE, shell=shell))
        raise typer.Exit


@app.callback()
def _root(  # noqa: PLR0913 - what may stand before any command
    context: typer.Context,
    hub: connection.Hub = "",
    token: connection.Token = "",
    token_file: connection.TokenFile = None,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Show all commands and exit.", callback=_list_all, is_eager=True)
    ] = False,
    completion: Annotated[
        Shell | None,
        typer.Option(
            "--completion",
            help="Print the completion script of a shell and exit.",
            callback=_print_completion,
            is_eager=True,
        ),
    ] = None,
) -> None:
    del version, everything, completion
    connection.remember(context, hub, token, token_file)


def main() -> None:
    """Run the command line."""
    gc.set_threshold(_ALLOCATIONS)
    if _COMPLETE in os.environ:
        from typer._completion_classes import completion_init

        completion_init()
    try:
        app()
    finally:
        gc.freeze()  # the process ends: looking over everything that was imported takes a fifth of a short command
