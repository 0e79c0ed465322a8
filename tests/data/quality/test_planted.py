"""Faults that are planted in a known number of rows are found and counted exactly, wherever chunks begin and end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pilotbase.data.quality.measures import QUALITY_MEASURES
from pilotbase.data.quality.measuring import ReferenceData, measure_quality
from pilotbase.documents.dataset import RowRule
from pilotbase.documents.quality import QualityReport
from tests.data.quality.planted_for_tests import (
    ELSEWHERE,
    FAULTS,
    PLANTED,
    ROWS,
    Planted,
    clean_table,
    description,
    device_table,
    devices,
    records,
)

CASES = [(name, number) for name, faults in PLANTED.items() for number in range(len(faults))]


def faulty_rows(rows: int, number: int, seed: int) -> list[int]:
    """Return the places of the faults: among those of the site south, label ok; never row 0."""
    drawn = np.random.default_rng(seed).choice(np.arange(1, rows, 2), number, replace=False)
    return sorted(int(row) for row in drawn)


def written(table: dict[str, list[str | None]], folder: Path, layout: str) -> Path:
    frame = pl.DataFrame(table)
    if layout == "csv":
        frame.write_csv(path := folder / "records.csv")
    elif layout == "ipc":
        frame.write_ipc(path := folder / "records.arrow", record_batch_size=101)
    else:
        frame.write_parquet(path := folder / "records.parquet", row_group_size=int(layout))
    return path


def measured(path: Path, planted: Planted | None = None, quick: bool = False) -> QualityReport:
    (path.parent / "devices.parquet").unlink(missing_ok=True)
    device_table().write_parquet(path.parent / "devices.parquet")
    files = {"records": path, "devices": path.parent / "devices.parquet"}
    dataset = planted.dataset() if planted else description()
    reference = planted.reference if planted else ReferenceData().reference
    return measure_quality(dataset, files, ReferenceData(reference, path.parent, quick=quick))


def test_every_measure_has_a_planted_fault_or_a_test_of_its_own():
    assert sorted(PLANTED | ELSEWHERE) == sorted(measure.name for measure in QUALITY_MEASURES)


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("name", "number"),
    [pytest.param(*case, marks=pytest.mark.prove if case[1] else (), id=f"{case[0]}-{case[1]}") for case in CASES],
)
def test_a_planted_fault_is_counted_exactly(name, number, tmp_path):
    planted = PLANTED[name][number]
    layout = ("csv", "97", "1000", "ipc")[CASES.index((name, number)) % 4]
    table = clean_table(ROWS)
    rows = faulty_rows(ROWS, FAULTS, number)
    planted.plant(table, rows)
    report = measured(written(table, tmp_path, layout), planted)
    found = report.measurement(name)
    numerator, denominator = planted.figure(ROWS, FAULTS)
    assert found.state == "measured", found.reason
    assert found.value == pytest.approx(numerator / denominator, abs=1e-12)
    if planted.rule:
        rule = report.rule(planted.rule)
        assert (rule.failed, rule.passed) == (FAULTS, rule.evaluated - FAULTS)
        assert list(rule.rows) == [row + 1 for row in rows[:5]]


def test_a_clean_table_has_no_fault(tmp_path):
    report = measured(written(clean_table(ROWS), tmp_path, "csv"))
    assert [rule for rule in report.rules if rule.failed or rule.state != "measured"] == []
    for name in ("value_completeness", "syntactic_accuracy", "uniqueness", "format_consistency", "sample_similarity"):
        assert report.measurement(name).value == 1, name
    assert report.checks_declared == report.checks_run == len(report.rules) > 15


@pytest.mark.one_in(5)
@pytest.mark.parametrize("rows", [1, 2, 64, 65, 1000])
def test_counts_hold_at_any_size(rows, tmp_path):
    table = clean_table(rows)
    faults = list(range(1, rows, 2))[: rows // 4]
    for row in faults:
        table["temperature"][row] = None
    report = measured(written(table, tmp_path, "64"))
    assert report.rule("required temperature").failed == len(faults)
    assert report.measurement("uniqueness").value == 1


def one_of_each(rows: int) -> dict[str, list[str | None]]:
    """Return a table with faults of many kinds beside each other."""
    table = clean_table(rows)
    for number, name in enumerate(["record_completeness", "uniqueness", "referential_consistency", "format_consistency",
                                   "identifiability", "sample_similarity", "smallest_cell"]):  # fmt: skip
        PLANTED[name][0].plant(table, faulty_rows(rows, 20, number))
    return table


def comparable(report: QualityReport) -> dict:
    value = report.to_json_value()
    del value["data"], value["files"]
    for profile in value["profiles"]:
        for field in profile["fields"]:
            del field["distinct"]  # an estimate: not streamed it is another one
    return value


@pytest.mark.prove
def test_the_report_does_not_depend_on_how_the_data_are_cut(tmp_path, monkeypatch):
    """CSV, Arrow or Parquet, in small row groups or one, in small morsels, streamed or not: the same report."""
    table = one_of_each(ROWS)
    reports = {layout: measured(written(table, tmp_path, layout)) for layout in ("csv", "ipc", "7", "64", "100000")}
    with pl.Config() as config:
        config.set_streaming_chunk_size(13)
        reports["morsels"] = measured(written(table, tmp_path, "csv"))
    in_memory(monkeypatch)
    reports["not streamed"] = measured(written(table, tmp_path, "64"))
    first, *others = (comparable(report) for report in reports.values())
    assert first["measurements"]
    for layout, other in zip(list(reports)[1:], others, strict=True):
        assert rounded(other) == rounded(first), layout


def in_memory(monkeypatch) -> None:
    """Let the table library collect without its streaming engine, as a whole."""
    collect, batches = pl.LazyFrame.collect, pl.LazyFrame.collect_batches
    monkeypatch.setattr(pl.LazyFrame, "collect", lambda frame, **_: collect(frame, engine="in-memory"))
    monkeypatch.setattr(
        pl.LazyFrame, "collect_batches", lambda frame, **_: batches(frame, chunk_size=11, engine="in-memory")
    )


def rounded(value: object) -> object:
    """Return the same without the last bits of sums that were added up in another order."""
    if isinstance(value, float):
        return float(f"{value:.10g}")
    if isinstance(value, dict):
        return {name: rounded(inner) for name, inner in value.items()}
    return [rounded(inner) for inner in value] if isinstance(value, list) else value


def test_one_pass_alone_leaves_out_what_needs_more_and_says_so(tmp_path):
    table = clean_table(ROWS)
    PLANTED["record_completeness"][0].plant(table, faulty_rows(ROWS, 20, 1))
    report = measured(written(table, tmp_path, "csv"), quick=True)
    assert report.rule("required temperature").failed == 20
    assert report.rule("key").state == report.measurement("uniqueness").state == "not_measured"
    assert report.checks_run < report.checks_declared
    assert report.grade.outcome == "fail" or report.grade.measured < report.grade.required


def test_a_field_that_the_file_lacks_fails_where_it_is_required(tmp_path):
    table = clean_table(50)
    del table["temperature"]
    report = measured(written(table, tmp_path, "csv"))
    assert report.rule("required temperature").state == "not_measured"
    assert report.measurement("record_completeness").value == 0
    assert report.measurement("value_completeness").value == 0.5


def test_a_rule_that_cannot_be_read_is_told_and_not_taken_as_passed(tmp_path):
    unreadable = RowRule(name="odd", rule="started <= nowhere")
    dataset = description(record_sets=(records(rules=(unreadable,)), devices()))
    path = written(clean_table(50), tmp_path, "csv")
    report = measure_quality(dataset, {"records": path})
    assert report.rule("odd").state == "not_measured" and report.rule("odd").reason.code == "data.rule.unknown_column"
    assert report.rule("reference device").state == "not_measured"
    assert report.checks_run == report.checks_declared - 2
