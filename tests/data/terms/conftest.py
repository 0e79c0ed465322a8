"""A base with a dataset and an agreement on it, on both databases."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pilotbase.workspace.log.notes import LogKey
from pilotbase.workspace.store import Store

sys.path.insert(0, str(Path(__file__).parents[2] / "workspace"))
sys.path.insert(0, str(Path(__file__).parent))
from stores_for_tests import Clock, fresh_url, postgres
from terms_for_tests import Terms

__all__ = ["postgres"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return fresh_url(request, tmp_path)


@pytest.fixture
def store(url: str, clock: Clock) -> Iterator[Store]:
    opened = Store.open(url, LogKey(Ed25519PrivateKey.generate()), clock)
    yield opened
    opened.close()


@pytest.fixture
def terms(store: Store) -> Terms:
    return Terms(store)
