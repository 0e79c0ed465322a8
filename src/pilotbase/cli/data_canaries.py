"""``pilotbase data canaries``: whether a suspected file comes from a copy of a dataset, and from whose."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotbase.cli.data_catalogue import AsJson
from pilotbase.cli.edge.terminal import command, print_json, say
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import hex_of
from pilotbase.documents.subjects import subject_written
from pilotbase.documents.texts import text

if TYPE_CHECKING:
    from pilotbase.vault.canaries import Sighting


@command
def canaries(
    suspected: Annotated[Path, typer.Argument(help="The file that may have leaked: any table that is read here.")],
    dataset: Annotated[str, typer.Argument(help="The dataset of which it may be a copy, such as plant/milling.")],
    as_json: AsJson = False,
) -> None:
    """Look in a suspected file for the made-up rows of your dataset's copies, and tell whose copy it is."""
    from pilotbase.worker.base import open_base
    from pilotbase.worker.datasets.marking import look_for_canaries

    if not suspected.is_file():
        raise InputError("data.no_file", file=str(suspected))
    base, subject = open_base(create=True), subject_written("dataset", dataset)
    found = look_for_canaries(base, base.lab.view, subject, suspected)
    if as_json:
        print_json([asdict(one) for one in found])
    for one in [] if as_json else found:
        _print(one)


def _print(one: Sighting) -> None:
    counted = {"found": one.found, "canaries": one.canaries, "rows": one.rows, "chance": f"{one.chance:.1g}"}
    say(text("canary.sighting", file=one.file, version=hex_of(one.version)[:12], **counted))
    for copy in one.copies:
        said = {"organisation": copy.organisation, "found": copy.found, "given": copy.given}
        say(text("canary.copy", chance=f"{copy.chance:.1g}", **said))
    if not one.copies:
        say(text("canary.nobody"))
