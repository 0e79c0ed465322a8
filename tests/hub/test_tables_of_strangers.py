"""Tables of whomever are read in a box and nowhere else: the hub's own process never parses a byte of one."""

import io
import re
import zipfile

import fastexcel
import polars as pl
import pytest

from pilotbase.data import tables
from tests.hub.test_drafting_pages import KEPT, manifest_of
from tests.hub.test_uploads import ANSWERS, cases, upload


class Noticed:
    """Readers of tables that must not be asked for."""

    def __call__(self, *_, **__):
        raise AssertionError("a table was parsed in the process of the hub")

    get = __iter__ = __call__


@pytest.fixture
def owner(one_world, monkeypatch):
    """The owner's browser on a hub that cannot read tables itself."""
    for place, name in (
        (tables, "READERS"),
        (pl, "read_csv"),
        (pl, "read_parquet"),
        (pl, "scan_parquet"),
        (fastexcel, "read_excel"),
    ):
        monkeypatch.setattr(place, name, Noticed())
    return one_world.client("owner")


def as_parquet():
    packed = io.BytesIO()
    rows = [line.split(",") for line in cases().decode().splitlines()]
    pl.DataFrame(rows[1:], schema=rows[0], orient="row").cast({"torque": pl.Float64}).write_parquet(packed)
    return packed.getvalue()


def test_a_scenario_is_handed_in_edited_and_built_upon(one_world, owner):
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
    other = {"manifest": manifest.replace("mill.parquet", "mill.csv"), "cases": upload(name="mill.csv")}
    assert owner.post(address, other)["Location"] == made["Location"]

    owner.post(f"{made['Location']}acts/scenario.submit/", {})
    one_world.client("desk").post(f"{made['Location']}acts/scenario.open/", {})
    kit = one_world.client("supplier").get(f"{made['Location']}starter-kit.zip")
    with zipfile.ZipFile(io.BytesIO(kit.content)) as archive:
        (sample,) = (name for name in archive.namelist() if name.endswith(".csv"))
        assert archive.read(sample).startswith(b"torque,grade,failure\n")


def test_a_parquet_bomb_is_refused_in_words(owner):
    packed = io.BytesIO()
    zeros = pl.select(pl.repeat(0, 50_000_000, dtype=pl.Int8).alias("a"))
    zeros.select(pl.col("a").alias(name) for name in "abcdef").write_parquet(packed)
    page = owner.post("/scenarios/new/", {"cases": upload(packed.getvalue(), "bomb.parquet")}).content.decode()
    assert "bomb.parquet has 50000000 rows" in page
    assert not KEPT.findall(page), "nothing of it is kept"
