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
from pilotbase.cli.framework.declared import add
from pilotbase.cli.framework.driving import Noun
from pilotbase.cli.framework.terminal import say
from pilotbase.documents.errors import InputError
from pilotbase.documents.nearest import offer
from pilotbase.documents.texts import text

app = Noun()
app.add_typer(data_labels.app, name="labels")
add(app, *data_catalogue.COMMANDS)
app.command("agreements")(hub_records.lister("agreement"))
for one in (
    *(data_catalogue.versions, data_catalogue.grade, data_quality.quality),
    *(data_files.keep, data_files.fetch, data_files.erase, data_files.preview, data_files.canaries),
    *(data_describe.describe, data_describe.check, data_describe.export),
    *(data_terms.terms, data_terms.publish, data_terms.withdraw, data_terms.offer, data_terms.take),
    *(data_terms.agree, data_terms.revoke, data_terms.end, data_terms.uses),
    *(data_private.profile, data_private.synthesise),
):
    app.command(one.__name__)(one)
BOTH = "both"


@app.here("safety-set")
def safety_set(
    out: Annotated[Path, typer.Option()], language: str = BOTH, variants: int = 4, seed: int | None = None
) -> None:
    """Write a scenario of attacks and harmless look-alikes, to test both sides of refusal, in English and Chinese."""
    from pilotbase.data.safety_cases import ROLES, SAFETY_LANGUAGES, safety_scenario
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
