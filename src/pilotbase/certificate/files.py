"""Public files, written whole or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from pilotbase.documents.errors import PilotbaseError


def write_public(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` (mode 0644 under the umask); a reader sees the old or the new bytes.

    Raises:
        PilotbaseError: the machine could not (disk full, folder missing or not writable).
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with draft.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
    except OSError as error:
        raise PilotbaseError("certificate.cannot_write", path=path, reason=error.strerror) from error
    finally:
        draft.unlink(missing_ok=True)
