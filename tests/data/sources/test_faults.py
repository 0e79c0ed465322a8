"""One planted fault a source: each is refused with its exact place and what to do; nothing of it is given."""

import base64
import datetime as dt
import gzip
import json
import random
import re
import zipfile
import zlib

import polars as pl
import pytest

from pilotbase.data.quality.release import FileInput, measure_file
from pilotbase.data.sources.kinds.json_lines import MOST_LISTS
from pilotbase.data.sources.kinds.parquet import footer, row_groups
from pilotbase.data.sources.opening import HARMLESS
from pilotbase.data.sources.source import LONGEST_CELL, MOST_COLUMNS, ReadOptions
from pilotbase.documents.dataset import Reference
from tests.data.sources.sources_for_tests import database, lines, opened, parquet, png, refused, rows, said
from tests.data.workbooks_for_tests import Error, Formula, write_workbook

GOOD = "id,city\n1,Köln\n2,北京\n"

TEXTS = {
    "a row too short": ("a,b,c\n1,2,3\n4,5\n", "t.csv:3: 2 cells, and the header has 3"),
    "a row too long behind one of two lines": ('a,b\n"x\ny",2\n3,4,5\n', "t.csv:4: 3 cells"),
    "an empty last cell is none too few": ("a,b\n1,\n2\n", "t.csv:3: 1 cell,"),
    "a quote never closed": (
        'a,b\n1,"x\n3,4\n5,6\n',
        "t.csv:2: A double quote is opened here and not closed up to line 4",
    ),
    "text behind a closed quote": ('a,b\n1,2\n3,"x"y\n', "t.csv:3: After a closing double quote"),
    "a NUL byte": ("a,b\n1,2\n3,\0\n", "t.csv:3: A NUL byte (byte 10 of the file)"),
    "a very long cell": (
        "a,b\n1,2\n3," + "x" * (LONGEST_CELL + 1) + "\n",
        "t.csv:3: A cell of more than 8388608 characters",
    ),
    "a header of one name twice": ("a,b,a\n1,2,3\n", "t.csv:1: Columns 1, 3 are all called a"),
    "a header without a name": ("a,,c\n1,2,3\n", "t.csv:1: Column 2 has no name"),
    "a header only": ("a,b\n", "t.csv: A header, but no rows"),
    "a header and blank lines": ("a,b\n\n , \n", "t.csv: A header, but no rows"),
    "no header": ("1,2.5\n3,4.5\n2,3.5\n", "t.csv:1: The first line holds values (1, 2.5), not names of its 2 columns"),
    "no header, whole numbers": ("5,7\n1,9\n8,3\n", "t.csv:1: The first line holds values (5, 7)"),
    "nothing but blanks": ("\n\n", "t.csv: Nothing in it"),
    "too many columns": (
        ",".join(f"c{at}" for at in range(MOST_COLUMNS + 1)) + "\n",
        "t.csv:1: 10001 columns; at most 10000",
    ),
    "a name too long": ("a," + "b" * 300 + "\n1,2\n", "t.csv:1: The name of column 2, bbb"),
}


@pytest.mark.parametrize("case", TEXTS)
def test_a_fault_of_a_text_is_named_by_its_line(tmp_path, case):
    content, place = TEXTS[case]
    assert place in refused(tmp_path, "t.csv", content)


def test_all_faults_are_told_at_once_and_the_many_of_one_kind_are_counted(tmp_path):
    told = refused(tmp_path, "t.csv", "a,b\n1\n" + "1,2,3\n" * 8 + '1,"x"y\n4,"z\n')
    assert "t.csv:2: 1 cell," in told and "t.csv:6: 3 cells" in told and "t.csv:7: 3 cells" not in told
    assert "and 4 more of that kind" in told.lower()
    assert "t.csv:11: After a closing" in told and "t.csv:12: A double quote is opened here" in told


ENCODED = {
    "GB18030": (GOOD.replace("Köln", "上海").encode("gb18030"), "GB18030"),
    "UTF-16 with its mark": (GOOD.encode("utf-16"), "UTF-16 LE"),
    "UTF-16 BE with its mark": (b"\xfe\xff" + GOOD.encode("utf-16-be"), "UTF-16 BE"),
    "UTF-16 LE without a mark": (GOOD.encode("utf-16-le"), "UTF-16 LE"),
    "UTF-16 BE without a mark": (GOOD.encode("utf-16-be"), "UTF-16 BE"),
    "UTF-8 with its mark": (GOOD.encode("utf-8-sig"), None),
    "UTF-8": (GOOD.encode(), None),
}


@pytest.mark.parametrize("case", ENCODED)
def test_an_encoding_is_found_and_said(tmp_path, case):
    content, name = ENCODED[case]
    source = opened(tmp_path, "t.csv", content)
    assert rows(source)[1] == ("2", "北京")
    assert source.tables[0].columns == ["id", "city"]
    assert said(source).startswith("" if name is None else f"t.csv was read as {name}.") and bool(said(source)) == bool(
        name
    )


def test_two_encodings_in_one_file_are_named_by_byte_and_line(tmp_path):
    first = "编号,城市\n1,北京\n2,上海\n".encode()
    told = refused(tmp_path, "t.csv", first + "3,广州\n".encode("gb18030"))
    assert f"t.csv:4: The file is in two encodings: from byte {len(first) + 2} on there is GB18030" in told


def test_bytes_of_no_encoding_that_is_told_apart_are_named_and_the_owner_may_say_it(tmp_path):
    content = "id,city\n1,Köln\n2,Düren\n".encode("cp1252")
    assert "t.csv:2: Byte 0xF6 (byte 11 of the file) is neither UTF-8 nor GB18030" in refused(
        tmp_path, "t.csv", content
    )
    assert rows(opened(tmp_path, "t.csv", content, ReadOptions(encoding="cp1252"))) == [("1", "Köln"), ("2", "Düren")]
    assert "no encoding called cp99999" in refused(tmp_path, "t.csv", content, ReadOptions(encoding="cp99999"))
    told = refused(tmp_path, "u.csv", "a,b\n1,ä\n", ReadOptions(encoding="ascii"))
    assert "u.csv:2: Byte 6 of the file is no ASCII" in told


@pytest.mark.parametrize(("separator", "name"), [(";", ";"), ("\t", "tab"), ("|", "|"), ("，", "，")])
def test_a_separator_is_found_and_said(tmp_path, separator, name):
    content = "a,b,c\n1,x,3\n2,y,4\n".replace(",", separator)
    source = opened(tmp_path, "t.csv", content)
    assert rows(source) == [("1", "x", "3"), ("2", "y", "4")]
    assert said(source).startswith(f"t.csv is divided by {name}.")


def test_decimal_commas_do_not_divide(tmp_path):
    assert rows(opened(tmp_path, "t.csv", "a;b\n1,5;2,5\n3,5;4,5\n")) == [("1,5", "2,5"), ("3,5", "4,5")]


def test_a_wrong_separator_is_told_with_the_right_one(tmp_path):
    told = refused(tmp_path, "t.csv", "a,b,c\n1,2,3\n", ReadOptions(separator=";"))
    assert "t.csv:1: Divided by ; there is one column; divided by , there are 3" in told


def test_names_are_given_to_a_table_without_a_header(tmp_path):
    content = "1 1 -0.7 \n1 2  0.5 \n"
    source = opened(tmp_path, "t.txt", content, ReadOptions(columns=("unit", "cycle", "sensor")))
    assert rows(source) == [("1", "1", "-0.7"), ("1", "2", "0.5")]
    assert "3 cells, and 2 columns were named" in refused(
        tmp_path, "t.txt", content, ReadOptions(columns=("unit", "cycle"))
    )


def test_numbers_may_be_names_where_the_rows_hold_other_numbers(tmp_path):
    assert opened(tmp_path, "t.csv", "773869,767541\n64.3,67.6\n62.6,68.5\n").tables[0].columns == ["773869", "767541"]


def test_row_numbers_in_front_and_a_separator_at_the_end_are_left_out_and_said(tmp_path):
    source = opened(tmp_path, "t.csv", ",a,b,\n0,x,1,\n1,y,2,\n")
    assert source.tables[0].columns == ["a", "b"]
    assert rows(source) == [("x", "1"), ("y", "2")]
    assert "column 1 has no name and only counts the rows" in said(source)
    assert "column 4 has neither name nor values" in said(source)
    assert "t.csv:1: Column 1 has no name" in refused(tmp_path, "t.csv", ",a\n5,x\n5,y\n")


def test_ten_thousand_columns_are_read(tmp_path):
    names = ",".join(f"c{at}" for at in range(MOST_COLUMNS))
    source = opened(tmp_path, "t.csv", f"{names}\n" + ",".join("1" * MOST_COLUMNS) + "\n")
    assert len(source.tables[0].columns) == MOST_COLUMNS


JSON = {
    "no JSON": ('{"a": 1}\n{"a": }\n', "t.jsonl:2: No JSON at character 7"),
    "no number": ('{"a": NaN}\n', "t.jsonl:1: No JSON at character 1: NaN is no JSON number"),
    "no object": ('{"a": 1}\n[1, 2]\n', "t.jsonl:2: [1, 2] is no object"),
    "a name twice": ('{"a": 1}\n\n{"a": 1, "a": 2}\n', "t.jsonl:3 a: The object has this name twice"),
    "too deep": ('{"a":' * 15 + "1" + "}" * 15 + "\n", "objects within objects"),
    "much too deep": ('{"a":' * 99999 + "1" + "}" * 99999 + "\n", "t.jsonl:1: Objects within objects"),
    "nothing": ("\n", "t.jsonl: Nothing in it"),
}


@pytest.mark.parametrize("case", JSON)
def test_a_fault_of_json_lines_is_named_by_its_line(tmp_path, case):
    content, place = JSON[case]
    assert place.lower() in refused(tmp_path, "t.jsonl", content).lower()


def test_nested_json_is_flattened_and_said(tmp_path):
    records = [
        {"id": 1, "at": {"city": "北京", "zip": "01"}, "tags": ["x"], "mixed": 5},
        {"id": 2, "at": {"city": "上海"}, "tags": [], "mixed": "five"},
    ]
    source = opened(tmp_path, "t.jsonl", lines(*records))
    assert source.tables[0].frame.collect_schema()["id"] == pl.Int64
    assert source.tables[0].columns == ["id", "at.city", "at.zip", "tags", "mixed"]
    assert rows(source) == [(1, "北京", "01", ["x"], "5"), (2, "上海", None, [], "five")]
    assert "2 columns with dotted names, such as at.city, at.zip" in said(source)
    assert "mixed holds values of several kinds and was read as text (first lines: int: 1, text: 2)" in said(source)


ORDERS = [
    {"order no": "A7", "items": [{"sku": "x", "count": 2}, {"sku": "y", "at": {"shelf": 3}}], "at": {"notes": []}},
    {"order no": "B1", "items": [], "at": {"notes": [{"text": "late", "by": ["li", "wang"]}]}},
    {"order no": "C4", "items": [{"sku": "x", "count": 1.5}], "at": {"notes": None}},
]


def test_lists_of_objects_are_tables_that_refer_to_the_record_that_holds_them(tmp_path):
    source = opened(tmp_path, "orders.jsonl", "\n" + lines(*ORDERS))
    orders, items, notes = source.tables
    assert (orders.columns, rows(source)) == (["order no"], [("A7",), ("B1",), ("C4",)])
    assert (items.name, items.columns) == ("orders.items", ["orders.order no", "sku", "count", "at.shelf"])
    assert rows(source, 1) == [("A7", "x", 2.0, None), ("A7", "y", None, 3), ("C4", "x", 1.5, None)]
    assert [items.line_of(row) for row in range(3)] == [2, 2, 4]
    assert items.references == {"orders.order no": Reference(record_set="orders", field="order no")}
    assert items.origins["at.shelf"].json_path == "$.items[*].at.shelf"
    assert (notes.name, rows(source, 2)) == ("orders.at.notes", [("B1", "late", ["li", "wang"])])
    assert "the lists of objects in items became the table orders.items, whose rows refer to orders.order no" in said(
        source
    )


def test_where_no_member_names_the_records_their_lines_do(tmp_path):
    twice = [{**one, "order no": "A7"} for one in ORDERS]
    source = opened(tmp_path, "orders.jsonl", "\n" + lines(*twice))
    orders, items, _ = source.tables
    assert (orders.key, orders.columns) == (("row",), ["row", "order no"])
    assert orders.origins["row"].file_property == "lineNumbers"
    assert [row[0] for row in rows(source)] == [2, 3, 4] and [row[0] for row in rows(source, 1)] == [2, 2, 4]
    assert items.references == {"orders.row": Reference(record_set="orders", field="row")}
    for lacking in ({**ORDERS[2], "order no": None}, {"items": [{"sku": "z"}]}):
        assert opened(tmp_path, "orders.jsonl", lines(*ORDERS[:2], lacking)).tables[0].key == ("row",)
    listed = opened(tmp_path, "orders.json", json.dumps(twice))
    assert len(listed.tables) == 1
    assert "items holds lists of objects, and no column names the records that they are of" in said(listed)
    assert [len(rows(opened(tmp_path, "orders.json", json.dumps(ORDERS)), at)) for at in range(3)] == [3, 3, 1]


def test_lists_go_one_level_deep_are_bounded_and_what_is_left_out_is_said(tmp_path):
    deep = {"id": 1, "runs": [{"n": 1, "steps": [{"v": 1}]}], "mixed": [{"a": 1}, 2], "grid": [[1]]}
    source = opened(tmp_path, "t.jsonl", lines(deep, {"id": 2}))
    assert [table.name for table in source.tables] == ["t", "t.runs"]
    assert source.tables[1].columns == ["t.id", "n"]
    assert "runs.steps holds lists inside the lists of table t.runs; they go no further and were left out" in said(
        source
    )
    assert all(f"{name} holds lists of objects or bytes" in said(source) for name in ("mixed", "grid"))
    many = {f"list {at}": [{"v": 1}] for at in range(MOST_LISTS + 2)}
    source = opened(tmp_path, "t.jsonl", lines({"id": 1, **many}, {"id": 2}))
    assert len(source.tables) == MOST_LISTS + 1
    assert f"list {MOST_LISTS + 1} holds lists of objects or bytes" in said(source)
    assert "t.jsonl runs: Column 1 has no name" in refused(tmp_path, "t.jsonl", lines({"id": 1, "runs": [{"": 1}]}))


def test_a_json_list_is_read_and_other_json_is_not(tmp_path):
    assert rows(opened(tmp_path, "t.json", '[{"a": 1}, {"a": 2.5}]')) == [(1.0,), (2.5,)]
    assert "the file is no list of objects" in refused(tmp_path, "t.json", '{"a": 1}').lower()
    assert "t.json:2: No JSON at character 1" in refused(tmp_path, "t.json", '[{"a": 1},\nnil]')


def test_a_cut_parquet_file_and_one_that_is_none(tmp_path):
    whole = parquet(tmp_path / "whole.parquet").read_bytes()
    size = len(whole) - 7
    assert f"cut.parquet: It ends after {size} bytes without the closing mark" in refused(
        tmp_path, "cut.parquet", whole[:size]
    )
    assert "it begins with 61 2c 62 0a" in refused(tmp_path, "none.parquet", "a,b\n1,2\n").lower()
    start = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    footer = whole[:start] + b"\xff" * 40 + whole[start + 40 :]
    assert "its footer, which says what is where, cannot be read" in refused(tmp_path, "footer.parquet", footer).lower()


def chunk(path, group: int, column: int) -> range:
    """Return the bytes of a column in a row group (ColumnMetaData: 7 size, 9 first data page, 11 dictionary)."""
    found = footer(path)[4][group][1][column][3]
    start = found.get(11) or found[9]
    return range(start, start + found[7])


@pytest.mark.parametrize(("group", "column"), [(0, 1), (2, 1), (3, 0)])
def test_a_damaged_parquet_file_names_column_rows_and_row_group(tmp_path, group, column):
    path = parquet(tmp_path / "whole.parquet")
    whole, damage = bytearray(path.read_bytes()), chunk(path, group, column)
    whole[damage.start : damage.stop] = b"\xff" * len(damage)
    told = refused(tmp_path, "damaged.parquet", bytes(whole))
    first = 1000 * group + 1
    expected = f"{('id', 'name')[column]}: Row group {group + 1}, rows {first} to {first + 999}, cannot be decoded"
    assert re.findall(r"\w+: Row group .* cannot be decoded", told) == [expected]


def test_all_damages_of_a_parquet_file_are_named_at_once(tmp_path):
    path = parquet(tmp_path / "whole.parquet", row_groups=9)
    whole = bytearray(path.read_bytes())
    for group, column in ((1, 0), (4, 0), (4, 1), (8, 1)):
        damage = chunk(path, group, column)
        whole[damage.start : damage.stop] = b"\xff" * len(damage)
    told = refused(tmp_path, "damaged.parquet", bytes(whole))
    assert re.findall(r"(\w+): Row group (\d)", told) == [("id", "2"), ("id", "5"), ("name", "5"), ("name", "9")]


def test_without_its_row_groups_the_rows_of_a_damaged_column_are_all_of_them(tmp_path, monkeypatch):
    monkeypatch.setattr("pilotbase.data.sources.kinds.parquet.row_groups", lambda path: ())
    path = parquet(tmp_path / "whole.parquet")
    whole, damage = bytearray(path.read_bytes()), chunk(path, 1, 0)
    whole[damage.start : damage.stop] = b"\xff" * len(damage)
    assert "id: Rows 1 to 4000 cannot be decoded" in refused(tmp_path, "damaged.parquet", bytes(whole))


def test_row_groups_are_read_from_the_footer_and_nothing_from_what_is_none(tmp_path):
    path = parquet(tmp_path / "whole.parquet", row_groups=20)
    assert row_groups(path) == tuple(range(at, at + 1000) for at in range(0, 20_000, 1000))
    whole, chance = path.read_bytes(), random.Random(5)
    for _ in range(300):
        spoiled = bytearray(whole)
        spoiled[chance.randrange(len(whole) - 2000, len(whole))] = chance.randrange(256)
        path.write_bytes(spoiled)
        assert isinstance(row_groups(path), tuple)


SHEETS = {
    "merged cells": ([["a", "b"], [1, 2], [3, 4]], "A2:A3", "t.xlsx cases!A2:A3: Merged cells"),
    "a title across the sheet": ([["2026"], ["a", "b"], [1, 2]], "A1:B1", "t.xlsx cases!A1:B1: Merged cells"),
    "a formula that nothing computed": (
        [["a", "b"], [1, Formula("A2*2")]],
        "",
        "t.xlsx cases!B2: A formula that nothing",
    ),
    "an error": ([["a", "b"], [1, Error("#DIV/0!")]], "", "t.xlsx cases!B2: The cell shows #DIV/0! instead"),
    "a name twice": ([["a", "a"], [1, 2]], "", "t.xlsx cases!1:1: Columns 1, 2 are all called a"),
    "no name": ([["a", None], [1, 2]], "", "t.xlsx cases!1:1: Column 2 has no name"),
    "a header only": ([["a", "b"]], "", "t.xlsx cases: A header, but no rows"),
    "nothing": ([], "", "t.xlsx: Nothing in it"),
}


@pytest.mark.parametrize("case", SHEETS)
def test_a_fault_of_a_workbook_is_named_by_its_cell(tmp_path, case):
    content, merged, place = SHEETS[case]
    write_workbook(tmp_path / "t.xlsx", content, merged)
    assert place in refused(tmp_path, "t.xlsx")


def test_computed_cells_are_read_as_they_were_last_and_said(tmp_path):
    write_workbook(tmp_path / "t.xlsx", [["a", "b"], [1, Formula("A2*2", 2)], [None, None], [3, Formula("A4*2", 6)]])
    source = opened(tmp_path, "t.xlsx")
    assert rows(source) == [("1", "2"), ("3", "6")]
    assert [source.tables[0].line_of(row) for row in (0, 1)] == [2, 4]
    assert "columns B of sheet cases are computed by formulas" in said(source)


def test_a_workbook_with_entities_is_refused(tmp_path):
    write_workbook(tmp_path / "t.xlsx", [["a"], [1]])
    with zipfile.ZipFile(tmp_path / "t.xlsx") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    members[sheet] = b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + members[sheet]
    with zipfile.ZipFile(tmp_path / "t.xlsx", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    assert "a document type has no place" in refused(tmp_path, "t.xlsx").lower()


def test_a_bomb_is_stopped_while_it_unpacks_and_leaves_nothing(tmp_path):
    with gzip.open(tmp_path / "bomb.csv.gz", "wb", compresslevel=9) as packed:
        for _ in range((HARMLESS >> 20) + 2):
            packed.write(bytes(1 << 20))
    assert "bomb.csv.gz bomb.csv: Unpacks to more than" in refused(tmp_path, "bomb.csv.gz")
    assert not list((tmp_path / "scratch").rglob("*.csv"))


def test_archives_hold_one_table_and_no_archive(tmp_path):
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(GOOD.encode()))
    source = opened(tmp_path, "t.csv.gz")
    assert len(rows(source)) == 2
    assert [(one.id, one.contained_in) for one in source.resources] == [("t.csv.gz", ()), ("t.csv", ("t.csv.gz",))]
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.csv", GOOD)
        archive.writestr("b.csv", GOOD)
    assert "2 files in the archive: a.csv, b.csv" in refused(tmp_path, "two.zip")
    with zipfile.ZipFile(tmp_path / "nested.zip", "w") as archive:
        archive.writestr("inner.zip", b"PK")
    assert "an archive inside the archive" in refused(tmp_path, "nested.zip").lower()
    cut = gzip.compress(bytes(range(256)) * 99)[:200]
    assert "The archive cannot be unpacked" in refused(tmp_path, "cut.csv.gz", cut)


def test_a_damaged_database_and_a_value_of_another_kind(tmp_path):
    path = database(
        tmp_path / "t.db",
        "CREATE TABLE runs (id INTEGER PRIMARY KEY, torque REAL)",
        "INSERT INTO runs VALUES (1, 2.5), (2, 'n/a')",
    )
    assert "t.db runs.torque: Row 2: 'n/a' is no number" in refused(tmp_path, path.name)
    database(tmp_path / "u.db", "CREATE TABLE t (a TEXT)", f"INSERT INTO t VALUES ('{'x' * 9000}'), ('y')")
    content = bytearray((tmp_path / "u.db").read_bytes())
    content[4096:4200] = bytes(104)
    assert "u.db" in refused(tmp_path, "u.db", bytes(content))
    database(tmp_path / "v.db", "CREATE TABLE t (a TEXT)", "CREATE INDEX i ON t (a)", "INSERT INTO t VALUES ('x')")
    content = bytearray((tmp_path / "v.db").read_bytes())
    content[8192:8292] = bytes(100)  # the index alone: every row of the table can still be read
    assert "v.db: Damaged:" in refused(tmp_path, "v.db", bytes(content))
    assert "no.sqlite: No SQLite file" in refused(tmp_path, "no.sqlite", "a,b\n")


def test_one_text_among_the_numbers_of_a_database_is_told_and_the_rest_read(tmp_path):
    values = ", ".join(f"({row}, {row}.5)" for row in range(1, 31))
    database(
        tmp_path / "t.db",
        "CREATE TABLE runs (id INTEGER PRIMARY KEY, torque REAL)",
        f"INSERT INTO runs VALUES {values}",
        "UPDATE runs SET torque = 'n/a' WHERE id = 17",
    )
    source = opened(tmp_path, "t.db")
    assert [value for _, value in rows(source)][15:18] == [16.5, None, 18.5]
    assert "runs.torque has 1 value unlike the others (no number)" in said(source) and "17: 'n/a'" in said(source)


def test_one_formula_that_nothing_computed_is_told_and_the_rest_read(tmp_path):
    cells = [[row, Formula(f"A{row}*2", 2 * row)] for row in range(2, 12)]
    cells[4][1] = Formula("A6*2")
    write_workbook(tmp_path / "t.xlsx", [["a", "b"], *cells])
    source = opened(tmp_path, "t.xlsx")
    assert [value for _, value in rows(source)][3:6] == ["10", None, "14"]
    assert "have no value and are read as missing: B6." in said(source)


# Written by pyarrow 22: whole numbers 0 to 3 beside decimal numbers of 50 digits.
WIDE = (
    "eNoLcAwyFGURdRA18RHlEGUQYmBQYGDgZWRg5OWwYWKAAGYoLcogKiIqoQNUJyDKJsomI8EBk5HggDIYxBg0sIgKCgIJLhWQgRyM"
    "TMxPGIBW1om6+QCNAVlpHwKU4NMRXHb6Z7QBZ9L+q6miy5xczv73YmRgyWIAkgwnMOwWxapFQvQ/FpAlxqRBknok9zJzMzGrAN0r"
    "aWPKIMFWnJyRmpsoygIUUGWSYMpMYRDlE9USZZJgTspMV+UCeitFJwZEgoKCQ1JGUkeNQQao2ZSBTUASpF6USYxD7B2j2DNGtQg1"
    "DtKCUFIHaDKDKBMoIgSAlI0mm6QaA0gFyBI+qCUgl4BtmcIs9oBJ7QKT2jtG2gcXVrcxsYG808QqxqHGIXaMhUFDoSCxqLA0tUQ3"
    "uaBAN7GoKL9coSy1qDgzP0/ByEzPQM9QUkeGgQGIGAqBkR4ATJsA4TOtGw=="
)


def test_columns_of_parquet_that_no_field_holds_as_they_are_do_not_damage_the_rest(tmp_path):
    (tmp_path / "wide.parquet").write_bytes(zlib.decompress(base64.b64decode(WIDE)))
    source = opened(tmp_path, "wide.parquet")
    assert rows(source) == [(0,), (1,), (2,), (3,)]
    assert "big holds decimal numbers of more than 38 digits" in said(source)
    took = [dt.timedelta(minutes=90), None, dt.timedelta(milliseconds=1)]
    pl.DataFrame({"id": [1, 2, 3], "took": took}).write_parquet(tmp_path / "took.parquet")
    source = opened(tmp_path, "took.parquet")
    assert rows(source) == [(1, 5400.0), (2, None), (3, 0.001)]
    assert "took holds lengths of time, which are read in seconds" in said(source)
    report = measure_file(FileInput(tmp_path / "took.parquet", full=True))
    assert report.profiles[0].fields[1].maximum == 5400


def test_images_that_are_none_are_named(tmp_path):
    for name, content in {"good.png": png(2, 3), "cut.png": png(2, 3)[:18], "text.jpg": b"no image at all"}.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "link.png").symlink_to(tmp_path / "good.png")
    told = refused(tmp_path, ".")
    assert "cut.png: The header of the image cannot be read: PNG: no IHDR" in told
    assert "text.jpg: Its first bytes are those of no image" in told
    assert "link.png: A link, not a file" in told


def test_unknown_kinds_and_missing_files(tmp_path):
    assert "no kind of source that can be read" in refused(tmp_path, "t.pkl", "x").lower()
    assert "There is no file" in refused(tmp_path, "none.csv")
    assert "t.csv: The file is empty" in refused_empty(tmp_path)


def refused_empty(folder):
    (folder / "t.csv").touch()
    return refused(folder, "t.csv")
