"""The figures of a base, counted at most every few seconds, for pages and API alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from django.core.cache import cache

from pilotbase.catalogue.figures import Figures, figures
from pilotbase.hub.base import base
from pilotbase.roadmap.bookkeeping import keep_books
from pilotbase.workspace.store import View

KEPT_SECONDS = 10


@dataclass(frozen=True)
class Counted:
    """The figures as they were counted last."""

    figures: Figures
    at: datetime


def counted(view: View, owner: str = "") -> Counted:
    """Return the figures of ``view`` (of ``owner`` only), counted now or up to `KEPT_SECONDS` ago."""
    key = f"figures:{base().home.path}:{view.actor.organisation}:{'+'.join(sorted(view.actor.roles))}:{owner}"
    found = cache.get(key)
    if not isinstance(found, Counted):
        keep_books(view)
        now = datetime.now(UTC)
        found = Counted(figures(view, now, owner), now)
        cache.set(key, found, KEPT_SECONDS)
    return found
