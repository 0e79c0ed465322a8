"""What the jobs of the estate do, and which errors of a cluster or pool pass by themselves."""

from __future__ import annotations

from pilotbase.documents.vocabularies import WorkKind
from pilotbase_estate.computing.what_if import play_ordered

HANDLERS = {WorkKind.WHAT_IF: play_ordered}
PASSING = ("pool.seat_awaited", "pool.seat_lost", "compute.cluster_away", "compute.node_silent")
"""A shared pool has no seat for a trial yet; a cluster is away, or has no room."""
