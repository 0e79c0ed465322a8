"""``pilotbase data safety-set``: attacks on language models and harmless look-alikes, as a scenario's folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pilotbase.cli.edge.terminal import command, say
from pilotbase.documents.errors import InputError
from pilotbase.documents.nearest import offer
from pilotbase.documents.texts import text

BOTH = "both"


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
