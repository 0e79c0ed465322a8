"""``pilotbase trial board``: compare applications on cases kept apart, as often as the terms allow."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pilotbase.cli.edge.terminal import command, print_json, progress_shown, say


@command
def board(
    scenario: Annotated[Path, typer.Argument(help="The scenario's folder.")],
    application: Annotated[Path | None, typer.Argument(help="The application's folder; none: show the board.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the document.")] = False,
) -> None:
    """Score an application on the scenario's board and show it: no attempt counted, not evidence."""
    from pilotbase.worker.base import open_base
    from pilotbase.worker.trials.boards import board_lines, entry_line, show_board, submit_to_board

    if application is None:
        entry, found = None, show_board(open_base(), scenario)
    else:
        with progress_shown(as_json) as on_progress:
            submitted = submit_to_board(open_base(create=True), scenario, application, on_progress)
        entry, found = submitted.entry, submitted.board
    if as_json:
        print_json({"submission": entry and entry.to_json_value(), "board": found.to_json_value()})
        return
    for line in [*([entry_line(entry)] if entry else []), *board_lines(found)]:
        say(line)
