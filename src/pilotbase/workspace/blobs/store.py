"""Blobs named by the SHA-256 of all their bytes, in two forms: erased one by one, or kept and shared.

Data that must be erased to the byte (cipher text, files of a message) are one object each. Data that are kept for good
are cut by content, and each chunk is stored once, for any number of blobs. The two never mix: erasing a file must not
erase another that happens to have the same bytes.

Cutting by content: the same bytes fall into the same chunks wherever they are, so that a change affects few chunks.
Gear hashing with normalised chunking, FastCDC (Xia et al., USENIX ATC 2016, §3.3 and §4.3): a chunk ends where the
rolling hash of the last 32 bytes is small; before the usual size it must be 16 times smaller than after it, so that
most chunks are about as large. All hashes of a block are computed at once, by doubling what they cover.
"""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Literal

import pydantic

from pilotbase.documents.base import Document
from pilotbase.documents.errors import InvalidProofError, RefusedError
from pilotbase.documents.hashes import Digest, digest_bytes, digest_of
from pilotbase.workspace.blobs.objects import Objects, digest_in, name_of
from pilotbase.workspace.failures import ConflictError, NotFoundError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

OWN, KEPT, CUT = "sha256", "kept", "cut"
"""Rooms: blobs of their own; shared blobs and chunks; manifests of blobs in chunks."""
_OWNER = "base"
"""Object with the public log key of the base that owns these blobs."""
_PIECE = 1 << 20
_SENDERS = 4
_LONG = 3600
"""Seconds after which a blob that is still being kept can no longer rely on its first chunks (`checks.blobs`)."""
SMALLEST, USUAL, LARGEST = 256 << 10, 1 << 20, 4 << 20
"""Bytes of a chunk; only the last one of a blob may be smaller."""
_WINDOW, _BLOCK = 32, 64 << 10
"""Bytes that a hash covers; bytes whose hashes are taken at once and still fit the cache."""
_GEAR = hashlib.shake_256(b"pilotbase gear 1").digest(1024)
"""What each byte adds to the hash: 256 numbers of 32 bits. Others would cut elsewhere, and share no stored chunks."""
_SPANS = ((SMALLEST, USUAL, 1 << 10), (USUAL, LARGEST, 1 << 14))
"""From, to, and the bound of a 32-bit hash below which a chunk ends there: 1 byte in 4 Mi, then 1 in 256 Ki."""
Chunk = tuple[Digest, Annotated[int, pydantic.Field(ge=1)]]
"""Digest and size of a chunk."""


class BlobStore:
    """Bytes named by their SHA-256. Blobs never change; putting or keeping one again changes nothing."""

    def __init__(self, url: str) -> None:
        self._url = url

    @cached_property
    def objects(self) -> Objects:
        """The objects at its address, opened when they are first asked for: a list reads none."""
        return Objects(self._url)

    def put(self, data: bytes | IO[bytes]) -> str:
        """Store bytes, or a stream to its end, as one object that `remove` erases, and return the digest.

        Raises:
            PilotbaseError: disk full, not writable, not reachable; nothing is left behind.
        """
        return self.objects.write_hashed(OWN, _pieces_of(data))

    def keep(self, data: bytes | IO[bytes]) -> str:
        """Store bytes, or a stream to its end, for good, and return the digest; as `keep_pieces`."""
        return self.keep_pieces(_pieces_of(data))

    def keep_pieces(self, pieces: Iterable[bytes]) -> str:
        """Store the bytes of ``pieces`` for good, and return the digest; holds at most 32 MiB in memory.

        A blob larger than a chunk is cut, and only missing chunks are sent. An interrupted keeping is therefore resumed
        by keeping the blob again; its name refers to nothing until all of it is here.

        Raises:
            ConflictError: it took so long that its first chunks were collected; keep it again.
            PilotbaseError: disk full, not writable, not reachable.
        """
        began, chunks, hashed = time.monotonic(), cut(pieces), hashlib.sha256()
        first = next(chunks, b"")
        second = next(chunks, None)
        if second is None:
            return self._keep_chunk(first)[0]

        def hashing() -> Iterator[bytes]:
            for chunk in chain((first, second), chunks):
                hashed.update(chunk)
                yield chunk

        manifest = CutBlob(chunks=tuple(self._send(hashing())))
        if time.monotonic() - began > _LONG:
            self._renew(manifest)
        digest = digest_of(hashed.hexdigest())
        self.objects.write(name_of(CUT, digest), manifest.canonical())
        return digest

    def keep_file(self, path: Path) -> str:
        """Keep the bytes of a file and return their digest; as `keep`."""
        with path.open("rb") as stream:
            return self.keep(stream)

    def get(self, digest: str) -> bytes:
        """Return the bytes of a blob.

        Raises:
            NotFoundError: it, or a chunk of it, is not here.
            InvalidProofError: its bytes do not match the digest.
        """
        return b"".join(self.chunks(digest))

    def chunks(self, digest: str, size: int = _PIECE) -> Iterator[bytes]:
        """Iterate a blob in pieces of ``size`` bytes, or in its chunks; raises as `get` does.

        A chunk is verified against its own name before it is returned, the whole blob after the last piece.
        """
        hashed = hashlib.sha256()
        for piece in self._pieces(digest, size):
            hashed.update(piece)
            yield piece
        if digest_of(hashed.hexdigest()) != digest:
            raise InvalidProofError("workspace.blob_damaged", digest=digest)

    def manifest(self, digest: str) -> CutBlob:
        """Return the chunks of a blob.

        Raises:
            NotFoundError: there is no blob of this name in chunks.
            InvalidProofError: the list was altered.
        """
        found = self.objects.read(name_of(CUT, digest))
        if found is None:
            raise NotFoundError("workspace.no_blob", digest=digest)
        try:
            return CutBlob.model_validate_json(found)
        except pydantic.ValidationError as error:
            raise InvalidProofError("workspace.blob_damaged", digest=digest) from error

    def exists(self, digest: str) -> bool:
        """Return whether a blob is here."""
        return any(self.objects.size(name_of(room, digest)) is not None for room in (OWN, KEPT, CUT))

    def parts(self) -> Iterator[tuple[str, str]]:
        """Iterate room and digest of everything here; the chunks of a blob after the list that names them."""
        for room in (CUT, KEPT, OWN):
            for digest in sorted(self.digests(room)):
                yield room, digest

    def part(self, room: str, digest: str) -> Iterator[bytes]:
        """Iterate the bytes of an item of `parts`; raises as `chunks` does, and for a list with a missing chunk."""
        if room != CUT:
            return self.chunks(digest)
        manifest = self.manifest(digest)
        for chunk, _ in manifest.chunks:
            if self.objects.size(name_of(KEPT, chunk)) is None:
                self.manifest(digest)  # else it was collected, list and chunks
                raise InvalidProofError("blobs.no_chunk", chunk=chunk, digest=digest)
        return iter([manifest.canonical()])

    def bring_back(self, room: str, digest: str, pieces: Iterable[bytes]) -> bool:
        """Store the bytes from `part`, chunks before the lists that name them; return whether they match the digest.

        A list whose chunks were collected before they were read is left out.
        """
        if room != CUT:
            return self.objects.write_hashed(room, pieces) == digest
        content = b"".join(pieces)
        try:
            chunks = CutBlob.model_validate_json(content).chunks
        except pydantic.ValidationError:
            return False
        if all(self.objects.size(name_of(KEPT, chunk)) == size for chunk, size in chunks):
            self.objects.write(name_of(CUT, digest), content)
        return True

    def digests(self, room: str) -> Iterator[str]:
        """Iterate the digests in a room, in no order."""
        for entry in self.objects.entries(room):
            digest = digest_in(entry.name)
            if digest is not None:
                yield digest

    def claim(self, base: str) -> None:
        """Record which base owns these blobs, once: a collector would take those of another base for garbage.

        Raises:
            RefusedError: they belong to another base.
        """
        found = self.objects.read(_OWNER)
        if found is None:
            self.objects.write(_OWNER, base.encode())
        elif found != base.encode():
            raise RefusedError("blobs.other_base", address=self.objects.root)

    def require_place(self) -> None:
        """Return if the place of the blobs can be written to.

        Raises:
            PilotbaseError: disk full, not writable, not reachable.
        """
        self.objects.now()

    def remove(self, digest: str) -> None:
        """Erase a blob that was put, if it is here; kept blobs stay, even with the same bytes."""
        self.objects.remove(name_of(OWN, digest))

    def _pieces(self, digest: str, size: int) -> Iterator[bytes]:
        for room in (OWN, KEPT):
            try:
                yield from self.objects.pieces(name_of(room, digest), size)
                return
            except FileNotFoundError:
                continue
        for chunk, _ in self.manifest(digest).chunks:
            yield self._chunk(chunk, digest)

    def _chunk(self, chunk: str, blob: str) -> bytes:
        found = self.objects.read(name_of(KEPT, chunk))
        if found is None:
            raise NotFoundError("blobs.no_chunk", chunk=chunk, digest=blob)
        if digest_bytes(found) != chunk:
            raise InvalidProofError("blobs.chunk_damaged", chunk=chunk, digest=blob)
        return found

    def _send(self, chunks: Iterable[bytes]) -> Iterator[Chunk]:
        """Keep chunks, a few at a time, and yield their names, in order."""
        with ThreadPoolExecutor(_SENDERS) as pool:
            under_way: deque[Future[Chunk]] = deque()
            for chunk in chunks:
                under_way.append(pool.submit(self._keep_chunk, chunk))
                if len(under_way) > _SENDERS:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()

    def _keep_chunk(self, chunk: bytes) -> Chunk:
        digest = digest_bytes(chunk)
        self.objects.write(name_of(KEPT, digest), chunk)
        return digest, len(chunk)

    def _renew(self, manifest: CutBlob) -> None:
        """Renew the date of every chunk; raises `ConflictError` if one is gone."""
        for chunk, _ in manifest.chunks:
            if not self.objects.renew(name_of(KEPT, chunk)):
                raise ConflictError("blobs.chunk_collected", chunk=chunk)


def cut(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the bytes of ``pieces`` as chunks; the division into pieces makes no difference."""
    held = bytearray()
    for piece in pieces:
        held += piece
        while len(held) >= LARGEST:
            yield _taken(held)
    while held:
        yield _taken(held)


class CutBlob(Document):
    """Where the bytes of a large blob are."""

    document: Literal["cut-blob/1"] = "cut-blob/1"
    chunks: tuple[Chunk, ...] = pydantic.Field(min_length=1)


def _pieces_of(data: bytes | IO[bytes]) -> Iterator[bytes]:
    return iter([data]) if isinstance(data, bytes) else iter(lambda: data.read(_PIECE), b"")


def _taken(held: bytearray) -> bytes:
    end = _end_of_first(held)
    chunk = bytes(memoryview(held)[:end])
    del held[:end]
    return chunk


def _end_of_first(held: bytearray) -> int:
    import numpy as np  # every command loads this file, few keep anything

    octets, gear = np.frombuffer(held, np.uint8)[:LARGEST], np.frombuffer(_GEAR, "<u4")
    for begin, end, below in _SPANS:
        for start in range(begin, min(end, len(octets)), _BLOCK):
            stop = min(start + _BLOCK, end, len(octets))
            hashes = _gear(gear[octets[start - _WINDOW + 1 : stop]])[_WINDOW - 1 :]
            small = np.flatnonzero(hashes < below)
            if small.size:
                return start + int(small[0]) + 1
    return len(octets)


def _gear(hashes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return Σ gear[octets[i-k]]·2ᵏ (k < 32, mod 2³²) for each i; for the first 31, over the bytes there are.

    ``hashes``: gear[octets], which is overwritten.
    """
    covered = 1
    while covered < _WINDOW:
        hashes[covered:] += hashes[:-covered] << covered
        covered *= 2
    return hashes
