"""What values are like is told of every field, whatever it is called."""

import polars as pl
import pytest

from pilotbase.data.quality.measuring import measure_quality
from pilotbase.data.quality.release import inferred_dataset

KINDS = ["a", "b", "a", "a", "b", "a"]


@pytest.mark.parametrize("name", ["count", "value", "later part", "literal"])
def test_a_field_may_be_called_as_what_counts_it_is(tmp_path, name):
    path = tmp_path / "records.parquet"
    pl.DataFrame({name: KINDS, "size": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]}).write_parquet(path)
    (profile,) = measure_quality(inferred_dataset(path), {"records": path}).profiles
    told = next(one for one in profile.fields if one.field == name)
    assert {one.value: one.count for one in told.values} == {"a": 4, "b": 2}
