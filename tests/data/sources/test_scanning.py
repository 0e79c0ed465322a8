"""A file is read sparingly: of Parquet few row groups lie decoded at a time, however many there are."""

from __future__ import annotations

import polars as pl

from pilotbase.data.sources.opening import open_source
from pilotbase.data.sources.source import ReadOptions


def test_row_groups_are_read_a_few_at_a_time(tmp_path, capfd):
    pl.DataFrame({"n": range(100)}).write_parquet(path := tmp_path / "table.parquet", row_group_size=10)
    with pl.Config(verbose=True):
        table = open_source(str(path), tmp_path, ReadOptions(quick=True)).only()
        assert table.frame.select(pl.col("n").sum()).collect(engine="streaming").item() == 4950
    few = max(1, pl.thread_pool_size() // 2)
    assert f"prefetch_limit: {few}," in capfd.readouterr().err
