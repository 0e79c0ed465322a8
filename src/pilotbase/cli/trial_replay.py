"""``pilotbase trial replay``: a verdict derived again from the raw records, on any machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pilotbase.cli.edge.terminal import command, print_json, say


@command
def replay(
    report: Annotated[
        Path, typer.Argument(help="A sample bundle (archive or folder), the owner's trial folder, or its report.json.")
    ],
    trust: Annotated[
        Path | None, typer.Option(help="Of a bundle: the base's trust-roots.json; default: the bundle's own.")
    ] = None,
    log_key: Annotated[
        Path | None, typer.Option(help="Of a bundle: the base's log-key.txt; default: the key that the bundle names.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the replay.")] = False,
) -> None:
    """Derive a verdict again from the records beside a report: needs no base and no key. Exit 3 where they disagree."""
    from pilotbase.worker.bundles.replaying import BundleReplay, bundle_lines, is_bundle, replay_bundle
    from pilotbase.worker.trials.replaying import replay_lines, replay_trial

    of_bundle = trust is not None or log_key is not None or is_bundle(report)
    found = replay_bundle(report, trust, log_key) if of_bundle else replay_trial(report)
    if as_json:
        print_json(found.to_json_value())
        return
    for line in bundle_lines(found) if isinstance(found, BundleReplay) else replay_lines(found):
        say(line)
