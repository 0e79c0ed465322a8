"""Whether every object still has the bytes that its name says, and whether what is named is here."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.hashes import Digest, digest_bytes, digest_of
from pilotbase.documents.progress import OnProgress, Progress, ignore_progress
from pilotbase.documents.texts import text
from pilotbase.workspace.blobs.objects import name_of
from pilotbase.workspace.blobs.store import CUT, KEPT, OWN, BlobStore
from pilotbase.workspace.failures import NotFoundError

_PIECE = 1 << 20


class ObjectFault(StrEnum):
    """What is wrong with an object."""

    MISSING = "missing"
    ALTERED = "altered"


@dataclass(frozen=True)
class Damage:
    """One blob, or one chunk of it, that is not here or has other bytes."""

    digest: Digest
    fault: ObjectFault
    room: str
    needed_by: str
    """The blob or document that needs it; empty: it is not known."""


@dataclass(frozen=True)
class Named:
    """A blob that must be here, and the document that says so."""

    digest: Digest
    needed_by: str


@dataclass(frozen=True)
class BlobCheck:
    """How many objects there are and were read, and what is wrong."""

    objects: int
    read: int
    damages: tuple[Damage, ...]


def check(
    blobs: BlobStore, named: Iterable[Named], share: float = 1.0, on_progress: OnProgress = ignore_progress
) -> BlobCheck:
    """Read a ``share`` of the objects, chosen by chance, and say what is altered; look for all that must be here.

    That something is missing is always found, whatever the share: only listings are compared.
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
    """Read a blob chunk by chunk: each against its name, and all against the blob's."""
    try:
        chunks = blobs.manifest(digest).chunks
    except (InvalidProofError, NotFoundError):  # told already; collected meanwhile
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
