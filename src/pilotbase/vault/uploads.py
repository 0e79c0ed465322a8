"""Uploads of organisations, piece by piece: encrypted under their key from the first byte, erased in due time.

The row of a piece is written before its bytes, and counts only once they are written. So a process may be killed at any
moment: acknowledged pieces remain, and every remaining blob has a row.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, insert, select, update

from pilotbase.documents.errors import BarredError, InputError
from pilotbase.documents.hashes import Digest, digest_bytes, digest_of
from pilotbase.vault.ciphers import open_bytes, seal_bytes
from pilotbase.vault.opening import FOR_OWNER, ReaderGrant, require_leave_of
from pilotbase.vault.place import UploadTerms, Vault
from pilotbase.workspace import tables
from pilotbase.workspace.failures import ConflictError, NotFoundError
from pilotbase.workspace.log.entries import UPLOAD

_uploads, _chunks = tables.uploads.c, tables.upload_chunks.c
MAXIMUM_OPEN = 100
"""Uploads that an organisation may have at a time."""


@dataclass(frozen=True)
class Upload:
    """One upload; ``digest`` is of the whole plain content."""

    identity: str
    owner: str
    name: str
    size: int
    digest: Digest
    received: int
    finished: bool
    expires_at: datetime


class OffsetError(ConflictError):
    """A piece does not begin where the upload ends; ``offset`` is where it ends."""

    def __init__(self, found: int, offset: int) -> None:
        super().__init__("vault.upload_offset", found=found, offset=offset)
        self.offset = offset


def start_upload(vault: Vault, name: str, size: int, digest: Digest, terms: UploadTerms) -> Upload:
    """Return a new, empty upload of the actor's organisation; erases expired ones first.

    The same request again finds the upload that it began.

    Raises:
        InputError: it would be larger than one upload may be.
        RefusedError: the organisation has no room for it, or too many uploads.
    """
    owner = _owner(vault)
    if not 1 <= size <= terms.most_bytes:
        raise InputError("vault.upload_too_large", size=size, allowed=terms.most_bytes)
    known = vault.view.outcome()
    if known is not None:
        return find_upload(vault, known)
    erase_expired(vault)
    identity = secrets.token_hex(16)
    with vault.view.transaction("upload.started") as change:
        _require_room(change.connection, owner, size, terms)
        row = {
            "identity": identity,
            "owner": owner,
            "person": vault.view.actor.person or "",
            "name": name,
            "size": size,
            "digest": digest,
            "received": 0,
            "finished": False,
            "created_at": change.now,
            "expires_at": change.now + terms.lifetime,
        }
        change.connection.execute(insert(tables.uploads).values(row))
        change.record("upload.started", [_subject(identity)], {"bytes": size})
        change.settle(identity)
    return find_upload(vault, identity)


def find_upload(vault: Vault, identity: str) -> Upload:
    """Return an upload of the actor's own organisation; raises `NotFoundError`: none such, others', erased, expired."""
    with vault.view.reading() as connection:
        return _find(connection, vault, identity)


def list_uploads(vault: Vault) -> list[Upload]:
    """Return the uploads of the actor's organisation that are still there, newest first."""
    own = (_uploads.owner == _owner(vault), _uploads.expires_at > vault.view.store.clock())
    with vault.view.reading() as connection:
        rows = connection.execute(select(tables.uploads).where(*own).order_by(_uploads.created_at.desc()))
        return [_upload(row) for row in rows]


def append_piece(vault: Vault, identity: str, start: int, plain: bytes, lifetime: timedelta) -> Upload:
    """Add bytes at ``start``, which must be where the upload ends, and return it; by then they are on disk.

    Raises:
        NotFoundError: as `find_upload`.
        OffsetError: it ends elsewhere: a piece arrived twice, or in two ways at once.
        InputError: more bytes than were announced, or none.
    """
    owner = _owner(vault)
    sealed = seal_bytes(vault.keys.create_owner_key(owner), plain, _context(owner, identity, start))
    blob = digest_bytes(sealed)
    replaced = _announce(vault, identity, start, (len(plain), blob))
    if replaced is not None:
        vault.blobs.remove(replaced)
    vault.blobs.put(sealed)
    with vault.view.transaction("upload.received") as change:
        mine = (_chunks.upload == identity, _chunks.start == start, _chunks.blob == blob)
        if change.connection.execute(select(_chunks.blob).where(*mine)).one_or_none() is None:
            with suppress(NotFoundError):  # erased meanwhile
                raise OffsetError(start, _find(change.connection, vault, identity).received)
            vault.blobs.remove(blob)
            raise NotFoundError("vault.no_upload")
        ends = {"received": start + len(plain), "expires_at": change.now + lifetime}
        change.connection.execute(update(tables.uploads).where(_uploads.identity == identity).values(ends))
    return find_upload(vault, identity)


def finish_upload(vault: Vault, identity: str) -> Upload:
    """Return the upload once it is complete and matches its announcement; finishing again changes nothing.

    Raises:
        NotFoundError: as `find_upload`.
        InputError: bytes are missing, or they have another digest (then it is erased, as the wrong piece is unknown).
    """
    upload = find_upload(vault, identity)
    if upload.finished:
        return upload
    if upload.received != upload.size:
        raise InputError("vault.upload_incomplete", received=upload.received, size=upload.size)
    hashed = hashlib.sha256()
    for piece in _pieces(vault, upload):
        hashed.update(piece)
    found = digest_of(hashed.hexdigest())
    if found != upload.digest:
        erase_upload(vault, identity)
        raise InputError("vault.upload_digest", found=found, announced=upload.digest)
    with vault.view.transaction("upload.finished") as change:
        change.connection.execute(update(tables.uploads).where(_uploads.identity == identity).values(finished=True))
        change.record("upload.finished", [_subject(identity)], {"bytes": upload.size})
    return find_upload(vault, identity)


def read_upload(vault: Vault, identity: str, grant: ReaderGrant) -> Iterator[bytes]:
    """Write the opening to the log, then return an iterator over the plain bytes of a finished upload.

    Raises:
        NotFoundError: as `find_upload`; while iterating: a piece is not here.
        RefusedError: the leave is not of its owner's own work.
        InputError: it is not finished.
    """
    upload = find_upload(vault, identity)
    if not upload.finished:
        raise InputError("vault.upload_incomplete", received=upload.received, size=upload.size)
    require_leave_of(upload.owner, grant.leave, grant.purpose in FOR_OWNER)
    with vault.view.transaction("vault.upload_opened") as change:
        change.record(UPLOAD, [_subject(identity)], {**grant.facts, "bytes": upload.size})
    return _pieces(vault, upload)


def erase_upload(vault: Vault, identity: str) -> None:
    """Erase an upload of the actor's organisation, bytes first; raises as `find_upload`."""
    _erase(vault, find_upload(vault, identity).identity)


def erase_expired(vault: Vault) -> int:
    """Erase the expired uploads of all organisations, and return how many."""
    with vault.view.reading() as connection:
        over = select(_uploads.identity).where(_uploads.expires_at <= vault.view.store.clock()).limit(MAXIMUM_OPEN)
        expired = list(connection.scalars(over))
    for identity in expired:
        _erase(vault, identity)
    return len(expired)


def _announce(vault: Vault, identity: str, start: int, piece: tuple[int, Digest]) -> Digest | None:
    """Record which blob is coming; return one announced there before and never acknowledged."""
    size, blob = piece
    with vault.view.transaction("upload.announced") as change:
        upload = _find(change.connection, vault, identity)
        if upload.received != start:
            raise OffsetError(start, upload.received)
        if not 1 <= size <= upload.size - start:
            raise InputError("vault.upload_overrun", found=start + size, size=upload.size)
        here = (_chunks.upload == identity, _chunks.start == start)
        replaced = change.connection.scalar(select(_chunks.blob).where(*here))
        change.connection.execute(delete(tables.upload_chunks).where(*here))
        row = {"upload": identity, "start": start, "size": size, "blob": blob}
        change.connection.execute(insert(tables.upload_chunks).values(row))
    return replaced


def _pieces(vault: Vault, upload: Upload) -> Iterator[bytes]:
    key = vault.keys.owner_key(upload.owner)
    whole = (_chunks.upload == upload.identity, _chunks.start < upload.received)
    with vault.view.reading() as connection:
        rows = connection.execute(select(tables.upload_chunks).where(*whole).order_by(_chunks.start)).all()
    for row in rows:
        context = _context(upload.owner, upload.identity, row.start)
        plain = open_bytes(key, vault.blobs.get(row.blob), context)
        if plain is None:
            raise InputError("vault.upload_damaged", start=row.start)
        yield plain


def _erase(vault: Vault, identity: str) -> None:
    removed: set[Digest] = set()
    while True:  # a piece may come meanwhile
        with vault.view.transaction("upload.erased") as change:
            blobs = set(change.connection.scalars(select(_chunks.blob).where(_chunks.upload == identity)))
            if blobs <= removed:
                change.connection.execute(delete(tables.upload_chunks).where(_chunks.upload == identity))
                if change.connection.execute(delete(tables.uploads).where(_uploads.identity == identity)).rowcount:
                    change.record("upload.erased", [_subject(identity)])
                return
        for blob in blobs - removed:
            vault.blobs.remove(blob)
        removed |= blobs


def _find(connection: Connection, vault: Vault, identity: str) -> Upload:
    here = (_uploads.identity == identity, _uploads.owner == _owner(vault))
    row = connection.execute(select(tables.uploads).where(*here)).one_or_none()
    if row is None or row.expires_at <= vault.view.store.clock():
        raise NotFoundError("vault.no_upload")
    return _upload(row)


def _require_room(connection: Connection, owner: str, size: int, terms: UploadTerms) -> None:
    held = select(func.count(), func.coalesce(func.sum(_uploads.size), 0)).where(_uploads.owner == owner)
    count, total = connection.execute(held).one()
    if count >= MAXIMUM_OPEN:
        raise BarredError("vault.upload_many", allowed=MAXIMUM_OPEN)
    if total + size > terms.most_bytes_of_owner:
        raise BarredError("vault.upload_quota", held=total, size=size, allowed=terms.most_bytes_of_owner)


def _owner(vault: Vault) -> str:
    """Return the actor's organisation; raises `NotFoundError` if they belong to none."""
    if not vault.view.actor.organisation:
        raise NotFoundError("vault.no_upload")
    return vault.view.actor.organisation


def _upload(row: object) -> Upload:
    return Upload(**{name: getattr(row, name) for name in Upload.__dataclass_fields__})


def _context(owner: str, identity: str, start: int) -> list[str]:
    return ["upload", owner, identity, str(start)]


def _subject(identity: str) -> str:
    return f"upload:{identity}"
