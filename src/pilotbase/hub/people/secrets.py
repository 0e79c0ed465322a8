"""Secrets that are shown once and kept as a hash."""

from __future__ import annotations

import hashlib
import secrets


def new_secret(prefix: str) -> str:
    """Return ``<prefix>_`` and 256 bits of chance: too many to guess, so a fast hash of it is enough."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"


def hash_of(secret: str) -> str:
    """Return the hex SHA-256 under which a secret is kept and looked up."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
