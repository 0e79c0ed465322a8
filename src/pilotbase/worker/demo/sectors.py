"""The demonstration: one scenario for each sector, on real data, then three worlds in which applications act.

Applications that pass, fail, cheat and break.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from pilotbase.data.labelling.final_labels import final_labels, labelled_items
from pilotbase.data.labelling.gathering import read_campaign, read_labels
from pilotbase.documents.application import Application
from pilotbase.documents.errors import InputError, PilotbaseError, RefusedError, offer
from pilotbase.documents.files import format_csv
from pilotbase.documents.labelling import ANNOTATORS
from pilotbase.documents.loading import load_document
from pilotbase.documents.progress import OnProgress, Progress, ignore_progress
from pilotbase.documents.texts import Text, text
from pilotbase.trial.phases.panel import WAITING
from pilotbase.worker.base import Base
from pilotbase.worker.demo.examples import (
    agree_on,
    applications_in,
    find_examples,
    made_ahead,
    publish_dataset,
    sectors_of,
    title_of,
    worlds_of,
)
from pilotbase.worker.trials.folder import VERDICTS, write_json
from pilotbase.worker.trials.proving import ProvenTrial, prove

JUDGEMENTS = "judgements.csv"
"""Beside a scenario: what an application ``said``, {} standing for any words, and the ``label`` of both experts."""
_AT_ONCE = 2
"""A trial waits for its box half of the time; a third one would distort the latency measured under a load test."""


@dataclass(frozen=True)
class DemonstrationRow:
    """The result of one application: a verdict, or ``refused`` before an attempt was counted."""

    example: Text
    """Its sector or its world."""
    application: str
    verdict: str
    why: Text
    report: Path | None


def demonstrate(
    base: Base, sectors: Sequence[str] | None = None, out: Path | None = None, on_progress: OnProgress = ignore_progress
) -> Iterator[DemonstrationRow]:
    """Yield one row for each application, sector by sector, then world by world; two of these are tried at once.

    Raises:
        InputError: an unknown sector or world, or no examples beside the software.
        PilotbaseError: a data package cannot be fetched.
    """
    examples = find_examples()
    known = [*sectors_of(examples), *worlds_of(examples)]
    unknown = sorted(set(sectors or ()) - set(known))
    if unknown:
        raise InputError("worker.unknown_sector", found=", ".join(unknown), allowed=offer(unknown[0], known))
    chosen = sectors or known
    with made_ahead(base, examples, chosen) as folders, ThreadPoolExecutor(_AT_ONCE) as trying:

        def tried(sector: str) -> list[DemonstrationRow]:
            on_progress(Progress(text("worker.progress_data", sector=title_of(sector))))
            place = (out or base.lab.folder("demo-reports")) / sector
            return list(_try_sector(base, title_of(sector), folders[sector].result(), place, on_progress))

        try:
            for rows in [trying.submit(tried, sector) for sector in chosen]:
                yield from rows.result()
        finally:
            trying.shutdown(cancel_futures=True)  # after an error or Ctrl-C no further sector begins


def _try_sector(
    base: Base, title: Text, folder: Path, out: Path, on_progress: OnProgress
) -> Iterator[DemonstrationRow]:
    dataset = publish_dataset(base, folder)
    for application in applications_in(folder):
        if dataset is not None:
            manifest = load_document(Application, application / "application.yaml")
            agree_on(base, dataset, manifest.supplier.organisation)
        yield DemonstrationRow(title, application.name, *_try_out(base, folder, application, out, on_progress))


def _try_out(
    base: Base, scenario: Path, application: Path, reports: Path, on_progress: OnProgress
) -> tuple[str, Text, Path | None]:
    """Return verdict, reason and report."""
    out = reports / application.name
    try:
        proven = _proven(base, scenario, application, out, on_progress)
    except (InputError, RefusedError) as error:
        rehearsal = out / "rehearsal" / "report.html"
        return "refused", _first_problem(error), rehearsal if rehearsal.is_file() else None
    return proven.report.verdict, proven.report.reasons[0], proven.folder / "report.html"


def _proven(base: Base, scenario: Path, application: Path, out: Path, on_progress: OnProgress) -> ProvenTrial:
    """Return a proven trial; where experts judge, by the judgements that come with the example. Raises as `prove`."""
    try:
        return prove(base, scenario, application, out, on_progress)
    except RefusedError as error:
        if error.code != WAITING or not (scenario / JUDGEMENTS).is_file():
            raise
    _judge(out / "panel", scenario / JUDGEMENTS)
    return prove(base, scenario, application, out, on_progress)


def _judge(panel: Path, judgements: Path) -> None:
    """Fill in the sheets of a trial's ``panel``, and gather them as `pilotbase data labels adjudicate` does.

    Kinds of answers are judged, since episodes are drawn anew.
    """
    known = [(_pattern(row["said"]), row["label"]) for row in _rows(judgements)]
    sheets = [panel / f"{name}.csv" for name in ANNOTATORS]
    for sheet in sheets:
        rows = list(_rows(sheet))
        for row in rows:
            dialogue = " ".join(row.values())
            row["label"] = next(label for said, label in known if said.search(dialogue))
        sheet.write_bytes(format_csv(list(rows[0]), [list(row.values()) for row in rows]))
    campaign = read_campaign(panel / "campaign.json")
    gathered = read_labels(campaign, sheets)
    write_json(panel / VERDICTS, labelled_items(campaign, gathered.sources, final_labels(campaign, gathered, {})))


def _rows(file: Path) -> Iterator[dict[str, str]]:
    yield from csv.DictReader(StringIO(file.read_text("utf-8-sig"), newline=""))


def _pattern(said: str) -> re.Pattern[str]:
    return re.compile(".+?".join(map(re.escape, said.split("{}"))))


def _first_problem(error: PilotbaseError) -> Text:
    """Return the text for a cell of a table: the reason behind a refusal, without the whole log."""
    issues = error.issues if isinstance(error, InputError) else ()
    reason = error.text.params.get("reason")
    if issues:
        return issues[0].problem
    return reason if isinstance(reason, Text) else error.text
