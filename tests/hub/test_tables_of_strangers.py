"""Tables of whomever are read in a box and nowhere else: the hub's own process never parses a byte of one."""

import io
import re

import polars as pl
import pytest

from tests.hub.test_drafting_pages import KEPT, manifest_of
from tests.hub.test_uploads import ANSWERS, cases, upload


@pytest.fixture
def owner(one_world, no_readers):
    """The owner's browser on a hub that cannot read tables itself; so is that of `test_drafting_pages`."""
    return one_world.client("owner")


def as_parquet():
    packed = io.BytesIO()
    rows = [line.split(",") for line in cases().decode().splitlines()]
    pl.DataFrame(rows[1:], schema=rows[0], orient="row").cast({"torque": pl.Float64}).write_parquet(packed)
    return packed.getvalue()


@pytest.mark.prove
def test_a_scenario_is_drafted_handed_in_and_edited(owner):
    made = owner.post("/scenarios/new/", {**ANSWERS, "cases": upload(as_parquet(), "mill.parquet")})
    assert made.status_code == 302, re.findall(r"role=.alert.+", made.content.decode())
    address = f"{made['Location']}acts/scenario.edit/"
    manifest = manifest_of(owner.get(address).content.decode())

    finished = {"manifest": upload(manifest.replace("name: mill", "name: press").encode(), "scenario.yaml")}
    page = owner.post("/scenarios/new/", {"cases": upload(as_parquet(), "mill.parquet")}).content.decode()
    (kept,) = KEPT.findall(page)
    assert owner.post("/scenarios/new/", {**finished, "kept": kept})["Location"].endswith("/press/")

    wrong = {"manifest": manifest.replace("cases_per_attempt: 99", "cases_per_attempt: 9999")}
    assert "9999" in re.search(r"note error.+?</div>", owner.post(address, wrong).content.decode(), re.DOTALL)[0]


@pytest.mark.prove
def test_a_parquet_bomb_is_refused_in_words(owner):
    packed = io.BytesIO()
    zeros = pl.select(pl.repeat(0, 50_000_000, dtype=pl.Int8).alias("a"))
    zeros.select(pl.col("a").alias(name) for name in "abcdef").write_parquet(packed)
    page = owner.post("/scenarios/new/", {"cases": upload(packed.getvalue(), "bomb.parquet")}).content.decode()
    assert "bomb.parquet has 50000000 rows" in page
    assert not KEPT.findall(page), "nothing of it is kept"
