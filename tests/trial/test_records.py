"""Tables of cases as files: what a spreadsheet would run stays text."""

import csv

import polars as pl
import pytest

from pilotbase.trial.records import write_cases


@pytest.mark.parametrize("cell", ["=cmd|'/c calc'!A1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "-"])
def test_a_formula_in_a_cell_of_text_is_text(tmp_path, cell):
    write_cases(pl.DataFrame({"label": [cell, None, "a=b", ""], cell: [1, 2, 3, 4]}), tmp_path / "cases.csv")
    with (tmp_path / "cases.csv").open(newline="") as stream:
        rows = list(csv.reader(stream))
    assert rows[0] == ["label", f"'{cell}"]
    assert [row[0] for row in rows[1:]] == [f"'{cell}", "", "a=b", ""]


def test_numbers_stay_numbers(tmp_path):
    table = pl.DataFrame({"value": [-1.5, 2.0], "position": [-1, 3]})
    write_cases(table, tmp_path / "cases.csv")
    assert pl.read_csv(tmp_path / "cases.csv").equals(table)
