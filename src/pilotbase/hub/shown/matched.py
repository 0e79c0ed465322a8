"""The gap map of what an actor sees, drawn up at most every minute, for page and API alike."""

from __future__ import annotations

from django.core.cache import cache

from pilotbase.documents.matching import GapMap
from pilotbase.hub.base import base
from pilotbase.worker.matching.certified import gap_map
from pilotbase.workspace.store import View

KEPT_SECONDS = 60


def gaps_of(view: View) -> GapMap:
    """Return the gap map of ``view``, drawn up now or up to `KEPT_SECONDS` ago."""
    key = f"gaps:{base().home.path}:{view.actor.organisation}:{'+'.join(sorted(view.actor.roles))}"
    found = cache.get(key)
    if not isinstance(found, GapMap):
        found = gap_map(view)
        cache.set(key, found, KEPT_SECONDS)
    return found
