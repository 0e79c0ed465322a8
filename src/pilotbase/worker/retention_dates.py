"""Bytes that the base keeps for somebody until a moment; after it they are erased, and the log records that."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from pilotbase.documents.base import Document, Moment
from pilotbase.documents.hashes import Digest
from pilotbase.worker.base import Base

_ALL = 1_000_000


class KeptUntil(Document):
    """Records that the base keeps an encrypted blob until a moment."""

    blob: Digest
    until: Moment


Kept = TypeVar("Kept", bound=KeptUntil)


def erase_over(base: Base, kind: str, model: type[Kept], event: str, about: Callable[[Kept], str]) -> int:
    """Erase what expired documents of ``kind`` keep, and return the number of erased blobs.

    ``event``: the action of the log entries, which name the result of ``about`` and the blob.
    """
    blobs, now = base.lab.vault.blobs, base.lab.store.clock()
    kept = (stored.load(model) for stored in base.lab.view.find(kind, limit=_ALL))
    over = [one for one in kept if one.until <= now and blobs.exists(one.blob)]
    for one in over:
        with base.lab.view.transaction(event) as change:
            change.record(event, [about(one), one.blob])
        blobs.remove(one.blob)
    return len(over)
