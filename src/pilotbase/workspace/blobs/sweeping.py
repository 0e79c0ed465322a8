"""Garbage: blobs that nothing names any more, and chunks that no blob has; marked first, then swept, if old enough.

What a put has written or found is dated by it, and nobody sweeps what is younger than the grace. So a put under way,
and a blob whose document is still being written, are left alone, and the collector need not know of either.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta

from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.progress import OnProgress, Progress, ignore_progress
from pilotbase.documents.texts import text
from pilotbase.workspace.blobs.objects import DRAFTS, ObjectEntry, digest_in, name_of
from pilotbase.workspace.blobs.store import CUT, KEPT, OWN, BlobStore
from pilotbase.workspace.failures import NotFoundError

GRACE = timedelta(days=7)
SHORTEST_GRACE = timedelta(hours=1)


@dataclass(frozen=True)
class SweepTerms:
    """What a sweep may take: nothing younger than ``grace``; with ``dry_run`` nothing at all."""

    grace: timedelta = GRACE
    dry_run: bool = False


@dataclass(frozen=True)
class Swept:
    """What a sweep has removed, or would: digests of blobs by their room, and objects and bytes in all."""

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
    """Remove what ``referenced()`` does not name and is older than the grace, and return what that was.

    ``referenced`` is asked after the blobs were listed: what is named only later was put, and so dated, later.
    ``going_on`` is called before each removal and raises when the right to sweep has been lost.

    Raises:
        InputError: the grace is shorter than a put may take.
        InvalidProofError: the list of chunks of a blob that stays was altered: nobody knows what it needs.
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


def _needed(blobs: BlobStore, listed: list[ObjectEntry], referenced: set[Digest], before: float) -> set[str]:
    """Return the names of the objects that must stay: what is named, and the chunks of each blob that stays."""
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
    """Tell whether an object stays; what is no object of ours is nobody's to remove, but for a draft left behind."""
    if entry.name.startswith(f"{DRAFTS}/"):
        return False
    return digest_in(entry.name) is None or entry.name in needed


def _digests(gone: list[ObjectEntry], room: str) -> list[Digest]:
    found = (digest_in(entry.name) for entry in gone if entry.name.startswith(f"{room}/"))
    return sorted(digest for digest in found if digest is not None)


def _hours(length: timedelta) -> float:
    return length / timedelta(hours=1)
