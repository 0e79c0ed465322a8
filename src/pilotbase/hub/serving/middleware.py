"""What every answer passes: a log line and a measurement, headers that forbid what no page of ours does, gzip.

The measurements, and whether the process lives and can work, have addresses of their own.
"""

from __future__ import annotations

import logging
import secrets
import shutil
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import islice
from typing import cast

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.middleware.gzip import GZipMiddleware

from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.permissions import DeskAct
from pilotbase.hub.acting import HubRequest, RequestActor
from pilotbase.hub.base import base, operator_view
from pilotbase.hub.models import Person
from pilotbase.hub.people.tokens import acting_by
from pilotbase.protocols.prometheus import CONTENT_TYPE, Gauge, Measurements
from pilotbase.workspace.engine import CONNECTIONS
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.jobs import queue_figures

MEASUREMENTS = Measurements(time.time())
Handler = Callable[[HttpRequest], HttpResponse]
_log = logging.getLogger("pilotbase.hub.request")
_PIECES = 64
AT_ONCE = CONNECTIONS // 2
"""A page may read from the store while it goes through what it reads there: two connections."""

_DIRECTIVES = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
HEADERS = {
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
_KINDS = frozenset(
    {
        "application/atom+xml",
        "application/javascript",
        "application/json",
        "application/problem+json",
        "application/vnd.oai.openapi+json",
        "image/svg+xml",
        "text/css",
        "text/javascript",
    }
)


def content_security_policy(identity_provider: str = "") -> str:
    """Return the policy of our pages; forms may end at the identity provider, where there is one."""
    form = f"'self' {identity_provider}".strip()
    return "; ".join(f"{name} {value}" for name, value in {**_DIRECTIVES, "form-action": form}.items())


def harden(get_response: Handler) -> Handler:
    """Middleware: security headers on every answer; a view that set its own policy keeps it."""
    policy = content_security_policy(settings.CONFIGURATION.oidc_url)

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", policy)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if not request.path.startswith("/static/"):
            response.headers.setdefault("Cache-Control", "no-store, private")
        return response

    return middleware


def observe(get_response: Handler) -> Handler:
    """Middleware: one log line and one measurement a request, under the route's name, never the address asked for.

    Addresses may hold the secret of an invitation, a search, a person's address.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        number = secrets.token_hex(8)
        request.number = number  # type: ignore[attr-defined]
        start = time.perf_counter()
        response = get_response(request)
        seconds = time.perf_counter() - start
        match = request.resolver_match
        route = match.route if match else "none"
        MEASUREMENTS.add(request.method or "", route, response.status_code, seconds)
        response.headers["X-Request-Id"] = number
        acting = getattr(request, "acting", None)
        facts = {
            "request": number,
            "method": request.method,
            "route": route,
            "status": response.status_code,
            "milliseconds": round(seconds * 1000, 1),
            "organisation": acting.organisation if acting else "",
        }
        _log.info("%s %s %s", request.method, route, response.status_code, extra=facts)
        return response

    return middleware


def take_turns(get_response: Handler) -> Handler:
    """Middleware: so many requests are worked on at a time, the others wait for their turn.

    Each holds connections to the accounts and to the store: a crowd would take all that a database has, and fail.
    """
    turns = threading.BoundedSemaphore(AT_ONCE)

    def middleware(request: HttpRequest) -> HttpResponse:
        with turns:
            return get_response(request)

    return middleware


def stream(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: files go out piece by piece; Django alone would hold them whole in memory under ASGI."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        streamed = isinstance(response, StreamingHttpResponse) and not response.is_async
        if streamed and isinstance(request, ASGIRequest):
            files = cast(StreamingHttpResponse, response)
            files.streaming_content = _pieces(iter(cast(Iterator[bytes], files.streaming_content)))
        return response

    return middleware


class Compress(GZipMiddleware):
    """Middleware: compress what may be, for who takes it."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if request.method != "GET" or response.status_code != 200 or not _may_be(request, response):
            return response
        if isinstance(response, StreamingHttpResponse):  # a file of ours, so small that it goes out in one piece
            whole = b"".join(cast(Iterator[bytes], response.streaming_content))
            response = HttpResponse(whole, headers=dict(response.items()))
        return super().process_response(request, response)


async def _pieces(source: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Yield what ``source`` gives, many of its small pieces at a time: each change of thread has its price."""

    def read() -> bytes:
        return b"".join(islice(source, _PIECES))

    while piece := await sync_to_async(read)():
        yield piece


def _may_be(request: HttpRequest, response: HttpResponseBase) -> bool:
    if response.headers.get("Content-Encoding") or response.headers.get("Content-Range"):
        return False
    if isinstance(response, StreamingHttpResponse) and not request.path.startswith("/static/"):
        return False
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip()
    # A report has a policy of its own: no form, no script, nothing of the session.
    is_report = kind == "text/html" and response.headers.get("Content-Security-Policy", "").startswith("sandbox")
    return kind in _KINDS or is_report


def live(request: HttpRequest) -> JsonResponse:
    """Answer 200 while the process answers."""
    return JsonResponse({"status": "live"})


def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 when accounts and store can be read, else 503; says which, never why."""
    checks = {"accounts": _accounts(), "store": _store()}
    holds = all(checks.values())
    return JsonResponse({"status": "ready" if holds else "not ready", **checks}, status=200 if holds else 503)


def metrics(request: HubRequest) -> HttpResponse:
    """Give measurements to operators and their tokens; for others there is no such page: counts are not public."""
    acting = _by_token(request) or request.acting
    if not acting.may(DeskAct.MEASURE):
        raise NotFoundError("hub.not_found")
    return HttpResponse(MEASUREMENTS.render([*_gauges()]), content_type=CONTENT_TYPE)


def _gauges() -> Iterator[Gauge]:
    queue, free = queue_figures(base().lab.store), shutil.disk_usage(base().home.path).free
    yield Gauge("people", "People with an account.", {"": Person.objects.count()})
    yield Gauge("jobs", "Jobs by state.", queue.by_state, "state")
    yield Gauge("oldest_job_seconds", "How long the oldest queued job has waited.", {"": queue.oldest_seconds})
    yield Gauge("silent_job_seconds", "Since when no worker was heard of a running job.", {"": queue.silent_seconds})
    silence = {} if queue.heard_at is None else {"": (base().lab.store.clock() - queue.heard_at).total_seconds()}
    yield Gauge("silent_worker_seconds", "Since when no worker was heard of, with a job or without.", silence)
    yield Gauge("disk_free_bytes", "Space left where the home is.", {"": free})


def _by_token(request: HttpRequest) -> RequestActor | None:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    return acting_by(secret) if scheme.lower() == "bearer" else None


def _accounts() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM hub_person LIMIT 1")
    except DatabaseError:
        return False
    return True


def _store() -> bool:
    try:
        operator_view().head("health")
    except PilotbaseError:
        return False
    return True
