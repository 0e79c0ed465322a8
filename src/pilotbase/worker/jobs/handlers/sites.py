"""Jobs of site trials: outgoing packs, incoming reports."""

from __future__ import annotations

from collections.abc import Mapping

from pilotbase.documents.progress import OnProgress, Progress
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import WorkKind
from pilotbase.worker.base import Base
from pilotbase.worker.jobs.handling import Handler, Sweep
from pilotbase.worker.sites.orders import erase_old_packs, examine_sent
from pilotbase.worker.sites.orders import pack_ordered as pack_for_a_site
from pilotbase.workspace.jobs import Job


def take_site_report(base: Base, job: Job, on_progress: OnProgress) -> None:
    """Examine the report of a site, keep it and certify it."""
    on_progress(Progress(text("job.progress.site_report")))
    examine_sent(base, job)


HANDLERS: Mapping[WorkKind, Handler] = {
    WorkKind.SITE_PACK: pack_for_a_site,
    WorkKind.SITE_REPORT: take_site_report,
}
SWEEPS: tuple[Sweep, ...] = (erase_old_packs,)
