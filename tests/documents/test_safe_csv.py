"""A table that a spreadsheet opens as it is meant, and that is read back as it was."""

import csv
import io

import pytest

from pilotbase.documents.files import format_csv, read_cell

NUMBERS = ["-2.5", "-3", "-1e-05"]
FORMULAS = ["=1+1", "+1", "-1+1", "-2.5x", "@SUM(A1)", "-", "\t=1", "--1"]
PLAIN = ["", "word", "3", "'quoted'", "a=b"]


def cell_of(cell):
    ((written,),) = list(csv.reader(io.StringIO(format_csv(["head"], [[cell]]).decode("utf-8-sig"), newline="")))[1:]
    return written


@pytest.mark.parametrize("cell", FORMULAS)
def test_what_would_be_computed_has_an_apostrophe_before_it(cell):
    assert cell_of(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", [*NUMBERS, *PLAIN[1:]])
def test_numbers_below_zero_and_words_stay_as_they_are(cell):
    assert cell_of(cell) == cell


@pytest.mark.parametrize("cell", [*NUMBERS, *FORMULAS, *PLAIN[1:]])
def test_a_cell_is_read_back_as_it_was(cell):
    assert read_cell(cell_of(cell)) == cell
