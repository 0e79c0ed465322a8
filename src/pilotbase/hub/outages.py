"""Troubles of the machine under the hub: database or blobs are away, the disk is full; told without our addresses."""

from __future__ import annotations

import errno

from django.db import DatabaseError, InterfaceError, OperationalError

from pilotbase.documents.errors import PilotbaseError
from pilotbase.workspace.engine import SQLITE_FULL
from pilotbase.workspace.failures import DiskFullError, UnreachableError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_POSTGRES_FULL = "53100"


def outage(error: BaseException | None) -> PilotbaseError | None:
    """Return what to tell whoever asked, where ``error`` is a trouble of the machine that passes; else None."""
    if isinstance(error, DiskFullError) or _is_full_disk(error):
        return DiskFullError("hub.disk_full")
    if isinstance(error, UnreachableError) and error.code == "blobs.unreachable":
        return UnreachableError("hub.blobs_away")
    if isinstance(error, UnreachableError | OperationalError | InterfaceError):
        return UnreachableError("hub.database_away")
    return None


def _is_full_disk(error: BaseException | None) -> bool:
    if isinstance(error, OSError):
        return error.errno in _FULL
    if not isinstance(error, DatabaseError):
        return False
    cause = error.__cause__
    name = str(getattr(cause, "sqlite_errorname", ""))
    return name.startswith(SQLITE_FULL) or getattr(cause, "sqlstate", None) == _POSTGRES_FULL
