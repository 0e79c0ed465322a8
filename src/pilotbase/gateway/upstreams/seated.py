"""Boxes on a seat: where the base's operator says so, the boxes of a service take room in a shared pool.

The seat is asked for before the first box is started, and held as long as there are boxes. One whose time is over, or
that was lost, is asked for anew; boxes that run go on meanwhile for `GRACE_SECONDS`, and are ended then.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from pilotbase.documents.errors import PilotbaseError, RefusedError
from pilotbase.documents.texts import Text
from pilotbase.protocols.upstream import UpstreamDownError
from pilotbase.sandbox.box.supervisor import BoxUsage
from pilotbase.sandbox.engines import Worker
from pilotbase.worker.providers import Seat
from pilotbase.workspace.failures import NotFoundError

PATIENCE_SECONDS = 5.0
"""So long a start waits for the seat before callers are told that there is none."""
RETRY_SECONDS = 10
"""After so long callers are to ask again."""
GRACE_SECONDS = 10.0
_ASK_SECONDS = 1.0
_NOTHING = BoxUsage(0.0, 0.0, 0)
_log = logging.getLogger("pilotbase.gateway")


class NoSeatError(UpstreamDownError):
    """The boxes of a service wait for their seat in a shared pool; ask again in ``seconds``."""

    seconds = RETRY_SECONDS


@dataclass
class _Counted:
    """A box, and what of its use was counted already."""

    box: Worker
    counted: BoxUsage = _NOTHING


class SeatedBoxes:
    """Starts the boxes of one route of one service; safe to share between threads."""

    def __init__(self, start: Callable[[], Worker], seat: Seat) -> None:
        self._start, self._seat = start, seat
        self._lock, self._closed = threading.Lock(), threading.Event()
        self._boxes: list[_Counted] = []
        self._used = _NOTHING
        self._missing: float | None = None
        self._waited: tuple[float, Callable[[], Text] | None] = (0.0, None)

    @property
    def has_seat(self) -> bool:
        """Return whether there is a seat: none where none is needed."""
        return self._seat.holds_one

    def start(self) -> Worker:
        """Return a box that runs, on its seat; raises `NoSeatError`, and as boxes are started."""
        until = time.monotonic() + PATIENCE_SECONDS
        while (why := self._asked()) is not None:
            if time.monotonic() > until or self._closed.wait(_ASK_SECONDS):
                raise NoSeatError("gateway.no_seat", why=why(), seconds=RETRY_SECONDS)
        box = self._start()
        self._count()
        with self._lock:
            self._boxes.append(_Counted(box))
        return box

    def tend(self) -> bool:
        """Give a sign of life, or ask again; returns whether the boxes that run may go on."""
        if self._closed.is_set():
            return True
        try:
            if self._seat.is_nearly_over:
                self.leave()
            seated = self._ask() is None
        except (RefusedError, NotFoundError) as error:
            _log.warning("seats: %s", error)
            seated = False
        except PilotbaseError as error:  # the store is away: nobody else is let in meanwhile
            _log.warning("seats: %s", error)
            return True
        now = time.monotonic()
        self._missing = None if seated else self._missing or now
        return self._missing is None or now - self._missing < GRACE_SECONDS

    def close(self) -> None:
        """Let no start wait any longer; `leave` is still due, once the boxes have ended."""
        self._closed.set()

    def leave(self) -> None:
        """Give the seat back, if there is one, with what the boxes used since it was taken."""
        self._count()
        with self._lock:
            used, self._used = self._used, _NOTHING
        self._seat.leave(used)

    def _asked(self) -> Callable[[], Text] | None:
        """Return as `Seat.tend`; raises `NoSeatError` where it could never be had."""
        try:
            return self._ask()
        except (RefusedError, NotFoundError) as error:
            raise NoSeatError("gateway.no_seat", why=error.text, seconds=RETRY_SECONDS) from error

    def _ask(self) -> Callable[[], Text] | None:
        """Return as `Seat.tend`, which all that start boxes here ask together, and once in `_ASK_SECONDS`."""
        with self._lock:
            asked_at, why = self._waited
            if why is None or time.monotonic() - asked_at >= _ASK_SECONDS:
                why = self._seat.tend()
                self._waited = (time.monotonic(), why)
        return why

    def _count(self) -> None:
        """Add what the boxes used since they were counted last; those that have ended are counted no more."""
        with self._lock:
            for one in self._boxes:
                now, before = one.box.usage(), one.counted
                one.counted = now
                self._used = BoxUsage(
                    self._used.wall_seconds + now.wall_seconds - before.wall_seconds,
                    self._used.cpu_seconds + max(now.cpu_seconds - before.cpu_seconds, 0.0),
                    max(self._used.memory_peak_bytes, now.memory_peak_bytes),
                    self._used.memory_byte_seconds + max(now.memory_byte_seconds - before.memory_byte_seconds, 0.0),
                )
            self._boxes = [one for one in self._boxes if one.box.running]
