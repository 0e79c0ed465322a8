"""Stores for the tests: every test of the store runs on SQLite and on PostgreSQL."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pilotbase.workspace.notes import LogKey
from pilotbase.workspace.store import Store

sys.path.insert(0, str(Path(__file__).parent))
from stores_for_tests import Clock, fresh_url, postgres

__all__ = ["postgres"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return fresh_url(request, tmp_path)


@pytest.fixture
def key() -> LogKey:
    return LogKey(Ed25519PrivateKey.generate())


@pytest.fixture
def store(store_url: str, key: LogKey, clock: Clock) -> Iterator[Store]:
    opened = Store.open(store_url, key, clock)
    yield opened
    opened.close()
