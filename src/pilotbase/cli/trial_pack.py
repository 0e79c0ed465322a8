"""``pilotbase trial pack``: the sample bundle of a trial, from which its verdict is derived again anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pilotbase.cli.edge.driving import hub, is_remote, remote
from pilotbase.cli.edge.terminal import print_json, progress_shown, say
from pilotbase.documents.texts import text


@remote
def pack(
    trial: Annotated[Path, typer.Argument(help="The trial's folder, or its plan.json; with --hub the trial's name.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="The archive to write; default: beside the plan, named by the trial.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print where it is and its SHA-256.")] = False,
) -> None:
    """Pack plan, commitments, records, report and certificate into one archive. It holds true labels: logged.

    A hub's worker packs it; the command waits until it is there.
    """
    from pilotbase.documents.hashes import digest_bytes
    from pilotbase.worker.whole_files import PRIVATE, write_whole

    place, archive = _from_hub(str(trial)) if is_remote() else _from_base(trial)
    place = out or place
    place.parent.mkdir(parents=True, exist_ok=True)
    write_whole(place, archive, PRIVATE)
    digest = digest_bytes(archive)
    if as_json:
        print_json({"bundle": str(place), "sha256": digest})
    else:
        say(text("cli.packed", file=place, digest=digest))


def _from_hub(name: str) -> tuple[Path, bytes]:
    with progress_shown() as on_progress:
        return Path(f"{name}.zip"), hub().bundle(name, on_progress=on_progress)


def _from_base(trial: Path) -> tuple[Path, bytes]:
    from pilotbase.worker.base import open_base
    from pilotbase.worker.bundles.packing import pack_trial
    from pilotbase.worker.trials.given_files import read_plan

    file, base = trial / "plan.json" if trial.is_dir() else trial, open_base()
    bundle = pack_trial(base, base.lab.view, read_plan(file).digest())
    return file.parent / bundle.name, bundle.archive
