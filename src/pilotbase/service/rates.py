"""How many calls a minute each key may make, counted in the memory of one gateway."""

from __future__ import annotations

import math
import threading
from datetime import datetime, timedelta

from pilotbase.documents.errors import RefusedError
from pilotbase.service.keys import ServiceKey

_AT_ONCE = 6
"""A sixth of a minute's calls may come at once; the others wait for their share of the minute."""


class TooManyCallsError(RefusedError):
    """The key has made its calls of this minute; ask again in ``seconds``."""

    def __init__(self, key: ServiceKey, seconds: int) -> None:
        super().__init__("service.rate_limited", key=key.prefix, calls=key.calls_a_minute, seconds=seconds)
        self.seconds = seconds


class CallRates:
    """The generic cell rate algorithm (ITU-T I.371, Annex A): all it keeps of a key is when its next call is due."""

    def __init__(self) -> None:
        self._due: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def take(self, key: ServiceKey, now: datetime) -> None:
        """Count one call of ``key``; raises `TooManyCallsError`."""
        if key.calls_a_minute is None:
            return
        apart = timedelta(minutes=1) / key.calls_a_minute
        with self._lock:
            due = max(self._due.get(key.identity, now), now)
            early = due - now - (math.ceil(key.calls_a_minute / _AT_ONCE) - 1) * apart
            if early > timedelta():
                raise TooManyCallsError(key, math.ceil(early.total_seconds()))
            self._due[key.identity] = due + apart

    def give_back(self, key: ServiceKey) -> None:
        """Forget a call that was not admitted after all."""
        if key.calls_a_minute is not None:
            with self._lock:
                self._due[key.identity] -= timedelta(minutes=1) / key.calls_a_minute
