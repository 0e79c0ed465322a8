"""Rounds beside the jobs: one function, called again and again in a thread of its own, even after errors."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from pilotbase.workspace.failures import BusyError, DiskFullError, UnreachableError

PASSING = (BusyError, DiskFullError, UnreachableError)
"""Errors that pass by themselves: the next round goes on."""
_log = logging.getLogger("pilotbase.worker")


@dataclass(frozen=True)
class Pace:
    """Seconds from one round to the next, after a failed one, and to wait for the last one."""

    idle: float
    rest: float
    end: float = 10.0


class Rounds(Protocol):
    """Work of a plug-in beside a worker's jobs; ``rounds_of(base, name)`` of its ``worker.rounds`` makes it."""

    def running(self) -> AbstractContextManager[None]:
        """Run in threads until the end of the block."""

    def once(self) -> bool:
        """Run one round; return whether anything was done, so that waiting jobs may go on."""


@contextmanager
def in_rounds(name: str, once: Callable[[], bool], pace: Pace) -> Iterator[None]:
    """Call ``once`` in a thread until the end of the block, again at once if it says that there may be more."""
    stop = threading.Event()
    thread = threading.Thread(target=_rounds, args=(name, once, pace, stop), name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=pace.end)


@dataclass
class OnceADay:
    """A round that also does something at its first call of each day (UTC)."""

    clock: Callable[[], datetime]
    act: Callable[[], object]
    once: Callable[[], bool] = lambda: False
    done: date | None = None

    def __call__(self) -> bool:
        more, today = self.once(), self.clock().date()
        if self.done != today:
            self.act()
            self.done = today
        return more


def _rounds(name: str, once: Callable[[], bool], pace: Pace, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            pause = 0.0 if once() else pace.idle
        except PASSING as error:
            _log.warning("%s: %s", name, error)
            pause = pace.rest
        except Exception:  # noqa: BLE001 - any error: trials go on, and the next round may find it mended
            _log.exception("a round of %s broke off", name)
            pause = pace.rest
        stop.wait(pause)
