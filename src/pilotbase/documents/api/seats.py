"""Seats over the API: room in a shared pool that work of the base waits for, or has."""

from __future__ import annotations

from datetime import datetime

from pilotbase.documents.api.shapes import ResponseModel


class WaitTold(ResponseModel):
    """Why a job waits."""

    reason: str
    blocker: str
    """One's own job, an organisation, or how much is lacking of what."""
    place: int
    """In the line of its organisation; 1 is the first, 0: it stands in no line while nobody asks for it."""
    starts: datetime | None
    """When it starts about; null: nobody can say."""


class SeatTold(ResponseModel):
    """A seat in a shared pool that work of the base waits for, or has."""

    pool: str
    state: str
    wait: WaitTold | None
    """Null while it waits: it is let in at the next turn."""
