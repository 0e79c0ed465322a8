"""Keys of cases and batches: short, of one length, and telling nothing of whom a case is about."""

from __future__ import annotations

import hashlib

KEY_BYTES = 16


def case_key(service: str, case: str) -> bytes:
    """Return the 16 bytes by which a case of a service is found: a hash, hence an order that no outcome has chosen."""
    return _key("case", service, case)


def batch_key(service: str, kind: str, batch: str) -> bytes:
    """Return the 16 bytes by which a batch of a service is known when it comes again."""
    return _key(kind, service, batch)


def content_key(content: bytes) -> bytes:
    """Return the 16 bytes by which two contents of one batch are told apart."""
    return hashlib.sha256(content).digest()[:KEY_BYTES]


def _key(*parts: str) -> bytes:
    return hashlib.sha256("\n".join(parts).encode()).digest()[:KEY_BYTES]
