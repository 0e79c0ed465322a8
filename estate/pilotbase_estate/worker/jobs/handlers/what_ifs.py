"""Jobs of what-ifs, and what jobs of pools have left."""

from __future__ import annotations

from collections.abc import Mapping

from pilotbase.documents.vocabularies import WorkKind
from pilotbase.worker.jobs.handling import Handler, Sweep
from pilotbase_estate.computing.keeping import forget_old_attempts
from pilotbase_estate.computing.what_if import erase_old_figures, play_ordered

HANDLERS: Mapping[WorkKind, Handler] = {WorkKind.WHAT_IF: play_ordered}
SWEEPS: tuple[Sweep, ...] = (forget_old_attempts, erase_old_figures)
