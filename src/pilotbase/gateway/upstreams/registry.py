"""The upstream of each route of each service: made at the first question, ended when the route or its terms change."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.service import CertifiedRoute, Route, Service
from pilotbase.gateway.upstreams.certified import CertifiedUpstream, Recipe
from pilotbase.gateway.upstreams.endpoint import EndpointUpstream
from pilotbase.gateway.upstreams.guarded_session import GuardedSessions
from pilotbase.protocols.upstream import UpstreamDownError
from pilotbase.trial.lab import Lab

AnyUpstream = CertifiedUpstream | EndpointUpstream


@dataclass
class _Held:
    service: Service
    upstreams: list[AnyUpstream | None]
    """One a route."""


class Upstreams:
    """All upstreams of one gateway; used within one event loop."""

    def __init__(self, lab: Lab, allowed: Sequence[str] = (), keys: Mapping[str, str] | None = None) -> None:
        self._lab, self._keys = lab, keys or {}
        self._sessions = GuardedSessions(allowed)
        self._held: dict[str, _Held] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def of(self, service: Service, route: Route) -> AnyUpstream:
        """Return the upstream of a route of ``service``; raises `UpstreamDownError` where none can be made."""
        held = self._held_for(service)
        place = next(place for place, one in enumerate(service.routes) if one is route or one == route)
        found = held.upstreams[place]
        if found is None:
            found = held.upstreams[place] = self._make(service, route)
        return found

    def wake(self, service: Service, route: Route) -> None:
        """Have the boxes of a route started, if it is one that has any; what keeps them from it is told to callers."""
        with contextlib.suppress(UpstreamDownError):
            upstream = self.of(service, route)
            if isinstance(upstream, CertifiedUpstream):
                upstream.warm()

    def __iter__(self) -> Iterator[tuple[str, AnyUpstream]]:
        """Yield the name of the service and each upstream that was made."""
        for name, held in self._held.items():
            yield from ((name, upstream) for upstream in held.upstreams if upstream is not None)

    async def close(self) -> None:
        """End all of them."""
        for _, upstream in list(self):
            self._end(upstream)
        if self._closing:
            await asyncio.wait(self._closing)
        await self._sessions.close()

    def _held_for(self, service: Service) -> _Held:
        held = self._held.get(service.name)
        if held is None:
            held = self._held[service.name] = _Held(service, [None] * len(service.routes))
        elif held.service is not service:
            if held.service != service:
                held.upstreams = self._carried_over(held, service)
            held.service = service
        return held

    def _carried_over(self, held: _Held, service: Service) -> list[AnyUpstream | None]:
        """Return the upstreams for a changed service: of what is as it was the same, and the others are ended."""
        known = dict(zip(held.service.routes, held.upstreams, strict=True))
        kept = [known.get(route) if held.service.terms == service.terms else None for route in service.routes]
        for upstream in held.upstreams:
            if upstream is not None and upstream not in kept:
                self._end(upstream)
        return kept

    def _end(self, upstream: AnyUpstream) -> None:
        task = asyncio.get_running_loop().create_task(upstream.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _make(self, service: Service, route: Route) -> AnyUpstream:
        if not isinstance(route, CertifiedRoute):
            return EndpointUpstream(route, service.terms, self._sessions, self._keys.get(route.url))
        try:
            return CertifiedUpstream(Recipe.of(self._lab, route), service.terms)
        except PilotbaseError as problem:
            raise UpstreamDownError("gateway.no_box") from problem
