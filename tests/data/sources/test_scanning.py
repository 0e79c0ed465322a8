"""A file is read sparingly: of Parquet few rows lie decoded at a time, however many there are and in what groups."""

from __future__ import annotations

import polars as pl
import pytest

from pilotbase.data.sources import columns
from pilotbase.data.sources.columns import pieces_of
from pilotbase.data.sources.opening import open_source
from pilotbase.data.sources.source import ReadOptions


def test_row_groups_are_read_a_few_at_a_time(tmp_path, capfd):
    pl.DataFrame({"n": range(100)}).write_parquet(path := tmp_path / "table.parquet", row_group_size=10)
    with pl.Config(verbose=True):
        table = open_source(str(path), tmp_path, ReadOptions(quick=True)).only()
        assert table.frame.select(pl.col("n").sum()).collect(engine="streaming").item() == 4950
    few = max(1, pl.thread_pool_size() // 2)
    assert f"prefetch_limit: {few}," in capfd.readouterr().err


def test_groups_are_cut_and_joined_to_pieces_of_a_size():
    assert pieces_of([range(10)], 4) == [range(4), range(4, 8), range(8, 10)]
    assert pieces_of([range(2), range(2, 4), range(4, 4), range(4, 7)], 5) == [range(4), range(4, 7)]
    assert pieces_of([range(3), range(3, 12), range(12, 13)], 4) == [range(3), range(3, 6), range(6, 9), range(9, 13)]


@pytest.mark.parametrize("group", [3, 10, 100])
@pytest.mark.parametrize("engine", ["streaming", "in-memory"])
def test_rows_of_groups_of_any_size_are_read_in_small_pieces(tmp_path, monkeypatch, group, engine):
    """All of them, in order; columns, conditions and limits are as without pieces."""
    monkeypatch.setattr(columns, "_CELLS", 14)
    table = pl.DataFrame({"n": range(100), "letter": [chr(97 + number % 7) for number in range(100)]})
    table.write_parquet(path := tmp_path / "table.parquet", row_group_size=group)
    found = open_source(str(path), tmp_path, ReadOptions(quick=True)).only().frame
    decoded, part = [], pl.LazyFrame.slice
    with monkeypatch.context() as watched:
        watched.setattr(pl.LazyFrame, "slice", lambda scan, at, rows: decoded.append(rows) or part(scan, at, rows))
        assert found.collect(engine=engine).equals(table)
    assert sum(decoded) == 100 and max(decoded) <= 7
    for ask in (
        lambda frame: frame.with_row_index("row").select("row", "letter").head(40),
        lambda frame: frame.filter(pl.col("n") % 9 == 4).select("letter"),
        lambda frame: frame.filter(pl.col("n") > 50).head(3),
        lambda frame: frame.slice(31, 25),
        lambda frame: frame.select(pl.len(), pl.col("n").sum().alias("sum")),
    ):
        assert ask(found).collect(engine=engine).equals(ask(table.lazy()).collect())
