"""Commands of the tests never touch the home of whoever runs them."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home that is not there yet, for commands that are not told another."""
    monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / "no-home"))
