"""A report on closed data gives out no row, no value and no small count; one on open data gives out all."""

from __future__ import annotations

import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbase.data.quality.measuring import ReferenceData, measure_quality
from pilotbase.data.quality.page import render_quality
from pilotbase.data.quality.release import LEAST_CELL, least_cell, released, suppressed
from pilotbase.documents.dataset import FileObject
from pilotbase.documents.quality import LabelAudit, LabelFigure, LabelStatement, QualityReference, QualityReport
from pilotbase.documents.terms import Action, Constraint, LeftOperand, Offer, Operator, Permission
from pilotbase.documents.vocabularies import Opening
from tests.data.quality.planted_for_tests import PLANTED, clean_table, description, devices, records

ROWS = 300


def reports(folder, opening: Opening) -> tuple[QualityReport, QualityReport]:
    """Return the full report on a table with faults, and what is given out of it."""
    table = clean_table(ROWS)
    PLANTED["record_completeness"][0].plant(table, [7, 9, 11])
    PLANTED["syntactic_accuracy"][0].plant(table, list(range(21, 81, 2)))
    table["note"][5], table["device"][5] = "secret-note", "secret-device"
    table["label"][5] = "secret-label"
    pl.DataFrame(table).write_csv(path := folder / "records.csv")
    dataset = description(opening=opening)
    full = measure_quality(dataset, {"records": path}, ReferenceData(QualityReference(group="device", target={})))
    return full, released(full, dataset)


def test_closed_data_give_out_no_row_no_value_and_no_small_count(tmp_path):
    full, out = reports(tmp_path, Opening.COMPUTE_TO_DATA)
    assert full.rule("required temperature").rows == (8, 10, 12)
    assert out.rule("required temperature").rows == () and out.rule("required temperature").failed is None
    assert out.rule("type temperature").failed == 30
    spelled = json.dumps(out.to_json_value())
    assert "secret" in json.dumps(full.to_json_value()) and "secret" not in spelled
    for profile in out.profiles:
        for field in profile.fields:
            assert field.minimum is field.maximum is field.distinct is None
            counts = [one.count for one in (*field.histogram, *field.values)] + [field.missing]
            assert all(count is None or count == 0 or count >= LEAST_CELL for count in counts)
            assert all(one.later == 0 for one in (*field.histogram, *field.values))
    for whole in (one.evaluated for one in out.rules):
        assert whole is None or not 0 < ROWS - whole < LEAST_CELL
    for found in (*out.measurements, *(one for each in out.measurements for one in each.entries)):
        if found.numerator is not None and found.denominator is not None and found.denominator >= LEAST_CELL:
            assert not 0 < found.numerator < LEAST_CELL
            assert not 0 < found.denominator - found.numerator < LEAST_CELL
            assert not 0 < -found.denominator % ROWS < LEAST_CELL


def test_an_interval_gives_no_small_count_back(tmp_path):
    pl.DataFrame(clean_table(ROWS)).write_csv(path := tmp_path / "records.csv")
    agreement = LabelFigure(measure="raw_agreement", items=80, unmeasured="too_few_items")
    stated = LabelStatement(guideline="1", agreement=agreement, audit=LabelAudit(audited=400, correct=397))
    dataset = description(opening=Opening.COMPUTE_TO_DATA)
    full = measure_quality(dataset, {"records": path}, ReferenceData(QualityReference(labels=stated)))
    out = released(full, dataset).measurement("label_accuracy")
    assert (out.numerator, out.denominator, out.sample) == (None, None, None)
    assert (out.value, out.lower, out.upper) == (0.99, 0.97, 1.0)


def test_closed_data_are_named_by_their_commitment_and_never_by_their_hash(tmp_path):
    full, out = reports(tmp_path, Opening.COMPUTE_TO_DATA)
    assert full.data is not None and out.data is None
    committed = description(opening=Opening.COMPUTE_TO_DATA).model_copy(
        update={"distribution": (FileObject(id="records.csv", commitment="sha256:" + "7" * 64),)}
    )
    assert released(full, committed).data == "sha256:" + "7" * 64
    open_full, open_out = reports(tmp_path, Opening.OPEN)
    assert open_out.data == open_full.data is not None
    assert full.data[7:20] not in render_quality(out)


def test_the_grade_is_the_same_in_both_views_and_tells_no_more_than_its_measures(tmp_path):
    full, out = reports(tmp_path, Opening.COMPUTE_TO_DATA)
    assert out.grade.outcome == full.grade.outcome and out.view == "released" != full.view
    told = {one.measure: one.value for one in out.measurements}
    assert {one.measure: one.value for one in out.grade.requirements} == {
        one.measure: told[one.measure] for one in out.grade.requirements
    }
    assert out.grade.value == told[out.grade.worst]
    assert full.measurement("record_completeness").value == (ROWS - 3) / ROWS
    assert told["record_completeness"] == 0.99 and told["label_completeness"] == 1


@pytest.mark.parametrize("opening", [Opening.OPEN, Opening.ON_TERMS])
def test_data_that_may_be_taken_give_out_everything(opening, tmp_path):
    full, out = reports(tmp_path, opening)
    assert out.model_copy(update={"view": "full"}) == full


def test_values_that_the_description_declares_may_be_counted(tmp_path):
    pl.DataFrame(clean_table(ROWS)).write_csv(path := tmp_path / "records.csv")
    dataset = description(opening=Opening.COMPUTE_TO_DATA, record_sets=(records(), devices()))
    out = released(measure_quality(dataset, {"records": path}), dataset)
    fields = {field.field: field for field in out.profiles[0].fields}
    assert {one.value: one.count for one in fields["label"].values} == {"bad": 150, "ok": 150}
    assert fields["device"].values == ()


def test_terms_may_ask_for_larger_cells(tmp_path):
    asked = Constraint(left_operand=LeftOperand.MIN_CELL_SIZE, operator=Operator.GTEQ, right_operand=("50",))
    permission = Permission(action=Action.COMPUTE_ON, constraint=(asked,))
    offer = Offer(uid="urn:offer:1", assigner="plant", target="dataset:plant/readings", permission=(permission,))
    assert least_cell(description(usage=offer)) == 50
    assert least_cell(description()) == LEAST_CELL


@given(st.lists(st.integers(0, 40), max_size=12), st.integers(2, 20))
def test_no_suppressed_count_can_be_computed_from_the_sum(counts, least):
    shown = suppressed(list(counts), least)
    assert all(count is None or count == 0 or count >= least for count in shown)
    hidden = [count for count, told in zip(counts, shown, strict=True) if told is None]
    if hidden and any(count for told, count in zip(shown, counts, strict=True) if told):
        assert sum(hidden) >= least


def test_the_page_of_closed_data_shows_none_of_it_and_says_so(tmp_path):
    full, out = reports(tmp_path, Opening.COMPUTE_TO_DATA)
    content = render_quality(out)
    assert "secret" in render_quality(full) and "secret" not in content
    assert "no counts below 10" in content and "&lt; 10" in content
    assert "only for the owner of the data" in render_quality(full)
