"""A table that somebody has sent stays while they answer the rest: encrypted, theirs alone, erased in due time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.files.uploadedfile import UploadedFile

from pilotbase.documents.hashes import digest_of
from pilotbase.hub.base import base
from pilotbase.hub.forms.private_files import private_folder
from pilotbase.vault.opening import ReaderGrant
from pilotbase.vault.uploads import (
    Upload,
    UploadTerms,
    append_piece,
    erase_upload,
    find_upload,
    finish_upload,
    read_upload,
    start_upload,
)
from pilotbase.worker.intake.boxed_tables import describe_table
from pilotbase.worker.intake.versions import vault_of
from pilotbase.workspace.store import View

_PIECE = 4 << 20
_REMEMBERED_SECONDS = 3600


@dataclass(frozen=True)
class KeptTable:
    """A table that was sent, and what its columns are called."""

    upload: Upload
    columns: tuple[str, ...]
    rows: int


def keep_table(view: View, file: UploadedFile[Any], name: str) -> KeptTable:
    """Keep ``file`` for the organisation of the actor as ``name``, and return it.

    Raises:
        InputError: it is no table, or too large; then nothing is kept.
        RefusedError: the organisation keeps as much as it may.
    """
    upload = keep_file(view, file, name)
    with erased_on_failure(view, upload):
        return _described(view, upload)


@contextmanager
def erased_on_failure(view: View, upload: Upload) -> Iterator[None]:
    """Erase ``upload`` where what is done with it fails: nothing is kept that nobody can use."""
    try:
        yield
    except BaseException:
        erase_upload(vault_of(base(), view), upload.identity)
        raise


def keep_file(view: View, file: UploadedFile[Any], name: str) -> Upload:
    """Keep ``file`` for the organisation of the actor as ``name``, whatever it is; raises as `keep_table`."""
    configuration, vault = settings.CONFIGURATION, vault_of(base(), view)
    lifetime = timedelta(hours=configuration.upload_hours)
    terms = UploadTerms(configuration.upload_bytes, configuration.upload_room_bytes, lifetime)
    hashed = hashlib.sha256()
    for chunk in file.chunks(_PIECE):
        hashed.update(chunk)
    upload = start_upload(vault, name, file.size or 0, digest_of(hashed.hexdigest()), terms)
    with erased_on_failure(view, upload):
        for piece in file.chunks(_PIECE):
            upload = append_piece(vault, upload.identity, upload.received, piece, lifetime)
        return finish_upload(vault, upload.identity)


def find_table(view: View, identity: str) -> KeptTable:
    """Return a table that was kept; raises `NotFoundError`: none such of this organisation, or its time is over."""
    return _described(view, find_upload(vault_of(base(), view), identity))


def forget_file(view: View, upload: Upload) -> None:
    """Erase a file that is no longer needed."""
    erase_upload(vault_of(base(), view), upload.identity)


@contextmanager
def opened_table(view: View, upload: Upload) -> Iterator[Path]:
    """Yield the table as a file in a private folder, gone at the end of the block."""
    with private_folder() as folder:
        path = folder / upload.name
        with path.open("xb") as written:
            grant = ReaderGrant.of_owner(upload.owner)
            written.writelines(read_upload(vault_of(base(), view), upload.identity, grant))
        yield path


def _described(view: View, upload: Upload) -> KeptTable:
    """Return what a box has read of the table: once, for its bytes do not change."""
    key = f"table:{upload.identity}"
    facts = cache.get(key)
    if facts is None:
        with opened_table(view, upload) as path:
            found = describe_table(path)
        facts = (found.columns, found.rows)
        cache.set(key, facts, _REMEMBERED_SECONDS)
    return KeptTable(upload, *facts)
