"""What the second pass takes on disk is said beforehand, and refused where there is not as much room."""

from __future__ import annotations

import resource
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import polars as pl
import pytest

from pilotbase.data.quality import measuring
from pilotbase.data.quality.columns import ROW
from pilotbase.data.quality.measuring import measure_quality, room
from pilotbase.data.quality.release import inferred_dataset
from pilotbase.data.quality.tally import HELD, KeyedRows, tally_all
from pilotbase.documents.errors import InputError

ROWS = HELD + 1


def test_a_disk_that_is_too_small_is_refused_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    pl.DataFrame({"id": np.arange(ROWS)}).write_parquet(path := tmp_path / "table.parquet")
    monkeypatch.setattr(measuring, "_free_room", lambda: 22)
    dataset, said = inferred_dataset(path), []
    with pytest.raises(InputError) as refused:
        measure_quality(dataset, {"table": path}, on_progress=said.append)
    assert refused.value.code == "quality.no_room"
    assert refused.value.text.params == {"folder": str(tmp_path / "temporary"), "needed": 23, "free": 22}
    assert said[-1].stage.code == "quality.progress.second_on_disk" and said[-1].stage.params["needed"] == 23
    assert list((tmp_path / "temporary").iterdir()) == []


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Let no file grow further, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_fills_up_meanwhile_is_named_and_nothing_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    frame = pl.DataFrame({"key": np.zeros(5000)}).with_row_index(ROW, offset=1).lazy()
    stream = KeyedRows(frame, pl.col("key").hash(1), pl.lit(0))
    with pytest.raises(InputError) as refused, files_of_at_most(4096), room(1):
        tally_all({"all": (stream,)}, held=10)
    assert refused.value.code == "quality.no_room"
    assert list(tmp_path.iterdir()) == []
