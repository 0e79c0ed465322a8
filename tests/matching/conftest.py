"""Stores for matching: SQLite and PostgreSQL."""

from tests.catalogue.conftest import any_store, clock, postgres, store

__all__ = ["any_store", "clock", "postgres", "store"]
