"""The upstream of an endpoint route: what others keep, asked over HTTP at addresses that may be reached."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from http import HTTPStatus
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.hdrs import CONTENT_ENCODING

from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.service import EndpointRoute, ServiceTerms
from pilotbase.gateway.tracing import current_span
from pilotbase.gateway.upstreams.replicas import Health
from pilotbase.gateway.upstreams.tabular import HANDED_OVER, handed_over
from pilotbase.gateway.upstreams.wires import WIRES
from pilotbase.protocols.guarded_http import judge
from pilotbase.protocols.open_inference import HEADER_LENGTH, InferRequest, InferResponse, write_infer_response
from pilotbase.protocols.openai_tasks import JSON_FORMS, TranscriptionRequest
from pilotbase.protocols.openai_wire import ChatRequest, StreamMeter, TokenUsage, estimate_tokens, read_usage
from pilotbase.protocols.strict_json import read_object
from pilotbase.protocols.upstream import (
    AnswerStream,
    CallCases,
    QueueFullError,
    UpstreamBusyError,
    UpstreamCall,
    UpstreamDownError,
    UpstreamFailedError,
    UpstreamReply,
    WireRequest,
)

MAXIMUM_ANSWER_BYTES = 64 << 20
_LONGEST_WAIT = 60
_ALL_ITS_TIME = 0.9
"""A call that is ended unanswered after this part of its time limit was too slow; sooner, its caller has gone."""
_TOLD = frozenset({400, 413, 422})
"""What the caller is to blame for, and is told in the endpoint's own words."""
_FULL = frozenset({429, 503})
_MISCONFIGURED = frozenset({301, 302, 303, 307, 308, 401, 403, 404, 405})
"""The operator has to mend the address, the name of the model or the key; no caller can."""
_log = logging.getLogger("pilotbase.gateway")


class EndpointUpstream:
    """Asks one endpoint under its own name of the model."""

    def __init__(self, route: EndpointRoute, terms: ServiceTerms, sessions: GuardedSessions, key: str | None) -> None:
        self._route, self._terms, self._sessions = route, terms, sessions
        self._headers = {"Accept-Encoding": "identity", **({"Authorization": f"Bearer {key}"} if key else {})}
        self._wire = WIRES[route.protocol]
        self._session: aiohttp.ClientSession | None = None
        self.pending = 0
        """Calls under way, streams until they are closed."""
        self.health = Health()

    @property
    def ready(self) -> bool:
        return self.health.reachable

    async def ask(self, question: UpstreamCall) -> UpstreamReply | AnswerStream:
        asked = self._wire(self._route, question)
        if self.pending >= self._terms.concurrency:
            raise QueueFullError("gateway.queue_full", seconds=1)
        with contextlib.ExitStack() as counted:
            counted.enter_context(self._counted())
            response = await self._send(asked, question.call)
            content = question.content
            if isinstance(content, ChatRequest) and content.stream and response.status == 200:
                under_way = counted.pop_all()
                return EndpointStream(response, question, content, self._terms.timeout_seconds, under_way)
            try:
                return await self._reply(question, response)
            finally:
                response.release()

    def hand_over(self, question: UpstreamCall) -> UpstreamReply:
        content, cases = question.content, CallCases([question.call])
        if isinstance(content, ChatRequest):
            return handed_over(question, content, cases)
        if isinstance(content, InferRequest):
            response = InferResponse(question.service, "", content.id or question.call, (), {HANDED_OVER: True})
            return UpstreamReply(write_infer_response(response, False)[0], cases, handed_over=True)
        raise UpstreamDownError("gateway.needs_person")

    async def close(self) -> None:
        """Nothing is kept but the shared session."""

    @contextlib.contextmanager
    def _counted(self) -> Iterator[None]:
        """Count a call as under way, and how it ends."""
        self.pending += 1
        self.health.begin()
        try:
            yield
        except UpstreamDownError as problem:
            if self.health.reachable:  # told once, not at every call
                _log.warning("%s cannot be reached: %s", self._route.url, problem.__cause__)
            self.health.failed(reached=False)
            raise
        except (UpstreamFailedError, UpstreamBusyError, TimeoutError):
            self.health.failed(reached=True)
            raise
        else:
            self.health.answered()
        finally:
            self.pending -= 1

    async def _send(self, asked: WireRequest, call: str) -> aiohttp.ClientResponse:
        """Return the response once its head is there; raises `UpstreamDownError`, `UpstreamFailedError`."""
        began = time.monotonic()
        try:
            session = self._session = self._session or self._sessions.for_url(self._route.url)
            headers = {**self._headers, **asked.headers, "X-Request-Id": call}
            if (span := current_span()) is not None:
                headers["traceparent"] = span.traceparent
            async with asyncio.timeout(self._terms.first_byte_seconds):
                response = await session.post(asked.url, data=asked.body, headers=headers, allow_redirects=False)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, RefusedError) as problem:
            raise UpstreamDownError("gateway.endpoint_down") from problem
        except (aiohttp.ClientError, TimeoutError) as problem:
            raise UpstreamFailedError("gateway.endpoint_failed", status="-") from problem
        except asyncio.CancelledError:
            if time.monotonic() - began >= self._terms.timeout_seconds * _ALL_ITS_TIME:
                self.health.failed(reached=True)
            raise
        return response

    async def _reply(self, question: UpstreamCall, response: aiohttp.ClientResponse) -> UpstreamReply:
        """Return the whole answer; raises as `ask`."""
        status = response.status
        if status in _FULL:
            raise UpstreamBusyError("gateway.queue_full", seconds=_wait(response.headers.get("Retry-After", "")))
        if status in _MISCONFIGURED:
            _log.warning("%s refuses what this base asks: status %s", self._route.url, status)
            raise UpstreamFailedError("gateway.endpoint_misconfigured", status=status)
        if status != 200 and status not in _TOLD:
            raise UpstreamFailedError("gateway.endpoint_failed", status=status)
        body, told = await _read(response), response.headers.get(HEADER_LENGTH, "")
        length = int(told) if told.isdigit() else None
        return UpstreamReply(
            body=body,
            cases=CallCases([question.call]),
            usage=_usage(question, body, length) if status == 200 else TokenUsage(0, 0),
            status=status,
            media_type=response.content_type,
            header_length=length,
        )


class EndpointStream:
    """A streamed chat completion on its way through."""

    def __init__(
        self,
        response: aiohttp.ClientResponse,
        question: UpstreamCall,
        content: ChatRequest,
        silence_seconds: float,
        under_way: contextlib.ExitStack,
    ) -> None:
        self._response, self._silence, self._under_way = response, silence_seconds, under_way
        self._meter = StreamMeter(content.include_usage)
        self._prompt_bytes = len(question.body)
        self.cases = CallCases([question.call])

    @property
    def ended(self) -> bool:
        """Return whether the closing event has come."""
        return self._meter.ended

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield whole events; raises `UpstreamFailedError` when the stream breaks off, `TimeoutError` on silence."""
        pieces = self._response.content.iter_any().__aiter__()
        with self._under_way:
            try:
                while True:
                    async with asyncio.timeout(self._silence):
                        piece = await anext(pieces, b"")
                    if not piece:
                        break
                    if passed := self._meter.feed(piece):
                        yield passed
                if passed := self._meter.finish():
                    yield passed
            except (aiohttp.ClientError, InputError) as problem:
                raise UpstreamFailedError("gateway.endpoint_failed", status="-") from problem
            if not self._meter.ended:
                raise UpstreamFailedError("gateway.endpoint_failed", status="-")

    def usage(self) -> TokenUsage:
        """Return the usage as the endpoint told it, else estimated from what it has said so far."""
        if self._meter.usage is not None:
            return self._meter.usage
        return TokenUsage(estimate_tokens(self._prompt_bytes), estimate_tokens(self._meter.said_bytes), estimated=True)

    async def close(self) -> None:
        """Let go of the connection; one that was not read to its end is closed, so that the endpoint stops."""
        self._under_way.close()
        self._response.close()


async def _read(response: aiohttp.ClientResponse) -> bytes:
    try:
        plain = CONTENT_ENCODING not in response.headers  # else the length is that of the compressed bytes
        if plain and response.content_length is not None and response.content_length <= MAXIMUM_ANSWER_BYTES:
            return await response.read()
        body = bytearray()
        async for piece in response.content.iter_any():
            body += piece
            if len(body) > MAXIMUM_ANSWER_BYTES:
                break
        else:
            return bytes(body)
    except aiohttp.ClientError as problem:
        raise UpstreamFailedError("gateway.endpoint_failed", status=response.status) from problem
    response.close()
    raise UpstreamFailedError("gateway.endpoint_failed", status=response.status)


def _usage(question: UpstreamCall, body: bytes, length: int | None) -> TokenUsage | None:
    """Return the tokens of a whole answer: as it tells, else estimated; None where tokens are not its measure.

    Raises `UpstreamFailedError` where it is no answer, whatever its status says.
    """
    content = question.content
    plain = isinstance(content, TranscriptionRequest) and content.form not in JSON_FORMS
    try:
        message = {} if plain else read_object(body[:length])
    except InputError:
        message = {}
    name, kind = ("outputs", list) if isinstance(content, InferRequest) else content.answer
    if not plain and not isinstance(message.get(name), kind):
        raise UpstreamFailedError("gateway.endpoint_failed", status=HTTPStatus.OK.value)
    if isinstance(content, InferRequest):
        return None
    found = read_usage(message)
    return found or TokenUsage(*_estimated(question, len(body) if content.in_words else 0), estimated=True)


def _estimated(question: UpstreamCall, said_bytes: int) -> tuple[int, int]:
    """Return about how many tokens were read and said: a sound is not read as text."""
    heard = isinstance(question.content, TranscriptionRequest)
    return 0 if heard else estimate_tokens(len(question.body)), estimate_tokens(said_bytes)


def _wait(told: str) -> int:
    return min(max(int(told), 1), _LONGEST_WAIT) if told.isascii() and told.isdigit() else 1


_CONNECT_SECONDS = 5.0
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
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS),
        trust_env=False,
        skip_auto_headers=("User-Agent",),
    )
