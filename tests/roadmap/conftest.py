"""Stores and trials as for records."""

from tests.catalogue.conftest import any_store, any_trial, store, trial

__all__ = ["any_store", "any_trial", "store", "trial"]
