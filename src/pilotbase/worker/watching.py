"""Watching beside the jobs: observations of gateways are taken in, cohorts close, detectors read, old cases go."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pilotbase.documents.observation import ObservationBatch
from pilotbase.service.draining import Take
from pilotbase.watch.forgetting import forget_old
from pilotbase.watch.observations import take
from pilotbase.watch.running import close_all_cohorts, run_once, watched_services
from pilotbase.worker.base import Base
from pilotbase.workspace.failures import BusyError, DiskFullError, UnreachableError
from pilotbase.workspace.store import View

IDLE_SECONDS, REST_SECONDS, _END_SECONDS = 1.0, 10.0, 10
PASSING = (BusyError, DiskFullError, UnreachableError)
"""What passes by itself: the next round goes on."""
_log = logging.getLogger("pilotbase.watch")


def taking(base: Base) -> Take:
    """Return what takes the observations of gateways: what cannot be taken is counted, and holds up no other."""

    def take_all(batches: Sequence[ObservationBatch]) -> None:
        taken = take(base.lab.view, batches)
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


@contextmanager
def watching(base: Base) -> Iterator[None]:
    """Run rounds in a thread until the end of the block."""
    stop = threading.Event()
    thread = threading.Thread(target=_rounds, args=(base, stop), name="watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=_END_SECONDS)


def _rounds(base: Base, stop: threading.Event) -> None:
    forgot = None
    while not stop.is_set():
        pause = IDLE_SECONDS
        try:
            if watch_round(base):
                pause = 0.0
            today = base.lab.store.clock().date()
            if forgot != today:
                forget_old(base.lab.view)
                forgot = today
        except PASSING as error:
            _log.warning("%s", error)
            pause = REST_SECONDS
        except Exception:  # noqa: BLE001 - whatever it is, trials go on, and the next round may find it mended
            _log.exception("a round of the watch broke off")
            pause = REST_SECONDS
        stop.wait(pause)
