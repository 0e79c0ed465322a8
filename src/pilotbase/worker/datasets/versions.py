"""The versions of a dataset: what each changed, and whether agreements on the previous one cover it."""

from __future__ import annotations

from pilotbase.data.describing.describing import compare
from pilotbase.documents.api.datasets import DatasetVersion
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.errors import InputError
from pilotbase.documents.nearest import offer
from pilotbase.documents.subjects import Subject
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View


def dataset_versions(view: View, subject: Subject, since: str = "") -> list[DatasetVersion]:
    """Return the versions of a dataset that the actor sees, newest first, each with its changes.

    ``since``: only the newest, with the changes from that version to it.

    Raises:
        NotFoundError: the actor sees no such dataset.
        InputError: it sees no version ``since``.
    """
    found = _documents(view, subject)
    if since and since not in found:
        raise InputError("dataset.unknown_version", found=since, allowed=offer(since, list(found)))
    versions = list(found.values())
    if since:
        return [_told(versions[0], found[since])]
    return [_told(now, before) for now, before in zip(versions, [*versions[1:], None], strict=True)]


def _told(dataset: Dataset, before: Dataset | None) -> DatasetVersion:
    return DatasetVersion(
        version=dataset.version,
        digest=dataset.digest(),
        modified=dataset.date_modified,
        rows=sum(one.rows or 0 for one in dataset.record_sets),
        changed=compare(before, dataset) if before is not None else (),
        new_form=before is not None and _first(before) != _first(dataset),
    )


def _first(dataset: Dataset) -> str:
    return dataset.version.split(".")[0]


def _documents(view: View, subject: Subject) -> dict[str, Dataset]:
    """Return version → its newest description, newest first."""
    found: dict[str, Dataset] = {}
    for dataset in view.every(Dataset, {"subject": subject}):
        found.setdefault(dataset.version, dataset)
    if not found:
        raise NotFoundError("record.not_found", subject=subject)
    return found
