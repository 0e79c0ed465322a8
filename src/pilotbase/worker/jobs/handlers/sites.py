"""Jobs of site trials: outgoing packs, incoming reports."""

from __future__ import annotations

from collections.abc import Mapping

from pilotbase.documents.vocabularies import WorkKind
from pilotbase.worker.jobs.handling import Handler, Sweep, staged
from pilotbase.worker.sites.orders import erase_old_packs, examine_sent, pack_ordered

HANDLERS: Mapping[WorkKind, Handler] = {
    WorkKind.SITE_PACK: pack_ordered,
    WorkKind.SITE_REPORT: staged("job.progress.site_report", examine_sent),
}
SWEEPS: tuple[Sweep, ...] = (erase_old_packs,)
