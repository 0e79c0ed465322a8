"""Handing in to a hub: a folder is packed, sent in pieces that survive any break, and becomes a version."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from pilotbase.cli.edge.asking import named
from pilotbase.cli.edge.declared import Command, add, on_hub
from pilotbase.cli.edge.driving import hub, remote
from pilotbase.cli.edge.terminal import print_json, progress_shown, say
from pilotbase.cli.hub_records import AsJson, Note, Seen
from pilotbase.documents.lifecycles import state_name
from pilotbase.documents.moments import format_day, format_minute
from pilotbase.documents.texts import text
from pilotbase.operations import uploads

if TYPE_CHECKING:
    from pilotbase.documents.api.uploads import OpenUpload
    from pilotbase.documents.record import Record

app = typer.Typer(help="What was sent to the hub and not yet handed in.", no_args_is_help=True)
Kept = Annotated[str, typer.Argument(help="Your scenario, such as plant/milling.")]
Packer = Callable[[Path, IO[bytes]], str]


@remote
def save_scenario(
    scenario: Annotated[Path, typer.Argument(help="The scenario's folder, or its scenario.yaml.")],
    note: Note = "",
    seen: Seen = None,
    new: Annotated[bool, typer.Option("--new", help="It is a new one: refused where the name is taken.")] = False,
    why_holds: Annotated[
        bool, typer.Option("--why-holds", help="Reasons beside changed criteria hold for the new ones too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Hand a scenario's folder in to the hub: a new one, or the next version; what broke off goes on."""
    from pilotbase.worker.intake.folder_archives import zip_scenario

    said: dict[str, str | bool] = {"note": note, "new": new, "why_holds": why_holds}
    record = _hand_in("scenario", (scenario, zip_scenario), said, seen, as_json)
    _print(record, as_json)


@remote
def save_application(
    application: Annotated[Path, typer.Argument(help="The application's folder.")],
    scenario: Annotated[
        str | None, typer.Option(help="The scenario that it is made for, such as plant/milling.")
    ] = None,
    note: Note = "",
    seen: Seen = None,
    as_json: AsJson = False,
) -> None:
    """Hand an application's folder in to the hub: a new one, or the next version; what broke off goes on."""
    from pilotbase.worker.intake.folder_archives import zip_application

    said = {"note": note} | ({"scenario": f"scenario:{scenario}"} if scenario else {})
    record = _hand_in("application", (application, zip_application), said, seen, as_json)
    _print(record, as_json)


def _print_uploads(found: list[OpenUpload]) -> None:
    for one in found:
        facts = {"received": one.received, "size": one.size, "until": format_minute(one.expires_at)}
        say(text("cli.hub_upload", identity=one.identity, name=one.name, **facts))


add(app, Command("list", uploads.LIST, show=_print_uploads), Command("erase", uploads.ERASE))


@remote
def kept_files(scenario: Kept, as_json: AsJson = False) -> None:
    """List the files that the base keeps of your scenario's versions, encrypted, and until when."""
    from pilotbase.operations import records

    found = on_hub(records.KEPT, **named(scenario))
    if as_json:
        print_json([one.model_dump(mode="json") for one in found])
    for one in [] if as_json else found:
        say(text("cli.hub_kept", scenario=one.scenario, size=one.size, until=format_day(one.kept_until)))


@remote
def erase_files(scenario: Kept) -> None:
    """Erase the files that the base keeps of your scenario, all versions; what is sealed stays sealed."""
    from pilotbase.operations import records

    say(text("cli.hub_erased", count=on_hub(records.ERASE_KEPT, **named(scenario)).erased))


def _hand_in(
    kind: str, packed: tuple[Path, Packer], said: Mapping[str, str | bool], seen: str | None, quiet: bool
) -> Record:
    folder, pack = packed
    client = hub()
    with tempfile.TemporaryFile() as archive, progress_shown(quiet) as on_progress:
        name = pack(folder, archive)
        return client.hand_in(kind, client.upload(f"{name}.zip", archive, on_progress), said, seen)


def _print(record: Record, as_json: bool) -> None:
    if as_json:
        print_json(record.to_json_value())
        return
    state = state_name(record.kind, record.state)
    say(text("cli.hub_handed_in", subject=record.subject, version=record.version, state=state))
