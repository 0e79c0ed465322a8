"""``pilotbase data check``: what a description of a dataset says, and everything that is wrong, lacking or not kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotbase.cli.edge.terminal import EXIT_REJECTED, command, language, print_json, say
from pilotbase.documents.texts import text
from pilotbase.documents.visible_text import format_for_terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilotbase.data.bridges.reading import BridgedFile
    from pilotbase.documents.errors import Issue

EXIT_FAULT = 2


@command
def check(
    file: Annotated[
        Path,
        typer.Argument(help="dataset.yaml, Croissant, a Frictionless package, an Open Data Contract, DCAT, TC609."),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print what was read and everything that was found.")] = False,
) -> None:
    """Check a description: all faults, all that it lacks, all that is not kept. Exit 0 complete, 2 faulty, 3 lacking"""
    from pilotbase.data.bridges.reading import load_description

    loaded = load_description(file)
    if as_json:
        print_json(_plain(loaded))
    else:
        _print(loaded)
    found = loaded.description
    raise typer.Exit(EXIT_FAULT if found.faults else EXIT_REJECTED if found.lacking else 0)


def _plain(loaded: BridgedFile) -> dict[str, object]:
    from pilotbase.data.croissant.findings import as_plain

    found = loaded.description
    return {
        "file": found.file,
        "format": loaded.bridge.name,
        "version": found.version,
        "faults": as_plain(found.faults),
        "lacking": as_plain(found.lacking),
        "notHeld": as_plain(found.not_held),
        "dataset": found.dataset.to_json_value() if found.dataset is not None else None,
    }


def _print(loaded: BridgedFile) -> None:
    found, dataset = loaded.description, loaded.description.dataset
    say(text("bridge.read", file=found.file, format=loaded.bridge.title, version=found.version))
    if dataset is not None:
        fields = sum(len(one.fields) for one in dataset.record_sets)
        counts = {"files": len(dataset.distribution), "sets": len(dataset.record_sets), "fields": fields}
        say(text("bridge.described", name=dataset.name, opening=text(f"opening.{dataset.opening.value}"), **counts))
    _print_kind("fault", found.faults)
    _print_kind("lacking", found.lacking)
    _print_not_held(found.not_held)
    if not found.faults and not found.lacking:
        say(text("bridge.complete"))


def _print_kind(kind: str, issues: Sequence[Issue]) -> None:
    if issues:
        say(text("bridge.kind", kind=text(f"croissant.kind.{kind}"), count=len(issues)))
    for issue in issues:
        typer.echo(f"  {issue.render(language(), format_for_terminal)}")


def _print_not_held(issues: Sequence[Issue]) -> None:
    """Print what is not kept, each thing once with how often it stands there: a warning a line hides the next."""
    if issues:
        say(text("bridge.kind", kind=text("croissant.kind.not_held"), count=len(issues)))
    alike: dict[str, list[Issue]] = {}
    for issue in issues:
        alike.setdefault(issue.problem.render(), []).append(issue)
    for same in alike.values():
        place = format_for_terminal(same[0].path)
        if len(same) > 1:
            say(text("bridge.not_held_often", problem=same[0].problem, place=place, count=len(same) - 1))
        else:
            say(text("bridge.not_held_once", problem=same[0].problem, place=place))
