"""Which hub the command is to drive: what the root options and the environment say."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

Hub = Annotated[
    str, typer.Option("--hub", help="Address of a hub that the command drives.", envvar="PILOTBASE_HUB", metavar="URL")
]
Token = Annotated[
    str,
    typer.Option(
        "--token", help="API token (others on this machine see it: rather a file).", envvar="PILOTBASE_HUB_TOKEN"
    ),
]
TokenFile = Annotated[
    Path | None, typer.Option("--token-file", help="File that holds the API token.", envvar="PILOTBASE_HUB_TOKEN_FILE")
]


@dataclass(frozen=True)
class Connection:
    """What was said before the command."""

    url: str = ""
    token: str = field(default="", repr=False)
    token_file: Path | None = None
    typed: bool = False
    """Whether --hub was typed: a command that drives none says so then; the environment may name one for all."""


NOWHERE = Connection()
_named: ContextVar[Connection] = ContextVar("named")


def remember(context: typer.Context, url: str, token: str, token_file: Path | None) -> None:
    """Keep what the root options say for the command that follows."""
    source = context.get_parameter_source("hub")
    _named.set(Connection(url, token, token_file, source is not None and source.name == "COMMANDLINE"))


def connected() -> Connection:
    """Return what was said."""
    return _named.get(NOWHERE)


def require_here(drives_hub: bool) -> None:
    """Return unless a hub was asked for that the command cannot drive; raises `InputError`."""
    if connected().typed and not drives_hub:
        from pilotbase.documents.errors import InputError

        raise InputError("cli.not_over_a_hub")
