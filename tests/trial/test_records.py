"""Tables of cases as files: what a spreadsheet would run stays text."""

import csv
import io

import numpy as np
import polars as pl
import pytest

from pilotbase.documents.contract import Prediction
from pilotbase.trial.records import CaseRecords, cases_csv, leaf_hashes


@pytest.mark.parametrize("cell", ["=cmd|'/c calc'!A1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "-"])
def test_a_formula_in_a_cell_of_text_is_text(cell):
    written = cases_csv(pl.DataFrame({"label": [cell, None, "a=b", ""], cell: [1, 2, 3, 4]}))
    rows = list(csv.reader(io.StringIO(written, newline="")))
    assert rows[0] == ["label", f"'{cell}"]
    assert [row[0] for row in rows[1:]] == [f"'{cell}", "", "a=b", ""]


def test_numbers_stay_numbers():
    table = pl.DataFrame({"value": [-1.5, 2.0], "position": [-1, 3]})
    assert pl.read_csv(io.StringIO(cases_csv(table))).equals(table)


def test_no_answer_is_committed_to_in_one_spelling():
    """A program chooses the bits of its NaN; a file keeps only that there was no answer."""
    odd = np.array([0x7FF8_0000_0000_BEEF, 0xFFF0_0000_0000_0001], dtype=np.uint64).view(np.float64)
    whole = np.arange(2, dtype=np.int64)
    leaves = [
        leaf_hashes(CaseRecords(whole, answers, np.ones(2), whole, Prediction(kind="value"), 2), b"salt")
        for answers in (odd, np.full(2, np.nan), np.array([np.nan, 0.0]))
    ]
    assert leaves[0] == leaves[1] != leaves[2]
