"""Countermeasures: a service is moved once for a cause, and how long that took is said."""

from __future__ import annotations

from datetime import datetime

from pilotbase.documents.hashes import Digest
from pilotbase.documents.service import ServiceStatus
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Countermeasure
from pilotbase.service.registry import load_service
from pilotbase.service.standing import ask_human, fall_back, standing_of, take_offline
from pilotbase.workspace.store import View

_TOLD = 0.1
"""Seconds below which no number is told: a clock of tenths would say 0.0."""


def move_service(
    view: View, measure: Countermeasure, where: tuple[str, int | None], why: tuple[Text, Digest]
) -> ServiceStatus:
    """Move a service and return where it stands: once for a cause, and off one route once for all causes.

    Where a person is to answer and the service declares no desk, nobody does: it is stopped.

    ``where``: its name, and the route to be left; None: it was left before, and there is nothing to fall back from.
    """
    name, route = where
    if measure is Countermeasure.ASK_HUMAN and load_service(view, name).terms.ask_human:
        return ask_human(view, name, *why)
    if measure in (Countermeasure.ASK_HUMAN, Countermeasure.TAKE_OFFLINE):
        return take_offline(view, name, *why)
    return standing_of(view, name) if route is None else fall_back(view, name, *why, off=route)


def timed(state: Text, raised: datetime, done: datetime, allowed: int) -> Text:
    """Return what was reached, how long after the warning, and whether that is longer than allowed."""
    seconds = max(0.0, (done - raised).total_seconds())
    code = "reaction.measure_done" if seconds <= allowed else "reaction.measure_late"
    spoken = f"{seconds:.1f}" if seconds >= _TOLD else text("reaction.at_once")
    return text(code, state=state, seconds=spoken, allowed=allowed)
