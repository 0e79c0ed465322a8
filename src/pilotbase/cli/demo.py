"""``pilotbase demo``: five sectors, real data, end to end."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from pilotbase.cli.edge import command, language, progress_shown
from pilotbase.documents.texts import text

STYLES = {"accept": "green", "reject": "red", "inconclusive": "yellow", "refused": "magenta"}


@command
def demo(
    sector: Annotated[list[str] | None, typer.Option(help="Only these sectors; default: all five.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where reports go; default: demo/ in PILOTBASE_HOME.")] = None,
    engine: Annotated[str, typer.Option(help="Where the work runs: local.")] = "local",
) -> None:
    """Prove applications of five sectors on real data; print the verdicts and where the reports are."""
    from pilotbase.worker.base import open_base, require_engine
    from pilotbase.worker.demonstration import demonstrate

    require_engine(engine)
    table = Table(title=text("cli.demo_title").render(language()), expand=False)
    for column in ("sector", "application", "verdict", "why", "report"):
        table.add_column(text(f"cli.demo_{column}").render(language()), overflow="fold")
    base = open_base(create=True)
    with progress_shown() as on_progress:
        for row in demonstrate(base, sector, out, on_progress):
            style = STYLES[row.verdict]
            verdict = f"[{style}]{text(f'cli.verdict_{row.verdict}').render(language())}[/{style}]"
            table.add_row(row.sector, row.application, verdict, row.why.render(language()), str(row.report or ""))
    Console(width=None if Console().is_terminal else 160).print(table)
    typer.echo(text("cli.demo_end", roots=base.trust_roots).render(language()))
