"""Watching beside the jobs: observations of gateways are taken in, cohorts close, detectors read, old cases go."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import partial

from pilotbase.documents.observation import ObservationBatch
from pilotbase.service.draining import Take
from pilotbase.watch.observations import ingest
from pilotbase.watch.retention import forget_old
from pilotbase.watch.running import close_all_cohorts, run_once, watched_services
from pilotbase.worker.base import Base
from pilotbase.worker.rounds import PASSING, OnceADay, Pace, in_rounds
from pilotbase.workspace.store import View

PACE = Pace(idle=1.0, rest=10.0)
_log = logging.getLogger("pilotbase.watch")


def taking(base: Base) -> Take:
    """Return what takes the observations of gateways: what cannot be taken is counted, and holds up no other."""

    def take_all(batches: Sequence[ObservationBatch]) -> None:
        taken = ingest(base.lab.view, batches)
        for refusal in taken.refused[:10]:
            _log.warning("%s", refusal.reason.render())

    return take_all


def watch_round(base: Base) -> bool:
    """Let the detectors of every service read on; return whether there may be more at once.

    What goes wrong with one service is logged, and holds up no other.
    """
    view = base.lab.view
    close_all_cohorts(view)
    return any([_read_on(view, service) for service in watched_services(view)])


def _read_on(view: View, service: str) -> bool:
    try:
        return run_once(view, service)
    except PASSING:
        raise
    except Exception:  # noqa: BLE001 - whatever it is, other services are watched
        _log.exception("the watch of %s broke off", service)
        return False


def watching(base: Base) -> AbstractContextManager[None]:
    """Run rounds in a thread until the end of the block; what is too old is forgotten once a day."""
    forget = OnceADay(base.lab.store.clock, partial(forget_old, base.lab.view))

    def once() -> bool:
        more = watch_round(base)
        forget()
        return more

    return in_rounds("watch", once, PACE)
