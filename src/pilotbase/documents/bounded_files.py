"""Files of whomever: read up to a size that the reader names, and refused in words beyond it."""

from __future__ import annotations

from pathlib import Path

from pilotbase.documents.errors import InputError


def read_bounded(path: Path, limit: int, shown_as: str | None = None) -> bytes:
    """Return the bytes of ``path``, at most ``limit`` of them; ``shown_as`` is its name in errors.

    Raises:
        InputError: there is no such file, it cannot be read, or it is larger.
    """
    file = shown_as or path
    try:
        with path.open("rb") as stream:
            data = stream.read(limit + 1)
    except FileNotFoundError:
        raise InputError("input.no_file", file=file) from None
    except OSError as error:
        raise InputError("input.unreadable_file", file=file, reason=error.strerror or str(error)) from None
    if len(data) > limit:
        raise InputError("input.file_too_large", file=file, limit=limit)
    return data
