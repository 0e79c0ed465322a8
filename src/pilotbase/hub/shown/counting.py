"""The figures of a base, counted at most every few seconds, for pages and API alike.

A large base takes longer to count: there figures are kept for so long that counting them takes one part in a hundred of
the time at most. Pages say as of when they are.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime

from django.core.cache import cache

from pilotbase.catalogue.figures import Figures, figures
from pilotbase.hub.base import base
from pilotbase.roadmap.bookkeeping import keep_books
from pilotbase.workspace.store import View

KEPT_SECONDS, LONGEST_KEPT = 10, 300
_TIMES_THE_COUNTING = 100


@dataclass(frozen=True)
class Counted:
    """The figures as they were counted last."""

    figures: Figures
    at: datetime


def counted(view: View, owner: str = "") -> Counted:
    """Return the figures of ``view`` (of ``owner`` only), counted now or up to `KEPT_SECONDS` ago, or longer."""
    key = f"figures:{base().home.path}:{view.actor.organisation}:{'+'.join(sorted(view.actor.roles))}:{owner}"
    found = cache.get(key)
    if not isinstance(found, Counted):
        began, now = time.monotonic(), view.store.clock()
        keep_books(view)
        found = Counted(figures(view, now, owner), now)
        taken = time.monotonic() - began
        cache.set(key, found, min(max(KEPT_SECONDS, _TIMES_THE_COUNTING * taken), LONGEST_KEPT))
    return found
