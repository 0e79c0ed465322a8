"""Stores for matching: SQLite and PostgreSQL."""

from tests.catalogue.conftest import any_store, store

__all__ = ["any_store", "store"]
