"""A base of its own, and cases in a frame."""

import random

import polars as pl
import pytest

from tests.trial.conftest import home  # noqa: F401 - fixture


@pytest.fixture(autouse=True, scope="module")
def copied_stores(ready_stores: None) -> None:
    """Homes are made here to be used: their stores are copied."""


@pytest.fixture
def cases() -> pl.DataFrame:
    draw = random.Random(7)
    rows = [(draw.uniform(0, 10), draw.choice(["north", "south"])) for _ in range(700)]
    states = ["broken" if (pressure > 6) != (draw.random() < 0.03) else "fine" for pressure, _ in rows]
    return pl.DataFrame({"pressure": [one for one, _ in rows], "site": [one for _, one in rows], "state": states})
