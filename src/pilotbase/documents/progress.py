"""Progress of long work, as plain values that a terminal or a page can show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pilotbase.documents.texts import Text


@dataclass(frozen=True)
class Progress:
    """One step of long work: what is being done, and its progress (``total`` 0: unknown)."""

    stage: Text
    done: int = 0
    total: int = 0
    stays: bool = False
    """Whether it is a separate line that stays, not a stage of the work."""


OnProgress = Callable[[Progress], None]


def ignore_progress(_: Progress) -> None:
    """Take a progress report and drop it."""
