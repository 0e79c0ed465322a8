"""The first rows of a file that was sent to a hub: made by a worker in a box, as its owner's own job."""

from __future__ import annotations

from pilotbase.compute.box.own_functions import call_in_box
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.subjects import Subject, holder_of
from pilotbase.documents.vocabularies import WorkKind
from pilotbase.vault.dataset_files import KeptFile, add_preview, find_all_kept
from pilotbase.worker.base import Base
from pilotbase.worker.datasets.first_rows import FirstRows
from pilotbase.worker.datasets.owner_jobs import boxed, files_for_box, opened_for_owner
from pilotbase.worker.datasets.results import FileRefusal, keep_result, result_of
from pilotbase.workspace.jobs import Job, enqueue
from pilotbase.workspace.store import View

KIND = WorkKind.FIRST_ROWS


def order_preview(view: View, kept: KeptFile) -> None:
    """Queue the making of a file's first rows."""
    with view.asked_by(None).transaction("dataset.preview_ordered") as change:
        change.record("dataset.preview_ordered", [kept.dataset, kept.digest()])
        enqueue(change, KIND, _work(kept.digest()), {"dataset": kept.dataset, "file": kept.digest()})


def make_preview(base: Base, job: Job) -> None:
    """Make the first rows that ``job`` asks for; of a table that cannot be read its owner is told why.

    Raises:
        RefusedError: this host gives no box.
    """
    wanted = job.payload["file"]
    files = find_all_kept(base.lab.vault, job.payload["dataset"])
    kept = next((one for one in files if one.digest() == wanted), None)
    if kept is None or kept.preview is not None:
        return  # erased, or kept anew, meanwhile
    try:
        with files_for_box(base, [(kept.name, opened_for_owner(base, job, kept))]) as folder:
            found = call_in_box(boxed("show_first_rows", folder, {"file": kept.name}), FirstRows)
    except InputError as error:
        keep_result(base, holder_of(kept.dataset), _work(wanted), FileRefusal.of(error))
        return
    add_preview(base.lab.vault, kept, found.rows, found.shown.model_dump_json().encode())


def why_no_previews(base: Base, view: View, dataset: Subject) -> dict[str, FileRefusal]:
    """Return file → why it has no first rows, of the actor's own dataset; raises `RefusedError` for others."""
    found = {
        kept.name: result_of(base, view, holder_of(dataset), _work(kept.digest()), FileRefusal)
        for kept in find_all_kept(base.lab.vault, dataset)
        if kept.preview is None
    }
    return {name: refusal for name, refusal in found.items() if refusal is not None}


def _work(file: Digest) -> str:
    return f"{KIND}:{file}"
