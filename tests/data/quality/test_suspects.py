"""Faults that nobody declared are found in a table, and a clean table is left in peace."""

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from benchmarks.faults.planting import KINDS, planted
from pilotbase.data.quality.measuring import ReferenceData, measure_quality
from pilotbase.data.quality.page import render_quality
from pilotbase.data.quality.release import FileInput, inferred_dataset, measure_file, released
from pilotbase.data.suspects import PRECISION, suspects_of
from pilotbase.data.suspects.definition import SuspectColumn, SuspectTable
from pilotbase.data.suspects.sample import ROWS, sampled
from pilotbase.data.suspects.texts import is_mojibake
from pilotbase.documents.dataset import RecordSet
from pilotbase.documents.vocabularies import Opening

ROWS_OF_TABLE = 600


def clean_table(rows=ROWS_OF_TABLE):
    """Machines: numbers that belong together, words, days, a state that the numbers show."""
    random = np.random.default_rng(7)
    load = random.gamma(9, 5, rows)
    speed = random.normal(3000, 60, rows).round(1)
    state = np.where(load / 15 + (speed - 3000) / 60 > 3, "worn", "good")
    start = np.datetime64("2024-01-01T00:00")
    told = {
        "load": load.round(2),
        "temperature": (20 + load / 2 + random.normal(0, 1, rows)).round(2),
        "speed": speed,
        "maker": random.choice(["Siemens", "Voith", "Andritz", "Ansaldo"], rows),
        "site": random.choice(["Chengdu", "Turin", "Ulm"], rows),
        "measured": (start + random.permutation(rows) * np.timedelta64(1, "h")).astype("datetime64[D]"),
        "state": state,
    }
    return pl.DataFrame({name: [str(one) for one in values] for name, values in told.items()})


def look(cells, label="state", key=()):
    columns = {one.name: SuspectColumn(one) for one in cells}
    until = datetime(2026, 12, 3, tzinfo=UTC)
    return suspects_of(SuspectTable(columns, np.arange(1, cells.height + 1), cells.height, label, key, until), "t")


def test_of_a_clean_table_nothing_is_said():
    assert look(clean_table()) == ()


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 9])
@pytest.mark.parametrize("blank", [False, True])
def test_a_tiny_or_blank_table_is_looked_at_like_any_other(rows, blank):
    cells = clean_table().head(rows)
    assert all(one.count <= rows for one in look(cells.clear(rows) if blank else cells))


@pytest.mark.parametrize("seed", [1, 3])
@pytest.mark.parametrize("kind", KINDS, ids=lambda one: one.__name__)
def test_each_kind_of_fault_is_found_in_its_column_and_nothing_else_is(kind, seed):
    fault = planted(kind, clean_table(), "state", seed)
    found = [one for one in look(fault.table) if one.kind == kind.__name__]
    assert found
    assert not fault.fields or set(found[0].fields) & set(fault.fields)
    changed = [row for row, (one, other) in enumerate(zip(fault.table.rows(), clean_table().rows(), strict=False), 1)
               if one != other]  # fmt: skip
    if kind.__name__ in ("sentinel", "placeholder", "units_in_cells", "mojibake", "variants"):
        assert set(found[0].rows) <= set(changed)
        assert found[0].count == len(changed)


def test_every_kind_has_a_measured_probability():
    assert set(PRECISION) == {kind.__name__ for kind in KINDS}
    assert all(0 < share < 1 for share in PRECISION.values())


@pytest.mark.parametrize("spelled", ["café", "naïve", "Škoda", "北京市", "未知", "Ålesund", "Ñuñoa", "50 °C", "3 µm"])
def test_a_text_that_was_read_well_is_not_garbled(spelled):
    assert not is_mojibake(spelled)


@pytest.mark.parametrize("spelled", ["cafÃ©", "donâ€™t", "20 Â°C", "åŒ—äº¬", "±±¾©", "涓婃捣甯傚尯", "a\ufffdb"])
def test_a_text_that_was_read_in_another_encoding_is_garbled(spelled):
    assert is_mojibake(spelled)


def write(tmp_path, cells):
    file = tmp_path / "machines.csv"
    cells.write_csv(file)
    return file


def with_words(cells):
    """A quarter of one column says that nothing is known."""
    return cells.with_columns(
        pl.when(pl.int_range(pl.len()) % 4 > 0).then("maker").otherwise(pl.lit("未知")).alias("maker")
    )


def test_words_for_nothing_count_as_missing(tmp_path):
    report = measure_file(FileInput(write(tmp_path, with_words(clean_table())), full=True))
    told = {one.name: one.value for one in report.measurement("feature_completeness").entries}
    assert told["maker"] == pytest.approx(0.75)
    assert told["site"] == 1
    assert report.measurement("record_completeness").value == pytest.approx(0.75)
    (suspect,) = report.suspects
    assert (suspect.kind, suspect.fields, suspect.rows) == ("placeholder", ("maker",), (1, 5, 9, 13, 17))


def test_what_is_declared_as_missing_is_no_suspect(tmp_path):
    file = write(tmp_path, with_words(clean_table()))
    dataset = inferred_dataset(file)
    (record_set,) = dataset.record_sets
    fields = tuple(one.model_copy(update={"missing": ("", "未知")}) for one in record_set.fields)
    declared = dataset.model_copy(update={"record_sets": (record_set.model_copy(update={"fields": fields}),)})
    assert measure_quality(declared, {record_set.name: file}).suspects == ()
    assert measure_quality(dataset, {record_set.name: file}, ReferenceData(quick=True)).suspects == ()


def test_of_closed_data_no_row_no_value_and_no_small_count_leaves(tmp_path):
    cells = clean_table().with_columns(
        pl.when(pl.int_range(pl.len()) < 5).then(pl.lit("-999")).otherwise("speed").alias("speed")
    )
    file = write(tmp_path, cells)
    dataset = inferred_dataset(file).model_copy(update={"opening": Opening.COMPUTE_TO_DATA})
    full = measure_quality(dataset, {dataset.record_sets[0].name: file})
    assert full.suspects[0].rows == (1, 2, 3, 4, 5)
    (one,) = released(full, dataset).suspects
    assert (one.rows, one.values, one.count) == ((), (), None)
    assert "999" not in one.model_dump_json()
    for language in ("en", "zh"):
        assert "999" not in render_quality(released(full, dataset), language)
        assert "-999" in render_quality(full, language)


def test_a_sample_of_a_large_table_keeps_the_numbers_of_its_rows():
    rows = 4 * ROWS
    stored = pl.DataFrame({"row": range(1, rows + 1), "twice": [f"{7 * number}" for number in range(rows)]})
    table = sampled(RecordSet(name="t", fields=()), stored.lazy(), rows, "row", datetime(2026, 12, 3, tzinfo=UTC))
    assert 0.9 * ROWS < table.height < 1.1 * ROWS
    assert table.total == rows
    assert [f"{7 * (row - 1)}" for row in table.rows] == table.columns["twice"].stored.to_list()
