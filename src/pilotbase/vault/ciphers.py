"""Encryption of hidden data: AES-256-GCM under a key of its own, wrapped under the owner's key.

A chunk's nonce is its number (the data key serves one hidden set only), and its associated data binds hidden set,
scenario, number and count: a chunk that was moved, dropped or taken from elsewhere does not open.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.hashes import canonical_json

KEY_BYTES = 32
_NONCE_BYTES = 12


@dataclass(frozen=True, repr=False)
class SetSecrets:
    """The secrets of one hidden set, each 32 bytes; the store holds them only wrapped under the owner's key."""

    data_key: bytes
    master: bytes
    """Draws and orders derive from it; `HiddenSet.secret_commitment` is its SHA-256."""
    salt: bytes
    """Salts the commitment to the plaintext."""
    merkle_salt: bytes
    """The trial derives the salt of each leaf of its per-case records from it."""

    @classmethod
    def generate(cls) -> SetSecrets:
        return cls(*(secrets.token_bytes(KEY_BYTES) for _ in range(4)))

    def derive(self, label: str, *parts: str) -> bytes:
        """Return 32 bytes bound to ``label`` and ``parts``: HMAC-SHA-256 of their canonical JSON under ``master``."""
        return hmac.new(self.master, canonical_json([label, *parts]), hashlib.sha256).digest()


@dataclass(frozen=True)
class ChunkId:
    """The place of a chunk, all of which is authenticated with the chunk."""

    identity: str
    scenario: str
    number: int
    count: int
    rows: int

    def associated(self) -> bytes:
        return canonical_json([self.identity, self.scenario, self.number, self.count, self.rows])


def encrypt_chunk(key: bytes, place: ChunkId, plain: bytes) -> bytes:
    """Return the ciphertext of one chunk; ``key`` must serve this hidden set alone."""
    return AESGCM(key).encrypt(_chunk_nonce(place), plain, place.associated())


def decrypt_chunk(key: bytes, place: ChunkId, sealed: bytes) -> bytes:
    """Return the plaintext; raises `InvalidProofError` naming a chunk that does not belong in its place."""
    try:
        return AESGCM(key).decrypt(_chunk_nonce(place), sealed, place.associated())
    except InvalidTag as error:
        raise InvalidProofError("vault.chunk_misplaced", chunk=place.number, count=place.count) from error


def wrap_secrets(owner_key: bytes, identity: str, owner: str, bundle: SetSecrets) -> bytes:
    """Return ``bundle`` encrypted under the owner's key, bound to the hidden set and the owner."""
    plain = json.dumps({name: value.hex() for name, value in vars(bundle).items()}).encode()
    return seal_bytes(owner_key, plain, [identity, owner])


def unwrap_secrets(owner_key: bytes, identity: str, owner: str, wrapped: bytes) -> SetSecrets:
    """Return what `wrap_secrets` wrapped; raises `InvalidProofError` for another key or an altered bundle."""
    plain = open_bytes(owner_key, wrapped, [identity, owner])
    if plain is None:
        raise InvalidProofError("vault.wrong_key", owner=owner)
    return SetSecrets(**{name: bytes.fromhex(value) for name, value in json.loads(plain).items()})


def seal_bytes(key: bytes, plain: bytes, context: list[str]) -> bytes:
    """Return random nonce ‖ ciphertext, bound to ``context``."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, canonical_json(context))


def open_bytes(key: bytes, sealed: bytes, context: list[str]) -> bytes | None:
    """Return what `seal_bytes` sealed, or None when key, bytes or context differ."""
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], canonical_json(context))
    except (InvalidTag, ValueError):
        return None


def _chunk_nonce(place: ChunkId) -> bytes:
    return place.number.to_bytes(_NONCE_BYTES, "big")
