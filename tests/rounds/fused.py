"""A ``pilotbase`` command that ends itself by SIGKILL just before and just after what it writes, once at each place.

    python -m tests.rounds.fused BURNT PLACES gateway --port 8001

PLACES are actions of the log, such as ``reaction.incident``, and the two entries of a gateway's journal, with commas
between them. Where it has ended stands in the file BURNT, so that the next one goes on to the next place.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pilotbase.service.journal import Journal
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction


def places_of(actions: tuple[str, ...]) -> set[str]:
    """Return every place at which a process with these actions ends itself."""
    return {f"{side} {action}" for action in actions for side in ("before", "after")}


def main() -> None:
    burnt, actions, *command = sys.argv[1:]
    if actions:
        _light(Path(burnt), places_of(tuple(actions.split(","))))
    sys.argv = ["pilotbase", *command]
    from pilotbase.cli import main as run

    run()


def _light(burnt: Path, places: set[str]) -> None:
    left = places - set(burnt.read_text().splitlines() if burnt.exists() else ())

    def burn(place: str) -> None:
        if place in left:
            with burnt.open("a") as file:
                file.write(f"{place}\n")
            os.kill(os.getpid(), signal.SIGKILL)

    _around_transactions(burn)
    for entry in ("reserve", "settle"):
        _around_entries(entry, burn)


def _around_transactions(burn: Callable[[str], None]) -> None:
    real = View.transaction

    @contextmanager
    def transaction(view: View, action: str) -> Iterator[Transaction]:
        with real(view, action) as change:
            yield change
            place = _named(action, change)
            burn(f"before {place}")
        burn(f"after {place}")

    View.transaction = transaction  # type: ignore[method-assign]


def _named(action: str, change: Transaction) -> str:
    """Return the action where it does something: rounds that find nothing new are no step of the walk."""
    raised = any(subject.startswith("warning:") for subject in change.subjects)
    entered = bool(change.subjects or change.records) or action.startswith("reaction.")  # which keep rows of their own
    return action if (raised if action == "watch.warned" else entered) else ""


def _around_entries(entry: str, burn: Callable[[str], None]) -> None:
    real = getattr(Journal, entry)

    def write(*arguments: Any) -> None:
        burn(f"before journal.{entry}")
        real(*arguments)
        burn(f"after journal.{entry}")

    setattr(Journal, entry, write)


if __name__ == "__main__":
    main()
