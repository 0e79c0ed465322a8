"""Journals of gateways taken into the store: meters, and observations for the watch."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pilotbase.documents.errors import PilotbaseError
from pilotbase.service.draining import Drained, Take, drain, expire_allotments
from pilotbase.service.journal import journals_of
from pilotbase.worker.base import Base

PAUSE_SECONDS = 1.0
_END_SECONDS = 10
_log = logging.getLogger("pilotbase.worker")


def take_in(base: Base, take: Take = lambda _: None) -> Drained:
    """Take in what the gateways of this machine have written by now, and say what came of it; see `drain`."""
    expire_allotments(base.lab.view)
    return drain(base.lab.view, journals_of(base.home.path), take)


@contextmanager
def taking_in(base: Base, take: Take = lambda _: None) -> Iterator[None]:
    """Take in every second, in a thread, until the end of the block."""
    stop = threading.Event()
    thread = threading.Thread(target=_take_on, args=(base, take, stop), name="journals", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=_END_SECONDS)


def _take_on(base: Base, take: Take, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            found = take_in(base, take)
            if found.unfit:
                _log.warning("%d records of gateways were damaged or unfit", found.unfit)
        except PilotbaseError as error:  # the database is away, or busy: the next round does it
            _log.warning("%s", error)
        stop.wait(PAUSE_SECONDS)
