"""Content-addressed blobs over fsspec: a folder, or any address that fsspec opens (``s3://…``, ``memory://…``).

A blob is written beside its place and renamed, so that a name never stands for half a blob; reading hashes it again.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.hashes import digest_of, hex_of, is_digest
from pilotbase.workspace.engine import machine_failure
from pilotbase.workspace.failures import NotFoundError

_CHUNK = 1 << 20


class BlobStore:
    """Bytes named by their SHA-256. Blobs never change; putting one again changes nothing."""

    def __init__(self, url: str) -> None:
        files, root = fsspec.url_to_fs(url)
        self._files: Any = files
        self._root = str(root).rstrip("/")

    def put(self, data: bytes | IO[bytes]) -> str:
        """Store bytes, or a stream to its end, and return the digest.

        Raises:
            PilotbaseError: disk full, or not writable; nothing is left behind.
        """
        return self.put_pieces([data] if isinstance(data, bytes) else iter(lambda: data.read(_CHUNK), b""))

    def put_pieces(self, pieces: Iterable[bytes]) -> str:
        """Store what ``pieces`` give, one after the other, and return the digest; raises as `put`, or as they do."""
        draft = f"{self._root}/drafts/{secrets.token_hex(16)}"
        try:
            self._files.makedirs(f"{self._root}/drafts", exist_ok=True)
            try:
                digest = self._write(draft, pieces)
                self._publish(draft, self._place(digest))
            finally:
                if self._files.exists(draft):
                    self._files.rm_file(draft)
        except OSError as error:
            raise machine_failure(error, self._root) from error
        return digest

    def put_file(self, path: Path) -> str:
        """Store the bytes of a file and return their digest."""
        with path.open("rb") as stream:
            return self.put(stream)

    def get(self, digest: str) -> bytes:
        """Return the bytes of a blob.

        Raises:
            NotFoundError: it is not here.
            InvalidProofError: its bytes are not those that the digest names.
        """
        return b"".join(self.chunks(digest))

    def chunks(self, digest: str, size: int = _CHUNK) -> Iterator[bytes]:
        """Iterate a blob in pieces; raises as `get` does, for changed bytes only after the last piece."""
        hashed = hashlib.sha256()
        try:
            with self._files.open(self._place(digest), "rb") as stream:
                while piece := stream.read(size):
                    hashed.update(piece)
                    yield piece
        except FileNotFoundError as error:
            raise NotFoundError("workspace.no_blob", digest=digest) from error
        except OSError as error:
            raise machine_failure(error, self._root) from error
        if digest_of(hashed.hexdigest()) != digest:
            raise InvalidProofError("workspace.blob_damaged", digest=digest)

    def exists(self, digest: str) -> bool:
        """Tell whether a blob is here."""
        return bool(self._files.exists(self._place(digest)))

    def digests(self) -> Iterator[str]:
        """Iterate the digests of the blobs that are here, in no order."""
        folder = f"{self._root}/sha256"
        try:
            found = self._files.find(folder) if self._files.exists(folder) else []
        except OSError as error:
            raise machine_failure(error, self._root) from error
        for path in found:
            digest = digest_of("".join(str(path).rsplit("/", 2)[-2:]))
            if is_digest(digest):
                yield digest

    def remove(self, digest: str) -> None:
        """Remove a blob if it is here."""
        if self.exists(digest):
            self._files.rm_file(self._place(digest))

    def _place(self, digest: str) -> str:
        if not is_digest(digest):
            raise ValueError(f"not a digest: {digest!r}")
        name = hex_of(digest)
        return f"{self._root}/sha256/{name[:2]}/{name[2:]}"

    def _write(self, draft: str, pieces: Iterable[bytes]) -> str:
        hashed = hashlib.sha256()
        with self._files.open(draft, "wb") as target:
            for piece in pieces:
                hashed.update(piece)
                target.write(piece)
        if isinstance(self._files, LocalFileSystem):
            _settle(Path(draft))
        return digest_of(hashed.hexdigest())

    def _publish(self, draft: str, place: str) -> None:
        if self._files.exists(place) and self._files.size(place) == self._files.size(draft):
            return
        self._files.makedirs(place.rpartition("/")[0], exist_ok=True)
        if isinstance(self._files, LocalFileSystem):
            Path(draft).replace(place)
        else:
            self._files.mv(draft, place)


def _settle(path: Path) -> None:
    """Make a written file durable and private before a name points to it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fchmod(descriptor, 0o600)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
