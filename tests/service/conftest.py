"""Bases with services for the tests: on SQLite, and where SQL of our own is concerned on PostgreSQL too."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pilotbase.workspace.log.notes import LogKey
from pilotbase.workspace.store import Store

sys.path.insert(0, str(Path(__file__).parents[1] / "workspace"))
from stores_for_tests import Clock, fresh_url, postgres

from tests.service.services_for_tests import Served

__all__ = ["postgres"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def key(tmp_path: Path) -> LogKey:
    made = LogKey(Ed25519PrivateKey.generate())
    pem = made.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "log.pem").write_bytes(pem)
    return made


@pytest.fixture(params=["sqlite", "postgresql"])
def any_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return fresh_url(request, tmp_path)


@pytest.fixture
def any_served(any_url: str, tmp_path: Path, key: LogKey, clock: Clock) -> Iterator[Served]:
    """A base on each database."""
    store = Store.open(any_url, key, clock)
    yield Served(store, tmp_path)
    store.close()


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty store on SQLite, to be copied: migrating one for each test would take most of the time."""

    class Request:
        param = "sqlite"

    folder = tmp_path_factory.mktemp("store")
    fresh_url(Request(), folder)
    return folder / "pilotbase.db"


@pytest.fixture
def served(empty_store: Path, tmp_path: Path, key: LogKey, clock: Clock) -> Iterator[Served]:
    """A base on SQLite, for rules that do not depend on the database."""
    path = Path(shutil.copy(empty_store, tmp_path))
    store = Store.open(f"sqlite:///{path}", key, clock)
    yield Served(store, tmp_path)
    store.close()
