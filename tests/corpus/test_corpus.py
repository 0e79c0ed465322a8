"""Every messy table and every broken application is met with words: what, where, what to do."""

from collections import Counter

import pytest

from tests.corpus.applications_for_tests import APPLICATIONS
from tests.corpus.grades import COMMAND, committed
from tests.corpus.grading import SHARE_BELOW_B, Expected, Told, grade
from tests.corpus.tables_for_tests import TABLES
from tests.corpus.trying_for_tests import laid_bench, try_application, try_table

OF_TABLES = {table.name.partition(" | ")[0]: table for table in TABLES}
OF_APPLICATIONS = {one.name.partition(" | ")[0]: one for one in APPLICATIONS}
QUICK_TABLES = (
    "a title above the header",
    "a web page called .csv",
    "Parquet with a column of lists",
    "one label spelled in three ways",
)
QUICK_APPLICATIONS = ("a Windows path as entry point", "weights that are a pointer", "a column that is not there")


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    with laid_bench(tmp_path_factory.mktemp("bench")) as place:
        yield place


@pytest.mark.one_in(2)
@pytest.mark.parametrize("name", QUICK_TABLES)
def test_an_owner_is_told_what_is_wrong_where_and_what_to_do(name, bench, tmp_path):
    told = try_table(OF_TABLES[name], tmp_path)
    assert grade(OF_TABLES[name].expected, told).letter == "A" == committed()[name], told.remarks


@pytest.mark.parametrize("name", QUICK_APPLICATIONS)
def test_a_supplier_is_told_what_is_wrong_where_and_what_to_do(name, bench, tmp_path):
    told = try_application(OF_APPLICATIONS[name], bench, tmp_path)
    assert grade(OF_APPLICATIONS[name].expected, told).letter == "A" == committed()[name], told.remarks


def test_a_grade_counts_what_stands_in_one_remark():
    expected = Expected("duplicate", "line 3", "delete")
    graded = {
        "duplicate in line 3: delete it": "A",
        "a duplicate in line 3": "B",
        "a duplicate": "C",
        "line 3: delete it": "F",
    }
    assert {remark: grade(expected, Told([remark])).letter for remark in graded} == graded
    assert grade(expected, Told(["a duplicate", "line 3: delete it"])).letter == "C"
    assert grade(expected, Told(["duplicate in line 3: delete it"], crashed=True)).letter == "F"


def test_the_page_grades_the_whole_corpus_with_no_f_and_hardly_any_below_b():
    grades = committed()
    assert list(grades) == [*OF_TABLES, *OF_APPLICATIONS], f"run: {COMMAND}"
    assert len(OF_TABLES) >= 60 and len(OF_APPLICATIONS) >= 40
    counted = Counter(grades.values())
    assert counted["F"] == 0 and counted["C"] <= SHARE_BELOW_B * len(grades)


@pytest.mark.prove
def test_the_page_says_what_the_commands_say_now(bench, tmp_path):
    found = {}
    for name, table in OF_TABLES.items():
        (place := tmp_path / name.replace("/", "-")).mkdir()
        found[name] = grade(table.expected, try_table(table, place)).letter
    for name, application in OF_APPLICATIONS.items():
        (place := tmp_path / name.replace("/", "-")).mkdir()
        found[name] = grade(application.expected, try_application(application, bench, place)).letter
    assert found == committed(), f"run: {COMMAND}"
