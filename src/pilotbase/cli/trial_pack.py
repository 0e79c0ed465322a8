"""``pilotbase trial pack``: the sample bundle of a trial, from which its verdict is derived again anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pilotbase.cli.edge import command, print_json, say
from pilotbase.documents.texts import text


@command
def pack(
    trial: Annotated[Path, typer.Argument(help="The trial's folder, or its plan.json.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="The archive to write; default: beside the plan, named by the trial.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print where it is and its SHA-256.")] = False,
) -> None:
    """Pack plan, commitments, records, report and certificate into one archive. It holds true labels: logged."""
    from pilotbase.documents.hashes import digest_bytes
    from pilotbase.worker.base import open_base
    from pilotbase.worker.packing import pack_trial
    from pilotbase.worker.reading import read_plan
    from pilotbase.worker.whole_files import PRIVATE, write_whole

    file = trial / "plan.json" if trial.is_dir() else trial
    base = open_base()
    bundle = pack_trial(base, base.lab.view, read_plan(file).digest())
    place = out or file.parent / bundle.name
    place.parent.mkdir(parents=True, exist_ok=True)
    write_whole(place, bundle.archive, PRIVATE)
    digest = digest_bytes(bundle.archive)
    if as_json:
        print_json({"bundle": str(place), "sha256": digest})
    else:
        say(text("cli.packed", file=place, digest=digest))
