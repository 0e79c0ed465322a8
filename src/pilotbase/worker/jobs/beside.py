"""What plug-ins do beside the queue of a worker: each has rounds of its own, in their module of this name."""

from __future__ import annotations

from contextlib import AbstractContextManager
from importlib import import_module
from typing import Protocol

from pilotbase.documents.plugins import packages
from pilotbase.worker.base import Base
from pilotbase.workspace.store import View


class Beside(Protocol):
    """The rounds of one plug-in beside one worker."""

    def running(self) -> AbstractContextManager[None]:
        """Go round after round, in threads, until the end of the block."""
        ...

    def round(self) -> bool:
        """Go one round and return whether anything was done."""
        ...


def besides(base: Base, name: str) -> list[Beside]:
    """Return the rounds of every plug-in beside the worker called ``name``."""
    return [import_module(one).beside(base, name) for one in packages("worker.jobs.beside")[1:]]


def require_engine_of_jobs(view: View, engine: str) -> None:
    """Return if a worker that opens boxes on ``engine`` can do what waits; raises `RefusedError`."""
    for one in packages("worker.jobs.beside")[1:]:
        import_module(one).require_engine_of_jobs(view, engine)
