"""What a column holds is told from all of its rows: type, missing values, and each value that misfits by its line."""

import pytest

from pilotbase.data.describing import observing
from pilotbase.data.describing.observing import observe
from pilotbase.documents.dataset import FieldType
from tests.data.sources.sources_for_tests import lines, opened


def column(folder, *values, name="value"):
    content = f"id,{name}\n" + "".join(f'{at},"{value}"\n' for at, value in enumerate(values))
    return observe(opened(folder, "t.csv", content).tables[0])[1]


TYPES = {
    "whole numbers": (["1", "-2", "30"], FieldType.INTEGER),
    "measured numbers": (["1", "2.5", "3e4"], FieldType.FLOAT),
    "measured numbers that are whole": (["1.0", "2.0"], FieldType.FLOAT),
    "codes": (["001", "002", "130"], FieldType.TEXT),
    "truths": (["yes", "no", "yes"], FieldType.BOOLEAN),
    "Chinese truths": (["是", "否", "是"], FieldType.BOOLEAN),
    "dates": (["2026-01-31", "2026-02-01"], FieldType.DATE),
    "dates at midnight": (["2026-01-31 00:00:00", "2026-02-01 00:00:00"], FieldType.DATE),
    "moments": (["2026-01-31T08:00:00Z", "2026-02-01T00:00:00Z"], FieldType.DATETIME),
    "Chinese dates": (["2026年1月31日", "2026年2月1日"], FieldType.DATE),
    "clocks": (["08:00", "23:59:59"], FieldType.TIME),
    "addresses": (["https://a.example/1", "http://b.example"], FieldType.URL),
    "words": (["a", "b"], FieldType.TEXT),
    "nothing": (["", ""], FieldType.TEXT),
    "versions": (["1.2.3", "1.3.0"], FieldType.TEXT),
}


@pytest.mark.parametrize("case", TYPES)
def test_the_type_of_a_column(tmp_path, case):
    values, expected = TYPES[case]
    assert column(tmp_path, *values).data_type is expected


def test_numbers_of_records_that_a_data_frame_wrote_with_a_point_are_whole(tmp_path):
    assert column(tmp_path, "8823.0", "8831.0", name="Task ID").data_type is FieldType.INTEGER


def test_words_for_a_missing_value_are_those_that_stand_there(tmp_path):
    found = column(tmp_path, "1", "NA", "", "2", "NULL", *["3"] * 60)
    assert (found.data_type, found.missing, found.spellings) == (FieldType.INTEGER, 3, ("NA", "NULL"))
    assert found.distinct == 3
    assert column(tmp_path, "a", "NA", "none").missing == 0


MISFITS = {
    "thousands": ("1,234", "thousands"),
    "more thousands": ("12,345,678.5", "thousands"),
    "a decimal comma": ("12,5", "decimal_comma"),
    "full-width digits": ("２０.5", "full_width"),
    "a percent sign": ("12.5 %", "percent"),
    "a sign of currency": ("¥12.50", "currency"),
    "a word": ("offline", "other"),
}


@pytest.mark.parametrize("case", MISFITS)
def test_one_number_that_is_spelled_otherwise_is_found_among_many(tmp_path, case):
    value, form = MISFITS[case]
    found = column(tmp_path, *["1.5"] * 40, value, *["2.5"] * 40)
    assert found.data_type is FieldType.FLOAT
    assert [(one.form, one.count, one.rows, one.values) for one in found.misfits] == [(form, 1, [40], [value])]


def test_more_words_than_errors_make_a_text(tmp_path):
    assert column(tmp_path, *["1.5"] * 9, "a").data_type is FieldType.TEXT
    assert column(tmp_path, *["1.5"] * 3990, *["a"] * 400).data_type is FieldType.TEXT


def test_dates_in_five_forms(tmp_path):
    forms = ["2026-01-31", "2026/2/1", "2026年3月1日", "20260401", "31/05/2026"]
    found = column(tmp_path, *forms, *["2026-06-01"] * 5)
    assert found.data_type is FieldType.DATE
    assert dict(found.forms) == {"2026-01-31": 6, "2026/01/31": 1, "2026年1月31日": 1, "20260131": 1, "31/01/2026": 1}
    assert [(one.form, one.rows) for one in found.misfits] == [("31/01/2026", [4])]


def test_native_columns_are_what_they_are_and_lists_are_repeated(tmp_path):
    content = lines({"n": 1, "x": 1.5, "ok": True, "tags": ["a"]}, {"n": 2, "x": None, "ok": False, "tags": None})
    found = observe(opened(tmp_path, "t.jsonl", content).tables[0])
    types = [FieldType.INTEGER, FieldType.FLOAT, FieldType.BOOLEAN, FieldType.TEXT]
    assert [one.data_type for one in found] == types
    assert [one.missing for one in found] == [0, 1, 0, 1]
    assert [one.repeated for one in found] == [False, False, False, True]
    assert (found[0].minimum, found[0].maximum) == ("1", "2")


def test_categories_are_counted_over_all_batches(tmp_path):
    content = "a,b\n" + "".join(f"{at},{'xyz'[at % 3]}\n" for at in range(250_000))
    found = observe(opened(tmp_path, "t.csv", content).tables[0])
    assert dict(found[1].categories) == {"x": 83_334, "y": 83_333, "z": 83_333}
    assert (found[0].minimum, found[0].maximum, found[0].categories) == ("0", "249999", {})


def test_rows_are_counted_on_from_batch_to_batch(tmp_path, monkeypatch):
    monkeypatch.setattr(observing, "_BATCH", 10)
    found = column(tmp_path, *["1.5"] * 55, "offline", *["2.5"] * 60)
    assert [one.rows for one in found.misfits] == [[55]]


def test_no_name_of_a_column_gets_in_the_way_of_another(tmp_path):
    content = "x,number of x,value of x,typed of x,row,form,value\n" + "1,a,2.5,yes,3,b,2026-01-31\n" * 3
    found = observe(opened(tmp_path, "t.csv", content).tables[0])
    types = [one.data_type.value.removeprefix("sc:") for one in found]
    assert types == ["Integer", "Text", "Float", "Boolean", "Integer", "Text", "Date"]
