"""``pilotbase trial contamination``: whether a model has met the cases before, by texts and by what it recites."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotbase.cli.edge.terminal import command, print_json, say
from pilotbase.documents.errors import InputError
from pilotbase.documents.texts import Text, text

if TYPE_CHECKING:
    from pilotbase.trial.probes.contamination import Recited, SharedRuns

_MOST_BYTES = 32 << 20


@command
def contamination(  # noqa: PLR0913 - each is an option
    cases: Annotated[Path, typer.Argument(help="A table of cases.")],
    column: Annotated[str, typer.Option("--column", help="Its column of texts.")] = "question",
    trained_on: Annotated[
        list[Path] | None,
        typer.Option("--trained-on", help="A text that the supplier says to have trained on (UTF-8)."),
    ] = None,
    ask: Annotated[
        Path | None, typer.Option("--ask", help="Folder of an endpoint, which is sent the first half of the cases.")
    ] = None,
    control: Annotated[
        Path | None, typer.Option("--control", help="A table of like cases that the model cannot have met.")
    ] = None,
    most: Annotated[int, typer.Option("--most", min=1, help="Of each table so many cases at most are asked.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures.")] = False,
) -> None:
    """Look for cases that a model has met: long runs in training texts, and beginnings that it goes on with by heart.

    What an endpoint is asked its supplier may keep: ask with cases that no later trial needs.
    """
    from pilotbase.catalogue.applications import read_application
    from pilotbase.documents.bounded_files import read_bounded
    from pilotbase.trial.probes.contamination import asking_endpoint, recited, shared_runs, texts_of

    if not trained_on and ask is None:
        raise InputError("contamination.nothing_asked")
    known = texts_of(cases, column)
    texts = [read_bounded(path, _MOST_BYTES).decode(errors="replace") for path in trained_on or ()]
    runs = shared_runs(known, texts) if texts else None
    told = None
    if ask is not None:
        unmet = texts_of(control, column)[:most] if control is not None else []
        told = recited(known[:most], unmet, asking_endpoint(read_application(ask).application))
    if as_json:
        print_json({name: found.to_json_value() for name, found in (("texts", runs), ("recited", told)) if found})
        return
    for line in (*_shared_lines(runs), *_recited_lines(told)):
        say(line)
    say(text("contamination.limits"))


def _shared_lines(found: SharedRuns | None) -> list[Text]:
    if found is None:
        return []
    return [text("contamination.shared", **found.to_json_value())]


def _recited_lines(found: Recited | None) -> list[Text]:
    if found is None:
        return []
    values = {name: getattr(found, name) for name in ("cases", "too_short", "silent", "recited", "longest")}
    lines = [text("contamination.recited", **values)]
    if found.chance is None:
        return [*lines, text("contamination.no_control")]
    counts = {"recited": found.control_recited, "cases": found.control_cases}
    return [*lines, text("contamination.control", chance=f"{found.chance:.2g}", **counts)]
