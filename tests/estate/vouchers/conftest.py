"""A base with a programme, a price list and a clock that is set, on SQLite and on PostgreSQL."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pilotbase.workspace.log.notes import LogKey
from pilotbase.workspace.store import Store

sys.path.insert(0, str(Path(__file__).parent))
from vouchers_for_tests import Books

from tests.workspace.stores_for_tests import Clock


@pytest.fixture
def log_key() -> LogKey:
    return LogKey(Ed25519PrivateKey.generate())


@pytest.fixture
def log_key_file(tmp_path: Path, log_key: LogKey) -> Path:
    """The store's log key on disk, for processes that the test starts."""
    path = tmp_path / "log.pem"
    path.write_bytes(log_key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


@pytest.fixture
def books(any_url: str, log_key: LogKey, clock: Clock) -> Iterator[Books]:
    """On both databases."""
    opened = Store.open(any_url, log_key, clock)
    yield Books(opened, clock)
    opened.close()


@pytest.fixture
def here(empty_url: str, log_key: LogKey, clock: Clock) -> Iterator[Books]:
    """On SQLite alone, for what does not depend on the database."""
    opened = Store.open(empty_url, log_key, clock)
    yield Books(opened, clock)
    opened.close()
