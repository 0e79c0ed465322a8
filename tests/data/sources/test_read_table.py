import zipfile

import polars as pl
import pytest

from pilotbase.data.sources.opening import read_table
from pilotbase.data.sources.source import MOST_BYTES
from pilotbase.documents.errors import InputError
from tests.data.workbooks_for_tests import Error, Formula, write_workbook


def read(folder, content, name="cases.csv", **options):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(path, **options)


def refused(folder, content, name="cases.csv"):
    with pytest.raises(InputError) as caught:
        read(folder, content, name)
    error = caught.value
    assert error.render("zh") != error.render("en")
    return error


def codes(error):
    return {issue.problem.code for issue in error.issues} or {error.code}


@pytest.mark.parametrize(
    "content",
    [
        "a,b\n01,x\n2,\n",
        "\ufeffa,b\n01,x\n2,\n",
        "a,b\r\n01,x\r\n2,\r\n",
        "a;b\n01;x\n2;\n",
        "a\tb\n01\tx\n2\t\n",
        "\n".join(["a,b", "01,x", "", "2,", ""]),
        '"a","b"\n01,"x"\n2,""\n',
    ],
)
def test_spellings_of_one_csv_read_the_same_as_text(tmp_path, content):
    table = read(tmp_path, content)
    assert table.columns == ["a", "b"]
    assert table.rows() == [("01", "x"), ("2", None)]


def test_quoted_separators_and_line_breaks_stay_in_their_cell(tmp_path):
    table = read(tmp_path, 'a,"b\nc",d\n"1,5","x\ny","say ""hi"""\n')
    assert table.columns == ["a", "b\nc", "d"]
    assert table.rows() == [("1,5", "x\ny", 'say "hi"')]


def test_a_quote_inside_a_plain_cell_is_forgiven(tmp_path):
    assert read(tmp_path, 'size,ok\n5" pipe,1\n').rows() == [('5" pipe', "1")]


def test_missing_values_are_null_in_every_spelling_asked_for(tmp_path):
    table = read(tmp_path, "a,b\nNA,1\n -999 ,2\n,3\nn/a,4\n", missing=("", "NA", "-999"))
    assert table["a"].to_list() == [None, None, None, "n/a"]


@pytest.mark.parametrize(("row", "found"), [("4,5", 2), ("4,5,6,7", 4)])
def test_a_ragged_row_is_named_by_its_line(tmp_path, row, found):
    error = refused(tmp_path, f'a,b,c\n1,"two\nlines",3\n{row}\n6,7,8\n')
    (issue,) = error.issues
    assert (issue.problem.code, issue.line, issue.problem.params["found"]) == ("source.ragged_row", 4, found)


def test_every_row_that_breaks_the_rules_is_named_at_once(tmp_path):
    told = refused(tmp_path, 'a,b\n1\n2,3\n4,5,6\n7,"x\n8,9\n').render()
    assert "cases.csv:2: 1 cell," in told and "cases.csv:4: 3 cells" in told
    assert "cases.csv:5: A double quote is opened here and not closed up to line 6" in told


def test_cells_of_a_workbook_that_would_be_lost_are_refused(tmp_path):
    rows = [["id", "power"], [1, Formula("A2*2")], [2, Error("#REF!")], [3, None], [4, 5]]
    write_workbook(tmp_path / "t.xlsx", rows, merged="A4:A5")
    with pytest.raises(InputError) as caught:
        read_table(tmp_path / "t.xlsx")
    told = caught.value.render()
    assert "cases!B3: The cell shows #REF!" in told and "cases!A4:A5: Merged cells" in told
    write_workbook(tmp_path / "t.xlsx", [["id", "power"], [1, Formula("A2*2")], [2, 4], [3, None], [4, 5]])
    with pytest.raises(InputError) as caught:
        read_table(tmp_path / "t.xlsx")
    assert "have no value and are read as missing: B2" in caught.value.render()


def test_gbk_is_read_and_two_encodings_are_not(tmp_path):
    assert read(tmp_path, "编号,结果\n1,合格\n".encode("gbk")).rows() == [("1", "合格")]
    error = refused(tmp_path, "编号,结果\n1,合格\n".encode() + "2,合格\n".encode("gbk"))
    assert "cases.csv:3: The file is in two encodings" in error.render()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "source.empty_file"),
        ("a,b\n", "source.no_rows"),
        ("a,b\n\n\n", "source.no_rows"),
        ("a,b,a\n1,2,3\n", "source.double_column"),
        ("a,,c\n1,2,3\n", "source.unnamed_column"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "source.unknown_bytes"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, content, code):
    assert codes(refused(tmp_path, content)) == {code}


LIES = {"parquet": "source.no_parquet", "xlsx": "source.broken_workbook", "arrow": "source.broken_footer"}


@pytest.mark.parametrize("ending", LIES)
def test_an_ending_that_lies_is_refused(tmp_path, ending):
    assert codes(refused(tmp_path, "a,b\n1,2\n", f"cases.{ending}")) == {LIES[ending]}


def test_arrow_reads_as_parquet_does(tmp_path):
    pl.DataFrame({"a": [1.5, None], "b": ["x", "NA"]}).write_ipc(tmp_path / "t.arrow")
    assert read_table(tmp_path / "t.arrow", missing=("NA",)).rows() == [(1.5, "x")]


def test_unknown_endings_missing_files_and_folders_are_refused(tmp_path):
    assert codes(refused(tmp_path, "x", "cases.pkl")) == {"source.unknown_kind"}
    with pytest.raises(InputError, match="no file"):
        read_table(tmp_path / "none.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError) as caught:
        read_table(tmp_path / "folder.csv")
    assert caught.value.code == "data.unreadable_file"


def test_parquet_keeps_its_types_and_knows_missing_numbers(tmp_path):
    pl.DataFrame({"a": [1.5, -999.0], "b": ["x", "NA"], "c": [True, False]}).write_parquet(tmp_path / "t.parquet")
    table = read_table(tmp_path / "t.parquet", missing=("NA", "-999"))
    assert table.schema == {"a": pl.Float64, "b": pl.String, "c": pl.Boolean}
    assert table.rows() == [(1.5, "x", True), (None, None, False)]


def test_a_workbook_reads_as_text(tmp_path):
    rows = [["id", "power", "ok", "at", "地点"], [1, 2.5, True, (45000.5,), "北"], [3, None, False, (45001,), "NA"]]
    write_workbook(tmp_path / "t.xlsx", rows)
    table = read_table(tmp_path / "t.xlsx", missing=("NA",))
    assert table.columns == ["id", "power", "ok", "at", "地点"]
    assert table.rows() == [
        ("1", "2.5", "true", "2023-03-15 12:00:00", "北"),
        ("3", None, "false", "2023-03-16 00:00:00", None),
    ]


def test_workbook_problems(tmp_path):
    write_workbook(tmp_path / "double.xlsx", [["a", "a"], [1, 2]])
    write_workbook(tmp_path / "empty.xlsx", [])
    for name, code in (("double", "source.double_column"), ("empty", "source.no_rows_at_all")):
        with pytest.raises(InputError) as caught:
            read_table(tmp_path / f"{name}.xlsx")
        assert codes(caught.value) == {code}


def test_a_workbook_bomb_is_refused_before_it_unpacks(tmp_path):
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive, archive.open("a", "w") as member:
        for _ in range((MOST_BYTES >> 20) + 1):
            member.write(bytes(1 << 20))
    with pytest.raises(InputError) as caught:
        read_table(tmp_path / "bomb.xlsx")
    assert codes(caught.value) == {"source.large_workbook"}


@pytest.mark.prove
def test_a_parquet_bomb_is_refused_before_it_unpacks(tmp_path):
    pl.select(pl.repeat(0, 50_000_000, dtype=pl.Int8).alias("a")).with_columns(
        [pl.col("a").alias(name) for name in "bcdef"]
    ).lazy().sink_parquet(tmp_path / "bomb.parquet")
    with pytest.raises(InputError) as caught:
        read_table(tmp_path / "bomb.parquet")
    assert caught.value.code == "data.too_many_cells"
