"""Bodies of the API: what kind it takes; documents under their ETag; posts that may be sent again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pydantic
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja.parser import Parser
from pydantic_core import from_json

from pilotbase.documents.base import Document
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest, canonical_json, digest_bytes
from pilotbase.documents.texts import text
from pilotbase.hub.acting import HubRequest
from pilotbase.hub.bounds import MediaTypeError
from pilotbase.hub.models import GivenAnswer
from pilotbase.workspace.failures import ConflictError
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import KEPT

KEY = "Idempotency-Key"
_KEPT_HEADERS = ("ETag", "Location", "Content-Type")
JSON, BYTES, ZIP = "application/json", "application/octet-stream", "application/zip"
BINARY = {BYTES: {"schema": {"type": "string", "format": "binary"}}}
"""Bytes as the schema tells of them."""
FILES: dict[str, Any] = {
    BYTES: {200: {"description": "The file.", "content": BINARY}},
    ZIP: {200: {"description": "The archive", "content": {ZIP: BINARY[BYTES]}}},
}
"""Media type of a file → what the schema tells of an answer with one."""
PART = {206: {"description": "The part that `Range` asks for.", "content": BINARY}}
BINARY_BODY = {"requestBody": {"required": True, "content": BINARY}}
Act = Callable[[View], HttpResponse]
"""What a request does, by the view that knows which request it is."""


def document(request: HubRequest, found: Document, status: int = 200, version: str | None = None) -> HttpResponse:
    """Return a document in canonical JSON under its ETag; 304 to who has it."""
    tag = f'"{version or found.digest()}"'
    if status == 200 and tag in _tags(request, "If-None-Match"):
        return HttpResponse(status=304, headers={"ETag": tag})
    return HttpResponse(found.canonical(), status=status, content_type="application/json", headers={"ETag": tag})


def json_response(found: pydantic.BaseModel, status: int = 200, location: str | None = None) -> HttpResponse:
    """Return what is no document of its own in canonical JSON, with the address of what was made."""
    body = canonical_json(found.model_dump(mode="json", by_alias=True))
    headers = {"Location": location} if location else {}
    return HttpResponse(body, status=status, content_type="application/json", headers=headers)


def if_match(request: HubRequest) -> str | None:
    """Return the digest that the caller has seen (``If-Match``), or None where it does not say."""
    tags = [tag for tag in _tags(request, "If-Match") if tag != "*"]
    if len(tags) > 1 or any(not tag.strip('"').startswith("sha256:") for tag in tags):
        raise InputError("hub.if_match_unreadable", found=request.headers["If-Match"][:200])
    return tags[0].strip('"') if tags else None


def idempotent(request: HubRequest, act: Act) -> HttpResponse:
    """Return the answer of ``act``; under the same Idempotency-Key it happens once and the answer is given again.

    The answer is kept here, after the act. Where the process is killed in between, the act itself finds in the store
    what it came to: it works by the view that it is given.

    Raises:
        InputError: the key came with another request before, or is no key.
        ConflictError: the first request of that key is still at work.
    """
    view, key, person = keyed_view(request), request.headers.get(KEY), request.acting.person
    if key is None or person is None:
        return act(view)
    own = {"person": person, "organisation": request.acting.organisation, "key": key}
    GivenAnswer.objects.filter(given_at__lt=timezone.now() - KEPT).delete()
    # One transaction: a process that is killed on the way leaves no key that nobody answers.
    with transaction.atomic():
        try:
            with transaction.atomic():
                given = GivenAnswer.objects.create(**own, request_hash=_request_hash(request))
        except IntegrityError:
            return _again(GivenAnswer.objects.get(**own), request)
        response = act(view)
        given.status, given.body = response.status_code, bytes(response.content)
        given.headers = {name: response[name] for name in _KEPT_HEADERS if name in response}
        given.save()
    return response


def keyed_view(request: HubRequest) -> View:
    """Return the caller's view; under an Idempotency-Key it knows this very request of this person.

    Raises:
        InputError: the key is none.
    """
    return request.acting.view.asked_by(_named(request))


def _named(request: HubRequest) -> Digest | None:
    key, person = request.headers.get(KEY), request.acting.person
    if key is None or person is None:
        return None
    if not 1 <= len(key) <= 120 or not key.isprintable():
        raise InputError("hub.idempotency_key", found=key[:40])
    told = [person.identity, request.acting.organisation, key, _request_hash(request)]
    return digest_bytes("\n".join(told).encode())


def _again(given: GivenAnswer, request: HubRequest) -> HttpResponse:
    if given.request_hash != _request_hash(request):
        raise InputError("hub.idempotency_reused", key=given.key)
    if given.status is None:
        raise ConflictError("hub.idempotency_running", key=given.key)
    return HttpResponse(bytes(given.body), status=given.status, headers=dict(given.headers))


def _request_hash(request: HubRequest) -> str:
    told = [request.method or "", request.get_full_path(), request.headers.get("If-Match", "")]
    return hashlib.sha256("\n".join(told).encode() + b"\n" + request.body).hexdigest()


def _tags(request: HubRequest, header: str) -> list[str]:
    return [tag.strip().removeprefix("W/") for tag in request.headers.get(header, "").split(",") if tag.strip()]


class JsonBodies(Parser):
    """Bodies are JSON (RFC 8259) in UTF-8, and say so; no number beyond JSON, no half character, no NUL."""

    def parse_body(self, request: HttpRequest) -> Any:
        require_type(request, JSON)
        found = from_json(request.body, allow_inf_nan=False)
        _refuse_nul(found)
        return found


def _refuse_nul(value: Any, path: str = "") -> None:
    """Return unless a text holds the character NUL, which PostgreSQL has no place for; raises `InputError`."""
    if isinstance(value, str) and "\x00" in value:
        raise InputError.at("request", path, text("api.nul"))
    if isinstance(value, list):
        for place, item in enumerate(value):
            _refuse_nul(item, f"{path}[{place}]")
    if isinstance(value, dict):
        for name, item in value.items():
            _refuse_nul(name, path)
            _refuse_nul(item, f"{path}.{name}".lstrip("."))


def require_type(request: HttpRequest, wanted: str) -> None:
    """Return if the body is of media type ``wanted``; raises `MediaTypeError`."""
    if request.content_type != wanted:
        raise MediaTypeError("api.media_type", found=(request.content_type or "–")[:80], allowed=wanted)
