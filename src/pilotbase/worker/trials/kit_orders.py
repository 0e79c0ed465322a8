"""Orders of kits for everybody: queued when a scenario is opened, on no record, since nobody waits for them."""

from __future__ import annotations

from pilotbase.documents.hashes import Digest
from pilotbase.documents.subjects import Subject
from pilotbase.documents.vocabularies import WorkKind
from pilotbase.workspace.jobs import JobState, enqueue, ordered_jobs
from pilotbase.workspace.store import View


def order_kit(view: View, subject: Subject, version: Digest) -> None:
    """Queue the making of the kit of a scenario version for everybody, if everybody may have it by then."""
    with view.transaction("scenario.kit_ordered") as change:
        change.record("scenario.kit_ordered", [subject, version])
        enqueue(change, WorkKind.KIT, _work(version), {"subject": subject, "scenario": version})


def has_failed(view: View, version: Digest) -> bool:
    """Return whether the kit of a scenario version could not be made when it was last ordered."""
    return any(job.state is JobState.FAILED for job in ordered_jobs(view, _work(version))[:1])


def _work(version: Digest) -> str:
    return f"{WorkKind.KIT}:{version}"
