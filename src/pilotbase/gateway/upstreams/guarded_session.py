"""HTTP sessions for endpoints: they connect to the addresses that were judged, and are led nowhere else."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from pilotbase.protocols.guarded_http import judge

CONNECT_SECONDS = 5.0
_KEPT_SECONDS = 4.0
"""An idle connection is let go before common servers close it (5 s): a question sent into that moment is lost."""


class GuardedSessions:
    """One session for https and one for http, shared by all endpoints; made within the event loop that uses them.

    ``allowed`` names hosts and networks that are reached though they are private, and by http.
    """

    def __init__(self, allowed: Sequence[str]) -> None:
        self._allowed = tuple(allowed)
        self._sessions: dict[str, aiohttp.ClientSession] = {}

    def for_url(self, url: str) -> aiohttp.ClientSession:
        """Return the session that calls ``url``.

        Raises:
            RefusedError: its host is written as an address that is denied; names are judged when they are resolved.
        """
        parts = urlsplit(url)
        _judge_literal(parts.hostname or "", parts.scheme, self._allowed)
        if parts.scheme not in self._sessions:
            self._sessions[parts.scheme] = _open_session(parts.scheme, self._allowed)
        return self._sessions[parts.scheme]

    async def close(self) -> None:
        """Close every connection."""
        for session in self._sessions.values():
            await session.close()


class _GuardedResolver(AbstractResolver):
    """Resolves as the system does, each time that a connection is made, and refuses as `judge` does."""

    def __init__(self, scheme: str, allowed: Sequence[str]) -> None:
        self._scheme, self._allowed = scheme, allowed
        self._system = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._system.resolve(host, port, family)
        addresses = [ipaddress.ip_address(one["host"].partition("%")[0]) for one in found]
        judge(host, self._scheme, addresses, self._allowed)
        return found

    async def close(self) -> None:
        await self._system.close()


def _judge_literal(host: str, scheme: str, allowed: Sequence[str]) -> None:
    """A session asks its resolver nothing about a host that is written as an address."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return
    judge(host, scheme, [address], allowed)


def _open_session(scheme: str, allowed: Sequence[str]) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(
        resolver=_GuardedResolver(scheme, allowed), limit=0, keepalive_timeout=_KEPT_SECONDS, use_dns_cache=False
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
        trust_env=False,
        skip_auto_headers=("User-Agent",),
    )
