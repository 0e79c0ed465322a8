"""Hubs for the tests: one a module and database; each is fresh."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import fastexcel
import polars
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from worlds_for_tests import World, start_django, world

from pilotbase.data.sources import opening


def pytest_collection_finish(session: pytest.Session) -> None:
    """Load hub and schema before processes are forked, which share both: each alone would take ten seconds for it."""
    ours = any(item.path.is_relative_to(Path(__file__).parent) for item in session.items)
    if ours and session.config.getoption("forks"):
        start_django(session.config._tmp_path_factory.mktemp("django"))
        from pilotbase.hub import urls
        from pilotbase.hub.api.routes import api

        assert urls.urlpatterns
        api.get_openapi_schema(path_prefix="/api/")


@pytest.fixture
def settings_of_hub(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Change settings of the running hub until the end of a test."""

    def change(**values: object) -> None:
        from django.conf import settings

        monkeypatch.setattr(settings, "CONFIGURATION", replace(settings.CONFIGURATION, **values))

    return change


class Noticed:
    """Readers of tables that must not be asked for."""

    def __call__(self, *_: object, **__: object) -> None:
        raise AssertionError("a table was parsed in the process of the hub")

    get = __iter__ = __call__


@pytest.fixture
def no_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a table that is parsed in the hub's own process fail the test: only a box has readers then."""
    for place, name in (
        (opening, "reader_of"),
        (polars, "read_csv"),
        (polars, "scan_csv"),
        (polars, "read_parquet"),
        (polars, "scan_parquet"),
        (fastexcel, "read_excel"),
    ):
        monkeypatch.setattr(place, name, Noticed())


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.prove)])
def any_world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A hub on each database, shared by the tests of a module; on PostgreSQL in the long proofs."""
    url = request.getfixturevalue("postgres")() if request.param == "postgresql" else None
    with world(tmp_path_factory.mktemp("hub"), url) as made:
        yield made


@pytest.fixture(scope="module")
def one_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A hub on SQLite, shared by the tests of a module."""
    with world(tmp_path_factory.mktemp("hub")) as made:
        yield made


@pytest.fixture(autouse=True, scope="module")
def copied_stores(ready_stores: None) -> None:
    """Homes are made here to be used: their stores are copied."""
