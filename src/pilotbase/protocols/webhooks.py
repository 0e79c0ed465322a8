"""Webhooks: a CloudEvents body, signed as the Standard Webhooks specification has it (version 1.0.0).

A receiver computes the same HMAC-SHA256 over id, time and body, compares in constant time, and refuses a time that is
minutes off.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from datetime import datetime
from typing import Any, Literal

import pydantic

from pilotbase.documents.base import Moment, Part
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import canonical_json

PREFIX = "whsec_"
_SECRET_BYTES = 32
MEDIA_TYPE = "application/cloudevents+json; charset=utf-8"


def new_secret() -> str:
    """Return a new secret: ``whsec_`` and 32 random bytes in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def signed_headers(secret: str, identity: str, sent_at: datetime, body: bytes) -> dict[str, str]:
    """Return the three headers of a message; every try has the same ``webhook-id`` but its own time."""
    timestamp = str(int(sent_at.timestamp()))
    return {
        "webhook-id": identity,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{signature(secret, identity, timestamp, body)}",
    }


def signature(secret: str, identity: str, timestamp: str, body: bytes) -> str:
    """Return the signature in base64; raises `InputError` for an invalid secret."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise InputError("protocol.no_secret") from None
    signed = f"{identity}.{timestamp}.".encode() + body
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


class CloudEvent(Part):
    """An event: its ``source``, its ``id`` there, its type, its subject, and its time."""

    specversion: Literal["1.0"] = "1.0"
    id: str = pydantic.Field(min_length=1)
    source: str = pydantic.Field(min_length=1)
    type: str = pydantic.Field(min_length=1)
    subject: str | None = None
    time: Moment
    datacontenttype: Literal["application/json"] = "application/json"
    data: dict[str, Any]

    def encoded(self) -> bytes:
        """Return the body that carries it."""
        return canonical_json(self.to_json_value())
