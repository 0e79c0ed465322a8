"""Trials on a hub: progress, report; certificates checked there by anybody."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotbase.cli.edge.declared import call, on_hub
from pilotbase.cli.edge.driving import remote
from pilotbase.cli.edge.terminal import language, print_json, say
from pilotbase.cli.hub_records import AsJson
from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.files import read_bounded
from pilotbase.documents.hashes import HEX
from pilotbase.documents.texts import Text, text
from pilotbase.documents.visible_text import format_for_terminal

if TYPE_CHECKING:
    from pilotbase.documents.api.trials import CheckedCertificate

Trial = Annotated[str, typer.Argument(help="Name of the trial, as `pilotbase trial list` shows it after the colon.")]
_NUMBER = re.compile(f"(?:sha256:)?({HEX})")
_MOST_BYTES = 1 << 20


@remote
def progress(name: Trial, as_json: AsJson = False) -> None:
    """Tell how far the newest work on a trial is: place in the queue, stage, reason."""
    from pilotbase.operations import records

    found = on_hub(records.PROGRESS, name=name)
    if as_json:
        print_json(found.model_dump(mode="json"))
    elif found.state is None:
        say(text("cli.hub_no_work"))
    else:
        state, more = Text(code=f"job.state.{found.state}"), found.reason or found.stage or ""
        place = text("cli.hub_place", position=found.position) if found.position else ""
        say(text("cli.hub_progress", state=state, place=place, more=more))


@remote
def report(
    name: Trial,
    out: Annotated[Path | None, typer.Option("--out", help="File to write the report to, as JSON.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the report of a trial in the view that you have of it."""
    from pilotbase.operations import records

    found = on_hub(records.REPORT, name=name)
    if out is not None:
        out.write_bytes(found.canonical())
    if as_json:
        print_json(found.to_json_value())
        return
    from pilotbase.worker.trials.summary import report_lines

    for line in report_lines(found, out or Path(f"{name}.json")):
        say(line)


@remote
def check(
    which: Annotated[str, typer.Argument(help="A certificate.json, or the number of a certificate.")],
    as_json: AsJson = False,
) -> None:
    """Ask this home, or a hub without an account, whether a certificate holds: exit 0 it does, 3 it does not."""
    found = _checked(which)
    if as_json:
        print_json(found.model_dump(mode="json", by_alias=True, exclude_none=True))
    else:
        for line in _lines(found):
            typer.echo(format_for_terminal(line))
    if not found.holds:
        raise typer.Exit(InvalidProofError.exit_code)


def _checked(which: str) -> CheckedCertificate:
    from pilotbase.operations import certificates

    number = _NUMBER.fullmatch(which)
    if number is not None:
        return call(certificates.SHOW, serial=number[1])
    return call(certificates.CHECK, envelope=read_bounded(Path(which), _MOST_BYTES))


def _lines(found: CheckedCertificate) -> list[str]:
    claim = [found.certificate.claim.render(language())] if found.certificate and found.holds else []
    return [*([found.reason] if found.reason else []), *claim, *found.notes]
