"""What the routes of both protocols share: who calls, what was sent, and how answers and problems go back."""

from __future__ import annotations

import asyncio
import itertools
import re
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Protocol, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from pilotbase.documents.errors import InputError, PilotbaseError, RefusedError
from pilotbase.documents.service import Service
from pilotbase.documents.texts import Language, make_visible, sentence
from pilotbase.gateway.calls import ONE_CALL, CallAnswer, CallHandler, FrontDesk, SettledStream
from pilotbase.gateway.configuration import Network
from pilotbase.gateway.tracing import CallSpan, GatewayMeasurements, SpanExporter, current_span
from pilotbase.gateway.upstreams.agents import UnknownDialogueError
from pilotbase.gateway.upstreams.registry import Upstreams
from pilotbase.gateway.upstreams.seated import NoSeatError
from pilotbase.protocols.contract_cases import ContractBrokenError
from pilotbase.protocols.open_inference import HEADER_LENGTH
from pilotbase.protocols.openai_wire import event_of
from pilotbase.protocols.strict_json import WireError
from pilotbase.protocols.upstream import (
    EVENTS,
    CallTimeoutError,
    QueueFullError,
    UpstreamCall,
    UpstreamDownError,
    UpstreamFailedError,
)
from pilotbase.service.calls import Cost
from pilotbase.service.desk import TooManyCallsError
from pilotbase.workspace.failures import DiskFullError, NotFoundError

NEVER_RETRY = {"x-should-retry": "false"}
"""Tells OpenAI's clients, which try again by themselves, that it is in vain."""


@dataclass(frozen=True)
class ProblemKind:
    """The form of an error answer."""

    status: int
    type: str
    code: str | None = None
    """The code that the clients of OpenAI know; None: ours."""
    headers: Mapping[str, str] = field(default_factory=dict)


_INVALID, _OURS = "invalid_request_error", "server_error"
_NO_KEY = ProblemKind(401, _INVALID, "invalid_api_key", {"WWW-Authenticate": "Bearer"})
_STOPPED = ProblemKind(403, _INVALID, headers=NEVER_RETRY)
"""Several clients try a 503 again whatever its headers say; none of them a 403."""
_BY_CODE: Mapping[str, ProblemKind] = {
    "gateway.no_key": _NO_KEY,
    "service.unknown_key": _NO_KEY,
    "service.key_revoked": _NO_KEY,
    "service.key_expired": _NO_KEY,
    "service.unknown_service": ProblemKind(404, _INVALID, "model_not_found"),
    "service.budget_spent": ProblemKind(429, "insufficient_quota", "insufficient_quota", NEVER_RETRY),
    "service.budget_held": ProblemKind(429, "rate_limit_error", "rate_limit_exceeded", {"Retry-After": "1"}),
    "service.rate_limited": ProblemKind(429, "rate_limit_error", "rate_limit_exceeded"),
    "service.stopped": _STOPPED,
    "service.exposure_spent": _STOPPED,
    "service.certificate_revoked": _STOPPED,
    "service.certificate_suspended": _STOPPED,
    "service.certificate_expired": _STOPPED,
    "gateway.endpoint_misconfigured": ProblemKind(502, _OURS, headers=NEVER_RETRY),
    "gateway.needs_person": ProblemKind(503, _OURS, headers=NEVER_RETRY),
    "gateway.ended": _STOPPED,
    "wire.body_size": ProblemKind(413, _INVALID),
    "wire.body_slow": ProblemKind(408, _INVALID),
    "wire.encoded": ProblemKind(415, _INVALID, headers={"Accept-Encoding": "identity"}),
}
_BY_CLASS: tuple[tuple[type[PilotbaseError], ProblemKind], ...] = (
    (CallTimeoutError, ProblemKind(504, _OURS, headers=NEVER_RETRY)),
    (UnknownDialogueError, ProblemKind(409, _INVALID, headers=NEVER_RETRY)),
    (QueueFullError, ProblemKind(503, _OURS)),
    (UpstreamDownError, ProblemKind(503, _OURS)),
    (UpstreamFailedError, ProblemKind(502, _OURS)),
    (DiskFullError, ProblemKind(503, _OURS)),
    (NotFoundError, ProblemKind(404, _INVALID)),
    (InputError, ProblemKind(400, _INVALID)),
    (RefusedError, ProblemKind(403, _INVALID)),
    (PilotbaseError, ProblemKind(503, _OURS)),
)


@dataclass(frozen=True)
class ProblemMessage:
    """An error in the words of its reader."""

    kind: ProblemKind
    code: str
    message: str
    param: str | None
    headers: Mapping[str, str]


def problem_of(error: PilotbaseError, language: Language) -> ProblemMessage:
    """Return ``error`` as an answer in the protocol of the caller."""
    kind = _BY_CODE.get(error.code) or next(kind for known, kind in _BY_CLASS if isinstance(error, known))
    headers = {**kind.headers, "Pilotbase-Error": error.code}
    if isinstance(error, QueueFullError | NoSeatError | TooManyCallsError):
        headers["Retry-After"] = str(error.seconds)
    param = error.field if isinstance(error, WireError | ContractBrokenError) else None
    return ProblemMessage(kind, error.code, _message(error, language), param or None, headers)


def _message(error: PilotbaseError, language: Language) -> str:
    sentences = [sentence(error.text, language)]
    if isinstance(error, ContractBrokenError):
        found = [f"{issue.path}: {issue.problem.render(language)}".removeprefix(": ") for issue in error.issues]
        sentences.append("; ".join(found) + ("。" if language == "zh" else "."))
    sentences.append(sentence(error.hint, language))
    return ("" if language == "zh" else " ").join(" ".join(part.split()) for part in sentences)


BODY_SECONDS = 60.0
_CALL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,79}")
_GONE = 499
_NAME = "pilotbase.call"
_PROCESS, _NUMBERS = secrets.token_hex(6), itertools.count(1)
"""Together they name a call as nothing else is named, for less than a random number costs."""
_T = TypeVar("_T")
Handler = Callable[[Request], Awaitable[Response]]
ErrorBody = Callable[[ProblemMessage], bytes]


class ReplyForm(Protocol):
    """How a protocol spells what answers as a chat completion; a new one for each call."""

    def whole(self, body: bytes) -> bytes:
        """Return a whole answer."""

    def begin(self) -> bytes:
        """Return what a stream begins with."""

    def piece(self, chunk: bytes) -> bytes:
        """Return whole events of a stream."""

    def failed(self, code: str, message: str, error: bytes) -> bytes:
        """Return what a stream ends with that broke off; ``error``: the body of an error."""


@dataclass(frozen=True)
class Gateway:
    """The parts of a running gateway."""

    desk: FrontDesk
    calls: CallHandler
    upstreams: Upstreams
    measurements: GatewayMeasurements
    body_bytes: int
    """Largest body of any service."""
    metrics_from: tuple[Network, ...] = ()
    url: str = ""
    """Its public address; empty: none is set."""
    spans: SpanExporter | None = None
    """None: calls are not traced."""

    def address(self, request: Request) -> str:
        """Return its address as ``request`` reached it, through a server in front or not."""
        scheme = "https" if request.headers.get("x-forwarded-proto") == "https" else request.url.scheme
        return self.url or f"{scheme}://{request.url.netloc}"


def secret_of(request: Request) -> str:
    """Return the key that the caller shows; raises `RefusedError` where there is none."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret:
        raise RefusedError("gateway.no_key")
    return secret.strip()


def call_of(request: Request, told: str | None = None) -> str:
    """Return what names the call, in every answer to it: ``told``, or the caller's header, or a new name."""
    known = told or request.scope.get(_NAME)
    if known is None:
        given = request.headers.get("x-request-id", "")
        known = given if _CALL.fullmatch(given) else f"{_PROCESS}-{next(_NUMBERS)}"
    request.scope[_NAME] = known
    return str(known)


def language_of(request: Request) -> Language:
    """Return the language in which the caller wants to be told."""
    return "zh" if request.headers.get("accept-language", "").lower().startswith("zh") else "en"


async def _read_body(request: Request, gateway: Gateway, service: Service) -> bytes:
    """Return what was sent to ``service``.

    Raises `WireError` where it is compressed, and as soon as it is too much, or too slow in coming.
    """
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding != "identity":
        raise WireError("wire.encoded", found=make_visible(encoding[:40]))
    most = min(service.terms.body_bytes, gateway.body_bytes)
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > most:
        raise WireError("wire.body_size", allowed=most)
    pieces: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for piece in request.stream():
                pieces.append(piece)
                size += len(piece)
                if size > most:
                    raise WireError("wire.body_size", allowed=most)
    except TimeoutError:
        raise WireError("wire.body_slow", seconds=int(BODY_SECONDS)) from None
    return b"".join(pieces)


async def while_connected(receive: Receive, work: Coroutine[Any, Any, _T]) -> _T:
    """Return what ``work`` returns; raises `ClientDisconnect` when the caller goes first, once ``work`` was cancelled.

    To be used when the body of the request has been read.
    """
    current = asyncio.current_task()
    assert current is not None
    watcher = asyncio.ensure_future(_cancel_when_gone(receive, current))
    try:
        return await work
    except asyncio.CancelledError:
        if not watcher.done():
            raise
        current.uncancel()
        raise ClientDisconnect from None
    finally:
        watcher.cancel()


class Door:
    """The routes of one protocol; ``error_body`` formats its errors."""

    def __init__(self, gateway: Gateway, error_body: ErrorBody) -> None:
        self.gateway, self._error_body = gateway, error_body

    def route(self, path: str, handler: Handler, method: str = "GET") -> Route:
        """Return the route of ``handler``, with its errors as responses and its responses measured."""

        async def handle(request: Request) -> Response:
            began, span = time.perf_counter(), self._traced(request, path)
            try:
                response = await handler(request)
            except PilotbaseError as error:
                problem = problem_of(error, language_of(request))
                if span is not None:
                    span.attributes["error.type"] = problem.code
                headers = {**problem.headers, "X-Request-Id": call_of(request)}
                response = Response(self._error_body(problem), problem.kind.status, headers, "application/json")
            except ClientDisconnect:
                response = Response(status_code=_GONE)
            seconds = time.perf_counter() - began
            self.gateway.measurements.requests.add(request.method, path, response.status_code, seconds)
            if span is not None:
                span.attributes["pilotbase.call"] = call_of(request)
                if not isinstance(response, StreamedResponse):
                    self._end_span(span, response.status_code)
            return response

        return Route(path, handle, methods=[method])

    def _traced(self, request: Request, path: str) -> CallSpan | None:
        """Return the span of a call; None: calls are not traced, or this is none."""
        if self.gateway.spans is None or request.method != "POST":
            return None
        return self.gateway.spans.begin(request.method, path, request.headers.get("traceparent"))

    def _end_span(self, span: CallSpan, status: int) -> None:
        if self.gateway.spans is not None:
            self.gateway.spans.end(span, status)

    async def received(self, request: Request, name: str | None = None) -> tuple[str, Service, bytes]:
        """Return the key that the caller shows, the service that it opens (``name``), and what was sent to it."""
        secret = secret_of(request)
        service = self.gateway.desk.service_known(secret, name)
        return secret, service, await _read_body(request, self.gateway, service)

    async def answered(
        self,
        request: Request,
        secret: str,
        question: UpstreamCall,
        most: Cost = ONE_CALL,
        form: ReplyForm | None = None,
    ) -> Response:
        """Return the response that carries the answer to ``question``, which may cost so much at most.

        ``form``: how it is spelled; None: as it comes.
        """
        work = self.gateway.calls.answer(secret, question, most)
        answer = await while_connected(request.receive, work)
        return self._response(answer, question, form)

    def _response(self, answer: CallAnswer, question: UpstreamCall, form: ReplyForm | None) -> Response:
        headers = {"X-Request-Id": question.call, "Pilotbase-Standing": answer.standing.value}
        if answer.version:
            headers["Pilotbase-Version"] = answer.version
        reply, span = answer.reply, current_span()
        if span is not None:
            span.attributes |= {"gen_ai.request.model": question.service, "pilotbase.standing": answer.standing.value}
            span.attributes |= {"pilotbase.version": answer.version} if answer.version else {}
        if isinstance(reply, SettledStream):
            return StreamedResponse(reply, headers, self._error_body, question.language, form, self._end_span)
        if reply.handed_over:
            headers["Pilotbase-Handed-Over"] = "true"
        if reply.usage is not None and reply.usage.estimated:
            headers["Pilotbase-Usage"] = "estimated"
        if reply.header_length is not None:
            headers[HEADER_LENGTH] = str(reply.header_length)
        body = reply.body
        if form is not None and reply.status == HTTPStatus.OK:
            body = form.begin() + form.piece(body) if reply.media_type == EVENTS else form.whole(body)
        return Response(body, reply.status, headers, reply.media_type)


class StreamedResponse(Response):
    """Passes a stream on; its call is settled when it ends, or when the caller goes."""

    def __init__(
        self,
        stream: SettledStream,
        headers: dict[str, str],
        error_body: ErrorBody,
        language: Language,
        form: ReplyForm | None,
        end_span: Callable[[CallSpan, int], None],
    ) -> None:
        super().__init__(None, 200, {**headers, "Cache-Control": "no-cache"}, EVENTS)
        del self.headers["content-length"]
        self._stream, self._error_body, self._language, self._form = stream, error_body, language, form
        self._end_span = end_span

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await while_connected(receive, self._send(send))
        except ClientDisconnect:
            return
        finally:
            await self._stream.close()
            span = current_span()
            if span is not None:
                self._end_span(span, self.status_code)

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for piece in self._pieces():
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _pieces(self) -> AsyncIterator[bytes]:
        form = self._form
        try:
            if form is not None:
                yield form.begin()
            async for chunk in self._stream.chunks():
                yield chunk if form is None else form.piece(chunk)
        except PilotbaseError as error:
            problem, span = problem_of(error, self._language), current_span()
            if span is not None:
                span.attributes["error.type"] = problem.code
            body = self._error_body(problem)
            yield event_of(body) if form is None else form.failed(problem.code, problem.message, body)


async def _cancel_when_gone(receive: Receive, task: asyncio.Task[Any]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    task.cancel()
