"""The command line: one file per stage. Commands import their stage when they run, so that ``--help`` is quick."""

from __future__ import annotations

import gc
from typing import Annotated

import typer

from pilotbase import __version__
from pilotbase.cli.first_level import FirstLevel
from pilotbase.cli.framework import connection

app = typer.Typer(
    name="pilotbase",
    cls=FirstLevel,
    help="Publish a real scenario, prove AI applications on data they never see, with evidence that stands up.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

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


@app.callback()
def _root(
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
) -> None:
    del version, everything
    connection.remember(context, hub, token, token_file)


def main() -> None:
    """Run the command line."""
    gc.set_threshold(_ALLOCATIONS)
    try:
        app()
    finally:
        gc.freeze()  # the process ends: looking over everything that was imported takes a fifth of a short command
