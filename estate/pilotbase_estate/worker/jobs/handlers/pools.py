"""Jobs of what-ifs, outputs of pools' jobs, and waits that pass without action."""

from __future__ import annotations

from collections.abc import Mapping

from pilotbase.documents.vocabularies import WorkKind
from pilotbase.worker.jobs.handling import Handler, Sweep
from pilotbase_estate.computing.told_pools import forget_old_attempts
from pilotbase_estate.computing.what_if import KIND, erase_old_figures, play_ordered

HANDLERS: Mapping[WorkKind, Handler] = {KIND: play_ordered}
SWEEPS: tuple[Sweep, ...] = (forget_old_attempts, erase_old_figures)
PASSING = ("pool.seat_awaited", "pool.seat_lost", "compute.cluster_away", "compute.node_silent")
"""A shared pool has no seat for a trial yet; a cluster is away, or has no room."""
