"""Jobs of datasets: describing and measuring files, private statistics, labelling rounds."""

from __future__ import annotations

from collections.abc import Mapping

from pilotbase.documents.progress import OnProgress, Progress
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import WorkKind
from pilotbase.worker.base import Base
from pilotbase.worker.datasets.describing import describe_ordered
from pilotbase.worker.datasets.keeping import make_preview
from pilotbase.worker.datasets.label_rounds import prepare_items
from pilotbase.worker.datasets.labelling import import_ordered, prepare_decisions
from pilotbase.worker.datasets.measuring import measure_ordered
from pilotbase.worker.datasets.owner_jobs import erase_old_results
from pilotbase.worker.datasets.statistics import answer_ordered
from pilotbase.worker.intake.boxed_tables import texts_in_box
from pilotbase.worker.jobs.handling import Handler, Sweep
from pilotbase.workspace.jobs import Job


def describe_files(base: Base, job: Job, on_progress: OnProgress) -> None:
    """Describe files that an organisation has sent, in a box."""
    on_progress(Progress(text("job.progress.describe")))
    describe_ordered(base, job)


def measure_quality_of(base: Base, job: Job, on_progress: OnProgress) -> None:
    """Measure the quality of files that an owner keeps, in a box."""
    on_progress(Progress(text("job.progress.quality")))
    measure_ordered(base, job)


def show_first_rows(base: Base, job: Job, on_progress: OnProgress) -> None:
    """Make the first rows of a file that was sent for keeping, in a box."""
    on_progress(Progress(text("job.progress.first_rows")))
    make_preview(base, job)


def tell_statistics(base: Base, job: Job, on_progress: OnProgress) -> None:
    """Answer a question about a closed dataset with noise, once its ε is spent."""
    answer_ordered(base, job, on_progress, texts_in_box)


def draw_items(base: Base, job: Job, on_progress: OnProgress) -> None:
    """Draw the items of a labelling round and seal them for its annotators."""
    on_progress(Progress(text("job.progress.label_items")))
    prepare_items(base, job, texts_in_box)


def draw_differing(base: Base, job: Job, on_progress: OnProgress) -> None:
    """Seal the items on which annotators differ for the adjudicator."""
    on_progress(Progress(text("job.progress.label_items")))
    prepare_decisions(base, job, texts_in_box)


def import_labels(base: Base, job: Job, on_progress: OnProgress) -> None:
    """Take labels from an export of Label Studio into a round."""
    on_progress(Progress(text("job.progress.label_import")))
    import_ordered(base, job)


HANDLERS: Mapping[WorkKind, Handler] = {
    WorkKind.DESCRIBE: describe_files,
    WorkKind.QUALITY: measure_quality_of,
    WorkKind.FIRST_ROWS: show_first_rows,
    WorkKind.STATISTICS: tell_statistics,
    WorkKind.LABEL_ITEMS: draw_items,
    WorkKind.LABEL_CLOSE: draw_differing,
    WorkKind.LABEL_IMPORT: import_labels,
}
SWEEPS: tuple[Sweep, ...] = (erase_old_results,)
