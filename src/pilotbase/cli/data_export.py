"""``pilotbase data export``: a dataset of the base, or a description in a file, in the format of others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotbase.cli.edge.terminal import command, say
from pilotbase.documents.texts import text

if TYPE_CHECKING:
    from pilotbase.documents.dataset import Dataset

OWN = "dataset"
"""The format of the owner's own document."""


@command
def export(
    source: Annotated[str, typer.Argument(help="A description's file, or OWNER/NAME of a dataset of this base.")],
    to: Annotated[
        str, typer.Option("--as", help="croissant, schema-org, frictionless, odcs, dcat, tc609 or dataset.")
    ] = "croissant",
    quality: Annotated[
        Path | None, typer.Option("--quality", help="quality.json, to be said beside it (croissant and dcat).")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Where to write it; default: standard output.")] = None,
) -> None:
    """Write a dataset as others describe theirs; what their format has no place for is said on standard error."""
    from pilotbase.data.bridges.writing import write_dataset
    from pilotbase.worker.whole_files import write_whole

    folder = Path(source).parent if Path(source).is_file() else None
    written = write_dataset(_dataset(source, to == OWN), to, folder, quality)
    if out is None:
        typer.echo(written.content, nl=False)
    else:
        write_whole(out, written.content)
        say(text("bridge.written", file=out), err=True)
    if written.left_out:
        say(text("bridge.left_out", paths=written.left_out), err=True)


def _dataset(source: str, for_owner: bool) -> Dataset:
    """Return what is to be written; of closed files whoever is not their owner gets commitments in place of hashes."""
    from pilotbase.data.bridges.reading import load_description
    from pilotbase.data.commitments import publishable

    path = Path(source)
    if not path.is_file() and not path.suffix:
        return _of_base(source)
    dataset = load_description(path).description.require()
    return dataset if for_owner else publishable(dataset, path)


def _of_base(name: str) -> Dataset:
    from pilotbase.catalogue.records import load_record
    from pilotbase.documents.dataset import Dataset
    from pilotbase.worker.base import open_base

    view = open_base().lab.view
    record, _ = load_record(view, name if ":" in name else f"dataset:{name}")
    return view.load(record.documents["dataset"], Dataset)
