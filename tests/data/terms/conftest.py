"""A base with a dataset and an agreement on it, on both databases."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pilotbase.workspace.log.notes import LogKey
from pilotbase.workspace.store import Store

sys.path.insert(0, str(Path(__file__).parent))
from terms_for_tests import Terms

from tests.workspace.stores_for_tests import Clock


@pytest.fixture
def store(any_url: str, clock: Clock) -> Iterator[Store]:
    opened = Store.open(any_url, LogKey(Ed25519PrivateKey.generate()), clock)
    yield opened
    opened.close()


@pytest.fixture
def terms(store: Store) -> Terms:
    return Terms(store)
