"""Jobs of datasets: describing and measuring files, private statistics, labelling rounds."""

from __future__ import annotations

from collections.abc import Mapping

from pilotbase.documents.vocabularies import WorkKind
from pilotbase.worker.datasets.answer_rounds import prepare_round
from pilotbase.worker.datasets.describing import describe_ordered
from pilotbase.worker.datasets.labelling import import_ordered, prepare_decisions
from pilotbase.worker.datasets.measuring import measure_ordered
from pilotbase.worker.datasets.owner_jobs import erase_old_results, make_preview
from pilotbase.worker.datasets.statistics import answer_ordered
from pilotbase.worker.intake.boxed_tables import texts_in_box
from pilotbase.worker.jobs.handling import Handler, Sweep, staged

HANDLERS: Mapping[WorkKind, Handler] = {
    WorkKind.DESCRIBE: staged("job.progress.describe", describe_ordered),
    WorkKind.QUALITY: staged("job.progress.quality", measure_ordered),
    WorkKind.FIRST_ROWS: staged("job.progress.first_rows", make_preview),
    WorkKind.STATISTICS: lambda base, job, on_progress: answer_ordered(base, job, on_progress, texts_in_box),
    WorkKind.LABEL_ITEMS: staged("job.progress.label_items", lambda base, job: prepare_round(base, job, texts_in_box)),
    WorkKind.LABEL_CLOSE: staged(
        "job.progress.label_items", lambda base, job: prepare_decisions(base, job, texts_in_box)
    ),
    WorkKind.LABEL_IMPORT: staged("job.progress.label_import", import_ordered),
}
SWEEPS: tuple[Sweep, ...] = (erase_old_results,)
