"""The blobs of a base held against its store: what documents name must be here, what nothing names may go."""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, LargeBinary, String, Table, select

from pilotbase.documents.hashes import HEX, Digest, digest_of
from pilotbase.documents.progress import OnProgress, ignore_progress
from pilotbase.workspace import tables
from pilotbase.workspace.blobs.checking import BlobCheck, Named, check
from pilotbase.workspace.blobs.store import BlobStore
from pilotbase.workspace.blobs.sweeping import SweepTerms, Swept, sweep
from pilotbase.workspace.failures import ConflictError, StaleLeaseError
from pilotbase.workspace.leases import Lease
from pilotbase.workspace.store import Store, View

_LASTING = {
    "hidden-set": ("chunks.blob",),
    "sealed-scenario": ("public_sample",),
    "report": ("records.blob",),
    "overlap": ("pairs",),
    "board-slice": ("members",),
    "packed-tree": ("shards.index", "shards.body"),
    "dataset-file": ("pieces", "preview", "marks"),
    "committed-files": ("salt",),
}
"""Kind of document → where in it a blob is named that nobody erases while the document stands."""
_ROWS = 500
_LEASE, _LEASE_SECONDS, _HEARTBEAT = "blobs.collect", 300, 30
_DIGITS = re.compile(HEX)


def verify_blobs(
    store: Store, blobs: BlobStore, share: float = 1.0, on_progress: OnProgress = ignore_progress
) -> BlobCheck:
    """Return what is wrong with the blobs of a base; ``share`` of the objects is read, by chance (`checking.check`)."""
    with store.database.read() as connection:
        named = list(_lasting_blobs(connection))
    return check(blobs, named, share, on_progress)


def collect_blobs(view: View, blobs: BlobStore, terms: SweepTerms, on_progress: OnProgress = ignore_progress) -> Swept:
    """Remove the blobs that nothing in the store names, and write to the log how much that was (`sweeping.sweep`).

    Raises:
        RefusedError: the blobs are another base's.
        ConflictError: somebody else collects.
        StaleLeaseError: somebody else has taken over; what is gone is garbage all the same.
        InputError: the grace is too short.
        InvalidProofError: a list of chunks was altered, so that nobody knows what it needs.
    """
    blobs.claim(str(view.store.key.verifier))
    lease = view.acquire(_LEASE, secrets.token_hex(8), _LEASE_SECONDS)
    if lease is None:
        raise ConflictError("blobs.collecting")
    try:
        swept = sweep(blobs, lambda: _referenced(view.store), terms, on_progress, _heartbeat(view, lease))
        if not terms.dry_run:
            with view.transaction("blobs.collected") as change:
                change.require_lease(lease)
                facts = {"blobs": len(swept.blobs), "chunks": len(swept.chunks), "bytes": swept.size}
                change.record("blobs.collected", [], facts)
    finally:
        with suppress(StaleLeaseError):
            view.release(lease)
    return swept


def _referenced(store: Store) -> set[Digest]:
    """Return every digest that stands anywhere in the store, whatever it is of: what might be a blob's name is one."""
    found: set[Digest] = set()
    with store.database.read() as connection:
        for table in tables.metadata.sorted_tables:
            columns = [column for column in table.columns if isinstance(column.type, String | LargeBinary)]
            if columns:
                found |= _digests_in(connection, table, columns)
    return found


def _digests_in(connection: Connection, table: Table, columns: list[Any]) -> set[Digest]:
    found: set[str] = set()
    for row in connection.execution_options(yield_per=_ROWS).execute(select(*columns).select_from(table)):
        for value in row:
            if value is not None:
                said = value if isinstance(value, str) else bytes(value).decode("latin-1")
                found.update(_DIGITS.findall(said))
    return {digest_of(digits) for digits in found}


def _lasting_blobs(connection: Connection) -> Iterator[Named]:
    kept = tables.documents.c
    sealed = set(connection.scalars(select(tables.hidden_sets.c.digest)))
    tried = set(connection.scalars(select(tables.attempts.c.plan)))
    erased = _erased_files(connection)
    rows = select(kept.digest, kept.kind, kept.body).where(kept.kind.in_(_LASTING))
    for row in connection.execution_options(yield_per=_ROWS).execute(rows):
        content = json.loads(row.body)
        # What was sealed or tried at another site is told of here, and stays there; what was erased is gone.
        elsewhere = {
            "hidden-set": row.digest not in sealed,
            "sealed-scenario": content.get("hidden_set") not in sealed,
            "report": content.get("plan") not in tried,
            "dataset-file": row.digest in erased,
        }
        if elsewhere.get(row.kind, False):
            continue
        for path in _LASTING[row.kind]:
            for digest in _values_at(content, path.split(".")):
                yield Named(digest, row.digest)


def _erased_files(connection: Connection) -> set[Digest]:
    """Return the papers of files that their owners have erased: their bytes are meant to be gone."""
    marks = connection.scalars(select(tables.documents.c.body).where(tables.documents.c.kind == "erased-file"))
    return {json.loads(body)["file"] for body in marks}


def _values_at(content: Any, path: list[str]) -> Iterator[Digest]:
    if isinstance(content, list):
        for one in content:
            yield from _values_at(one, path)
    elif path and content is not None:
        yield from _values_at(content.get(path[0]), path[1:])
    elif content is not None:
        yield content


def _heartbeat(view: View, lease: Lease) -> Callable[[], None]:
    """Return what keeps the lease while it is called again and again; raises `StaleLeaseError` once it is lost."""
    last = time.monotonic()

    def beat() -> None:
        nonlocal last
        if time.monotonic() - last > _HEARTBEAT:
            view.renew(lease)
            last = time.monotonic()

    return beat
