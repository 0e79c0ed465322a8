"""The way of a call: admitted by the desk, asked of the routes in turn, settled before its answer goes back."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import TypeVar

from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.observation import Scalar
from pilotbase.documents.service import ActConsent, CertifiedRoute, Route, Service, VersionRelease
from pilotbase.documents.vocabularies import CallEnd, ServingState
from pilotbase.gateway.shadows import AnsweredCall, ShadowCalls
from pilotbase.gateway.tracing import GatewayMeasurements, note_usage
from pilotbase.gateway.upstreams.registry import Upstreams
from pilotbase.protocols.contract_cases import ContractBrokenError
from pilotbase.protocols.openai_wire import TokenUsage
from pilotbase.protocols.upstream import (
    AnswerStream,
    CallCases,
    CallMeter,
    CallTimeoutError,
    QueueFullError,
    UpstreamBusyError,
    UpstreamCall,
    UpstreamDownError,
    UpstreamFailedError,
    UpstreamReply,
)
from pilotbase.service.calls import (
    NOTHING,
    Admission,
    CallObservation,
    Cost,
    ModelSpending,
    ReleaseOutcome,
    in_billionths,
)
from pilotbase.service.consents import ask_consent, consent_of
from pilotbase.service.desk import CallDispatcher, MustWaitError
from pilotbase.service.releases import is_for_candidate
from pilotbase.service.standing import standing_of
from pilotbase.watch.warnings import DialogueFinding, warn_of_dialogue
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View

ONE_CALL = Cost()
_THREADS = 8
_In = TypeVar("_In")
_Out = TypeVar("_Out")


class FrontDesk:
    """Asks one desk.

    Of a store that is a file of this machine the state is read from memory, so there keys are looked up at once.
    """

    def __init__(self, desk: CallDispatcher, view: View) -> None:
        self.desk, self._view, self._near = desk, view, view.store.database.is_sqlite
        self._threads = ThreadPoolExecutor(_THREADS, "pilotbase-desk")

    async def service(self, secret: str, name: str | None = None) -> Service:
        """Return the service that a key opens; raises `RefusedError`, and `NotFoundError` where it is not ``name``."""
        return _named(await self._ask(self.desk.services, secret), name)

    def service_known(self, secret: str, name: str | None = None) -> Service:
        """Return the same as it was known last: how much of a call is read, until it is admitted or not."""
        return _named(self.desk.services(secret, fresh=False), name)

    def key(self, secret: str) -> str:
        """Return the identity of a key, as it was known last; raises `RefusedError`."""
        return self.desk.key(secret).identity

    async def admit(self, secret: str, question: UpstreamCall, cost: Cost) -> Admission:
        """Return the admission of one call, by a thread where it has to wait; raises as `CallDispatcher.admit`."""
        admit = partial(self.desk.admit, secret, question.service, cost, cases=lambda: question.content.cases)
        if self._near:
            with contextlib.suppress(MustWaitError):
                return admit(waiting=False)
        asked = asyncio.get_running_loop().run_in_executor(self._threads, admit)
        try:
            return await asyncio.shield(asked)
        except asyncio.CancelledError:
            asked.add_done_callback(self._give_up)
            raise

    async def may_go_on(self, admission: Admission) -> bool:
        """Return whether a call under way may still be answered; raises as `CallDispatcher.may_go_on`."""
        return await self._ask(self.desk.may_go_on, admission)

    async def may_answer(self, service: str) -> Sequence[Route]:
        """Return the routes that would be asked now; raises as `CallDispatcher.may_answer`."""
        return await self._ask(self.desk.may_answer, service)

    async def ready(self) -> bool:
        """Return whether the store can be asked."""
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, self._view.head, "health")
        except PilotbaseError:
            return False
        return True

    def now(self) -> datetime:
        """Return the time by the clock of the base."""
        return self._view.store.clock()

    def ask_consent(self, service: Service, consent: ActConsent) -> None:
        """Put an act of an agent before its principal."""
        ask_consent(self._view, service, consent)

    def consent(self, service: str, identity: str) -> ActConsent:
        """Return a consent as it stands; raises `NotFoundError`."""
        return consent_of(self._view, service, identity)

    def stands_since(self, service: str) -> datetime:
        """Return since when a service stands as it does."""
        return standing_of(self._view, service).at

    def warn(self, found: DialogueFinding) -> None:
        """Warn of what was found in a dialogue; raises as `warn_of_dialogue`."""
        warn_of_dialogue(self._view, found)

    def observe(self, key: str, service: str, observed: CallObservation, spent: ModelSpending) -> None:
        """Keep a case that took several calls; raises as `CallDispatcher.observe`."""
        self.desk.observe(key, service, observed, spent)

    def settle(self, admission: Admission, used: Cost, observed: CallObservation | None) -> None:
        """Settle an admitted call; raises as `CallDispatcher.settle`."""
        self.desk.settle(admission, used, observed)

    def close(self) -> None:
        """Let go of the desk: what is left of its allotments goes back."""
        self._threads.shutdown()
        self.desk.close()

    async def _ask(self, function: Callable[[_In], _Out], asked: _In) -> _Out:
        if self._near:
            return function(asked)
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, asked)

    def _give_up(self, asked: asyncio.Future[Admission]) -> None:
        """Settle a call whose caller was gone before it was admitted."""
        if not asked.cancelled() and asked.exception() is None:
            self.settle(asked.result(), NOTHING, None)


def _named(services: Sequence[Service], name: str | None) -> Service:
    for service in services:
        if name is None or service.name == name:
            return service
    raise NotFoundError("service.unknown_service", service=name or "")


_WARM_UP = timedelta(minutes=1)
"""The boxes of a new version have so long to start before calls wait for them."""
_LOOK_SECONDS = 0.5
"""So long, and the time of a look, a call goes on after its service was stopped."""


class CallEndedError(PilotbaseError):
    """The service was stopped, or what answered may not answer any more, while the call was under way."""


class _UnderWay:
    """The calls that one gateway is answering, with the tasks that do."""

    def __init__(self, desk: FrontDesk, upstreams: Upstreams) -> None:
        self._desk, self._upstreams = desk, upstreams
        self._calls: dict[int, tuple[Admission, asyncio.Task[object]]] = {}
        self._ended: set[int] = set()

    @contextlib.contextmanager
    def ended_when_barred(self, admission: Admission) -> Iterator[None]:
        """Let this task be ended while it answers the call; raises `CallEndedError` when it was."""
        task = asyncio.current_task()
        assert task is not None
        self._calls[admission.number] = (admission, task)
        try:
            yield
        except asyncio.CancelledError:
            if admission.number not in self._ended:
                raise
            task.uncancel()
            raise CallEndedError("gateway.ended", service=admission.service.name) from None
        finally:
            del self._calls[admission.number]
            self._ended.discard(admission.number)

    async def guard(self) -> None:
        """Look at the calls and dialogues under way again and again, until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            for admission, task in list(self._calls.values()):
                if admission.number in self._calls and not await self._may_go_on(admission):
                    self._ended.add(admission.number)
                    task.cancel()
            with contextlib.suppress(PilotbaseError):  # the store is away: see below
                await self._upstreams.recall_barred(self._desk.may_answer)

    async def _may_go_on(self, admission: Admission) -> bool:
        """Ask the desk; while the store cannot be asked nothing is ended, as nothing is admitted."""
        try:
            return await self._desk.may_go_on(admission)
        except PilotbaseError:
            return True


@dataclass(frozen=True)
class CallAnswer:
    """What goes back to the caller, and who gave it."""

    reply: UpstreamReply | SettledStream
    standing: ServingState
    version: str
    """Digest of the certified application, or of the override of an endpoint; empty: a person is asked."""


class CallHandler:
    """Answers the calls of one gateway."""

    def __init__(self, desk: FrontDesk, upstreams: Upstreams, measurements: GatewayMeasurements) -> None:
        self._desk, self._upstreams, self._measurements = desk, upstreams, measurements
        self.under_way = _UnderWay(desk, upstreams)
        self.shadows = ShadowCalls(desk.desk, upstreams)

    async def answer(self, secret: str, question: UpstreamCall, most: Cost = ONE_CALL) -> CallAnswer:
        """Return the answer to ``question``, which may cost so much at most.

        If the caller disconnects, the call is settled as cancelled.

        Raises:
            PilotbaseError: as `FrontDesk.admit` and `Upstream.ask`; `CallTimeoutError`, `CallEndedError`; whatever
                `problem_of` tells.
        """
        admission = await self._desk.admit(secret, question, most)
        course = _Course(self._desk, self._measurements, self.under_way, admission, question.meter)
        try:
            with self.under_way.ended_when_barred(admission):
                return await self._ask(course, question)
        except ContractBrokenError:
            course.settle(CallEnd.BROKE_CONTRACT, NOTHING, CallCases([question.call]))
            raise
        except TimeoutError:
            course.settle(CallEnd.TIMED_OUT, course.used, CallCases([question.call]))
            raise CallTimeoutError("gateway.timed_out", seconds=course.timeout) from None
        except (asyncio.CancelledError, CallEndedError):
            # What it was asked for may have been done: a caller who goes just before the end would pay nothing.
            course.settle(CallEnd.CANCELLED, course.used, CallCases([question.call]))
            raise
        except (UpstreamDownError, UpstreamFailedError, QueueFullError) as problem:
            used = NOTHING if isinstance(problem, QueueFullError) else Cost(1, 0)
            course.settle(CallEnd.FAILED, used, CallCases([question.call]))
            raise
        finally:
            course.end()
            if course.failed is not None:
                self.shadows.ask(AnsweredCall(course.admission.service, question, course.answers, course.failed))

    async def _ask(self, course: _Course, question: UpstreamCall) -> CallAnswer:
        admission = course.admission
        failure: PilotbaseError | None = None
        async with asyncio.timeout(admission.service.terms.timeout_seconds):
            may = _may_answer(admission, question.version)
            if admission.hold_back is not None and admission.hold_back.holds(question.call):
                may = []  # today's way: a person answers, as if there were no service
            question = replace(question, key=admission.key)
            routes = self._upstreams.leading(admission.service, self._released(course, may, question), question)
            course.first = routes[0] if routes else None
            for route in routes:
                try:
                    found = await self._upstreams.of(admission.service, route).ask(question)
                except (UpstreamDownError, UpstreamFailedError, UpstreamBusyError) as problem:
                    failure = problem
                    continue
                return course.answered(route, found)
        if failure is not None and (isinstance(failure, QueueFullError) or not admission.service.terms.ask_human):
            raise failure
        upstream = self._upstreams.of(admission.service, admission.service.routes[0])
        return course.handed_over(upstream.hand_over(question), CallEnd.HUMAN if failure is None else CallEnd.FAILED)

    def _released(self, course: _Course, routes: Sequence[Route], question: UpstreamCall) -> Sequence[Route]:
        """Return ``routes`` with the new version first, while it is released and this call is for it.

        Calls count once its boxes are warm, or should be; tests, and a version that the caller insists on, never do.
        """
        service = course.admission.service
        release, candidate = service.release, service.candidate
        insists = question.version is not None or course.admission.test
        usual = bool(routes) and routes[0] is service.routes[0]
        if release is None or candidate is None or insists or not usual or candidate not in routes:
            return routes
        warming = self._desk.now() - release.since < _WARM_UP
        if warming and not self._upstreams.is_ready(service, candidate):
            self._upstreams.wake(service, candidate)
            return routes
        course.release = release
        if release.shadows or not is_for_candidate(release, course.admission.key):
            return routes
        return [candidate, *(route for route in routes if route is not candidate)]


def _may_answer(admission: Admission, version: str | None) -> list[Route]:
    """Return the routes to ask, in order: all that may answer, or the one of the version that the caller insists on."""
    routes = [route for route in (admission.route, *admission.further) if route is not None]
    if version is None:
        return routes
    wanted = [route for route in routes if version_of(route) == version]
    if not wanted:
        raise NotFoundError("gateway.unknown_version", version=version)
    return wanted


def version_of(route: Route) -> str:
    """Return what names the version behind a route: digest of the application, or of an endpoint's override."""
    return route.application.digest if isinstance(route, CertifiedRoute) else route.override


class SettledStream:
    """An answer in pieces; it is settled before its last one goes out, or when it is closed, however far it came."""

    def __init__(self, course: _Course, stream: AnswerStream, end: CallEnd) -> None:
        self._course, self._stream, self._end = course, stream, end
        self._reached, self._settled = CallEnd.CANCELLED, False

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the pieces; raises `UpstreamFailedError`, `CallTimeoutError`, `CallEndedError` where it breaks off."""
        try:
            with self._course.ended_when_barred():
                async for chunk in self._stream.chunks():
                    if self._stream.ended:
                        self._settle(self._end)
                    yield chunk
        except TimeoutError:
            self._reached = CallEnd.TIMED_OUT
            raise CallTimeoutError("gateway.timed_out", seconds=self._course.timeout) from None
        except UpstreamFailedError:
            self._reached = CallEnd.FAILED
            raise

    async def close(self) -> None:
        """Settle the call by what was said so far, and let go of the upstream."""
        try:
            self._settle(self._reached)
        finally:
            await self._stream.close()

    def _settle(self, end: CallEnd) -> None:
        if not self._settled:
            self._settled = True
            self._course.settle(end, self._course.paid(self._stream.usage()), self._stream.cases)


class _Course:
    """One admitted call, to be settled exactly once."""

    def __init__(
        self,
        desk: FrontDesk,
        measurements: GatewayMeasurements,
        under_way: _UnderWay,
        admission: Admission,
        meter: CallMeter,
    ) -> None:
        self.admission, self._meter = admission, meter
        self._desk, self._measurements, self._under_way = desk, measurements, under_way
        self._began = time.perf_counter()
        self._version: str | None = None
        self._open, self._streams = True, False
        self.first: Route | None = None
        """The route that is asked first."""
        self.release: VersionRelease | None = None
        """The release that the call says something about."""
        self.failed: bool | None = None
        """Whether the call has failed, as a release counts it."""
        self.answers: tuple[Scalar, ...] = ()

    @property
    def timeout(self) -> str:
        """How many seconds the service allows."""
        return f"{self.admission.service.terms.timeout_seconds:g}"

    @property
    def used(self) -> Cost:
        """Return what a call that broke off has used: all that was reserved, where nobody knows."""
        return self.admission.reserved if self._meter.used is None else self.paid(self._meter.used)

    def paid(self, usage: TokenUsage | None) -> Cost:
        """Return what an answer of so many tokens costs."""
        note_usage(usage)
        return Cost(1, 0 if usage is None else usage.total, in_billionths(self._meter.cost))

    def ended_when_barred(self) -> AbstractContextManager[None]:
        """Let this task, which sends the answer on, be ended when the service is stopped."""
        return self._under_way.ended_when_barred(self.admission)

    def answered(self, route: Route, found: UpstreamReply | AnswerStream) -> CallAnswer:
        """Return the answer that ``route`` gave; a whole one is settled."""
        admission = self.admission
        usual = route is admission.service.routes[0] or self._is_candidate(route)
        end = CallEnd.ANSWERED if usual and route is self.first else CallEnd.FELL_BACK
        state = admission.standing.state if end is CallEnd.ANSWERED else ServingState.FALLEN_BACK
        self._version = route.application.digest if isinstance(route, CertifiedRoute) else None
        if isinstance(found, UpstreamReply):
            cost = self.paid(found.usage)
            if found.status != HTTPStatus.OK:  # the endpoint finds fault with what was asked
                end, cost = CallEnd.BROKE_CONTRACT, NOTHING
            self.settle(end, cost, found.cases)
            return CallAnswer(found, state, version_of(route))
        self._streams = True
        return CallAnswer(SettledStream(self, found, end), state, version_of(route))

    def handed_over(self, reply: UpstreamReply, end: CallEnd) -> CallAnswer:
        """Return the answer that leaves the question to a person; because what should answer failed, it has failed."""
        self.settle(end, Cost(1, 0), reply.cases)
        return CallAnswer(reply, ServingState.HUMAN, "")

    def settle(self, end: CallEnd, used: Cost, cases: CallCases) -> None:
        """Settle the call as it ended."""
        milliseconds = (time.perf_counter() - self._began) * 1000
        self.answers = tuple(cases.answers)
        observed = CallObservation(
            cases.ids,
            cases.inputs,
            cases.answers,
            end,
            self._version,
            milliseconds,
            self._desk.now(),
            self._outcome(end, milliseconds),
        )
        self._close(used, observed)
        self._measurements.settled(self.admission.service.name, end, used.tokens, milliseconds)

    def _is_candidate(self, route: Route | None) -> bool:
        candidate = self.admission.service.candidate
        return candidate is not None and route is candidate

    def _outcome(self, end: CallEnd, milliseconds: float) -> ReleaseOutcome | None:
        """Return what the call says about the release; nothing where the caller was at fault, or went."""
        if self.release is None or end in (CallEnd.BROKE_CONTRACT, CallEnd.CANCELLED):
            return None
        self.failed = end is not CallEnd.ANSWERED or self.release.is_slow(milliseconds)
        if self.release.shadows:
            return None
        return ReleaseOutcome(self.release.identity, self._is_candidate(self.first), self.failed)

    def end(self) -> None:
        """Settle a call that was refused before anybody was asked, so that it costs nothing."""
        if self._open and not self._streams:
            self._close(NOTHING, None)

    def _close(self, used: Cost, observed: CallObservation | None) -> None:
        self._open = False
        self._desk.settle(self.admission, used, observed)
