"""``pilotbase trial replay``: a verdict derived again from the raw records, on any machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pilotbase.cli.edge import command, print_json, say


@command
def replay(
    report: Annotated[Path, typer.Argument(help="The owner's trial folder, or its report.json.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the replay.")] = False,
) -> None:
    """Derive a verdict again from the records beside a report: needs no base and no key. Exit 3 where they disagree."""
    from pilotbase.worker.replaying import replay_lines, replay_trial

    found = replay_trial(report)
    if as_json:
        print_json(found.to_json_value())
    else:
        for line in replay_lines(found):
            say(line)
