"""Commands that drive a hub, or may: which one was named, and what is asked of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import typer

from pilotbase.cli.framework.connection import Connection, connected
from pilotbase.cli.framework.terminal import command, language, say
from pilotbase.documents.errors import InputError

if TYPE_CHECKING:
    import pydantic

    from pilotbase.protocols.hub_client import HubClient
    from pilotbase.worker.base import Base
    from pilotbase.workspace.home import HomeSettings


P = ParamSpec("P")
M = TypeVar("M", bound="pydantic.BaseModel")


def remote(function: Callable[P, None]) -> Callable[P, None]:
    """Make a command of ``function`` that drives a hub, or may."""
    function.drives_hub = True  # type: ignore[attr-defined]
    return command(function)


class Noun(typer.Typer):
    """The commands of one noun: those of this machine, and those that drive a hub, or may.

    ``help``: of a noun below another; what may follow ``pilotbase`` has the text ``command.<name>``.
    """

    def __init__(self, help: str | None = None) -> None:
        super().__init__(help=help, no_args_is_help=True)

    def here(self, name: str) -> Callable[[Callable[P, None]], Callable[P, None]]:
        """Add a command of this machine."""
        return lambda function: self.command(name)(command(function))

    def anywhere(self, name: str) -> Callable[[Callable[P, None]], Callable[P, None]]:
        """Add a command that drives a hub, or may."""
        return lambda function: self.command(name)(remote(function))


def open_base(
    create: bool = False, name: str | None = None, engine: str = "local", settings: HomeSettings | None = None
) -> Base:
    """Return the base of this machine as `worker.base.open_base`; raises as that, and as `open_engine`."""
    from pilotbase.worker import base

    opened = None
    if engine != "local":
        from pilotbase.sandbox.engines import open_engine

        opened = open_engine(engine)
    return base.open_base(create, name, opened, settings)


def scenario_at(place: str) -> Path:
    """Return the folder, manifest or kit that a command was given; a kit at an address of the web is fetched.

    Raises as `pilotbase.worker.intake.public_kits.fetch_kit`.
    """
    if not place.startswith(("https://", "http://")):
        return Path(place)
    from pilotbase.worker.intake.public_kits import fetch_kit

    kit = fetch_kit(open_base(create=True), place)
    say(kit.line(place), err=True)
    return kit.file


def is_remote() -> bool:
    """Return whether a hub was named."""
    return bool(connected().url)


def hub() -> HubClient:
    """Return a client of the hub that was named.

    Raises:
        InputError: none was named, or its address or token file cannot be read.
        RefusedError: the token would travel in the clear.
    """
    from pilotbase.protocols.hub_client import HubClient
    from pilotbase.protocols.hub_requests import HubRequests

    found = connected()
    if not found.url:
        raise InputError("cli.no_hub")
    return HubClient(HubRequests(found.url, _token(found), language()))


def build_request(kind: type[M], /, **said: object) -> M:
    """Return what was asked for; raises `InputError` with every problem at once."""
    from pilotbase.documents.loading import parse_request

    return parse_request(kind, said, "--")


def named(written: str) -> dict[str, str]:
    """Return owner and name of a record that is written ``plant/milling``, or with its kind before it."""
    owner, _, name = written.rpartition(":")[2].partition("/")
    return {"owner": owner, "name": name}


def where(subject: str) -> dict[str, str]:
    """Return the fields that name a record: owner and name, or the name alone."""
    found = named(subject)
    return found if found["name"] else {"name": found["owner"]}


def _token(found: Connection) -> str:
    if found.token or found.token_file is None:
        return found.token.strip()
    try:
        return found.token_file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError("input.unreadable_file", file=found.token_file, reason=reason) from None
