"""A hall on both databases, or on SQLite alone."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pilotbase.workspace.log.notes import LogKey
from pilotbase.workspace.store import Store

sys.path.insert(0, str(Path(__file__).parents[2] / "workspace"))
sys.path.insert(0, str(Path(__file__).parent))
from queue_for_tests import Hall
from stores_for_tests import Clock, fresh_url, postgres

__all__ = ["postgres"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    class Request:
        param = "sqlite"

    folder = tmp_path_factory.mktemp("store")
    fresh_url(Request(), folder)
    return folder / "pilotbase.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def any_url(request: pytest.FixtureRequest, empty_store: Path, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{shutil.copy(empty_store, tmp_path)}"
    return fresh_url(request, tmp_path)


@pytest.fixture
def hall(any_url: str, clock: Clock) -> Iterator[Hall]:
    """On both databases."""
    store = Store.open(any_url, LogKey(Ed25519PrivateKey.generate()), clock)
    yield Hall(store)
    store.close()


@pytest.fixture
def here(empty_store: Path, tmp_path: Path, clock: Clock) -> Iterator[Hall]:
    """On SQLite alone."""
    store = Store.open(f"sqlite:///{shutil.copy(empty_store, tmp_path)}", LogKey(Ed25519PrivateKey.generate()), clock)
    yield Hall(store)
    store.close()
