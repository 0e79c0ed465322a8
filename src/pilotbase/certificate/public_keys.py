"""A public Ed25519 key as a piece of a document, named by the hash of its bytes."""

from __future__ import annotations

import base64
from typing import Literal, Self

import pydantic
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from pilotbase.documents.base import Part
from pilotbase.documents.hashes import digest_bytes

KEY_BYTES = 32


class PublicKey(Part):
    """An Ed25519 public key (RFC 8032), its 32 bytes in base64."""

    algorithm: Literal["ed25519"] = "ed25519"
    value: str

    @pydantic.field_validator("value")
    @classmethod
    def _is_a_key(cls, value: str) -> str:
        if len(base64.b64decode(value, validate=True)) != KEY_BYTES:
            raise ValueError(f"an Ed25519 key has {KEY_BYTES} bytes")
        return value

    @classmethod
    def of(cls, key: Ed25519PublicKey) -> Self:
        """Return the document form of ``key``."""
        return cls(value=base64.b64encode(key.public_bytes_raw()).decode("ascii"))

    @property
    def key_id(self) -> str:
        """Return ``sha256:<hex>`` of the key's bytes."""
        return digest_bytes(base64.b64decode(self.value))

    def load(self) -> Ed25519PublicKey:
        """Return the key, ready to verify."""
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(self.value))
