"""Stores and trials for the tests of records: on SQLite and on PostgreSQL."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pilotbase.workspace.log.notes import LogKey
from pilotbase.workspace.store import Store

sys.path.insert(0, str(Path(__file__).parents[1] / "workspace"))
from stores_for_tests import Clock, fresh_url, postgres

from tests.catalogue.records_for_tests import Trial

__all__ = ["postgres"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Store]:
    """A store on each database."""
    opened = Store.open(fresh_url(request, tmp_path), LogKey(Ed25519PrivateKey.generate()), clock)
    yield opened
    opened.close()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    """A store on SQLite, for rules that do not depend on the database."""

    class Request:
        param = "sqlite"

    opened = Store.open(fresh_url(Request(), tmp_path), LogKey(Ed25519PrivateKey.generate()), clock)
    yield opened
    opened.close()


@pytest.fixture
def trial(store: Store) -> Trial:
    return Trial(store)


@pytest.fixture
def any_trial(any_store: Store) -> Trial:
    return Trial(any_store)
