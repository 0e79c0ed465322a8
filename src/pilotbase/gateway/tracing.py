"""What is measured of calls: counts, and spans for OpenTelemetry collectors, which a thread sends: no call waits.

Sources: W3C Trace Context (2021), section 3.2, for ``traceparent``; OTLP 1.0 over HTTP in JSON; the semantic
conventions for HTTP and for generative AI for the names of attributes.
"""

from __future__ import annotations

import contextlib
import json
import logging
import queue
import random
import re
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from pilotbase import __version__
from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.vocabularies import CallEnd
from pilotbase.protocols.guarded_http import GuardedHttp
from pilotbase.protocols.openai_wire import TokenUsage
from pilotbase.protocols.prometheus import Gauge, Measurements

_PARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_SAMPLED = 1
_KEPT, _AT_ONCE, _EVERY_SECONDS, _SEND_SECONDS = 4096, 512, 1.0, 10.0
_SERVER = 2
"""SPAN_KIND_SERVER."""
_ERROR = 2
"""STATUS_CODE_ERROR."""
_REFUSED = 300
_OPERATIONS = {"/v1/chat/completions": "chat", "/v1/responses": "chat", "/v1/embeddings": "embeddings"}
_log = logging.getLogger("pilotbase.gateway")


@dataclass
class CallSpan:
    """One call."""

    name: str
    trace: str
    """32 hex digits, those of the caller's trace if there is one."""
    identity: str
    """16 hex digits."""
    parent: str
    """Identity of the caller's span, or empty."""
    sampled: bool
    began: int
    """Nanoseconds since 1970, as ``ended``."""
    ended: int = 0
    attributes: dict[str, str | int | bool] = field(default_factory=dict)

    @property
    def traceparent(self) -> str:
        """The header of the same name for upstreams."""
        return f"00-{self.trace}-{self.identity}-{int(self.sampled):02x}"


_current: ContextVar[CallSpan | None] = ContextVar("pilotbase-span", default=None)


def current_span() -> CallSpan | None:
    """Return the span of the call that this task answers; None: calls are not traced."""
    return _current.get()


def note_usage(usage: TokenUsage | None) -> None:
    """Note the tokens of the answer in the span of this task's call."""
    span = _current.get()
    if span is not None and usage is not None:
        tokens = {"gen_ai.usage.input_tokens": usage.prompt, "gen_ai.usage.output_tokens": usage.completion}
        span.attributes |= tokens


@dataclass
class AnswerTimes:
    """Calls that ended alike."""

    count: int = 0
    nanoseconds: int = 0
    """Of all of them."""
    last: int = 0
    """When the last one ended, in milliseconds since 1970."""


class GatewayMeasurements:
    """Counts of one gateway; services are those of the base, so their names are few."""

    def __init__(self) -> None:
        self.requests = Measurements(time.time())
        self.ends: dict[str, int] = {end.value: 0 for end in CallEnd}
        """How a call ended → how many did."""
        self._calls: dict[str, int] = defaultdict(int)
        self._tokens: dict[str, int] = defaultdict(int)
        self.answers: dict[tuple[str, bool], AnswerTimes] = defaultdict(AnswerTimes)
        """Service, and whether it was answered → how often, and how long that took."""

    def settled(self, service: str, end: CallEnd, tokens: int, milliseconds: float) -> None:
        """Count a call that was settled after so long."""
        self.ends[end.value] += 1
        self._calls[service] += 1
        self._tokens[service] += tokens
        times = self.answers[service, end is CallEnd.ANSWERED]
        times.count, times.nanoseconds = times.count + 1, times.nanoseconds + round(milliseconds * 1e6)
        times.last = time.time_ns() // 1_000_000

    def render(self, gauges: Iterable[Gauge]) -> str:
        """Return everything as text."""
        return self.requests.render([*self._counters(), *gauges])

    def dashboard(self, gauges: Iterable[Gauge]) -> dict[str, object]:
        """Return the same as a dashboard for Grafana."""
        return self.requests.grafana_dashboard([*self._counters(), *gauges], "Pilotbase gateway")

    def _counters(self) -> Iterator[Gauge]:
        yield Gauge("calls_total", "Calls by how they ended.", dict(self.ends), "end", "counter")
        yield Gauge("service_calls_total", "Calls by service.", dict(self._calls), "service", "counter")
        yield Gauge("service_tokens_total", "Tokens by service.", dict(self._tokens), "service", "counter")


class SpanExporter:
    """Sends spans to the collector at ``url``; what it does not take is counted, said in the log, and forgotten."""

    def __init__(self, url: str, headers: Mapping[str, str], name: str) -> None:
        self._url, self._headers, self._name = f"{url}/v1/traces", {**headers, "Content-Type": "application/json"}, name
        self._http = GuardedHttp((urlsplit(url).hostname or "",), _SEND_SECONDS)
        self._waiting: queue.Queue[CallSpan | None] = queue.Queue(_KEPT)
        self._thread = threading.Thread(target=self._run, name="spans", daemon=True)
        self._lost = 0

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def begin(self, method: str, path: str, traceparent: str | None) -> CallSpan:
        """Return the span of a call, in the caller's trace if ``traceparent`` names one, as this task's own."""
        found = _PARENT.fullmatch(traceparent or "")
        trace, parent, flags = found.groups()[:3] if found else (_drawn(128), "", "01")
        span = CallSpan(f"{method} {path}", trace, _drawn(64), parent, bool(int(flags, 16) & _SAMPLED), time.time_ns())
        span.attributes |= {"http.request.method": method, "http.route": path}
        if path in _OPERATIONS:
            span.attributes["gen_ai.operation.name"] = _OPERATIONS[path]
        _current.set(span)
        return span

    def end(self, span: CallSpan, status: int) -> None:
        """Have a span sent, unless its caller does not want it sampled."""
        span.ended = time.time_ns()
        span.attributes["http.response.status_code"] = status
        if span.sampled:
            try:
                self._waiting.put_nowait(span)
            except queue.Full:
                self._lost += 1

    def close(self) -> None:
        """Send what waits."""
        if self._thread.is_alive():
            with contextlib.suppress(queue.Full):
                self._waiting.put(None, timeout=_SEND_SECONDS)
            self._thread.join(2 * _SEND_SECONDS)

    def _run(self) -> None:
        going_on = True
        while going_on:
            spans: list[CallSpan] = []
            until = time.monotonic() + _EVERY_SECONDS
            while going_on and len(spans) < _AT_ONCE and (left := until - time.monotonic()) > 0:
                try:
                    span = self._waiting.get(timeout=left)
                except queue.Empty:
                    break
                going_on = span is not None
                if span is not None:
                    spans.append(span)
            if spans:
                self._send(spans)

    def _send(self, spans: Sequence[CallSpan]) -> None:
        body = json.dumps(export_request(spans, self._name)).encode()
        try:
            status = self._http.post(self._url, body, self._headers).status
            problem = str(status) if status >= _REFUSED else ""
        except PilotbaseError as error:
            problem = str(error)
        lost, self._lost = self._lost + (len(spans) if problem else 0), 0
        if lost:
            _log.warning("%d spans were lost on the way to %s: %s", lost, self._url, problem or "too many at once")


def export_request(spans: Sequence[CallSpan], name: str) -> dict[str, Any]:
    """Return an ExportTraceServiceRequest in JSON."""
    resource = {"attributes": _attributes({"service.name": name, "service.version": __version__})}
    scope = {"name": "pilotbase.gateway", "version": __version__}
    return {
        "resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": scope, "spans": list(map(_spelled, spans))}]}]
    }


def _spelled(span: CallSpan) -> dict[str, Any]:
    failed = "error.type" in span.attributes
    return {
        "traceId": span.trace,
        "spanId": span.identity,
        **({"parentSpanId": span.parent} if span.parent else {}),
        "name": span.name,
        "kind": _SERVER,
        "startTimeUnixNano": str(span.began),
        "endTimeUnixNano": str(span.ended),
        "attributes": _attributes(span.attributes),
        "status": {"code": _ERROR} if failed else {},
    }


def _attributes(values: Mapping[str, str | int | bool]) -> list[dict[str, Any]]:
    return [{"key": name, "value": _value(value)} for name, value in values.items()]


def _value(value: str | int | bool) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    return {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}


def _drawn(bits: int) -> str:
    return f"{random.getrandbits(bits) or 1:0{bits // 4}x}"
