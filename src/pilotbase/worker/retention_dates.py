"""Bytes that the base keeps sealed for somebody, until a moment; then they are erased, and the log records that."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from pilotbase.documents.base import Document, Moment
from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.hashes import Digest
from pilotbase.vault.ciphers import KEY_BYTES, open_bytes, seal_bytes
from pilotbase.worker.base import Base
from pilotbase.workspace.failures import NotFoundError


class KeptUntil(Document):
    """Records that the base keeps an encrypted blob until a moment."""

    blob: Digest
    until: Moment


Kept = TypeVar("Kept", bound=KeptUntil)


def seal(base: Base, key_file: str, plain: bytes, context: list[str]) -> bytes:
    """Return ``plain`` sealed under the key of such bytes, which is created on first use; nothing is kept yet."""
    key = base.lab.vault.keys.create(key_file, lambda: secrets.token_bytes(KEY_BYTES))
    return seal_bytes(key, plain, context)


def unseal(base: Base, key_file: str, sealed: bytes, context: list[str], kept: tuple[Digest, str]) -> bytes:
    """Return what `seal` sealed; raises `InvalidProofError` naming what is ``kept`` (blob, owner) if it was altered."""
    plain = open_bytes(base.lab.vault.keys.read(key_file), sealed, context)
    if plain is None:
        raise InvalidProofError("vault.envelope_closed", digest=kept[0], owner=kept[1])
    return plain


def erase_over(base: Base, model: type[Kept], event: str, about: Callable[[Kept], str] | None = None) -> int:
    """Erase what expired documents of ``model`` keep, and return the number of erased blobs.

    ``event``: the action of the log entries, which name the result of ``about``, if it is given, and the blob.
    """
    now = base.lab.store.clock()
    over = [one for one in base.lab.view.every(model) if one.until <= now]
    return sum(erase(base, one, event, *([about(one)] if about else [])) for one in over)


def erase(base: Base, kept: KeptUntil, event: str, *about: str) -> bool:
    """Erase what ``kept`` keeps, and log that; return False if it was erased before."""
    blobs = base.lab.vault.blobs
    if not blobs.exists(kept.blob):
        return False
    with base.lab.view.transaction(event) as change:
        change.record(event, [*about, kept.blob])
    with suppress(NotFoundError):
        blobs.remove(kept.blob)
    return True
