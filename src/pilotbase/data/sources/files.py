"""A file as a resource of a dataset: its name, media type, size and digest; and whether it can be read at all."""

from __future__ import annotations

from pathlib import Path

from pilotbase.data.sources.faults import refuse
from pilotbase.documents.dataset import FileObject
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import digest_file, hex_of
from pilotbase.documents.texts import text


def require_file(path: Path) -> None:
    """Raise `InputError` unless ``path`` is a readable file that holds something."""
    try:
        if path.stat().st_size == 0:
            raise refuse(path.name, text("source.empty_file"))
        with path.open("rb") as stream:
            stream.read(1)
    except FileNotFoundError:
        raise InputError("data.no_file", file=str(path)) from None
    except OSError as error:
        raise InputError("data.unreadable_file", file=path.name, reason=error.strerror or str(error)) from None


def file_object(path: Path, media_type: str, quick: bool = False) -> FileObject:
    """Return the file ``path`` as a resource that is called as it is; ``quick``: without its hash."""
    return FileObject(
        id=path.name,
        content_url=path.name,
        encoding_format=(media_type,),
        content_size=path.stat().st_size,
        sha256=None if quick else hex_of(digest_file(path)),
    )
