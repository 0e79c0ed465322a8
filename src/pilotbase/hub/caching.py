"""What may be kept by browsers and feed readers: it is asked for again, and sent again only where it has changed.

The mark of an answer is made of its bytes. It says nothing that the answer does not say.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import datetime
from functools import cache, wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, cast

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import http_date

from pilotbase.hub.acting import HubRequest

P = ParamSpec("P")
Page = Callable[Concatenate[HubRequest, P], HttpResponse]
_TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="[^"]*"')
SHARED_SECONDS = 300


def revalidated(page: Page[P]) -> Page[P]:
    """Let a browser keep ``page`` and ask whether it has changed; each browser its own, since its forms are its own."""

    @wraps(page)
    def answered(request: HubRequest, /, *arguments: P.args, **options: P.kwargs) -> HttpResponse:
        response = page(request, *arguments, **options)
        if response.status_code != 200:
            return response
        own = str(request.COOKIES.get(settings.CSRF_COOKIE_NAME, ""))
        tag = _tag(_TOKEN.sub(b"", response.content), own)
        response["ETag"], response["Cache-Control"] = tag, "private, no-cache"
        patch_vary_headers(response, ("Cookie", "Accept-Language"))
        return _unless_known(request, response)

    return answered


def shared(request: HttpRequest, body: bytes, content_type: str, modified: datetime | None = None) -> HttpResponse:
    """Return ``body`` for everybody: caches on the way may keep it for some minutes."""
    tag = _tag(body)
    response = HttpResponse(body, content_type=content_type)
    response["ETag"], response["Cache-Control"] = tag, f"public, max-age={SHARED_SECONDS}"
    if modified is not None:
        response["Last-Modified"] = http_date(modified.timestamp())
    return _unless_known(request, response, modified)


def confirmed(request: HttpRequest, file: HttpResponseBase) -> HttpResponseBase:
    """Return a file that everybody may have; caches ask each time whether it is still offered and unchanged."""
    file["Cache-Control"] = "public, no-cache"
    return get_conditional_response(request, file["ETag"], None, cast(HttpResponse, file)) or file


def _unless_known(request: HttpRequest, response: HttpResponse, modified: datetime | None = None) -> HttpResponse:
    """Return the answer, or 304 to who has it."""
    last = int(modified.timestamp()) if modified is not None else None
    return get_conditional_response(request, response["ETag"], last, response) or response


def _tag(body: bytes, own: str = "") -> str:
    return f'"{hashlib.sha256(body + b"|" + own.encode()).hexdigest()[:32]}"'


class MarkedStorage(StaticFilesStorage):
    """Static files as packages bring them; nothing is collected, so the mark follows the address."""

    def url(self, name: str | None) -> str:
        """Return ``/static/hub/hub.css?v=…``."""
        address: str = super().url(name)
        mark = _mark(name) if name else ""
        return f"{address}?v={mark}" if mark else address


@cache
def _mark(name: str) -> str:
    """Return a few letters of the digest of a file; files change with the version of the software only."""
    found = finders.find(name)
    return hashlib.sha256(Path(str(found)).read_bytes()).hexdigest()[:12] if found else ""
