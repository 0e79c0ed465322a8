"""Tables of cases as files: what a spreadsheet would run stays text."""

import csv
import io

import polars as pl
import pytest

from pilotbase.trial.records import cases_csv


@pytest.mark.parametrize("cell", ["=cmd|'/c calc'!A1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "-"])
def test_a_formula_in_a_cell_of_text_is_text(cell):
    written = cases_csv(pl.DataFrame({"label": [cell, None, "a=b", ""], cell: [1, 2, 3, 4]}))
    rows = list(csv.reader(io.StringIO(written, newline="")))
    assert rows[0] == ["label", f"'{cell}"]
    assert [row[0] for row in rows[1:]] == [f"'{cell}", "", "a=b", ""]


def test_numbers_stay_numbers():
    table = pl.DataFrame({"value": [-1.5, 2.0], "position": [-1, 3]})
    assert pl.read_csv(io.StringIO(cases_csv(table))).equals(table)
