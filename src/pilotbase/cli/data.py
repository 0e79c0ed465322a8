"""``pilotbase data``: data before it is a scenario's; one file a subject."""

from __future__ import annotations

import typer

from pilotbase.cli import (
    data_canaries,
    data_catalogue,
    data_check,
    data_describe,
    data_export,
    data_files,
    data_labels,
    data_private,
    data_quality,
    data_readers,
    data_safety,
    data_terms,
    hub_records,
)

app = typer.Typer(help="Describe data, measure its quality, label it, open it on terms.", no_args_is_help=True)
app.add_typer(data_labels.app, name="labels")
app.command("list")(data_catalogue.list_datasets)
app.command("contributions")(data_catalogue.contributions)
app.command("versions")(data_catalogue.versions)
app.command("grade")(data_catalogue.grade)
app.command("keep")(data_files.keep)
app.command("fetch")(data_files.fetch)
app.command("erase")(data_files.erase)
app.command("preview")(data_files.preview)
app.command("canaries")(data_canaries.canaries)
app.command("quality")(data_quality.quality)
app.command("describe")(data_describe.describe)
app.command("check")(data_check.check)
app.command("export")(data_export.export)
app.command("terms")(data_terms.terms)
app.command("publish")(data_terms.publish)
app.command("withdraw")(data_terms.withdraw)
app.command("offer")(data_terms.offer)
app.command("take")(data_terms.take)
app.command("agree")(data_terms.agree)
app.command("revoke")(data_terms.revoke)
app.command("end")(data_terms.end)
app.command("uses")(data_terms.uses)
app.command("readers")(data_readers.reader("dataset"))
app.command("profile")(data_private.profile)
app.command("safety-set")(data_safety.safety_set)
app.command("synthesise")(data_private.synthesise)
app.command("agreements")(hub_records.lister("agreements"))
