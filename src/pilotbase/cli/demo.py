"""``pilotbase demo``: five sectors, real data, end to end; then one service from demand to warning."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text as Cell

from pilotbase.cli.demo_walk import walk as take_walk
from pilotbase.cli.edge.terminal import command, progress_shown, say, shown
from pilotbase.documents.texts import Text, text
from pilotbase.documents.visible_text import format_for_terminal

STYLES = {"accept": "green", "reject": "red", "inconclusive": "yellow", "refused": "magenta"}


@command
def demo(
    sector: Annotated[list[str] | None, typer.Option(help="Only these sectors; default: all.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where reports go; default: demo-reports/ in PILOTBASE_HOME.")
    ] = None,
    engine: Annotated[str, typer.Option(help="Where boxes are opened: local, or ray.")] = "local",
    walk: Annotated[
        bool, typer.Option("--walk/--no-walk", help="Go on past the certificate: service, drift, warning, ledger.")
    ] = True,
) -> None:
    """Prove applications of every sector on real data, then put one into service and let the world change."""
    from pilotbase.worker.base import open_base
    from pilotbase.worker.demo.records import Cast
    from pilotbase.worker.demo.sectors import demonstrate

    table = Table(title=Cell(shown(text("cli.demo_title"))), expand=False)
    for column in ("sector", "application", "verdict", "why", "report"):
        table.add_column(Cell(shown(text(f"cli.demo_{column}"))), overflow="fold")
    base = open_base(create=True, engine=engine)
    with progress_shown() as on_progress:
        for row in demonstrate(base, sector, out, on_progress):
            verdict = Cell(shown(text(f"cli.verdict_{row.verdict}")), style=STYLES[row.verdict])
            table.add_row(
                _cell(Text(code=f"sector.{row.sector}")),
                _cell(row.application),
                verdict,
                _cell(row.why),
                _cell(row.report or ""),
            )
    Console(width=None if Console().is_terminal else 160).print(table)
    say(text("cli.demo_end", roots=base.trust_roots, revocations=base.revocations))
    if walk and not sector:
        take_walk(base, Cast.alone(base.trust.issuer))


def _cell(content: Text | Path | str) -> Cell:
    """Return a cell that shows what it is given: a stranger's words are neither markup nor control characters."""
    return Cell(shown(content) if isinstance(content, Text) else format_for_terminal(str(content)))
