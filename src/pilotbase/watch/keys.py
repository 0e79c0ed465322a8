"""Keys of cases and batches: short, of one length, telling nothing of any person; and which ones the store knows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, Table, select

from pilotbase.workspace import watch_tables as tables

KEY_BYTES = 16
AT_ONCE = 5_000
"""Keys in one question: both databases take more, few gain by it."""
_cases = tables.observed_cases.c


def case_key(service: str, case: str) -> bytes:
    """Return the 16 bytes by which a case of a service is found: a hash, hence an order that no outcome has chosen."""
    return _key("case", service, case)


def batch_key(service: str, kind: str, batch: str) -> bytes:
    """Return the 16 bytes by which a batch of a service is known when it comes again."""
    return _key(kind, service, batch)


def content_key(content: bytes) -> bytes:
    """Return the 16 bytes by which two contents of one batch are told apart."""
    return hashlib.sha256(content).digest()[:KEY_BYTES]


def in_chunks(keys: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """Yield the keys in portions for one question each."""
    for start in range(0, len(keys), AT_ONCE):
        yield keys[start : start + AT_ONCE]


def digests_of(connection: Connection, table: Table, keys: Sequence[bytes]) -> dict[bytes, bytes]:
    """Return key → digest of the batches that ``table`` knows."""
    found: dict[bytes, bytes] = {}
    for chunk in in_chunks(keys):
        rows = select(table.c.key, table.c.digest).where(table.c.key.in_(chunk))
        found |= {bytes(key): bytes(digest) for key, digest in connection.execute(rows)}
    return found


def places_of(connection: Connection, keys: Sequence[bytes]) -> dict[bytes, tuple[int, int]]:
    """Return key → pack and row of the cases that have come."""
    found: dict[bytes, tuple[int, int]] = {}
    for chunk in in_chunks(keys):
        rows = select(_cases.key, _cases.pack, _cases.row).where(_cases.key.in_(chunk))
        found |= {bytes(key): (pack, row) for key, pack, row in connection.execute(rows)}
    return found


def _key(*parts: str) -> bytes:
    return hashlib.sha256("\n".join(parts).encode()).digest()[:KEY_BYTES]
