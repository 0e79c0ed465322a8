"""Bases with services for the tests: on SQLite, and where SQL of our own is concerned on PostgreSQL too."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pilotbase.workspace.log.notes import LogKey
from pilotbase.workspace.store import Store
from tests.service.services_for_tests import Served
from tests.workspace.stores_for_tests import Clock


@pytest.fixture
def key(tmp_path: Path) -> LogKey:
    made = LogKey(Ed25519PrivateKey.generate())
    pem = made.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "log.pem").write_bytes(pem)
    return made


@pytest.fixture
def any_served(any_url: str, tmp_path: Path, key: LogKey, clock: Clock) -> Iterator[Served]:
    """A base on each database."""
    store = Store.open(any_url, key, clock)
    yield Served(store, tmp_path)
    store.close()


@pytest.fixture
def served(empty_url: str, tmp_path: Path, key: LogKey, clock: Clock) -> Iterator[Served]:
    """A base on SQLite, for rules that do not depend on the database."""
    store = Store.open(empty_url, key, clock)
    yield Served(store, tmp_path)
    store.close()
