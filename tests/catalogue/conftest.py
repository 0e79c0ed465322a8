"""Stores and trials for the tests of records: on SQLite and on PostgreSQL."""

from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pilotbase.workspace.log.notes import LogKey
from pilotbase.workspace.store import Store
from tests.catalogue.records_for_tests import Trial
from tests.workspace.stores_for_tests import Clock


@pytest.fixture
def any_store(any_url: str, clock: Clock) -> Iterator[Store]:
    """A store on each database."""
    opened = Store.open(any_url, LogKey(Ed25519PrivateKey.generate()), clock)
    yield opened
    opened.close()


@pytest.fixture
def store(empty_url: str, clock: Clock) -> Iterator[Store]:
    """A store on SQLite, for rules that do not depend on the database."""
    opened = Store.open(empty_url, LogKey(Ed25519PrivateKey.generate()), clock)
    yield opened
    opened.close()


@pytest.fixture
def trial(store: Store) -> Trial:
    return Trial(store)


@pytest.fixture
def any_trial(any_store: Store) -> Trial:
    return Trial(any_store)
