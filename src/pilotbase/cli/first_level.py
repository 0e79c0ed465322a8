"""What may follow ``pilotbase``: listed by name and line; the module of what is called is loaded then, no other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException

from pilotbase.cli.edge.helping import filled, help_line, translate_error, translate_help
from pilotbase.documents.plugins import mirrored

if TYPE_CHECKING:
    from pilotbase.documents.errors import InputError


COMMANDS: Mapping[str, tuple[str, str]] = {
    "init": ("base:init", "Set up PILOTBASE_HOME: store, keys, trust roots."),
    "upgrade": (
        "base:upgrade",
        "Bring store and accounts of PILOTBASE_HOME to this version; cut off, run it again. Back up first.",
    ),
    "backup": (
        "base:backup",
        "Write the base into one file while hub and worker go on: store, accounts, blobs, files; never a key.",
    ),
    "restore": (
        "base:restore",
        "Bring a base back into an empty PILOTBASE_HOME (and database); everything is verified before it stands.",
    ),
    "demo": (
        "demo:demo",
        "Prove applications of every sector on real data, then put one into service and let the world change.",
    ),
    "serve": (
        "serve:serve",
        "Serve the hub: pages, the API under /api/; beside it the gateway, and the worker that runs what is queued.",
    ),
    "worker": (
        "worker:worker",
        "Do queued jobs, react to warnings, send notices: rehearse, run trials, certify. Killed, it goes on.",
    ),
    "gateway": (
        "serve:gateway",
        "Serve the services of PILOTBASE_HOME: /v1 (OpenAI), /v2 (Open Inference Protocol). `serve` starts one too.",
    ),
    "work": ("hub_records:work", "List what waits for you, what is due first."),
    "acts": ("hub_records:acts", "List what you may do to a record now, and what stands against it."),
    "act": ("hub_records:act", "Take a step on a record on the hub; prints where it stands then."),
    "scenario": ("scenario:app", "Describe a real problem: data contract, baseline, acceptance criteria."),
    "data": ("data:app", "Describe data, measure its quality, label it, open it on terms."),
    "application": ("application:app", "Write and check an application."),
    "organisation": ("organisation:app", "Organisations that act on the base."),
    "trial": ("trial:app", "Prove applications on data they never see."),
    "site": ("site:app", "Site trials: the data stay at their owner's, a signed report comes back."),
    "match": ("match:app", "Find applications for a scenario, scenarios for an application, and gaps."),
    "certificate": ("certificate:app", "Verify and revoke certificates."),
    "standard": ("standard:app", "Standards as code: profiles, checks, conformity, evidence."),
    "service": ("service:app", "Certified applications behind the gateway: in this home, or on a hub."),
    "watch": ("watch:app", "Watch over services: in this home, or on a hub."),
    "incident": ("incident:app", "Incidents of services: in this home, or on a hub."),
    "upload": ("hub_records:uploads_app", "What was sent to the hub and not yet handed in."),
    "roadmap": ("roadmap:app", "The ledger of the base, its map, the ranking of scenarios."),
    "log": ("base:log", "The append-only log of the base."),
    "blobs": ("base:blobs_app", "The blobs of the base: sealed data, samples, files."),
    "key": ("base:keys", "Signing keys of the base."),
}
"""Name → what it is called in which module of this room, and its help, the same as there."""


def _listed() -> Mapping[str, tuple[str, str]]:
    """Return our commands, then those of plug-ins under other names, each with the full name of its module."""
    found = {name: (f"pilotbase.cli.{place}", line) for name, (place, line) in COMMANDS.items()}
    for module in mirrored("cli.first_level"):
        for name, (place, line) in module.COMMANDS.items():
            found.setdefault(name, (f"{module.__package__}.{place}", line))
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
        del ctx
        return list(FIRST_LEVEL)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        del ctx
        return TyperCommand(cmd_name, help=help_line(FIRST_LEVEL[cmd_name][1])) if cmd_name in FIRST_LEVEL else None

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
        from pilotbase.cli.edge.terminal import shown

        typer.echo(shown(told), err=True)
        raise typer.Exit(told.exit_code) from None
    except TyperException as error:
        translate_error(error)
        raise


def _told(error: typer.BadParameter) -> InputError | None:
    """Return what is wrong with a value, in our words; None where these say less than typer's."""
    import pydantic

    from pilotbase.documents.errors import InputError
    from pilotbase.documents.loading import issues_of
    from pilotbase.documents.nearest import offer
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
        module, _, attribute = FIRST_LEVEL[name][0].partition(":")
        found = getattr(import_module(module), attribute)
        alone = typer.Typer()
        if isinstance(found, typer.Typer):
            alone.add_typer(found, name=name)
        else:
            alone.command(name)(found)
        return translate_help(typer.main.get_group(alone).commands[name])

    def __iter__(self) -> Iterator[str]:
        return iter(FIRST_LEVEL)

    def __len__(self) -> int:
        return len(FIRST_LEVEL)
