"""Seats in shared pools, as those may know them who see what they are for."""

from __future__ import annotations

from datetime import UTC, datetime

from pilotbase.workspace.store import View
from pilotbase_estate.documents.api.pools import SeatTold, WaitTold
from pilotbase_estate.queue.showing import JobView, seats_of
from pilotbase_estate.sharing.explaining import JobWait


def seats_told(view: View, thing: str) -> list[SeatTold]:
    """Return the seats that work on a thing waits for or has; none for whom it is not to be seen."""
    return [seat_told(one) for one in seats_of(view, thing)]


def seat_told(one: JobView) -> SeatTold:
    """Return a seat as those may know it who see what it is for."""
    wait = wait_told(one.wait) if one.wait is not None else None
    return SeatTold(pool=one.job.asked.pool, state=one.job.state.value, wait=wait)


def wait_told(wait: JobWait) -> WaitTold:
    """Return why work waits, for whom, and when it is expected to start."""
    starts = datetime.fromtimestamp(wait.starts, UTC) if wait.starts is not None else None
    return WaitTold(reason=wait.reason.value, blocker=wait.blocker, place=wait.position, starts=starts)
