"""The upstream of each route of each service: made at the first question, ended when the route or its terms change."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import secrets
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.service import CertifiedRoute, Route, Service
from pilotbase.documents.vocabularies import ServingState
from pilotbase.gateway.upstreams.agents import AgentUpstream, Lobby, Office, UnknownDialogueError, end_as_left
from pilotbase.gateway.upstreams.certified import CertifiedUpstream, Recipe
from pilotbase.gateway.upstreams.endpoint import EndpointUpstream, GuardedSessions
from pilotbase.gateway.upstreams.replicas import Replicas
from pilotbase.protocols.prometheus import Gauge
from pilotbase.protocols.upstream import UpstreamCall, UpstreamDownError
from pilotbase.service.dialogue_logs import DialogueLogs, dialogues_of
from pilotbase.service.registry import load_service
from pilotbase.service.standing import standing_of
from pilotbase.trial.lab import TrialRuntime
from pilotbase.worker.providers import seats

TEND_SECONDS = 2.0
_log = logging.getLogger("pilotbase.gateway")
BoxedUpstream = CertifiedUpstream | AgentUpstream
"""What answers from boxes of this base."""
AnyUpstream = BoxedUpstream | Replicas
MayAnswer = Callable[[str], Awaitable[Sequence[Route]]]


@dataclass
class _Held:
    service: Service
    upstreams: list[AnyUpstream | None]
    """One a route."""


class Upstreams:
    """All upstreams of one gateway; used within one event loop."""

    def __init__(
        self,
        lab: TrialRuntime,
        office: Office,
        hub: str = "",
        allowed: Sequence[str] = (),
        keys: Mapping[str, str] | None = None,
    ) -> None:
        """``hub``: its public address; ``allowed``, ``keys``: as `GatewayConfiguration` has them."""
        self._lab, self._keys = lab, keys or {}
        self._lobby = Lobby(office, DialogueLogs(dialogues_of(lab.home.path), office.now), hub)
        self._sessions = GuardedSessions(allowed)
        self._held: dict[str, _Held] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._name, self._numbers = secrets.token_hex(6), itertools.count(1)
        """Together they name what holds a seat in a shared pool."""

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
            if isinstance(upstream, BoxedUpstream):
                upstream.warm()

    def is_ready(self, service: Service, route: Route) -> bool:
        """Return whether a route would answer now; nothing is started."""
        try:
            return self.of(service, route).ready
        except UpstreamDownError:
            return False

    def leading(self, service: Service, routes: Sequence[Route], question: UpstreamCall) -> Sequence[Route]:
        """Return the route whose agent leads the dialogue that ``question`` goes on with, else all ``routes``.

        Raises `UnknownDialogueError` where it names a dialogue that no agent leads.
        """
        held = self._held_for(service)
        for route, upstream in zip(service.routes, held.upstreams, strict=True):
            if isinstance(upstream, AgentUpstream) and route in routes and upstream.leads(question):
                return [route]
        if question.goes_on:
            raise UnknownDialogueError("gateway.unknown_dialogue")
        return routes

    async def recall_barred(self, may_answer: MayAnswer) -> None:
        """Let agents do nothing more whose service was stopped, or whose version may not answer any more."""
        for name, held in list(self._held.items()):
            for route, upstream in zip(held.service.routes, held.upstreams, strict=True):
                if isinstance(upstream, AgentUpstream) and upstream.boxes and route not in await may_answer(name):
                    upstream.recall()

    def gauges(self) -> Iterator[Gauge]:
        """Yield what is under way now, by service."""
        pending: dict[str, float] = defaultdict(float)
        boxes: dict[str, float] = defaultdict(float)
        for service, upstream in self.made():
            pending[service] += upstream.pending
            boxes[service] += upstream.boxes
        yield Gauge("service_pending", "Calls under way or waiting.", pending, "service")
        yield Gauge("service_boxes", "Boxes that run, or replicas that may be asked.", boxes, "service")

    def made(self) -> Iterator[tuple[str, AnyUpstream]]:
        """Yield the name of the service and each upstream that was made."""
        for name, held in self._held.items():
            yield from ((name, upstream) for upstream in held.upstreams if upstream is not None)

    async def tend(self) -> None:
        """Look after the seats of boxes, and dialogues that nobody leads, again and again, until cancelled.

        Boxes that hold one though their service does not answer by them now, and nobody asks them, give it back.
        """
        while True:
            await asyncio.sleep(TEND_SECONDS)
            try:
                self._end_overdue()
            except Exception:  # noqa: BLE001 - whatever it is, it is tried again
                _log.exception("dialogues that nobody leads could not be ended")
            for name, held in list(self._held.items()):
                for upstream in list(held.upstreams):
                    if isinstance(upstream, BoxedUpstream) and upstream in held.upstreams:
                        await self._tend(name, held, upstream)

    async def close(self) -> None:
        """End all of them; dialogues wait for the next process."""
        for _, upstream in list(self.made()):
            if isinstance(upstream, AgentUpstream):
                upstream.let_go()
            self._end(upstream)
        if self._closing:
            await asyncio.wait(self._closing)
        await self._sessions.close()

    def _end_overdue(self) -> None:
        """End dialogues that no process leads and that nobody goes on with; forget those that had ended."""
        for log in self._lobby.logs.overdue():
            state = log.state
            if state.over:
                log.forget()
                continue
            try:
                recipe = Recipe.of(self._lab, CertifiedRoute.model_validate(state.route))
                end_as_left(log, recipe, load_service(self._lab.view, state.service), self._lobby)
            except PilotbaseError as problem:
                _log.warning("dialogue %s is not recorded: %s", state.identity, problem)
                log.forget()

    async def _tend(self, name: str, held: _Held, upstream: BoxedUpstream) -> None:
        try:
            await upstream.tend()
            if upstream.is_idle and not await asyncio.to_thread(self._answers, name, held.upstreams.index(upstream)):
                self._rest(held, upstream)
        except Exception:  # noqa: BLE001 - whatever it is, other services are looked after, and this one again
            _log.exception("the seat of %s could not be looked after", name)

    def _rest(self, held: _Held, upstream: BoxedUpstream) -> None:
        """End boxes that nobody has asked meanwhile; the next question has them started again."""
        if upstream.is_idle and upstream in held.upstreams:
            held.upstreams[held.upstreams.index(upstream)] = None
            self._end(upstream)

    def _answers(self, name: str, place: int) -> bool:
        """Return whether a service answers by that route now; it does where the store cannot be asked."""
        try:
            standing = standing_of(self._lab.view, name)
        except PilotbaseError:
            return True
        return standing.route == place and standing.state in (ServingState.SERVING, ServingState.FALLEN_BACK)

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
            urls = [route.url, *route.replicas]
            single = [route.model_copy(update={"url": url}) for url in urls]
            return Replicas(
                [EndpointUpstream(one, service.terms, self._sessions, self._keys.get(one.url)) for one in single],
                service.terms.hedge,
            )
        try:
            recipe = Recipe.of(self._lab, route)
            work = recipe.work(service, f"{self._name}/{next(self._numbers)}")
            seat = seats().seat_for(self._lab.view, work, self._name)
            if recipe.world is not None:
                return AgentUpstream(recipe, recipe.world, service, seat, self._lobby)
            return CertifiedUpstream(recipe, service.terms, seat)
        except PilotbaseError as problem:
            raise UpstreamDownError("gateway.no_box") from problem
