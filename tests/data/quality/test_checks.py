"""Rules count the same whatever way is taken: whole bounds, first rows near and far, distinct truths."""

from __future__ import annotations

import polars as pl
import pytest

from pilotbase.data.quality import checks
from pilotbase.data.quality.measuring import ReferenceData, measure_quality
from pilotbase.documents.dataset import DataField, Dataset, FieldType, RecordSet
from pilotbase.documents.quality import QualityReport
from pilotbase.documents.scenario import Contact
from pilotbase.documents.vocabularies import Opening


def measured(folder, field: DataField, values: pl.Series) -> QualityReport:
    values.alias(field.name).to_frame().write_parquet(path := folder / "table.parquet", row_group_size=50)
    record_set = RecordSet(name="table", fields=(field,))
    dataset = Dataset(name="table", title="Table", owner=Contact(organisation="plant"), opening=Opening.OPEN,
                      record_sets=(record_set,))  # fmt: skip
    return measure_quality(dataset, {"table": path}, ReferenceData(quick=True))


@pytest.mark.parametrize("dtype", [pl.Int64, pl.Int16, pl.UInt16, pl.Float64])
@pytest.mark.parametrize(("bounds", "outside"), [((1, 999), 3), ((0.5, 999.5), 3), ((-70_000, 10**30), 0), ((3, 3), 5)])
def test_a_range_holds_its_bounds_in_every_width(tmp_path, dtype, bounds, outside):
    field = DataField(name="n", data_type=FieldType.INTEGER, minimum=bounds[0], maximum=bounds[1])
    report = measured(tmp_path, field, pl.Series([0, 1, None, 999, 1000, 1000], dtype=dtype))
    assert report.rule("range n").failed == outside


@pytest.mark.parametrize("near", [1, 120, 10**6])
def test_the_first_failing_rows_are_the_first_wherever_they_are_looked_for(tmp_path, monkeypatch, near):
    monkeypatch.setattr(checks, "_NEAR", near)
    failing = (7, 60, 61, 200, 333, 401, 499)
    values = pl.Series([999 if row in failing else 5 for row in range(1, 501)])
    report = measured(tmp_path, DataField(name="n", data_type=FieldType.INTEGER, maximum=9), values)
    assert report.rule("range n").failed == 7
    assert report.rule("range n").rows == failing[:5]


@pytest.mark.parametrize(
    ("truths", "distinct"), [([True, True], 1), ([True, False, None], 3), ([None], 1), ([False], 1)]
)
def test_distinct_truths_are_counted_a_missing_one_among_them(tmp_path, truths, distinct):
    field = DataField(name="b", data_type=FieldType.BOOLEAN)
    report = measured(tmp_path, field, pl.Series(truths, dtype=pl.Boolean))
    assert report.profiles[0].fields[0].distinct == distinct
