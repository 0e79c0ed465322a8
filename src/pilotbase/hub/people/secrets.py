"""Secrets that are shown once and kept as a hash (`pilotbase.documents.hashes.hash_secret`)."""

from __future__ import annotations

import secrets


def new_secret(prefix: str) -> str:
    """Return ``<prefix>_`` and 256 bits of chance: too many to guess, so a fast hash of it is enough."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"
