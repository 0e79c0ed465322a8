"""What may follow ``pilotbase``: listed by name and line; the module of what is called is loaded then, no other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException

from pilotbase.cli.framework.helping import command_line, filled, translate_error, translate_help
from pilotbase.documents.catalogues import catalogue, wanted_language
from pilotbase.documents.plugins import mirrored

if TYPE_CHECKING:
    from pilotbase.documents.errors import InputError


COMMANDS: Mapping[str, str] = {
    "next": "hub_records:next_step",
    "init": "base:init",
    "upgrade": "base:upgrade",
    "backup": "base:backup",
    "restore": "base:restore",
    "demo": "demo:demo",
    "serve": "serve:serve",
    "worker": "worker:worker",
    "gateway": "serve:gateway",
    "work": "hub_records:work",
    "acts": "hub_records:acts",
    "act": "hub_records:act",
    "demand": "demand:app",
    "scenario": "scenario:app",
    "data": "data:app",
    "application": "application:app",
    "organisation": "people:organisation",
    "people": "people:app",
    "world": "world:app",
    "trial": "trial:app",
    "site": "site:app",
    "match": "match:app",
    "room": "room:app",
    "profile": "profile:app",
    "learn": "learn:app",
    "call": "call:app",
    "certificate": "certificate:app",
    "standard": "standard:app",
    "service": "service:app",
    "replication": "replication:app",
    "watch": "watch:app",
    "incident": "incident:app",
    "upload": "hub_records:uploads_app",
    "roadmap": "roadmap:app",
    "report": "report:app",
    "workforce": "workforce:app",
    "log": "base:log",
    "blobs": "base:blobs_app",
    "key": "base:keys",
}
"""Name → what it is called in which module of this room; its help: text ``command.<name>``."""
FIRST = ("next", "demo", "serve", "scenario", "application", "trial", "certificate", "service", "watch")
"""What the first help shows: an owner's and a supplier's way from cases to a watched service. ``--all`` shows all."""


def _listed() -> Mapping[str, str]:
    """Return our commands, then those of plug-ins under other names, each with the full name of its module."""
    found = {name: f"pilotbase.cli.{place}" for name, place in COMMANDS.items()}
    for module in mirrored("cli.first_level"):
        for name, place in module.COMMANDS.items():
            found.setdefault(name, f"{module.__package__}.{place}")
    return found


FIRST_LEVEL = _listed()


class FirstLevel(TyperGroup):
    """All commands: ``get_command`` knows what is listed of one, ``commands`` loads it whole."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        translate_help(self)
        self.commands = _Loaded()  # type: ignore[assignment]  # nothing is ever added to it

    def make_context(self, *arguments: Any, **settings: Any) -> Any:
        with _usage_errors():
            return super().make_context(*arguments, **settings)

    def invoke(self, ctx: Any) -> Any:
        with _usage_errors():
            return super().invoke(ctx)

    def get_usage(self, ctx: Any) -> str:
        return filled(super().get_usage(ctx))

    def list_commands(self, ctx: Any) -> list[str]:
        return list(FIRST_LEVEL if ctx.params.get("all") else FIRST)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        super().format_help(ctx, formatter)
        if not ctx.params.get("all"):
            more = catalogue("command", wanted_language())["command.more"]
            typer.echo(more.format(count=len(FIRST_LEVEL)))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        del ctx
        return TyperCommand(cmd_name, help=command_line(cmd_name)) if cmd_name in FIRST_LEVEL else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, found, rest = super().resolve_command(ctx, args)
        return name, self.commands[name] if name else found, rest


@contextmanager
def _usage_errors() -> Iterator[None]:
    """Say in the reader's language what is wrong with the words of a command line."""
    try:
        yield
    except typer.BadParameter as error:
        told = _told(error)
        if told is None:
            translate_error(error)
            raise
        from pilotbase.cli.framework.terminal import shown

        typer.echo(shown(told), err=True)
        raise typer.Exit(told.exit_code) from None
    except TyperException as error:
        translate_error(error)
        raise


def _told(error: typer.BadParameter) -> InputError | None:
    """Return what is wrong with a value, in our words; None where these say less than typer's."""
    import pydantic

    from pilotbase.documents.errors import InputError, offer
    from pilotbase.documents.loading import issues_of
    from pilotbase.documents.texts import text

    cause, context, option = error.__cause__, error.ctx, error.param
    if not isinstance(cause, pydantic.ValidationError) or context is None or option is None:
        return None
    place, choices, found = context.command_path, option.type_descriptor.choices, str(cause.errors()[0]["input"])
    changed: dict[str, object] = {"path": option.opts[0]}
    if choices:  # typer lists them in an English sentence
        changed["problem"] = text("input.not_allowed", found=found, allowed=offer(found, [str(one) for one in choices]))
    issues = [one.model_copy(update=changed) for one in issues_of(place, cause)]
    return InputError.from_issues(place, issues)


class _Loaded(Mapping[str, Any]):
    """Name → the command or group itself, built when it is asked for."""

    def __getitem__(self, name: str) -> Any:
        return _built(name, wanted_language())

    def __iter__(self) -> Iterator[str]:
        return iter(FIRST_LEVEL)

    def __len__(self) -> int:
        return len(FIRST_LEVEL)


@cache
def _built(name: str, language: str) -> Any:
    """Return a command or group, whose help speaks ``language``, the one that is wanted now."""
    del language
    module, _, attribute = FIRST_LEVEL[name].partition(":")
    found = getattr(import_module(module), attribute)
    alone = typer.Typer()
    if isinstance(found, typer.Typer):
        alone.add_typer(found, name=name, help=command_line(name))
    else:
        alone.command(name, help=command_line(name))(found)
    return translate_help(typer.main.get_group(alone).commands[name])
