"""A file is read sparingly: of Parquet one row group lies decoded while the next is, however many there are."""

from __future__ import annotations

import polars as pl

from pilotbase.data.quality.scanning import scan


def test_row_groups_are_read_one_after_the_other(tmp_path, capfd):
    pl.DataFrame({"n": range(100)}).write_parquet(path := tmp_path / "table.parquet", row_group_size=10)
    with pl.Config(verbose=True):
        assert scan(path).select(pl.col("n").sum()).collect(engine="streaming").item() == 4950
    assert "prefetch_limit: 1," in capfd.readouterr().err
