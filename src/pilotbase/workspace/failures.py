"""What a store answers when a condition of a write does not hold."""

from __future__ import annotations

from pilotbase.documents.errors import InputError, PilotbaseError


class NotFoundError(InputError):
    """No such document or name, or none that the actor may see: the two cannot be told apart."""


class ConflictError(PilotbaseError):
    """Somebody else wrote first: a head has moved, a document or a posting is already there. Read again and decide."""


class StaleLeaseError(PilotbaseError):
    """The lease has passed to another holder (or was released): nothing was written."""


class BusyError(PilotbaseError):
    """The database stayed locked for longer than the busy timeout; nothing was written."""


class UnreachableError(PilotbaseError):
    """The database cannot be reached now (not started, starting, cut off). Whether the last write stands is open."""


class DiskFullError(PilotbaseError):
    """No space is left; nothing was left half-written."""
