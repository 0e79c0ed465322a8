"""What kind of body an operation takes or gives."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja.parser import Parser
from pydantic_core import from_json

from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.texts import text
from pilotbase.hub.bodies import MediaTypeError

JSON, BYTES = "application/json", "application/octet-stream"
BINARY = {BYTES: {"schema": {"type": "string", "format": "binary"}}}
"""Bytes as the schema tells of them."""
FILE = {200: {"description": "The file.", "content": BINARY}}
PART = {206: {"description": "The part that `Range` asks for.", "content": BINARY}}
BINARY_BODY = {"requestBody": {"required": True, "content": BINARY}}


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
        raise InputError.from_issues("request", [Issue(file="request", path=path, problem=text("api.nul"))])
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
