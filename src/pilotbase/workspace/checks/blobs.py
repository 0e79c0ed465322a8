"""The blobs of a base compared with its store: those that documents name must be here, unnamed ones may go.

Garbage are blobs that nothing names any more, and chunks that no blob has; they are marked first, then swept, if old
enough. A put dates everything that it writes or finds, and no sweep takes anything younger than the grace. So a put
under way, and a blob whose document is still being written, are left alone, and the collector need not know of either.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, LargeBinary, String, Table, select

from pilotbase.documents.errors import InputError, InvalidProofError
from pilotbase.documents.hashes import HEX, Digest, digest_bytes, digest_of
from pilotbase.documents.progress import OnProgress, Progress, ignore_progress
from pilotbase.documents.texts import text
from pilotbase.workspace import tables
from pilotbase.workspace.blobs.objects import DRAFTS, ObjectEntry, digest_in, name_of
from pilotbase.workspace.blobs.store import CUT, KEPT, OWN, BlobStore
from pilotbase.workspace.failures import ConflictError, NotFoundError, StaleLeaseError
from pilotbase.workspace.leases import Lease
from pilotbase.workspace.store import Store, View

_LASTING = {
    "hidden-set": ("chunks.blob",),
    "sealed-scenario": ("public_sample",),
    "leakage": ("blob",),
    "report": ("records.blob",),
    "overlap": ("pairs",),
    "board-slice": ("members",),
    "hidden-units": ("members",),
    "dataset-file": ("pieces", "preview", "marks"),
    "committed-files": ("salt",),
}
"""Kind of document → the place in it that names a blob that nobody erases while the document is in force."""
_ROWS = 500
_LEASE, _LEASE_SECONDS, _HEARTBEAT = "blobs.collect", 300, 30
_DIGITS = re.compile(HEX)
_PIECE = 1 << 20
GRACE = timedelta(days=7)
SHORTEST_GRACE = timedelta(hours=1)


def verify_blobs(
    store: Store, blobs: BlobStore, share: float = 1.0, on_progress: OnProgress = ignore_progress
) -> BlobCheck:
    """Return the faults of a base's blobs; reads a random ``share`` of the objects (`checking.check`)."""
    with store.database.read() as connection:
        named = list(_lasting_blobs(connection))
    return check(blobs, named, share, on_progress)


def collect_blobs(view: View, blobs: BlobStore, terms: SweepTerms, on_progress: OnProgress = ignore_progress) -> Swept:
    """Remove the blobs that nothing in the store names, and log how much that was (`sweeping.sweep`).

    Raises:
        RefusedError: the blobs belong to another base.
        ConflictError: somebody else collects.
        StaleLeaseError: somebody else has taken over; whatever was removed was garbage anyway.
        InputError: the grace is too short.
        InvalidProofError: a list of chunks was altered, so that its needs are unknown.
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


class ObjectFault(StrEnum):
    """The fault of an object."""

    MISSING = "missing"
    ALTERED = "altered"


@dataclass(frozen=True)
class Damage:
    """One blob, or one chunk of it, that is missing or has other bytes."""

    digest: Digest
    fault: ObjectFault
    room: str
    needed_by: str
    """The blob or document that needs it; empty: unknown."""


@dataclass(frozen=True)
class Named:
    """A blob that must be here, and the document that names it."""

    digest: Digest
    needed_by: str


@dataclass(frozen=True)
class BlobCheck:
    """The numbers of existing and read objects, and the faults."""

    objects: int
    read: int
    damages: tuple[Damage, ...]


def check(
    blobs: BlobStore, named: Iterable[Named], share: float = 1.0, on_progress: OnProgress = ignore_progress
) -> BlobCheck:
    """Read a random ``share`` of the objects and return which are altered; look for all that must be here.

    Missing objects are always found, for any share: that only compares listings.
    """
    here = {room: set(blobs.digests(room)) for room in (CUT, OWN, KEPT)}
    damages = [
        Damage(one.digest, ObjectFault.MISSING, "", one.needed_by)
        for one in named
        if not any(one.digest in room for room in here.values())
    ]
    chance, chosen = secrets.SystemRandom(), []
    for room, digests in here.items():
        chosen += [(room, digest) for digest in sorted(digests) if share >= 1 or chance.random() < share]
    for digest in sorted(here[CUT]):
        damages += _missing_chunks(blobs, digest, here[KEPT])
    seen: set[Digest] = set()
    for count, (room, digest) in enumerate(chosen):
        on_progress(Progress(text("blobs.progress.verify"), count, len(chosen)))
        if room == CUT:
            damages += _altered_whole(blobs, digest, seen)
        elif room == OWN or digest not in seen:
            damages += _altered(blobs, room, digest)
    return BlobCheck(sum(map(len, here.values())), len(chosen), tuple(dict.fromkeys(damages)))


@dataclass(frozen=True)
class SweepTerms:
    """What a sweep may take: nothing younger than ``grace``; with ``dry_run`` nothing at all."""

    grace: timedelta = GRACE
    dry_run: bool = False


@dataclass(frozen=True)
class Swept:
    """What a sweep has removed, or would remove: digests of blobs by room, and total objects and bytes."""

    blobs: tuple[Digest, ...]
    chunks: tuple[Digest, ...]
    drafts: int
    size: int
    left: int
    """Objects that stay."""


def sweep(
    blobs: BlobStore,
    referenced: Callable[[], Collection[Digest]],
    terms: SweepTerms,
    on_progress: OnProgress = ignore_progress,
    going_on: Callable[[], None] = lambda: None,
) -> Swept:
    """Remove everything that ``referenced()`` does not name and is older than the grace, and return it.

    ``referenced`` is called after listing the blobs: a blob that is named only later was put, and so dated, later.
    ``going_on`` is called before each removal and raises when the right to sweep has been lost.

    Raises:
        InputError: the grace is shorter than a put may take.
        InvalidProofError: the list of chunks of a blob that stays was altered: its needs are unknown.
    """
    if terms.grace < SHORTEST_GRACE:
        raise InputError("blobs.short_grace", found=_hours(terms.grace), allowed=_hours(SHORTEST_GRACE))
    before = blobs.objects.now() - terms.grace.total_seconds()
    on_progress(Progress(text("blobs.progress.list")))
    listed = [entry for room in (CUT, OWN, KEPT, DRAFTS) for entry in blobs.objects.entries(room)]
    needed = _needed(blobs, listed, set(referenced()), before)
    old = [entry for entry in listed if entry.written < before and not _is_needed(entry, needed)]
    gone: list[ObjectEntry] = []
    for count, entry in enumerate(old):  # lists of chunks first: a chunk never goes before a blob that has it
        on_progress(Progress(text("blobs.progress.sweep"), count, len(old)))
        going_on()
        if terms.dry_run or blobs.objects.remove_old(entry.name, before):
            gone.append(entry)
    rooms = {room: tuple(_digests(gone, room)) for room in (OWN, KEPT, CUT)}
    drafts = len(gone) - sum(map(len, rooms.values()))
    size = sum(entry.size for entry in gone)
    return Swept((*rooms[CUT], *rooms[OWN]), rooms[KEPT], drafts, size, len(listed) - len(gone))


def _referenced(store: Store) -> set[Digest]:
    """Return every digest anywhere in the store, of any kind: anything that might be a blob's name counts as one."""
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
        # Data sealed or tried at another site are recorded here, but stay there; erased ones are gone.
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
    """Return a function that keeps the lease when called regularly; raises `StaleLeaseError` once it is lost."""
    last = time.monotonic()

    def beat() -> None:
        nonlocal last
        if time.monotonic() - last > _HEARTBEAT:
            view.renew(lease)
            last = time.monotonic()

    return beat


def _missing_chunks(blobs: BlobStore, digest: Digest, kept: set[str]) -> Iterator[Damage]:
    try:
        chunks = blobs.manifest(digest).chunks
    except InvalidProofError:
        yield Damage(digest, ObjectFault.ALTERED, CUT, "")
        return
    except NotFoundError:  # collected meanwhile
        return
    for chunk, _ in dict(chunks).items():
        if chunk not in kept:
            yield Damage(chunk, ObjectFault.MISSING, KEPT, digest)


def _altered_whole(blobs: BlobStore, digest: Digest, seen: set[Digest]) -> Iterator[Damage]:
    """Read a blob chunk by chunk: verify each against its name, and all against the blob's."""
    try:
        chunks = blobs.manifest(digest).chunks
    except (InvalidProofError, NotFoundError):  # reported already; collected meanwhile
        return
    hashed, whole = hashlib.sha256(), True
    for chunk, _ in chunks:
        content = blobs.objects.read(name_of(KEPT, chunk))
        if content is None:
            whole = False
            continue
        seen.add(chunk)
        hashed.update(content)
        if digest_bytes(content) != chunk:
            whole = False
            yield Damage(chunk, ObjectFault.ALTERED, KEPT, digest)
    if whole and digest_of(hashed.hexdigest()) != digest:
        yield Damage(digest, ObjectFault.ALTERED, CUT, "")


def _altered(blobs: BlobStore, room: str, digest: Digest) -> Iterator[Damage]:
    hashed = hashlib.sha256()
    try:
        for piece in blobs.objects.pieces(name_of(room, digest), _PIECE):
            hashed.update(piece)
    except FileNotFoundError:  # erased meanwhile
        return
    if digest_of(hashed.hexdigest()) != digest:
        yield Damage(digest, ObjectFault.ALTERED, room, "")


def _needed(blobs: BlobStore, listed: list[ObjectEntry], referenced: set[Digest], before: float) -> set[str]:
    """Return the names of the objects that must stay: those that are named, and the chunks of each blob that stays."""
    needed = {name_of(room, digest) for digest in referenced for room in (OWN, KEPT, CUT)}
    for entry in listed:
        digest = digest_in(entry.name)
        if digest is None or not entry.name.startswith(f"{CUT}/"):
            continue
        if entry.name in needed or entry.written >= before:
            try:
                needed |= {name_of(KEPT, chunk) for chunk, _ in blobs.manifest(digest).chunks}
            except NotFoundError:
                continue
    return needed


def _is_needed(entry: ObjectEntry, needed: set[str]) -> bool:
    """Return whether an object stays; objects that are not ours are never removed, except for abandoned drafts."""
    if entry.name.startswith(f"{DRAFTS}/"):
        return False
    return digest_in(entry.name) is None or entry.name in needed


def _digests(gone: list[ObjectEntry], room: str) -> list[Digest]:
    found = (digest_in(entry.name) for entry in gone if entry.name.startswith(f"{room}/"))
    return sorted(digest for digest in found if digest is not None)


def _hours(length: timedelta) -> float:
    return length / timedelta(hours=1)
