"""Signed webhooks as the Standard Webhooks specification has them (version 1.0.0): HMAC-SHA256 over id, time and body.

A receiver computes the same over what it got, compares in constant time, and refuses a time that is minutes off.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from datetime import datetime

from pilotbase.documents.errors import InputError

PREFIX = "whsec_"
_SECRET_BYTES = 32


def new_secret() -> str:
    """Return a new secret: ``whsec_`` and 32 random bytes in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def signed_headers(secret: str, identity: str, sent_at: datetime, body: bytes) -> dict[str, str]:
    """Return the three headers of a message; every try has the same ``webhook-id`` and a time of its own."""
    timestamp = str(int(sent_at.timestamp()))
    return {
        "webhook-id": identity,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{signature(secret, identity, timestamp, body)}",
    }


def signature(secret: str, identity: str, timestamp: str, body: bytes) -> str:
    """Return the signature in base64; raises `InputError` for what is no secret."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise InputError("protocol.no_secret") from None
    signed = f"{identity}.{timestamp}.".encode() + body
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
