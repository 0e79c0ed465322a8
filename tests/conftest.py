"""What every room's tests may ask for: a clock that is set, an empty store, a PostgreSQL of our own."""

import gc

from tests.workspace.stores_for_tests import (
    any_url,
    clock,
    empty_store,
    empty_url,
    every_url,
    postgres,
    ready_stores,
    unhurried_disk,
)

__all__ = [
    "any_url",
    "clock",
    "empty_store",
    "empty_url",
    "every_url",
    "postgres",
    "ready_stores",
    "unhurried_disk",
]

ALLOCATIONS = 100_000
"""So many new objects are looked over for garbage at a time: an eighth of a run went into looking over a few."""


def pytest_sessionstart() -> None:
    gc.set_threshold(ALLOCATIONS, 20, 20)


def pytest_collection_finish() -> None:
    """Twelve thousand tests and all their modules stay to the end: nobody looks for garbage among them again."""
    gc.freeze()
