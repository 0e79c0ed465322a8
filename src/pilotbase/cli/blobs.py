"""``pilotbase blobs``: whether the blobs are whole, and what nothing names any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pilotbase.cli.edge.terminal import command, print_json, progress_shown, say, warn
from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.quantities import format_bytes
from pilotbase.documents.texts import text

if TYPE_CHECKING:
    from pilotbase.workspace.checks.blobs import Damage

app = typer.Typer(help="The blobs of the base: sealed data, samples, files.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@app.callback()
def _blobs() -> None:
    """The blobs of the base: sealed data, samples, files."""


@app.command("verify")
@command
def verify(
    share: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of the objects that is read, chosen by chance; 1: all.")
    ] = 1.0,
    as_json: AsJson = False,
) -> None:
    """Read the blobs and name each that is missing or altered; exit 0 when all of it holds, 3 when not."""
    from pilotbase.worker.base import open_base
    from pilotbase.workspace.checks.blobs import verify_blobs

    base = open_base()
    with progress_shown() as on_progress:
        checked = verify_blobs(base.lab.store, base.lab.vault.blobs, share, on_progress)
    if as_json:
        damages = [_spelled(damage) for damage in checked.damages]
        print_json({"objects": checked.objects, "read": checked.read, "damages": damages})
    for damage in checked.damages:
        warn(text(f"blobs.{damage.fault.value}", **_spelled(damage)))
    if checked.damages:
        missing = sum(damage.fault.value == "missing" for damage in checked.damages)
        raise InvalidProofError("blobs.damaged", missing=missing, altered=len(checked.damages) - missing)
    if not as_json:
        say(text("blobs.holds", read=checked.read, objects=checked.objects))


@app.command("collect")
@command
def collect(
    days: Annotated[
        float, typer.Option(help="What was put or found within so many days stays, whatever names it.")
    ] = 7.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove blobs that nothing in the store names, and chunks that no blob has, if they are old enough."""
    from datetime import timedelta

    from pilotbase.worker.base import open_base
    from pilotbase.workspace.checks.blobs import SweepTerms, collect_blobs

    base = open_base()
    with progress_shown() as on_progress:
        terms = SweepTerms(timedelta(days=days), dry_run)
        swept = collect_blobs(base.lab.view, base.lab.vault.blobs, terms, on_progress)
    counts = {"drafts": swept.drafts, "left": swept.left}
    if as_json:
        print_json({"dry_run": dry_run, "blobs": swept.blobs, "chunks": swept.chunks, "bytes": swept.size, **counts})
        return
    found = {"blobs": len(swept.blobs), "chunks": len(swept.chunks), "bytes": format_bytes(swept.size), **counts}
    say(text("blobs.would_collect", **found) if dry_run else text("blobs.collected", **found))


def _spelled(damage: Damage) -> dict[str, str]:
    return {
        "digest": damage.digest,
        "fault": damage.fault.value,
        "room": damage.room,
        "needed_by": damage.needed_by,
    }
