"""``pilotbase data export``: a dataset of the base, or a description in a file, in the format of others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotbase.cli.edge.terminal import command, say
from pilotbase.documents.subjects import subject_written
from pilotbase.documents.texts import text

if TYPE_CHECKING:
    from pilotbase.data.croissant.measurements import Measured
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
        Path | None,
        typer.Option("--quality", help="The quality.json to be said (croissant, dcat); default: see above."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Where to write it; default: standard output.")] = None,
) -> None:
    """Write a dataset as others describe theirs; what their format has no place for is said on standard error.

    What was measured of this very version goes with it: as published at the base, or in quality.json beside the file.
    """
    from pilotbase.data.bridges.writing import measured_in, require_measurements, write_dataset
    from pilotbase.worker.whole_files import write_whole

    if quality is not None:
        require_measurements(to)
    folder = Path(source).parent if Path(source).is_file() else None
    dataset, found = _given(source, to == OWN, is_asked=quality is None)
    written = write_dataset(dataset, to, folder, found if quality is None else measured_in(quality, dataset))
    if out is None:
        typer.echo(written.content, nl=False)
    else:
        write_whole(out, written.content)
        say(text("bridge.written", file=out), err=True)
    if written.left_out:
        say(text("bridge.left_out", paths=written.left_out), err=True)


def _given(source: str, for_owner: bool, is_asked: bool) -> tuple[Dataset, Measured]:
    """Return what is to be written, with what was measured of this very version, where that ``is_asked``.

    Of closed files whoever is not their owner gets commitments in place of hashes.
    """
    from pilotbase.data.bridges.reading import load_description
    from pilotbase.data.commitments import publishable
    from pilotbase.data.quality.files import REPORT

    path = Path(source)
    if not path.is_file() and not path.suffix:
        return _of_base(source)
    description = load_description(path).description
    read = description.require()
    dataset = read if for_owner else publishable(read, path)
    beside = path.parent / REPORT
    if not is_asked or not beside.is_file():
        return dataset, description.measured
    return dataset, _beside(beside, dataset, description.measured)


def _beside(report: Path, dataset: Dataset, said: Measured) -> Measured:
    """Return what the report beside a description measured; ``said`` where it is of something else, which is told."""
    from pilotbase.data.bridges.writing import measured_in
    from pilotbase.documents.errors import InputError

    try:
        found = measured_in(report, dataset)
    except InputError as error:
        say(text("bridge.quality_left_out", file=report, reason=error.text), err=True)
        return said
    say(text("bridge.quality_said", file=report), err=True)
    return found


def _of_base(name: str) -> tuple[Dataset, Measured]:
    from pilotbase.catalogue.records import load_record
    from pilotbase.data.bridges.writing import measured_of
    from pilotbase.data.croissant.measurements import NOTHING
    from pilotbase.documents.dataset import Dataset
    from pilotbase.worker.base import open_base
    from pilotbase.worker.datasets.grading import published_report

    view = open_base().lab.view
    record, _ = load_record(view, subject_written("dataset", name))
    dataset, report = view.load(record.documents["dataset"], Dataset), published_report(view, record.subject)
    is_of_it = report is not None and report.version == dataset.version
    return dataset, measured_of(report, dataset, record.subject) if report is not None and is_of_it else NOTHING
