"""``pilotbase data labels``: blind sheets, labels read, agreement measured, differences decided, labels written."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotbase.cli.framework.driving import Noun
from pilotbase.cli.framework.terminal import AsJson, answer, print_value, say, say_all
from pilotbase.documents.errors import InputError
from pilotbase.documents.texts import text

if TYPE_CHECKING:
    from pilotbase.documents.base import Document

app = Noun("Labels by people: how far annotators agree, and who decides.")


@app.here("assign")
def assign(
    campaign: Path,
    items: Path,
    out: Annotated[Path, typer.Option()],
    key: str = "item",
    double: float = 1.0,
    seed: int = 0,
) -> None:
    """Write a sheet for each annotator, in two blind passes; it shows nothing of the others."""
    from pilotbase.data.labelling.gathering import assign as assign_items
    from pilotbase.data.labelling.gathering import format_sheet, read_campaign
    from pilotbase.data.labelling.label_tables import read_rows

    found = read_campaign(campaign)
    names = [row.cells.get(key.lower(), "") for row in read_rows(items, [key.lower()])]
    sheets = assign_items(found, names, double, seed)
    _refuse_existing(out / f"{annotator}.csv" for annotator in sheets)
    for annotator, given in sheets.items():
        place = out / f"{annotator}.csv"
        _write_new(place, format_sheet(annotator, given))
        say(text("labelling.sheet_written", annotator=annotator, count=len(given), file=place))


@app.here("import")
def import_labels(campaign: Path, files: list[Path], out: Path | None = None, as_json: AsJson = False) -> None:
    """Read labels, report every problem, and list what was left out: skipped, predicted, drafted, ground truth."""
    from pilotbase.data.labelling.gathering import format_labels, read_campaign, read_labels
    from pilotbase.data.labelling.quality import gathered_lines

    gathered = read_labels(read_campaign(campaign), files)
    if out is not None:
        _write(out, format_labels(gathered))
    answer(gathered, as_json, lambda found: say_all(gathered_lines(found)))
    if out is not None and not as_json:
        say(text("labelling.written", file=out))


@app.here("agreement")
def agreement(
    campaign: Path,
    files: list[Path],
    decided: Path | None = None,
    audit: Path | None = None,
    out: Path | None = None,
    as_json: AsJson = False,
) -> None:
    """Measure agreement with intervals, and audited accuracy; print what a scenario states of its labels."""
    from pilotbase.data.labelling.final_labels import final_labels, read_decisions
    from pilotbase.data.labelling.gathering import read_audit, read_campaign, read_labels
    from pilotbase.data.labelling.quality import label_quality, quality_lines

    found = read_campaign(campaign)
    gathered = read_labels(found, files)
    items = final_labels(found, gathered, read_decisions(found, gathered, decided) if decided else {})
    quality = label_quality(found, gathered, items, read_audit(found, items, audit) if audit else None)
    if out is not None:
        _write_document(out, quality)
    if as_json:
        print_value(quality)
        return
    say_all([*quality_lines(quality), text("labelling.statement")])
    typer.echo(f"  labels: {json.dumps(quality.statement().to_json_value(), ensure_ascii=False)}")


@app.here("disagreements")
def disagreements(campaign: Path, files: list[Path], out: Annotated[Path, typer.Option()]) -> None:
    """Write the items on which annotators disagree, for the adjudicator: labels in random order, without names."""
    from pilotbase.data.labelling.final_labels import disagreements as differing
    from pilotbase.data.labelling.final_labels import format_disagreements
    from pilotbase.data.labelling.gathering import read_campaign, read_labels

    found = read_campaign(campaign)
    gathered = read_labels(found, files)
    _write_new(out, format_disagreements(found, gathered))
    say(text("labelling.to_decide", count=len(differing(found, gathered)), file=out))


@app.here("adjudicate")
def adjudicate(  # noqa: PLR0913 - each is an option
    campaign: Path,
    files: list[Path],
    out: Annotated[Path, typer.Option()],
    decided: Path | None = None,
    table: Path | None = None,
    key: str = "item",
    target: str = "label",
    as_json: AsJson = False,
) -> None:
    """Write the final labels as a table for a scenario, with the origin of each."""
    from pilotbase.data.labelling.final_labels import (
        final_labels,
        format_final,
        join_labels,
        labelled_items,
        read_decisions,
    )
    from pilotbase.data.labelling.gathering import read_campaign, read_labels, source_of

    found = read_campaign(campaign)
    gathered = read_labels(found, files)
    items = final_labels(found, gathered, read_decisions(found, gathered, decided) if decided else {})
    sources = [*gathered.sources, *map(source_of, filter(None, [decided, table]))]
    joined = join_labels(items, table, key, target) if table else None
    document = labelled_items(found, sources, items)
    _write(out / "labels.csv", joined.csv if joined else format_final(items))
    _write_document(out / "labelled-items.json", document)
    if as_json:
        print_value(document)
        return
    say(text("labelling.final_counts", labelled=sum(one.label is not None for one in items), items=len(items)))
    if joined is not None:
        counts = {"labelled": joined.labelled, "unlabelled": joined.unlabelled, "unmatched": joined.unmatched}
        say(text("labelling.joined", **counts))
    say(text("labelling.written", file=out))


def _write_new(path: Path, content: bytes) -> None:
    """Write a file for a person to fill in; a file that is already filled in is never overwritten."""
    _refuse_existing([path])
    _write(path, content)


def _refuse_existing(paths: Iterable[Path]) -> None:
    for path in paths:
        if path.exists():
            raise InputError("labelling.file_exists", file=path)


def _write_document(path: Path, document: Document) -> None:
    _write(path, json.dumps(document.to_json_value(), ensure_ascii=False, indent=1) + "\n")


def _write(path: Path, content: str | bytes) -> None:
    from pilotbase.documents.files import write_whole

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)
    except (FileExistsError, NotADirectoryError, IsADirectoryError, PermissionError) as error:
        raise InputError("labelling.not_written", file=path, reason=error.strerror) from None
