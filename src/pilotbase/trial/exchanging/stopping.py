"""An order to stop, given by another thread while the application is being asked, as a person gives it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from pilotbase.compute.box.ends import BoxEnded
from pilotbase.compute.engines import Worker
from pilotbase.documents.exchanges import Stopped
from pilotbase.protocols.frames import FeatureBatch

PATIENCE_SECONDS = 0.5
"""So long the order waits for a first answer: an application that never gives one must end, too."""
_DIGITS = 4
Clock = Callable[[], float]


def stop_while_asked(
    worker: Worker, batch: FeatureBatch, within: float, now: Clock = time.monotonic, patience: float = PATIENCE_SECONDS
) -> Stopped | None:
    """Return how soon ``worker`` had ended after the order, and whether it still answered; ``batch`` is asked over and
    over. One that goes on for longer than ``within`` seconds did not stop; of one that ended by itself before the order
    nothing can be said.
    """
    answered = threading.Event()
    ordered: list[float] = []

    def order() -> None:
        answered.wait(patience)
        ordered.append(now())
        worker.cancel()

    person = threading.Thread(target=order, name="pilotbase-stop", daemon=True)
    person.start()
    answers = 0
    try:
        while not ordered or now() - ordered[0] <= within:
            worker.predict(batch)
            answers += bool(ordered)
            answered.set()
        return Stopped(answers=answers)
    except BoxEnded:
        ended, by_order = now(), bool(ordered)
        answered.set()
        person.join(within + patience)
    if not by_order:
        return None
    seconds = round(max(0.0, ended - ordered[0]), _DIGITS)
    return Stopped(seconds=seconds, answers=answers) if _is_silent(worker, batch) else Stopped(answers=answers + 1)


def _is_silent(worker: Worker, batch: FeatureBatch) -> bool:
    """Tell whether nothing answers any more."""
    try:
        worker.predict(batch)
    except BoxEnded:
        return True
    return False
