"""Stores for the tests: every test of the store runs on SQLite and on PostgreSQL."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pilotbase.workspace.log.notes import LogKey
from pilotbase.workspace.store import Store

sys.path.insert(0, str(Path(__file__).parent))
from stores_for_tests import Clock


@pytest.fixture
def key() -> LogKey:
    return LogKey(Ed25519PrivateKey.generate())


@pytest.fixture
def log_key_file(tmp_path: Path, key: LogKey) -> Path:
    """The store's log key on disk, for processes that the test starts."""
    path = tmp_path / "log.pem"
    path.write_bytes(key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


@pytest.fixture
def store(every_url: str, key: LogKey, clock: Clock) -> Iterator[Store]:
    opened = Store.open(every_url, key, clock)
    yield opened
    opened.close()
