"""Commands of the tests never touch the home of whoever runs them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home that is not there yet, for commands that are not told another."""
    monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / "no-home"))


@pytest.fixture(autouse=True)
def own_environment() -> Iterator[None]:
    """Commands that serve set the environment of their process; the next test does not see it."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(autouse=True, scope="module")
def copied_stores(ready_stores: None) -> None:
    """Homes are made here to be used: their stores are copied."""
