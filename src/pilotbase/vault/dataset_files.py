"""The files of a dataset that its owner keeps at the base: sealed piece by piece, opened only under a counted leave.

Before each piece the leave is held against the terms as they stand then: who takes a file while its agreement is
revoked gets no further piece.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

import pydantic
from sqlalchemy import Connection

from pilotbase.documents.base import Document
from pilotbase.documents.errors import InvalidProofError, RefusedError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.subjects import Subject, holder_of
from pilotbase.documents.terms import Action, Channel, Leave
from pilotbase.vault.ciphers import open_bytes, seal_bytes
from pilotbase.vault.place import Vault
from pilotbase.workspace.actors import parties
from pilotbase.workspace.log.entries import Fact
from pilotbase.workspace.log.readings import FILE
from pilotbase.workspace.uses import find_use, require_leave

PIECE = 4 << 20
"""Bytes of a file that are sealed, and opened, at a time."""
_WAYS = {Action.USE: Channel.DOWNLOAD, Action.DISPLAY: Channel.PREVIEW, Action.COMPUTE_ON: Channel.STATISTICS}
"""What was permitted → by which way it comes out."""


class KeptFile(Document):
    """That the base keeps a file of a dataset's version: sealed under its owner's key. Only owner and base see it."""

    document: Literal["dataset-file/1"] = "dataset-file/1"
    dataset: Subject
    version: Digest
    """The description that it belongs to."""
    name: str = pydantic.Field(min_length=1, max_length=200)
    size: int
    rows: int | None = None
    """None: no table that is read here."""
    pieces: tuple[Digest, ...]
    preview: Digest | None = None
    """Its first rows, sealed apart."""


def seal_file(vault: Vault, kept: KeptFile, plain: Iterable[bytes], preview: bytes | None) -> KeptFile:
    """Seal the pieces of a file and its first rows, keep that they are here, and return it with their digests.

    Raises:
        RefusedError: the actor may not write for the owner.
    """
    owner = holder_of(kept.dataset)
    vault.require_access(owner)
    key = vault.keys.create_owner_key(owner)
    pieces = [
        vault.blobs.put(seal_bytes(key, piece, _context(kept, str(number)))) for number, piece in enumerate(plain)
    ]
    shown = None if preview is None else vault.blobs.put(seal_bytes(key, preview, _context(kept, "preview")))
    made = kept.model_copy(update={"pieces": tuple(pieces), "preview": shown})
    with vault.transaction("dataset.file_kept") as change:
        digest = change.put(made, parties(), owner=owner, fields={"dataset": kept.dataset, "version": kept.version})
        change.record("dataset.file_kept", [kept.dataset, digest], {"bytes": kept.size})
        change.settle(digest)
    return made


def find_kept(vault: Vault, dataset: Subject, version: Digest) -> list[KeptFile]:
    """Return the files that are kept of a dataset's version, by name; of a name the newest."""
    found = vault.view.find("dataset-file", {"dataset": dataset, "version": version}, limit=1000)
    newest: dict[str, KeptFile] = {}
    for stored in found:
        file = stored.load(KeptFile)
        newest.setdefault(file.name, file)
    return [newest[name] for name in sorted(newest)]


def open_file(vault: Vault, kept: KeptFile, leave: Leave) -> Iterator[bytes]:
    """Write the opening to the log, then return an iterator over the pieces of a file.

    Raises:
        RefusedError: the leave is for something else, or does not stand; the last while iterating too.
        NotFoundError: blob or key are not here.
        InvalidProofError: while iterating: altered bytes.
    """
    _log_opening(vault, kept, leave, Action.USE, kept.size)
    return _pieces(vault, kept, leave)


def open_for_statistics(vault: Vault, kept: KeptFile, leave: Leave) -> Iterator[bytes]:
    """Return an iterator over the pieces of a file of which figures are to be told; raises as `open_file`."""
    _log_opening(vault, kept, leave, Action.COMPUTE_ON, kept.size)
    return _pieces(vault, kept, leave)


def open_preview(vault: Vault, kept: KeptFile, leave: Leave) -> bytes | None:
    """Write the opening to the log, then return the first rows of a file, None where it has none; raises as above."""
    if kept.preview is None:
        return None
    _log_opening(vault, kept, leave, Action.DISPLAY)
    return _opened(vault, kept, kept.preview, "preview")


def _log_opening(vault: Vault, kept: KeptFile, leave: Leave, action: Action, size: int = 0) -> None:
    """Write the line of an opening; ``size``: bytes of the file that are asked for, 0 where it is not the file."""
    with vault.transaction("vault.dataset_opened") as change:
        _require(change.connection, kept, leave, action)
        require_leave(change.connection, leave, change.now)
        told: dict[str, Fact] = {"action": action.value, "ground": leave.by, "use": leave.use or "", "file": kept.name}
        counted = {name: number for name, number in (("bytes", size), ("rows", kept.rows)) if number and size}
        change.record(FILE, [kept.dataset, kept.digest()], {**told, **counted})


def _pieces(vault: Vault, kept: KeptFile, leave: Leave) -> Iterator[bytes]:
    for number, piece in enumerate(kept.pieces):
        with vault.view.reading() as connection:
            require_leave(connection, leave, vault.view.store.clock())
        yield _opened(vault, kept, piece, str(number))


def _require(connection: Connection, kept: KeptFile, leave: Leave, action: Action) -> None:
    """Return if the use that a leave names is of this dataset, and permits this way out; raises `RefusedError`."""
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
