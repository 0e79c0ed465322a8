"""Many files in a few blobs: sorted by path and joined to shards, each a body with an index of its members.

A shard ends after a path whose checksum says so, or when it is full: if one file of a folder changes, one shard is new,
and of a large body only the changed chunk. A member is read by its range, independent of the other members.
"""

from __future__ import annotations

import os
import secrets
import shutil
import zlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BufferedReader
from itertools import accumulate, pairwise
from pathlib import Path
from typing import IO, Literal

import pydantic

from pilotbase.documents.base import Document, Part
from pilotbase.documents.errors import InputError, InvalidProofError, Issue
from pilotbase.documents.hashes import Digest, digest_bytes, digest_of, hex_of, is_digest
from pilotbase.documents.progress import OnProgress, Progress, ignore_progress
from pilotbase.documents.texts import Text, text
from pilotbase.documents.visible_text import make_visible
from pilotbase.workspace.blobs.store import BlobStore
from pilotbase.workspace.engine import machine_failure
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.plain_files import NotPlainError, is_plain, opened_file, opened_folder

LARGE = 4 << 20
"""Bytes above which a member is a shard of its own, and never held in memory to be packed."""
_USUAL_FILES, _MOST_FILES, _MOST_BYTES = 1024, 4096, 32 << 20
"""The usual number of members in a shard, and its limits."""
_LONGEST_PATH, _LONGEST_NAME = 4000, 255
_OPENED = 64
"""Indices that a reader keeps in memory."""
_SHOWN = 100
"""Problems that an error lists."""
_STEP = 1000
"""Files between two reports of progress."""


class Shard(Part):
    """A run of members: their bytes one after the other, and their names."""

    first: str
    """Path of its first member."""
    files: int = pydantic.Field(ge=1)
    size: int = pydantic.Field(ge=0)
    index: Digest
    """Blob with one line for each member: hex digest, size, path."""
    body: Digest


class PackedTree(Document):
    """The files of a folder, packed. Storing this document keeps its blobs from being collected."""

    document: Literal["packed-tree/1"] = "packed-tree/1"
    shards: tuple[Shard, ...]

    @property
    def files(self) -> int:
        """Return the number of members."""
        return sum(shard.files for shard in self.shards)

    @property
    def size(self) -> int:
        """Return the size of all members in bytes."""
        return sum(shard.size for shard in self.shards)


@dataclass(frozen=True)
class TreeEntry:
    """One file of a tree."""

    path: str
    size: int
    digest: Digest


def pack(blobs: BlobStore, files: Iterable[tuple[str, bytes | IO[bytes]]]) -> PackedTree:
    """Keep ``files``, given in the order of their paths, and return the tree; store it to keep it.

    Interrupted and begun again, it sends only what is missing.

    Raises:
        InputError: a path that leads out of a folder or is not allowed, out of order, twice, or below a file.
        PilotbaseError: as `BlobStore.keep`.
    """
    packing = _Packing(blobs)
    for path, content in files:
        packing.add(path, content)
    packing.close()
    return PackedTree(shards=tuple(packing.shards))


class TreeReader:
    """The members of a packed tree, read one by one or all in order."""

    def __init__(self, blobs: BlobStore, packed: PackedTree) -> None:
        self._blobs, self._packed = blobs, packed
        self._firsts = [shard.first for shard in packed.shards]
        self._indices: dict[int, _Index] = {}

    def read(self, path: str) -> bytes:
        """Return the bytes of one member: reads only its index and its range.

        Raises:
            NotFoundError: the tree has no such member, or a blob of it is not here.
            InvalidProofError: its bytes were altered.
        """
        number = bisect_right(self._firsts, path) - 1
        found = self._index(number).find(path) if number >= 0 else None
        if found is None:
            raise NotFoundError("blobs.no_member", path=path)
        member, start = found
        content = self._blobs.read_range(self._packed.shards[number].body, start, member.size)
        if digest_bytes(content) != member.digest:
            raise InvalidProofError("blobs.member_damaged", path=path)
        return content

    def members(self) -> Iterator[TreeEntry]:
        """Iterate the members in the order of their paths; raises as `read`."""
        for number in range(len(self._packed.shards)):
            yield from self._index(number).members

    def contents(self) -> Iterator[tuple[TreeEntry, Iterator[bytes]]]:
        """Iterate the members with their bytes, in pieces, reading each body once; raises as `read`.

        The pieces of a member are available until the next one is requested.
        """
        for number, shard in enumerate(self._packed.shards):
            index = self._index(number)
            if len(index.members) == 1:
                yield index.members[0], self._blobs.chunks(shard.body)
                continue
            body = memoryview(self._blobs.get(shard.body))
            for member, start in zip(index.members, index.starts, strict=True):
                content = bytes(body[start : start + member.size])
                if digest_bytes(content) != member.digest:
                    raise InvalidProofError("blobs.member_damaged", path=member.path)
                yield member, iter([content])

    def _index(self, number: int) -> _Index:
        if number not in self._indices:
            if len(self._indices) >= _OPENED:
                self._indices.pop(next(iter(self._indices)))
            shard = self._packed.shards[number]
            self._indices[number] = _read_index(self._blobs.get(shard.index), shard)
        return self._indices[number]


@dataclass(frozen=True)
class _Index:
    members: tuple[TreeEntry, ...]
    starts: tuple[int, ...]

    def find(self, path: str) -> tuple[TreeEntry, int] | None:
        place = bisect_right(self.members, path, key=lambda member: member.path) - 1
        if place < 0 or self.members[place].path != path:
            return None
        return self.members[place], self.starts[place]


def is_packable(path: str) -> bool:
    """Return whether a member may have this path: it stays in its folder, and any folder can hold it."""
    if not is_plain(path) or len(path.encode()) > _LONGEST_PATH:
        return False
    return all(len(name.encode()) <= _LONGEST_NAME for name in path.split("/"))


class _Packing:
    """Gathers members into shards."""

    def __init__(self, blobs: BlobStore) -> None:
        self.shards: list[Shard] = []
        self._blobs = blobs
        self._members: list[TreeEntry] = []
        self._contents: list[bytes] = []
        self._size = 0
        self._last = ""
        self._packed: set[str] = set()

    def add(self, path: str, content: bytes | IO[bytes]) -> None:
        self._require_next(path)
        data = content if isinstance(content, bytes) else content.read(LARGE + 1)
        if len(data) > LARGE:
            self.close()
            self._add_large(path, data, content)
            return
        if self._size + len(data) > _MOST_BYTES:
            self.close()
        self._members.append(TreeEntry(path, len(data), digest_bytes(data)))
        self._contents.append(data)
        self._size += len(data)
        if zlib.crc32(path.encode()) % _USUAL_FILES == 0 or len(self._members) == _MOST_FILES:
            self.close()

    def close(self) -> None:
        """Keep the gathered members as one shard."""
        if self._members:
            self._keep(self._blobs.keep(b"".join(self._contents)))

    def _add_large(self, path: str, begin: bytes, content: bytes | IO[bytes]) -> None:
        def pieces() -> Iterator[bytes]:
            piece = begin
            while piece:
                self._size += len(piece)
                yield piece
                piece = b"" if isinstance(content, bytes) else content.read(1 << 20)

        digest = self._blobs.keep_pieces(pieces())
        self._members = [TreeEntry(path, self._size, digest)]
        self._keep(digest)

    def _keep(self, body: Digest) -> None:
        lines = "".join(f"{hex_of(member.digest)} {member.size} {member.path}\n" for member in self._members)
        first, files = self._members[0].path, len(self._members)
        index = self._blobs.keep(lines.encode())
        self.shards.append(Shard(first=first, files=files, size=self._size, index=index, body=body))
        self._members, self._contents, self._size = [], [], 0

    def _require_next(self, path: str) -> None:
        if not is_packable(path):
            raise InputError("blobs.odd_path", path=path)
        parents = (path[:place] for place, letter in enumerate(path) if letter == "/")
        if path <= self._last or any(parent in self._packed for parent in parents):
            raise InputError("blobs.path_out_of_order", path=path, last=self._last)
        self._last = path
        self._packed.add(path)


def pack_folder(blobs: BlobStore, folder: Path, on_progress: OnProgress = ignore_progress) -> PackedTree:
    """Keep the files of a folder, packed, and return the tree; empty folders, modes and times are left out.

    Raises:
        InputError: no folder; lists every entry that is neither file nor folder or whose name cannot be packed; or a
            file has disappeared or become something else meanwhile.
        PilotbaseError: as `BlobStore.keep`.
    """
    if not folder.is_dir():
        raise InputError("blobs.no_folder", folder=folder)
    try:
        return pack(blobs, _opened_one_by_one(folder, files_in(folder), on_progress))
    except NotPlainError as error:
        raise InputError("blobs.folder_changed", folder=folder) from error
    except OSError as error:
        raise machine_failure(error, folder) from error


def unpack(blobs: BlobStore, packed: PackedTree, folder: Path, on_progress: OnProgress = ignore_progress) -> None:
    """Write the members of a tree to ``folder``, which is created: all of them, or nothing is written.

    Raises:
        InputError: ``folder`` exists already.
        NotFoundError: a blob of the tree is not here.
        InvalidProofError: bytes or paths were altered.
        PilotbaseError: disk full, or not writable.
    """
    if os.path.lexists(folder):
        raise InputError("blobs.folder_exists", folder=folder)
    draft = folder.with_name(f".{folder.name}.{secrets.token_hex(8)}")
    try:
        draft.mkdir(mode=0o700)
        for count, (member, pieces) in enumerate(TreeReader(blobs, packed).contents()):
            if count % _STEP == 0:
                on_progress(Progress(text("blobs.progress.unpack"), count, packed.files))
            place = draft / member.path
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as stream:
                stream.writelines(pieces)
        draft.rename(folder)
    except OSError as error:
        raise machine_failure(error, folder) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def files_in(folder: Path) -> list[str]:
    """Return the paths of the files below ``folder``, sorted; raises `InputError` listing all other entries."""
    names: list[str] = []
    problems: list[Issue] = []
    waiting = [""]
    while waiting:
        parent = waiting.pop()
        with opened_folder(folder, parent) as descriptor, os.scandir(descriptor) as entries:
            for entry in entries:
                name = f"{parent}/{entry.name}" if parent else entry.name
                problem = _problem(entry, name)
                if problem is not None:
                    problems.append(Issue(file=str(folder), path=make_visible(name), problem=problem))
                elif entry.is_dir(follow_symlinks=False):
                    waiting.append(name)
                else:
                    names.append(name)
    if problems:
        raise InputError.from_issues(str(folder), sorted(problems, key=lambda issue: issue.path)[:_SHOWN])
    return sorted(names)


def _read_index(content: bytes, shard: Shard) -> _Index:
    """Return the index that a document names; the author of both could have put anything into them."""
    members = []
    try:
        for line in content.decode().split("\n")[:-1]:
            spelled, size, path = line.split(" ", 2)
            members.append(TreeEntry(path, int(size), digest_of(spelled)))
    except ValueError as error:
        raise InvalidProofError("blobs.index_damaged", index=shard.index) from error
    paths = [member.path for member in members]
    holds = (
        len(members) == shard.files
        and paths[0] == shard.first
        and all(map(is_packable, paths))
        and all(before < after for before, after in pairwise(paths))
        and all(member.size >= 0 and is_digest(member.digest) for member in members)
        and (len(members) > 1 or members[0].digest == shard.body)
        and sum(member.size for member in members) == shard.size
    )
    if not holds:
        raise InvalidProofError("blobs.index_damaged", index=shard.index)
    return _Index(tuple(members), (0, *accumulate(member.size for member in members[:-1])))


def _problem(entry: os.DirEntry[str], name: str) -> Text | None:
    if not is_packable(name):
        return text("blobs.odd_name")
    plain = entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False)
    return None if plain else text("blobs.no_plain_file")


def _opened_one_by_one(folder: Path, names: list[str], on_progress: OnProgress) -> Iterator[tuple[str, BufferedReader]]:
    for count, name in enumerate(names):
        if count % _STEP == 0:
            on_progress(Progress(text("blobs.progress.pack"), count, len(names)))
        with opened_file(folder, name) as stream:
            yield name, stream
