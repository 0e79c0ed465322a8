"""Hubs for the tests: one a module and database; each is fresh."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "workspace"))
from stores_for_tests import postgres
from worlds_for_tests import World, world

__all__ = ["postgres"]


@pytest.fixture
def settings_of_hub(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Change settings of the running hub until the end of a test."""

    def change(**values: object) -> None:
        from django.conf import settings

        monkeypatch.setattr(settings, "CONFIGURATION", replace(settings.CONFIGURATION, **values))

    return change


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def any_world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A hub on each database, shared by the tests of a module."""
    url = request.getfixturevalue("postgres")() if request.param == "postgresql" else None
    with world(tmp_path_factory.mktemp("hub"), url) as made:
        yield made


@pytest.fixture(scope="module")
def one_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A hub on SQLite, shared by the tests of a module."""
    with world(tmp_path_factory.mktemp("hub")) as made:
        yield made
