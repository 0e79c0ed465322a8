"""``pilotbase trial pack``: a trial in one file. After it has run, its sample bundle; with ``--site``, before it runs.

The bundle is for whoever checks a verdict, the pack for the site that is to run one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pilotbase.cli.edge.driving import hub, is_remote, remote
from pilotbase.cli.edge.terminal import print_json, progress_shown, say
from pilotbase.documents.errors import InputError
from pilotbase.documents.texts import text


@remote
def pack(
    trial: Annotated[
        Path,
        typer.Argument(
            help="The trial's folder, or its plan.json; with --hub the trial's name, with --site the scenario's."
        ),
    ],
    application: Annotated[
        Path | None, typer.Argument(help="With --site: folder of the application that is to be tried.")
    ] = None,
    site: Annotated[str, typer.Option(help="Name of the site that is to run the trial on its own machine.")] = "",
    days: Annotated[int, typer.Option(help="With --site: within so many days the site has to begin.")] = 30,
    out: Annotated[
        Path | None, typer.Option("--out", help="The archive to write; default: named by the trial.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print where it is and its SHA-256.")] = False,
) -> None:
    """Pack plan, commitments, records, report and certificate into one archive. It holds true labels: logged.

    A hub's worker packs it; the command waits until it is there. With --site and an application nothing has run yet:
    application, its packages, terms and software are signed for a site whose data do not leave it.
    """
    if bool(site) != (application is not None):
        raise InputError("site.pack_needs_both")
    if application is not None:
        _for_site((site, str(trial), application, days), out, as_json)
        return
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


def _for_site(order: tuple[str, str, Path, int], out: Path | None, as_json: bool) -> None:
    from pilotbase.worker.base import open_base
    from pilotbase.worker.sites.packing import PackOrder, pack_for_site

    with progress_shown(as_json) as on_progress:
        packed = pack_for_site(open_base(), PackOrder(*order), out, on_progress)
    if as_json:
        print_json(packed.pack.to_json_value())
    else:
        say(packed.line)


def _from_hub(name: str) -> tuple[Path, bytes]:
    with progress_shown() as on_progress:
        return Path(f"{name}.zip"), hub().bundle(name, on_progress=on_progress)


def _from_base(trial: Path) -> tuple[Path, bytes]:
    from pilotbase.worker.base import open_base
    from pilotbase.worker.bundles.packing import pack_trial
    from pilotbase.worker.trials.folder import read_plan

    file, base = trial / "plan.json" if trial.is_dir() else trial, open_base()
    bundle = pack_trial(base, base.lab.view, read_plan(file).digest())
    return file.parent / bundle.name, bundle.archive
