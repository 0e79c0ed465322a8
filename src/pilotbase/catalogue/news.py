"""What happened to records since a position of the change feed: from this, notices are made."""

from __future__ import annotations

from dataclasses import dataclass

from pilotbase.documents.record import Record, StepTaken
from pilotbase.documents.subjects import record_head
from pilotbase.documents.thread import Thread
from pilotbase.workspace.store import View


@dataclass(frozen=True)
class News:
    """One step that was taken; pass ``sequence`` of the last one handled to read on."""

    sequence: int
    record: Record
    """As it stood after the step, with what it waited for."""

    @property
    def step(self) -> StepTaken:
        return self.record.history[-1]


def news(view: View, since: int = 0, limit: int = 1000) -> tuple[list[News], int]:
    """Return the steps after position ``since`` that ``view`` sees, oldest first, and where to read on.

    ``limit`` counts changes of the store, most of which are no steps.
    """
    changes = view.changes(since, limit)
    found = []
    for change in changes:
        if change.event == "moved" and change.kind == "record":
            record = view.load(change.digest, Record)
            if change.head == record_head(record.subject):
                found.append(News(change.sequence, record))
    return found, changes[-1].sequence if changes else since


@dataclass(frozen=True)
class Talk:
    """One step of a thread."""

    sequence: int
    thread: Thread
    """As it stood after the step."""
    owner: str
    """The organisation that owns its subject."""


def talks(view: View, since: int = 0, limit: int = 1000) -> list[Talk]:
    """Return the steps of threads among the ``limit`` changes after position ``since`` that ``view`` sees."""
    return [
        Talk(change.sequence, view.load(change.digest, Thread), change.owner)
        for change in view.changes(since, limit)
        if change.event == "moved" and change.kind == "thread"
    ]
