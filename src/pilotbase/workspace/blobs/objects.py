"""Bytes under a name, at one address that fsspec opens: a name refers to all of its bytes, or to nothing.

In a folder, bytes are written beside their place, made durable and renamed. An object store renames nothing: one
request sets the name, or the last request of an upload in parts; until then nothing is visible under it.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import secrets
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pilotbase.documents.hashes import digest_of, hex_of, is_digest
from pilotbase.workspace.engine import machine_failure
from pilotbase.workspace.failures import UnreachableError
from pilotbase.workspace.keys import sync_folder

DRAFTS = "drafts"
_CLOCK = "clock"
_S3 = frozenset({"s3", "s3a"})
_ONE_REQUEST = _S3 | {"memory", "gs", "gcs", "abfs", "az", "oss"}
"""Protocols under which one request sets a name; under any other, bytes are written aside and moved."""

_AWAY = frozenset({errno.EBUSY, errno.EIO, errno.EREMOTEIO, errno.ECONNRESET, errno.EPIPE})
"""Codes by which a server says that it is unavailable now; tried again several times."""
_DATES = ("mtime", "LastModified", "last_modified", "created")
"""Names that drivers give to the date of an object; ``created`` last, as a file is not created anew."""


@dataclass(frozen=True)
class ObjectEntry:
    """One object of a listing; ``written`` are seconds since 1970 by the clock of its store."""

    name: str
    size: int
    written: float


class Objects:
    """The objects under an address; names are ``room/ab/cdef…``, made by `name_of`."""

    def __init__(self, url: str) -> None:
        from fsspec import url_to_fs
        from fsspec.implementations.local import LocalFileSystem

        files, root = url_to_fs(url, use_listings_cache=False)
        self.root = str(root).rstrip("/")
        self._files: Any = files
        self._folder = Path(self.root) if isinstance(files, LocalFileSystem) else None
        self._protocols = {files.protocol} if isinstance(files.protocol, str) else set(files.protocol)

    @property
    def is_folder(self) -> bool:
        """Return whether the objects are files of this machine."""
        return self._folder is not None

    def write(self, name: str, data: bytes) -> None:
        """Set the bytes of ``name`` to ``data``; if it has them already, only renew its date.

        In a folder the bytes are compared, so that altered ones are repaired; elsewhere only their number.

        Raises:
            PilotbaseError: disk full, not writable, not reachable; nothing is left behind.
        """
        with self._writing():
            if self._renews and self._stands_for(name, data) and self.renew(name):
                return
            if self._folder is not None:
                with self._draft([data]) as (draft, _):
                    self._publish(self._folder, draft, name)
            elif self._protocols & _ONE_REQUEST:
                self._files.pipe_file(self._place(name), data)
            else:
                self._write_aside(name, data)

    def write_hashed(self, room: str, pieces: Iterable[bytes]) -> str:
        """Write the bytes of ``pieces``, named by their SHA-256 in ``room``, and return the digest; raises as `write`.

        If one request sets a name, all of it is held in memory: the name is known only after the last piece.
        """
        if self._folder is None:
            data = b"".join(pieces)
            digest = digest_of(hashlib.sha256(data).hexdigest())
            self.write(name_of(room, digest), data)
            return digest
        with self._writing(), self._draft(pieces) as (draft, digest):
            self._publish(self._folder, draft, name_of(room, digest))
        return digest

    def read(self, name: str) -> bytes | None:
        """Return the bytes under a name; None if there is no such object."""
        try:
            with self._told():
                return bytes(self._files.cat_file(self._place(name)))
        except FileNotFoundError:
            return None

    def pieces(self, name: str, size: int) -> Iterator[bytes]:
        """Iterate the bytes under a name, ``size`` at a time; raises `FileNotFoundError` for no such object."""
        with self._told(), self._files.open(self._place(name), "rb") as stream:
            while piece := stream.read(size):
                yield piece

    def size(self, name: str) -> int | None:
        """Return the number of bytes under a name; None if there is no such object."""
        try:
            with self._told():
                return int(self._files.info(self._place(name))["size"])
        except FileNotFoundError:
            return None

    def entries(self, room: str) -> Iterator[ObjectEntry]:
        """Iterate a listing of ``room``, in no order."""
        start = len(self.root) + 1
        with self._told():
            try:
                found = self._files.find(f"{self.root}/{room}", detail=True)
            except FileNotFoundError:
                return
            for path, info in found.items():
                yield ObjectEntry(str(path)[start:], int(info["size"]), _written(info))

    def remove(self, name: str) -> None:
        """Remove an object if it is there."""
        with self._told():
            try:
                self._files.rm_file(self._place(name))
            except FileNotFoundError:
                return

    def remove_old(self, name: str, before: float) -> bool:
        """Remove an object unless it was written, or renewed, since ``before``; return whether this removed it.

        In a folder nobody can renew it between the check and the removal; elsewhere these are two requests.
        """
        with self._told(), self._locked(fcntl.LOCK_EX):
            try:
                if _written(self._files.info(self._place(name))) >= before:
                    return False
                self._files.rm_file(self._place(name))
            except FileNotFoundError:
                return False
            return True

    def renew(self, name: str) -> bool:
        """Renew the date of an object; False: it is gone."""
        place = self._place(name)
        try:
            with self._told(), self._locked(fcntl.LOCK_SH):
                if self._folder is not None:
                    os.utime(place)
                elif self._renews:
                    self._files.cp_file(place, place, MetadataDirective="REPLACE")
                else:
                    self._files.pipe_file(place, self._files.cat_file(place))
        except FileNotFoundError:
            return False
        return True

    def now(self) -> float:
        """Return the time by the clock that dates the objects, which may be another machine's."""
        with self._writing():
            if self._folder is not None:
                with self._draft([]) as (draft, _):
                    return draft.stat().st_mtime
            place = self._place(_CLOCK)
            self._files.pipe_file(place, b"")
            return _written(self._files.info(place))

    def _stands_for(self, name: str, data: bytes) -> bool:
        return self.read(name) == data if self.is_folder else self.size(name) == len(data)

    @property
    def _renews(self) -> bool:
        """Return whether an object's date can be renewed without its bytes."""
        return self._folder is not None or bool(self._protocols & _S3)

    @contextmanager
    def _locked(self, kind: int) -> Iterator[None]:
        """Hold the lock of a folder, which ends with its process; elsewhere there is no lock."""
        if self._folder is None:
            yield
            return
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, kind)
            yield
        finally:
            os.close(descriptor)

    @contextmanager
    def _draft(self, pieces: Iterable[bytes]) -> Iterator[tuple[Path, str]]:
        """Yield a durable private file with the bytes of ``pieces``, and its digest; removed when the block ends."""
        draft, hashed = Path(self._place(f"{DRAFTS}/{secrets.token_hex(16)}")), hashlib.sha256()
        draft.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as stream:
                for piece in pieces:
                    hashed.update(piece)
                    stream.write(piece)
                stream.flush()
                os.fsync(stream.fileno())
            yield draft, digest_of(hashed.hexdigest())
        finally:
            draft.unlink(missing_ok=True)

    def _publish(self, folder: Path, draft: Path, name: str) -> None:
        place = folder / name
        if not place.parent.is_dir():
            place.parent.mkdir(parents=True, exist_ok=True)
            sync_folder(place.parent.parent)
        draft.replace(place)
        sync_folder(place.parent)

    def _write_aside(self, name: str, data: bytes) -> None:
        draft, place = self._place(f"{DRAFTS}/{secrets.token_hex(16)}"), self._place(name)
        for path in (draft, place):
            self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
        try:
            self._files.pipe_file(draft, data)
            self._files.mv(draft, place)
        finally:
            if self._files.exists(draft):
                self._files.rm_file(draft)

    def _place(self, name: str) -> str:
        return f"{self.root}/{name}"

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """As `_told`; nothing need exist before a write, so a missing file means that the place itself is missing."""
        try:
            with self._told():
                yield
        except FileNotFoundError as error:
            raise machine_failure(error, self.root) from error

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn errors of operating system or driver into errors for a user; a missing object is left to the caller."""
        try:
            yield
        except FileNotFoundError:
            raise
        except OSError as error:
            if self._folder is None and (error.errno in _AWAY or isinstance(error, TimeoutError)):
                raise self._unreachable(error) from error
            raise machine_failure(error, self.root) from error
        except _driver_errors() as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: Exception) -> UnreachableError:
        return UnreachableError("blobs.unreachable", address=self.root, reason=str(error))


def name_of(room: str, digest: str) -> str:
    """Return the name of the object ``digest`` in a room.

    Raises:
        ValueError: it is no digest, and could lead anywhere.
    """
    if not is_digest(digest):
        raise ValueError(f"not a digest: {digest!r}")
    spelled = hex_of(digest)
    return f"{room}/{spelled[:2]}/{spelled[2:]}"


def digest_in(name: str) -> str | None:
    """Return the digest in the name of an object; None: it is none of ours."""
    _, *rest = name.split("/")
    digest = digest_of("".join(rest))
    return digest if is_digest(digest) and name.count("/") == 2 else None


def _written(info: dict[str, Any]) -> float:
    written = next(info[key] for key in _DATES if info.get(key) is not None)
    return written.timestamp() if isinstance(written, datetime) else float(written)


def _driver_errors() -> tuple[type[Exception], ...]:
    """Return the errors of the S3 driver that are no `OSError`, if it is loaded: no connection, no credentials."""
    driver = sys.modules.get("botocore.exceptions")
    return (driver.BotoCoreError,) if driver is not None else ()
