"""Stores for the tests of the watch: on SQLite, and on both databases where SQL of our own is concerned."""

from tests.catalogue.conftest import any_store, clock, postgres, store

__all__ = ["any_store", "clock", "postgres", "store"]
