"""The first rows of a file that was sent to a hub: ordered when it is kept, made in a box as its owner's own job."""

from __future__ import annotations

from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.subjects import holder_of
from pilotbase.documents.vocabularies import WorkKind
from pilotbase.vault.dataset_files import (
    KeptFile,
    add_preview,
    find_all_kept,
)
from pilotbase.worker.base import Base
from pilotbase.worker.datasets.first_rows import FirstRows
from pilotbase.worker.datasets.owner_jobs import (
    FileRefusal,
    keep_result,
    opened_for_owner,
    read_in_box,
    result_of,
)
from pilotbase.workspace.jobs import Job, enqueue
from pilotbase.workspace.store import View


def order_preview(view: View, kept: KeptFile) -> None:
    """Queue the making of a file's first rows."""
    with view.asked_by(None).transaction("dataset.preview_ordered") as change:
        change.record("dataset.preview_ordered", [kept.dataset, kept.digest()])
        enqueue(
            change, WorkKind.FIRST_ROWS, _preview_of(kept.digest()), {"dataset": kept.dataset, "file": kept.digest()}
        )


def make_preview(base: Base, job: Job) -> None:
    """Make the first rows for ``job``; if the table cannot be read, its owner sees why.

    Raises:
        RefusedError: this host gives no box.
    """
    wanted = job.payload["file"]
    files = find_all_kept(base.lab.vault, job.payload["dataset"])
    kept = next((one for one in files if one.digest() == wanted), None)
    if kept is None or kept.preview is not None:
        return  # erased, or kept anew, meanwhile
    try:
        opened = opened_for_owner(base, job, kept)
        found = read_in_box(base, "show_first_rows", [(kept.name, opened)], {"file": kept.name}, FirstRows)
    except InputError as error:
        keep_result(base, holder_of(kept.dataset), _preview_of(wanted), FileRefusal.of(error))
        return
    add_preview(base.lab.vault, kept, found.rows, found.shown.model_dump_json().encode())


def why_none(base: Base, view: View, kept: KeptFile) -> FileRefusal | None:
    """Return why a file of the actor's own has no first rows, if a worker found why; raises `RefusedError`."""
    return result_of(base, view, holder_of(kept.dataset), _preview_of(kept.digest()), FileRefusal)


def _preview_of(file: Digest) -> str:
    return f"{WorkKind.FIRST_ROWS}:{file}"
