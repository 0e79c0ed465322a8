"""What every room's tests may ask for: a clock that is set, an empty store, a PostgreSQL of our own."""

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

__all__ = ["any_url", "clock", "empty_store", "empty_url", "every_url", "postgres", "ready_stores", "unhurried_disk"]
