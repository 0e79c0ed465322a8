"""Answers in fewer bytes (gzip): what holds no secret of the reader, so that its length tells none (BREACH).

Pages hold the token of their forms and are left as they are; static files, reports, feeds and what the API reads hold
none.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable
from typing import cast

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.cache import patch_vary_headers

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
_LEAST = 1024
"""Less than fits into one packet is not worth it."""
_LEVEL = 6


def compress(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: compress what may be, for who takes it."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if request.method != "GET" or response.status_code != 200 or not _may_be(request, response):
            return response
        patch_vary_headers(response, ["Accept-Encoding"])
        if "gzip" not in request.headers.get("Accept-Encoding", "").lower():
            return response
        return _compressed(response)

    return middleware


def _may_be(request: HttpRequest, response: HttpResponseBase) -> bool:
    if response.headers.get("Content-Encoding") or response.headers.get("Content-Range"):
        return False
    if isinstance(response, StreamingHttpResponse) and not request.path.startswith("/static/"):
        return False
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip()
    # A report has a policy of its own: no form, no script, nothing of the session.
    is_report = kind == "text/html" and response.headers.get("Content-Security-Policy", "").startswith("sandbox")
    return kind in _KINDS or is_report


def _compressed(response: HttpResponseBase) -> HttpResponseBase:
    if isinstance(response, StreamingHttpResponse):
        plain = b"".join(cast(Iterable[bytes], response.streaming_content))
    else:
        plain = cast(HttpResponse, response).content
    shorter = gzip.compress(plain, _LEVEL, mtime=0) if len(plain) >= _LEAST else plain
    made = HttpResponse(shorter if len(shorter) < len(plain) else plain, status=response.status_code)
    for name, value in response.headers.items():
        made.headers[name] = value
    made.cookies = response.cookies
    made.headers["Content-Length"] = str(len(made.content))
    if len(shorter) < len(plain):
        made.headers["Content-Encoding"] = "gzip"
        tag = made.headers.get("ETag")
        if tag and not tag.startswith("W/"):
            made.headers["ETag"] = f"W/{tag}"  # the same content, other bytes
    return made
