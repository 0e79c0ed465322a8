"""A worker over an endpoint: `predict` and a life cycle like `WarmWorker`, with calls in place of a box.

A question that ends without an answer leaves its cases without one, which counts as worst. `MOST_UNANSWERED` in a row,
or the very first, end the run with the reason of the last. Limits: ``batch_seconds`` is for one question with all its
retries, ``load_seconds`` until the endpoint has said that it is there, ``wall_seconds`` for the whole.
"""

from __future__ import annotations

import contextlib
import itertools
import queue
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NoReturn

from pilotbase.documents.contract import AnswerKind, Contract, DataType, Field, Prediction
from pilotbase.documents.endpoint import Endpoint, EndpointUse
from pilotbase.documents.limits import EndReason, IsolationLevel, Limits
from pilotbase.documents.quantities import MOST_SECONDS
from pilotbase.protocols.frames import AnswerBatch, FeatureBatch, Following, FrameError, abstentions
from pilotbase.protocols.guarded_http import GuardedHttp, NoAnswerError
from pilotbase.protocols.kept_connection import KeptConnection
from pilotbase.sandbox.box.box import BoxFacts
from pilotbase.sandbox.box.ends import BoxEnd, BoxEnded, CappedLog, ClosedAtEnd, Logs
from pilotbase.sandbox.box.settings import BoxSettings, LogPolicy, MemoryWatch
from pilotbase.sandbox.box.supervisor import BoxUsage
from pilotbase.sandbox.endpoints.asking import MOST_ATTEMPTS, EndpointSession, Rate, RequestFault, headers_of
from pilotbase.sandbox.endpoints.calls import CallLog, cost_of_calls, endpoint_use
from pilotbase.sandbox.endpoints.operator import EndpointSettings
from pilotbase.sandbox.endpoints.wire import ModelReply, ModelRequest, checked
from pilotbase.sandbox.endpoints.wires import WIRES

MOST_UNANSWERED = 5


@dataclass(frozen=True)
class EndpointAccess:
    """How the endpoint is reached: with whose permission, and with which key."""

    guard: GuardedHttp
    key: str | None = field(default=None, repr=False)


class EndpointWorker(ClosedAtEnd):
    """Asks one endpoint; one thread uses it, any thread may `cancel` it."""

    def __init__(
        self, endpoint: Endpoint, contract: Contract, settings: BoxSettings, access: EndpointAccess, calls: CallLog
    ) -> None:
        """Return a worker whose endpoint has said that it is there.

        Raises:
            BoxEnded: it has not, or the contract does not fit it; the reason says why.
        """
        self._endpoint, self._contract = endpoint, contract
        self._limits, self._policy = settings.limits, settings.logs
        self._calls, self._log = calls, CappedLog(settings.limits.log_bytes, settings.logs)
        self._began = time.monotonic()
        self._ended_at: float | None = None
        self._end: BoxEnd | None = None
        self._batches = self._unanswered = 0
        self._answered = False
        self._stopped = threading.Event()
        self._connections = [KeptConnection(access.guard, endpoint.url) for _ in range(endpoint.in_flight)]
        self._free: queue.SimpleQueue[KeptConnection] = queue.SimpleQueue()
        for connection in self._connections:
            self._free.put(connection)
        self._threads = ThreadPoolExecutor(endpoint.in_flight, thread_name_prefix="endpoint")
        try:
            self._wire = WIRES[endpoint.protocol](endpoint, contract)
            self._line = self._open_line(access.key)
            fault = self._line.greet(self._connections[0], self._began + self._limits.load_seconds)
            if fault is not None:
                self._fail(fault)
        except BoxEnded as ended:
            self.close(ended.reason)
            raise BoxEnded(self._told(ended.end)) from None
        self.load_seconds = time.monotonic() - self._began

    @property
    def facts(self) -> BoxFacts:
        """Return facts that say that there is no box."""
        return BoxFacts(IsolationLevel.L0, "endpoint", MemoryWatch.NONE, 0, 0.0)

    @property
    def end(self) -> BoxEnd | None:
        return self._end

    @property
    def running(self) -> bool:
        return self._end is None

    def predict(self, batch: FeatureBatch, following: Following = lambda: None) -> AnswerBatch:
        """Return one answer for each case of ``batch``, in its order; cases without one abstain.

        Raises:
            BoxEnded: the endpoint is given up; the reason says why.
        """
        if self._end is not None:
            raise BoxEnded(self._end)
        self._batches += 1
        values = abstentions(batch.rows, self._contract.prediction)
        for question, outcome in self._outcomes(self._wire.questions(batch)):
            if isinstance(outcome, ModelReply):
                self._answered, self._unanswered = True, 0
                values[question.rows] = outcome.values
            else:
                self._take(outcome)
        if time.monotonic() - self._began > self._limits.wall_seconds:
            self._fail(RequestFault(EndReason.WALL_LIMIT, ""))
        try:
            return checked(values, self._contract.prediction)
        except FrameError as problem:
            self._fail(RequestFault(problem.reason, ""))

    def use(self) -> EndpointUse:
        """Return the sum of all calls of this run, including those before a crash."""
        return endpoint_use(self._endpoint, self._calls.total, self._calls.digest)

    def usage(self) -> BoxUsage:
        """Return seconds and cost until now or until its end; what the endpoint itself uses is unknown here."""
        paid = float(100 * (cost_of_calls(self._endpoint, self._calls.total) or 0))
        return BoxUsage((self._ended_at or time.monotonic()) - self._began, 0.0, 0, paid=paid)

    def logs(self) -> Logs:
        """Return the questions and answers, as far as the log policy releases them."""
        return self._log.read()

    def cancel(self) -> None:
        self._stop(EndReason.CANCELLED, "")

    def close(self, reason: EndReason = EndReason.FINISHED) -> None:
        """Release every connection; harmless when repeated."""
        self._stop(reason, "")
        self._threads.shutdown(wait=True, cancel_futures=True)
        for connection in self._connections:
            connection.close()

    def _open_line(self, key: str | None) -> EndpointSession:
        return EndpointSession(
            wire=self._wire,
            headers=headers_of(key),
            secret=key,
            timeout=self._endpoint.timeout,
            rate=Rate(self._endpoint.calls_per_second),
            calls=self._calls,
            shown=self._log if self._policy is LogPolicy.FULL else None,
            stopped=self._stopped,
            numbers=itertools.count(self._calls.total.calls),
            opened_at=self._began,
        )

    def _outcomes(self, questions: Sequence[ModelRequest]) -> Iterator[tuple[ModelRequest, ModelReply | RequestFault]]:
        """Yield the result of each question, in order; as many as permitted are under way at once."""
        if len(questions) == 1:
            yield questions[0], self._ask(questions[0])
            return
        asked: list[tuple[ModelRequest, Future[ModelReply | RequestFault]]] = [
            (question, self._threads.submit(self._ask, question)) for question in questions
        ]
        for question, future in asked:
            yield question, future.result()

    def _ask(self, question: ModelRequest) -> ModelReply | RequestFault:
        connection, end = self._free.get(), self._began + self._limits.wall_seconds
        try:
            return self._line.ask(question, connection, self._limits.batch_seconds, end)
        finally:
            self._free.put(connection)

    def _take(self, fault: RequestFault) -> None:
        """Count a question without an answer, and end if going on is useless."""
        if self._stopped.is_set():
            raise BoxEnded(self._end or BoxEnd(EndReason.CANCELLED, self._batches, ""))
        self._unanswered += 1
        if time.monotonic() - self._began > self._limits.wall_seconds:
            self._fail(RequestFault(EndReason.WALL_LIMIT, fault.detail))
        if fault.hopeless or not self._answered or self._unanswered >= MOST_UNANSWERED:
            self._fail(fault)

    def _fail(self, fault: RequestFault) -> NoReturn:
        self._stop(fault.reason, fault.detail)
        assert self._end is not None
        raise BoxEnded(self._end)

    def _stop(self, reason: EndReason, detail: str) -> None:
        if self._end is None:
            self._end = self._told(BoxEnd(reason, self._batches, detail))
            self._ended_at = time.monotonic()
        if not self._stopped.is_set():
            self._stopped.set()
            for connection in self._connections:
                connection.abort()

    def _told(self, end: BoxEnd) -> BoxEnd:
        """Return the end, with its words if the log policy releases them."""
        return BoxEnd(end.reason, end.batch, end.detail if self._policy is LogPolicy.FULL else "")


def start_endpoint(
    endpoint: Endpoint, supplier: str, contract: Contract, settings: BoxSettings, calls: CallLog
) -> EndpointWorker:
    """Return a worker whose endpoint has said that it is there; close it after use.

    Raises:
        RefusedError: the address is private or plain http and not listed, or the operator keeps no such key for it.
        InputError: the file of keys cannot be read.
        BoxEnded: the endpoint is not there, refuses, or does not fit the contract; the reason says why.
    """
    operator = EndpointSettings.from_environment()
    with contextlib.suppress(NoAnswerError):  # reported as the endpoint's end, like other ends
        operator.guard.check(endpoint.url)
    access = EndpointAccess(operator.guard, operator.key_for(supplier, endpoint))
    return EndpointWorker(endpoint, contract, settings, access, calls)


def start_asking(
    endpoint: Endpoint, supplier: str, names: Sequence[str], kind: AnswerKind, calls: CallLog
) -> EndpointWorker:
    """Return a worker for questions of texts, called ``names``, that are no cases; raises as `start_endpoint`."""
    fields = tuple(Field(name=name, data_type=DataType.TEXT) for name in names)
    contract = Contract(features=fields, prediction=Prediction(kind=kind))
    limits = Limits(wall_seconds=MOST_SECONDS, batch_seconds=min(MOST_ATTEMPTS * endpoint.timeout, MOST_SECONDS))
    return start_endpoint(endpoint, supplier, contract, BoxSettings(limits=limits), calls)
