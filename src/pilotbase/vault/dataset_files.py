"""The files of a dataset that its owner keeps at the base: sealed piece by piece, opened only under a counted leave.

The leave is checked against the current terms before each piece: if the agreement is revoked while somebody downloads a
file, they get no further piece.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

import pydantic
from sqlalchemy import Connection

from pilotbase.documents.base import Document
from pilotbase.documents.dataset import Dataset, FileObject
from pilotbase.documents.errors import InvalidProofError, RefusedError
from pilotbase.documents.files import Stretch
from pilotbase.documents.hashes import Digest, digest_json
from pilotbase.documents.subjects import Subject, holder_of
from pilotbase.documents.terms import AccessGrant, Action, Channel
from pilotbase.vault.ciphers import open_bytes, seal_bytes
from pilotbase.vault.envelopes import known_commitments
from pilotbase.vault.place import Vault
from pilotbase.workspace.actors import parties
from pilotbase.workspace.log.entries import FILE, MARKS, Fact
from pilotbase.workspace.store import View
from pilotbase.workspace.uses import find_use, require_leave

PIECE = 4 << 20
"""Bytes of a file that are sealed and opened at a time."""
_ALL = 1_000_000
_WAYS = {Action.USE: Channel.DOWNLOAD, Action.DISPLAY: Channel.PREVIEW, Action.COMPUTE_ON: Channel.STATISTICS}
"""Permitted action → its way out."""


class KeptFile(Document):
    """A file of a dataset's version kept at the base, sealed under its owner's key. Only owner and base see it."""

    document: Literal["dataset-file/1"] = "dataset-file/1"
    dataset: Subject
    version: Digest
    """The description that it belongs to."""
    name: str = pydantic.Field(min_length=1, max_length=200)
    size: int
    rows: int | None = None
    """None: not a table that is read here."""
    pieces: tuple[Digest, ...]
    piece_size: int | None = None
    """Bytes of each piece but the last; None: they differ, so a part is found only by reading all before it."""
    preview: Digest | None = None
    """Its first rows, sealed separately."""
    marks: Digest | None = None
    """Made-up rows, sealed separately: each copy gets some of them (`canaries`)."""

    @property
    def tag(self) -> Digest:
        """Return a name for its sealed bytes, meaningless elsewhere."""
        return digest_json(list(self.pieces))


class ErasedFile(Document):
    """A record that a kept file is erased: all that remains is that it was here."""

    document: Literal["erased-file/1"] = "erased-file/1"
    dataset: Subject
    file: Digest
    """The record of the kept file."""


def seal_file(
    vault: Vault, kept: KeptFile, plain: Iterable[bytes], preview: bytes | None, marks: bytes | None = None
) -> KeptFile:
    """Seal the pieces of a file, its first rows and its marks; store and return the record with their digests.

    Raises:
        RefusedError: the actor may not write for the owner.
    """
    owner = holder_of(kept.dataset)
    vault.require_access(owner)
    key = vault.keys.create_owner_key(owner)
    pieces = [
        vault.blobs.put(seal_bytes(key, piece, _context(kept, str(number))))
        for number, piece in enumerate(_even(plain, PIECE))
    ]
    shown = None if preview is None else vault.blobs.put(seal_bytes(key, preview, _context(kept, "preview")))
    marked = None if marks is None else vault.blobs.put(seal_bytes(key, marks, _context(kept, "marks")))
    sealed = {"pieces": tuple(pieces), "piece_size": PIECE, "preview": shown, "marks": marked}
    made = kept.model_copy(update=sealed)
    with vault.view.transaction("dataset.file_kept") as change:
        digest = change.put(made, parties(), owner=owner, fields=_fields(made))
        change.record("dataset.file_kept", [kept.dataset, digest], {"bytes": kept.size})
        change.settle(digest)
    return made


def add_preview(vault: Vault, kept: KeptFile, rows: int, preview: bytes) -> None:
    """Add the first rows of a file kept unread, and its number of rows; if it was erased meanwhile, it stays erased.

    Raises:
        RefusedError: the actor may not write for the owner.
    """
    owner = holder_of(kept.dataset)
    vault.require_access(owner)
    shown = vault.blobs.put(seal_bytes(vault.keys.owner_key(owner), preview, _context(kept, "preview")))
    made = kept.model_copy(update={"rows": rows, "preview": shown})
    with vault.view.transaction("dataset.file_previewed") as change:
        gone = kept.digest() in _erased(vault.view.within(change), kept.dataset)
        if not gone:
            digest = change.put(made, parties(), owner=owner, fields=_fields(made))
            change.record("dataset.file_previewed", [kept.dataset, digest], {"rows": rows})
    if gone:
        vault.blobs.remove(shown)


def find_kept(vault: Vault, dataset: Subject, version: Digest) -> list[KeptFile]:
    """Return the files kept of a dataset's version, by name; the newest of each name.

    A file kept of another version counts for this one too if both descriptions give it the same hash, or one a hash and
    the other the commitment to it: a description that says more about the same bytes does not require them again.
    """
    found = find_all_kept(vault, dataset)
    kept = {file.name: file for file in found if file.version == version}
    others = [file for file in found if file.name not in kept]
    hashes = _hashes(vault.view, version) if others else {}
    known = known_commitments(vault.view, dataset) if others else {}
    for file in others:
        told = hashes.get(file.name)
        if told is not None and told in (_hashes(vault.view, file.version).get(file.name), *known.get(file.tag, ())):
            kept.setdefault(file.name, file)
    return [kept[name] for name in sorted(kept)]


def find_all_kept(vault: Vault, dataset: Subject) -> list[KeptFile]:
    """Return the files kept of all versions of a dataset, by name, newest first; the newest of each version.

    Erased files are not included.
    """
    gone, newest = _erased(vault.view, dataset), dict[tuple[str, Digest], KeptFile]()
    for stored in vault.view.find("dataset-file", {"dataset": dataset}, limit=_ALL):
        if stored.digest not in gone:
            file = stored.load(KeptFile)
            newest.setdefault((file.name, file.version), file)
    return sorted(newest.values(), key=lambda file: file.name)


def erase_files(vault: Vault, dataset: Subject, name: str | None) -> int:
    """Erase a dataset's files of all versions, either those called ``name`` or all; return how many there were.

    The record of erasure comes before the bytes go, so that no half-erased file is ever reported; bytes left by an
    interrupted erasure go now. The log keeps that the files were here; versions and uses remain.

    Raises:
        RefusedError: the actor may not write for the owner.
    """
    owner = holder_of(dataset)
    vault.require_access(owner)
    with vault.view.transaction("dataset.files_erased") as change:
        gone = _erased(vault.view.within(change), dataset)
        stored = vault.view.within(change).find("dataset-file", {"dataset": dataset}, limit=_ALL)
        kept = [(one.digest, one.load(KeptFile)) for one in stored]
        named = [(digest, file) for digest, file in kept if name in (None, file.name)]
        for digest, file in named:
            if digest not in gone:
                mark = ErasedFile(dataset=dataset, file=digest)
                change.put(mark, parties(), owner=owner, fields={"dataset": dataset})
                change.record("dataset.file_erased", [dataset, digest], {"bytes": file.size})
    for _, file in named:
        for blob in (*file.pieces, file.preview, file.marks):
            if blob is not None and vault.blobs.exists(blob):
                vault.blobs.remove(blob)
    return len({(file.name, file.version) for digest, file in named if digest not in gone})


def open_file(
    vault: Vault, kept: KeptFile, leave: AccessGrant, part: Stretch | None = None, action: Action = Action.USE
) -> Iterator[bytes]:
    """Write the opening to the log, then return an iterator over the pieces of a file, or of a part of it.

    ``action``: `USE`, to hand it out; `COMPUTE_ON`, for statistics; `DISPLAY`, for people who see its items.

    Raises:
        RefusedError: the leave is for something else or no longer valid; the latter also while iterating.
        NotFoundError: the blob or the key is not here.
        InvalidProofError: while iterating: altered bytes.
    """
    size = kept.size if part is None else part.end - part.start
    _log_opening(vault, kept, leave, action, 0 if action is Action.DISPLAY else size)
    return _pieces(vault, kept, leave) if part is None else _cut(vault, kept, leave, part)


def open_marked(vault: Vault, kept: KeptFile, leave: AccessGrant) -> tuple[bytes, Iterator[bytes]]:
    """Return the marks of a file that has some, and an iterator over its pieces; raises as `open_file`."""
    _log_opening(vault, kept, leave, Action.USE, kept.size)
    assert kept.marks is not None
    return _opened(vault, kept, kept.marks, "marks"), _pieces(vault, kept, leave)


def open_marks(vault: Vault, kept: KeptFile) -> bytes | None:
    """Write the opening to the log, then return a file's marks for its owner's own work, None if it has none.

    Raises:
        RefusedError: the actor may not write for the owner.
    """
    owner = holder_of(kept.dataset)
    vault.require_access(owner)
    if kept.marks is None:
        return None
    with vault.view.transaction(MARKS) as change:
        change.record(MARKS, [kept.dataset, kept.digest()], {"purpose": "owner", "ground": owner, "file": kept.name})
    return _opened(vault, kept, kept.marks, "marks")


def open_preview(vault: Vault, kept: KeptFile, leave: AccessGrant) -> bytes | None:
    """Write the opening to the log, then return the first rows of a file, None if it has none; raises as above."""
    if kept.preview is None:
        return None
    _log_opening(vault, kept, leave, Action.DISPLAY)
    return _opened(vault, kept, kept.preview, "preview")


def _log_opening(vault: Vault, kept: KeptFile, leave: AccessGrant, action: Action, size: int = 0) -> None:
    """Write the line of an opening; ``size``: bytes of the file that are requested, 0 if it is not the file itself."""
    with vault.view.transaction("vault.dataset_opened") as change:
        _require(change.connection, kept, leave, action)
        require_leave(change.connection, leave, change.now)
        told: dict[str, Fact] = {"action": action.value, "ground": leave.by, "use": leave.use or "", "file": kept.name}
        counted = {name: number for name, number in (("bytes", size), ("rows", kept.rows)) if number and size}
        change.record(FILE, [kept.dataset, kept.digest()], {**told, **counted})


def _pieces(vault: Vault, kept: KeptFile, leave: AccessGrant, first: int = 0) -> Iterator[bytes]:
    for number, piece in enumerate(kept.pieces[first:], first):
        with vault.view.reading() as connection:
            require_leave(connection, leave, vault.view.store.clock())
        yield _opened(vault, kept, piece, str(number))


def _cut(vault: Vault, kept: KeptFile, leave: AccessGrant, part: Stretch) -> Iterator[bytes]:
    """Yield the bytes of ``part``, without opening the pieces before and after it."""
    size = kept.piece_size
    first = part.start // size if size is not None else 0
    at = first * (size or 0)
    for plain in _pieces(vault, kept, leave, first):
        yield plain[max(part.start - at, 0) : part.end - at]
        at += len(plain)
        if at >= part.end:
            return


def _even(plain: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Yield the same bytes in pieces of ``size``; the last one may be shorter."""
    waiting = bytearray()
    for part in plain:
        waiting += part
        while len(waiting) >= size:
            yield bytes(waiting[:size])
            del waiting[:size]
    if waiting:
        yield bytes(waiting)


def _hashes(view: View, version: Digest) -> dict[str, str]:
    """Return file → the hash or the commitment that a description gives it."""
    files = [one for one in view.load(version, Dataset).distribution if isinstance(one, FileObject)]
    named = ((one.file_name, one) for one in files)
    return {name: told for name, one in named if (told := one.sha256 or one.commitment) is not None}


def _fields(kept: KeptFile) -> dict[str, str]:
    return {"dataset": kept.dataset, "version": kept.version}


def _erased(view: View, dataset: Subject) -> frozenset[Digest]:
    """Return the records of files that are erased."""
    marks = view.find("erased-file", {"dataset": dataset}, limit=_ALL)
    return frozenset(one.load(ErasedFile).file for one in marks)


def _require(connection: Connection, kept: KeptFile, leave: AccessGrant, action: Action) -> None:
    """Return if the use named by a leave is of this dataset and permits this way out; raises `RefusedError`."""
    use = None if leave.use is None else find_use(connection, leave.by, leave.use)
    if use is None or (use.target, use.action, use.channel) != (kept.dataset, action, _WAYS[action]):
        raise RefusedError("terms.foreign_leave")


def _opened(vault: Vault, kept: KeptFile, blob: Digest, place: str) -> bytes:
    owner = holder_of(kept.dataset)
    plain = open_bytes(vault.keys.owner_key(owner), vault.blobs.get(blob), _context(kept, place))
    if plain is None:
        raise InvalidProofError("vault.envelope_closed", digest=blob, owner=owner)
    return plain


def _context(kept: KeptFile, place: str) -> list[str]:
    return ["dataset-file", kept.dataset, kept.version, kept.name, place]
