"""Jobs of scenarios: kits for everybody."""

from __future__ import annotations

from collections.abc import Mapping

from pilotbase.documents.progress import OnProgress, Progress
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import WorkKind
from pilotbase.worker.base import Base
from pilotbase.worker.intake.public_kits import keep_kit, lacks_kit, tend_kits
from pilotbase.worker.jobs.handling import Handler, Sweep, seal_version
from pilotbase.workspace.jobs import Job


def make_kit(base: Base, job: Job, on_progress: OnProgress) -> None:
    """Keep the kit of a scenario version, unless it is closed or was changed meanwhile."""
    subject, version = job.payload["subject"], job.payload["scenario"]
    if lacks_kit(base, subject) == version:
        sealed = seal_version(base, version, on_progress)
        on_progress(Progress(text("job.progress.kit")))
        keep_kit(base, sealed)


HANDLERS: Mapping[WorkKind, Handler] = {WorkKind.KIT: make_kit}
SWEEPS: tuple[Sweep, ...] = (tend_kits,)
