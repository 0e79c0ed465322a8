"""Stores for the tests of the watch: on SQLite, and on both databases where SQL of our own is concerned."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pilotbase.workspace import schema
from pilotbase.workspace.engine import Database
from pilotbase.workspace.log.notes import LogKey
from pilotbase.workspace.store import Store
from tests.catalogue.conftest import Clock, clock, postgres

__all__ = ["clock", "postgres"]


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that has all tables and nothing in them: copied, which is quicker than making it anew."""
    path = tmp_path_factory.mktemp("empty") / "pilotbase.db"
    database = Database(f"sqlite:///{path}")
    schema.upgrade(database)
    database.close()
    return path


@pytest.fixture
def store(empty_database: Path, tmp_path: Path, clock: Clock) -> Iterator[Store]:
    """A store on SQLite, for rules that do not depend on the database."""
    path = shutil.copyfile(empty_database, tmp_path / "pilotbase.db")
    opened = Store.open(f"sqlite:///{path}", LogKey(Ed25519PrivateKey.generate()), clock)
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Store]:
    """A store on each database."""
    if request.param == "sqlite":
        yield request.getfixturevalue("store")
        return
    opened = Store.open(request.getfixturevalue("postgres")(), LogKey(Ed25519PrivateKey.generate()), clock)
    yield opened
    opened.close()
