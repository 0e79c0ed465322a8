"""One question to an endpoint, with its retries: the result of each request is recorded and has a reason.

A request is retried if that may help: too much load (429, 503, after the stated delay), a server's own failure, a lost
connection, a broken answer, a time-out. Hopeless ones fail at once: no access, no such model, a redirect.
"""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pilotbase.documents.errors import PilotbaseError, RefusedError
from pilotbase.documents.hashes import digest_bytes
from pilotbase.documents.limits import EndReason
from pilotbase.protocols.frames import FrameError
from pilotbase.protocols.guarded_http import GuardedRequest, GuardedResponse, NoAnswerError
from pilotbase.protocols.kept_connection import BrokenOffError, KeptConnection, LateError, TooLargeError
from pilotbase.protocols.strict_json import WireError
from pilotbase.sandbox.box.ends import CappedLog
from pilotbase.sandbox.endpoints.calls import Call, CallLog
from pilotbase.sandbox.endpoints.wire import ModelReply, ModelRequest, WireReader

MOST_ATTEMPTS = 5
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.5, 30.0
_SHUT = frozenset({401, 402, 403, 404, 405, 410})
_LATER = frozenset({429, 503, 529})
_SHOWN, _TOLD = 4000, 500
"""Characters of a message that a log shows, and that a reason includes."""


@dataclass(frozen=True)
class RequestFault:
    """Why a request got no answer; ``again``: a retry may succeed, ``hopeless``: no other question will succeed."""

    reason: EndReason
    detail: str
    again: bool = False
    hopeless: bool = False
    wait: float | None = None
    """The delay in seconds that the endpoint requests."""


class Rate:
    """Lets this many requests a second begin, evenly spaced."""

    def __init__(self, per_second: float) -> None:
        self._between, self._lock, self._next = 1 / per_second, threading.Lock(), 0.0

    def take(self) -> float:
        """Take a turn, and return for how many seconds the next request has to wait."""
        with self._lock:
            now = time.monotonic()
            turn = max(self._next, now)
            self._next = turn + self._between
        return turn - now


@dataclass(frozen=True)
class EndpointSession:
    """The state shared by all requests to one endpoint."""

    wire: WireReader
    headers: Mapping[str, str] = field(repr=False)
    """Headers of every request, including the key."""
    secret: str | None = field(repr=False)
    timeout: float
    rate: Rate
    calls: CallLog
    shown: CappedLog | None
    """Where the exchange is printed; None: nowhere."""
    stopped: threading.Event
    numbers: Iterator[int]
    opened_at: float
    """By the monotonic clock."""

    def ask(
        self, question: ModelRequest, connection: KeptConnection, seconds: float, end: float
    ) -> ModelReply | RequestFault:
        """Return the answer to ``question``, or why there is none ``seconds`` after its turn, or by ``end``."""
        number, deadline = next(self.numbers), end
        for attempt in itertools.count(1):
            if self.stopped.wait(self.rate.take()):
                return RequestFault(EndReason.CANCELLED, "", hopeless=True)
            if attempt == 1:
                deadline = min(time.monotonic() + seconds, end)
            outcome, call = self._once(question, connection, deadline, (number, attempt))
            wait = _wait(outcome, attempt)
            over = wait is None or attempt >= MOST_ATTEMPTS or time.monotonic() + wait >= deadline
            self.calls.append(call.model_copy(update={"final": over}))
            if over or wait is None:
                return outcome
            if self.stopped.wait(wait):
                return RequestFault(EndReason.CANCELLED, "", hopeless=True)
        raise AssertionError

    def greet(self, connection: KeptConnection, deadline: float) -> RequestFault | None:
        """Return None once the endpoint says that it is there, else why not; sends nothing of a case."""
        for attempt in itertools.count(1):
            fault = self._greet_once(connection, deadline)
            wait = None if fault is None else _wait(fault, attempt)
            if fault is None or wait is None or attempt >= MOST_ATTEMPTS or time.monotonic() + wait >= deadline:
                return fault
            self.stopped.wait(wait)
        raise AssertionError

    def _greet_once(self, connection: KeptConnection, deadline: float) -> RequestFault | None:
        answer = self._sent(self.wire.greeting(), connection, deadline)
        if isinstance(answer, RequestFault):
            return answer
        if 300 <= answer.status < 400 or answer.status in _LATER or answer.status in (401, 402, 403):
            return self._fault_of(answer)
        return None if self.wire.is_there(answer) else self._fault_of(answer)

    def _once(
        self, question: ModelRequest, connection: KeptConnection, deadline: float, place: tuple[int, int]
    ) -> tuple[ModelReply | RequestFault, Call]:
        began = time.monotonic()
        answer = self._sent(question.request, connection, deadline)
        outcome = answer if isinstance(answer, RequestFault) else self._read(question, answer)
        reply = outcome if isinstance(outcome, ModelReply) else None
        usage = reply.usage if reply is not None else None
        call = Call(
            number=place[0],
            attempt=place[1],
            began=round(began - self.opened_at, 6),
            cases=question.count,
            request=digest_bytes(question.request.body or b""),
            response=digest_bytes(answer.body) if isinstance(answer, GuardedResponse) else None,
            status=answer.status if isinstance(answer, GuardedResponse) else None,
            seconds=round(time.monotonic() - began, 6),
            fault=outcome.reason if isinstance(outcome, RequestFault) else None,
            final=False,
            prompt_tokens=None if usage is None else usage.prompt,
            completion_tokens=None if usage is None else usage.completion,
            estimated=usage is not None and usage.estimated,
            unread=0 if reply is None else reply.unread,
            served="" if reply is None else self._struck(reply.served),
        )
        return outcome, call

    def _sent(
        self, request: GuardedRequest, connection: KeptConnection, deadline: float
    ) -> GuardedResponse | RequestFault:
        """Return the response, or why there is none."""
        seconds = min(self.timeout, deadline - time.monotonic())
        headers = {**request.headers, **self.headers}
        try:
            if seconds <= 0:
                raise LateError("protocol.late", host="")
            sent = GuardedRequest(request.method, request.url, request.body, headers, request.most_bytes)
            answer = connection.send(sent, seconds)
        except (NoAnswerError, RefusedError) as problem:
            fault = _fault_behind(problem)
            self._show(request, fault.detail)
            return fault
        self._show(request, f"{answer.status} {self._struck(answer.body, _SHOWN)}")
        return answer

    def _read(self, question: ModelRequest, answer: GuardedResponse) -> ModelReply | RequestFault:
        if answer.status != 200:
            return self._fault_of(answer)
        try:
            return self.wire.read(question, answer)
        except WireError as problem:
            return RequestFault(EndReason.ENDPOINT_BROKEN_ANSWER, self._struck(problem.render()), again=True)
        except FrameError as problem:
            return RequestFault(problem.reason, "", hopeless=True)

    def _show(self, request: GuardedRequest, came: str) -> None:
        if self.shown is None:
            return
        asked = self._struck(request.body or b"", _SHOWN)
        self.shown.add(f"> {request.method} {request.url} {asked}\n< {came}\n".encode(errors="replace"))

    def _fault_of(self, answer: GuardedResponse) -> RequestFault:
        return fault_of(answer, self._struck(answer.body, _TOLD), self._struck(answer.headers.get("location", "")))

    def _struck(self, words: bytes | str, most: int = _TOLD) -> str:
        """Return the beginning of an endpoint's words, with the key removed: some servers repeat what they were sent.

        An unpaired surrogate, which JSON can spell and no record can hold, becomes "?".
        """
        said = (words if isinstance(words, bytes) else words.encode(errors="replace")).decode(errors="replace")
        return (said.replace(self.secret, "***") if self.secret else said)[:most]


def headers_of(key: str | None) -> Mapping[str, str]:
    """Return the headers of every request to an endpoint, with its key."""
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    return headers if key is None else {**headers, "Authorization": f"Bearer {key}"}


def fault_of(answer: GuardedResponse, words: str, location: str) -> RequestFault:
    """Return the meaning of a status other than 200; ``words`` and ``location`` came with it, and may be shown."""
    status, said = answer.status, f"{answer.status} {words}".strip()
    if 300 <= status < 400:
        return RequestFault(EndReason.ENDPOINT_REDIRECT, f"{status} to {location}", hopeless=True)
    if status in _LATER:
        return RequestFault(EndReason.ENDPOINT_BUSY, said, again=True, wait=_retry_after(answer))
    if status in (408, 504):
        return RequestFault(EndReason.ENDPOINT_TIMEOUT, said, again=True)
    if status < 300:
        return RequestFault(EndReason.ENDPOINT_BROKEN_ANSWER, said)
    return RequestFault(EndReason.ENDPOINT_REFUSED, said, again=status >= 500, hopeless=status in _SHUT)


def _fault_behind(problem: PilotbaseError) -> RequestFault:
    words = problem.render()
    if isinstance(problem, RefusedError):
        return RequestFault(EndReason.ENDPOINT_REFUSED, words, hopeless=True)
    if isinstance(problem, LateError):
        return RequestFault(EndReason.ENDPOINT_TIMEOUT, words, again=True)
    if isinstance(problem, TooLargeError):
        return RequestFault(EndReason.OVERSIZED_ANSWER, words, hopeless=True)
    if isinstance(problem, BrokenOffError):
        return RequestFault(EndReason.ENDPOINT_BROKEN_ANSWER, words, again=True)
    return RequestFault(EndReason.ENDPOINT_UNREACHABLE, words, again=True)


def _wait(outcome: ModelReply | RequestFault, attempt: int) -> float | None:
    """Return the seconds until the next try; None: no retry. Waits double and vary at random."""
    if isinstance(outcome, ModelReply) or not outcome.again:
        return None
    if outcome.wait is not None:
        return outcome.wait
    wait = min(FIRST_WAIT_SECONDS * float(2 ** (attempt - 1)), LONGEST_WAIT_SECONDS)
    return wait * random.uniform(0.75, 1.25)  # noqa: S311 - so that rejected clients do not all return at once


def _retry_after(answer: GuardedResponse) -> float | None:
    """Return the seconds of ``Retry-After``; a date there is ignored."""
    told = answer.headers.get("retry-after", "").strip()
    return float(told) if told.isascii() and told.isdigit() and len(told) < 7 else None
