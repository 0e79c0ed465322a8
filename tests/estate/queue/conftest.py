"""A hall on both databases, or on SQLite alone."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pilotbase.workspace.log.notes import LogKey
from pilotbase.workspace.store import Store

sys.path.insert(0, str(Path(__file__).parent))
from queue_for_tests import Hall

from tests.workspace.stores_for_tests import Clock


@pytest.fixture
def hall(any_url: str, clock: Clock) -> Iterator[Hall]:
    """On both databases."""
    store = Store.open(any_url, LogKey(Ed25519PrivateKey.generate()), clock)
    yield Hall(store)
    store.close()


@pytest.fixture
def here(empty_url: str, clock: Clock) -> Iterator[Hall]:
    """On SQLite alone."""
    store = Store.open(empty_url, LogKey(Ed25519PrivateKey.generate()), clock)
    yield Hall(store)
    store.close()
