"""``pilotbase serve``: the hub."""

from __future__ import annotations

from typing import Annotated

import typer

from pilotbase.cli.edge import command, say
from pilotbase.documents.texts import text


@command
def serve(
    host: Annotated[str, typer.Option(help="Where to listen; beyond this machine only behind https.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535)] = 8000,
    check: Annotated[bool, typer.Option("--check", help="Say what keeps it from serving, and exit.")] = False,
    invite: Annotated[
        str | None, typer.Option(help="Make an invitation link for an operator with this mail address, and exit.")
    ] = None,
) -> None:
    """Serve the hub: pages, the API under /api/, and the worker that runs what is queued."""
    from pilotbase.hub import serving

    place = serving.Place(host, port)
    if check:
        _check(host, port)
        return
    serving.configure(place)
    serving.prepare()
    if invite is not None:
        from pilotbase.hub.people.first import invite_operator

        typer.echo(invite_operator(invite))
        return
    say(text("cli.hub_at", url=place.url))
    serving.run(place)


def _check(host: str, port: int) -> None:
    from pilotbase.hub import serving

    found = list(serving.problems(serving.Place(host, port)))
    for problem in found:
        say(problem, err=True)
    if found:
        raise typer.Exit(2)
    say(text("cli.hub_checked"))
