"""``pilotbase data``: data before it is a scenario's; one file a subject."""

from __future__ import annotations

import typer

from pilotbase.cli import data_check, data_describe, data_export, data_labels, data_quality

app = typer.Typer(help="Describe data, measure its quality, label it.", no_args_is_help=True)
app.add_typer(data_labels.app, name="labels")
app.command("quality")(data_quality.quality)
app.command("describe")(data_describe.describe)
app.command("check")(data_check.check)
app.command("export")(data_export.export)
