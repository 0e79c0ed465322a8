"""Gateways followed beside the jobs: journals are taken in with meters and observations, then detectors read on."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import partial

from pilotbase.documents.observation import ObservationBatch
from pilotbase.service import releases
from pilotbase.service.draining import Drained, Take, drain, expire_allotments
from pilotbase.service.journal import journals_of
from pilotbase.watch.observations import forget_old, ingest
from pilotbase.watch.running import close_all_cohorts, run_once, watched_services
from pilotbase.worker.base import Base
from pilotbase.worker.rounds import PASSING, OnceADay, Pace, in_rounds
from pilotbase.workspace.store import View

_INTAKE = Pace(idle=1.0, rest=1.0)
_WATCH = Pace(idle=1.0, rest=10.0)
_journal_log = logging.getLogger("pilotbase.worker")
_log = logging.getLogger("pilotbase.watch")


def taking_in(base: Base, take: Take) -> AbstractContextManager[None]:
    """Take in every second, in a thread, until the end of the block."""

    def once() -> bool:
        found = take_in(base, take)
        if found.unfit:
            _journal_log.warning("%d records of gateways were damaged or unfit", found.unfit)
        return False

    return in_rounds("journals", once, _INTAKE)


def take_in(base: Base, take: Take = lambda _: None) -> Drained:
    """Take in what the gateways of this machine have written by now, and return the result; see `drain`."""
    expire_allotments(base.lab.view)
    try:
        return drain(base.lab.view, journals_of(base.home.path), take)
    finally:
        for ended in releases.advance(base.lab.view):
            _journal_log.info("the release of %s is over: %s", ended.version, ended.state)


def taking(base: Base) -> Take:
    """Return a function that takes in observations of gateways: unusable ones are counted, and block no others."""

    def take_all(batches: Sequence[ObservationBatch]) -> None:
        taken = ingest(base.lab.view, batches)
        for refusal in taken.refused[:10]:
            _log.warning("%s", refusal.reason.render())

    return take_all


def watching(base: Base) -> AbstractContextManager[None]:
    """Run rounds in a thread until the end of the block; old records are removed once a day."""
    view = base.lab.view
    return in_rounds("watch", OnceADay(view.store.clock, partial(forget_old, view), partial(watch_round, base)), _WATCH)


def watch_round(base: Base) -> bool:
    """Let the detectors of every service continue reading; return whether there may be more at once.

    An error with one service is logged, and blocks no other.
    """
    view = base.lab.view
    close_all_cohorts(view)
    return any([_read_on(view, service) for service in watched_services(view)])


def _read_on(view: View, service: str) -> bool:
    try:
        return run_once(view, service)
    except PASSING:
        raise
    except Exception:  # noqa: BLE001 - any error: other services are watched
        _log.exception("the watch of %s broke off", service)
        return False
