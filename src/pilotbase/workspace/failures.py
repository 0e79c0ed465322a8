"""Errors of a store when a condition of a write does not hold."""

from __future__ import annotations

from pilotbase.documents.errors import InputError, PilotbaseError


class NotFoundError(InputError):
    """No such document or name, or none that the actor may see: the two are indistinguishable."""


class ConflictError(PilotbaseError):
    """Somebody else wrote first: a head has moved, or a document or posting already exists. Read again and decide."""


class StaleLeaseError(PilotbaseError):
    """The lease has passed to another holder (or was released): nothing was written."""


class BusyError(PilotbaseError):
    """The database stayed locked for longer than the busy timeout; nothing was written."""


class UnreachableError(PilotbaseError):
    """The database cannot be reached now (not started, starting, cut off). The last write may have succeeded or not."""


class DiskFullError(PilotbaseError):
    """No space is left; nothing was left half-written."""
