"""How often a token may ask: so many requests a minute, counted in this process."""

from __future__ import annotations

import time

from django.conf import settings
from django.core.cache import cache

from pilotbase.documents.errors import RefusedError

_SECONDS = 60


class TooManyRequestsError(RefusedError):
    """A token asks too often; in ``retry_seconds`` it may again."""

    def __init__(self, allowed: int, retry_seconds: int) -> None:
        super().__init__("api.too_many_requests", allowed=allowed)
        self.retry_seconds = retry_seconds


def count_request(name: str) -> None:
    """Count one request under ``name``; raises `TooManyRequestsError` beyond the setting."""
    allowed, now = settings.CONFIGURATION.token_requests, time.time()
    key = f"requests:{name}:{int(now // _SECONDS)}"
    cache.add(key, 0, 2 * _SECONDS)
    try:
        count = cache.incr(key)
    except ValueError:  # thrown out between the two lines, by a full cache
        count = 1
    if count > allowed:
        raise TooManyRequestsError(allowed, _SECONDS - int(now % _SECONDS))
