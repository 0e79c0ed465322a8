"""Seats over the API: capacity in a shared pool that work of the base waits for or holds."""

from __future__ import annotations

from datetime import datetime

from pilotbase.documents.api.shapes import ResponseModel


class WaitTold(ResponseModel):
    """Why a job waits."""

    reason: str
    blocker: str
    """A job of the same organisation, an organisation, or what is lacking and how much."""
    place: int
    """Place in its organisation's queue, from 1; 0: it isn't queued while nobody asks for it."""
    starts: datetime | None
    """When it is expected to start; null: unknown."""


class SeatTold(ResponseModel):
    """A seat in a shared pool that work of the base waits for or holds."""

    pool: str
    state: str
    wait: WaitTold | None
    """If null while the job waits, it is admitted at the next turn."""
