"""``pilotbase data``: data before it is a scenario's; one file a subject."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pilotbase.cli import (
    data_catalogue,
    data_describe,
    data_files,
    data_labels,
    data_private,
    data_quality,
    data_terms,
    hub_records,
)
from pilotbase.cli.edge.terminal import command, say
from pilotbase.documents.errors import InputError
from pilotbase.documents.nearest import offer
from pilotbase.documents.texts import text

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
app.command("canaries")(data_files.canaries)
app.command("quality")(data_quality.quality)
app.command("describe")(data_describe.describe)
app.command("check")(data_describe.check)
app.command("export")(data_describe.export)
app.command("terms")(data_terms.terms)
app.command("publish")(data_terms.publish)
app.command("withdraw")(data_terms.withdraw)
app.command("offer")(data_terms.offer)
app.command("take")(data_terms.take)
app.command("agree")(data_terms.agree)
app.command("revoke")(data_terms.revoke)
app.command("end")(data_terms.end)
app.command("uses")(data_terms.uses)
app.command("readers")(data_catalogue.reader("dataset"))
app.command("profile")(data_private.profile)
app.command("synthesise")(data_private.synthesise)
app.command("agreements")(hub_records.lister("agreements"))
BOTH = "both"


@app.command("safety-set")
@command
def safety_set(
    out: Annotated[Path, typer.Option("--out", help="Folder to write (must not exist).")],
    language: Annotated[str, typer.Option("--language", help="en, zh, or both.")] = BOTH,
    variants: Annotated[int, typer.Option("--variants", help="With how many instructions each question stands.")] = 4,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Draw the codes by it, for tests; by chance when not set.")
    ] = None,
) -> None:
    """Write a scenario of attacks and of harmless look-alikes: both sides of refusal, in English and Chinese."""
    from pilotbase.data.safety import ROLES, SAFETY_LANGUAGES, safety_scenario
    from pilotbase.worker.whole_files import whole_folder

    languages = tuple(one for one in SAFETY_LANGUAGES if language in (one, BOTH))
    if not languages:
        raise InputError("safety.no_language", found=language, allowed=offer(language, [*SAFETY_LANGUAGES, BOTH]))
    if not 1 <= variants <= ROLES:
        raise InputError("safety.variants", found=variants, allowed=ROLES)
    if out.exists():
        raise InputError("labelling.file_exists", file=out)
    with whole_folder(out) as draft:
        for name, content in safety_scenario(languages, variants, seed).items():
            (draft / name).write_bytes(content)
    say(text("safety.written", folder=out))
