"""Every kind of source gives its tables whole: columns, rows, size and digest of the files; all spellings alike."""

import csv
import hashlib
import io
from datetime import UTC, date, datetime
from pkgutil import iter_modules

import polars as pl
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilotbase.data.sources import kinds
from pilotbase.data.sources.kinds import kind_of, reader_of
from pilotbase.data.sources.opening import open_source
from pilotbase.data.sources.source import ReadOptions
from pilotbase.documents.dataset import FileSet, Reference
from pilotbase.documents.errors import InputError
from tests.data.sources.sources_for_tests import database, jpeg, lines, opened, png, refused, rows, said
from tests.data.workbooks_for_tests import write_workbook
from tests.workspace.stores_for_tests import reason_to_skip, running_server

KINDS = {
    "t.csv": lambda path: path.write_text("id,v\n1,a\n2,b\n"),
    "t.tsv": lambda path: path.write_text("id\tv\n1\ta\n2\tb\n"),
    "t.txt": lambda path: path.write_text("id v\n1 a\n2 b\n"),
    "t.parquet": lambda path: pl.DataFrame({"id": [1, 2], "v": ["a", "b"]}).write_parquet(path),
    "t.xlsx": lambda path: write_workbook(path, [["id", "v"], [1, "a"], [2, "b"]]),
    "t.jsonl": lambda path: path.write_text(lines({"id": 1, "v": "a"}, {"id": 2, "v": "b"})),
    "t.json": lambda path: path.write_text('[{"id": 1, "v": "a"}, {"id": 2, "v": "b"}]'),
    "t.sqlite": lambda path: database(
        path, "CREATE TABLE t (id INT, v TEXT)", "INSERT INTO t VALUES (1, 'a'), (2, 'b')"
    ),
}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_file_gives_the_same_table_with_its_digest(tmp_path, name):
    KINDS[name](tmp_path / name)
    source = opened(tmp_path, name)
    (table,), (resource,) = source.tables, source.resources
    assert table.name == "t" and table.rows == 2 and table.resource == resource.id == name
    assert table.frame.select(pl.all().cast(pl.String)).collect().rows() == [("1", "a"), ("2", "b")]
    content = (tmp_path / name).read_bytes()
    assert (resource.sha256, resource.content_size) == (hashlib.sha256(content).hexdigest(), len(content))


def test_every_kind_has_places_of_its_own(tmp_path):
    places = (*KINDS, "t.arrow", "postgresql://host/base", str(tmp_path))
    assert {kind_of(place) for place in places} == {kind.name for kind in iter_modules(kinds.__path__)}
    assert all(callable(reader_of(kind_of(place))) for place in places)
    assert kind_of("t.pkl") is None


CELL = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]) | st.sampled_from(',;\t"\n'), max_size=6)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(CELL, CELL), min_size=1, max_size=5),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gb18030"]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_whatever_a_csv_writer_writes_is_read_back(tmp_path, cells, separator, encoding, end):
    table = [(f"x{one}", other) for one, other in cells]
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=separator, lineterminator=end).writerows([("名称", "value of it"), *table])
    source = opened(tmp_path, "t.csv", written.getvalue().encode(encoding), ReadOptions(encoding=encoding))
    expected = [tuple(cell or None for cell in row) for row in table]
    assert rows(source) == expected
    for number in range(len(table)):
        line = source.tables[0].line_of(number)
        head = "".join(written.getvalue().splitlines(keepends=True)[: line - 1])
        assert len(list(csv.reader(io.StringIO(head, newline=""), delimiter=separator))) == number + 1


def test_a_plain_file_is_scanned_where_it_is(tmp_path):
    source = opened(tmp_path, "t.csv", "a,b\n1,\n2,x\n")
    assert not list((tmp_path / "scratch").iterdir())
    assert rows(source) == [("1", None), ("2", "x")]


def test_quotes_inside_plain_cells_are_forgiven(tmp_path):
    assert rows(opened(tmp_path, "t.csv", 'size,ok\n5" pipe,1\n6" pipe,2\n')) == [('5" pipe', "1"), ('6" pipe', "2")]


def test_every_sheet_is_a_table_and_one_may_be_asked_for(tmp_path):
    write_workbook(tmp_path / "t.xlsx", [["a"], [1]], 机器=[["编号", "类型"], ["M1", "x"]], empty=[])
    source = opened(tmp_path, "t.xlsx")
    assert [(table.name, table.columns) for table in source.tables] == [("cases", ["a"]), ("机器", ["编号", "类型"])]
    assert "several sheets, each a table: cases, 机器" in said(source)
    assert [table.name for table in opened(tmp_path, "t.xlsx", asked=ReadOptions(tables=("机器",))).tables] == ["t"]
    assert "There is no sheet or table cases2" in refused(tmp_path, "t.xlsx", asked=ReadOptions(tables=("cases2",)))


def test_a_database_tells_keys_and_references_and_its_views_are_not_run(tmp_path):
    database(
        tmp_path / "t.db",
        "CREATE TABLE machines (id TEXT PRIMARY KEY, photo BLOB)",
        "CREATE TABLE runs (machine TEXT NOT NULL REFERENCES machines(id), at TEXT, ok BOOLEAN)",
        "INSERT INTO machines VALUES ('M1', x'00')",
        "INSERT INTO runs VALUES ('M1', '2026-01-01', 1), ('M1', NULL, 0)",
        "CREATE VIEW everything AS SELECT randomblob(1000000000) FROM runs",
    )
    source = opened(tmp_path, "t.db")
    machines, runs = source.tables
    assert machines.key == ("id",) and machines.columns == ["id"]
    assert runs.references == {"machine": Reference(record_set="machines", field="id")}
    assert runs.required == {"machine"}
    assert runs.frame.collect().rows() == [("M1", "2026-01-01", True), ("M1", None, False)]
    assert "machines.photo holds bytes" in said(source)


@pytest.fixture(scope="module")
def server():
    reason = reason_to_skip()
    if reason:
        pytest.skip(reason)
    with running_server() as address:
        yield address


def test_a_postgresql_schema_is_read_as_one_snapshot(tmp_path, server):
    with psycopg.connect(server) as connection:
        connection.execute("CREATE SCHEMA pilots")
        connection.execute("CREATE TABLE pilots.machines (id text PRIMARY KEY, since date, box box)")
        connection.execute(
            "CREATE TABLE pilots.runs (id bigserial PRIMARY KEY, machine text REFERENCES pilots.machines,"
            " torque numeric, at timestamptz NOT NULL, ok boolean)"
        )
        connection.execute("INSERT INTO pilots.machines VALUES ('M1', '2026-01-31', NULL)")
        connection.execute(
            "INSERT INTO pilots.runs (machine, torque, at, ok) VALUES ('M1', 2.5, '2026-01-01 08:00+08', true)"
        )
    source = open_source(f"{server}#pilots", tmp_path)
    machines, runs = source.tables
    assert machines.frame.collect().rows() == [("M1", date(2026, 1, 31))]
    assert runs.frame.collect().rows() == [(1, "M1", 2.5, datetime(2026, 1, 1, tzinfo=UTC), True)]
    assert (runs.key, runs.required) == (("id",), {"id", "at"})
    assert runs.references == {"machine": Reference(record_set="machines", field="id")}
    assert source.live and source.resources[0].sha256 is None
    assert "machines.box holds bytes or a type" in said(source)
    with pytest.raises(InputError) as caught:
        open_source(f"{server}#nowhere", tmp_path)
    assert "the database has no tables" in str(caught.value.render()).lower()


def test_the_address_of_a_database_is_shown_without_its_password(tmp_path):
    with pytest.raises(InputError) as caught:
        open_source("postgresql://reader:secret@127.0.0.1:1/base?sslmode=disable", tmp_path)
    told = caught.value.render()
    assert "postgresql://127.0.0.1:1/base" in told and "secret" not in told and "reader" not in told


def test_images_are_labelled_by_their_folders(tmp_path):
    for name, content in {"crack/a.png": png(3, 2), "fine/b.jpg": jpeg(640, 480), "fine/c.png": png(3, 2)}.items():
        (tmp_path / "scans" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "scans" / name).write_bytes(content)
    source = opened(tmp_path, "scans")
    table = source.tables[0].frame.collect()
    assert table.drop("sha256", "size").rows() == [
        ("crack/a.png", "crack", "image/png", 3, 2),
        ("fine/b.jpg", "fine", "image/jpeg", 640, 480),
        ("fine/c.png", "fine", "image/png", 3, 2),
    ]
    assert table["sha256"][0] == hashlib.sha256(png(3, 2)).hexdigest() and table["size"][0] == len(png(3, 2))
    assert isinstance(source.resources[0], FileSet) and source.resources[0].includes == ("**/*.jpg", "**/*.png")
    assert "images that are byte for byte another one: 1" in said(source)


def test_images_are_labelled_by_a_table_that_names_each_of_them(tmp_path):
    folder = tmp_path / "scans"
    folder.mkdir()
    (folder / "a.png").write_bytes(png(1, 1))
    (folder / "b.png").write_bytes(jpeg(1, 1))
    labels = tmp_path / "labels.csv"
    labels.write_text("path,label\na.png,crack\nb.png,fine\n")
    source = opened(tmp_path, "scans", asked=ReadOptions(labels=labels))
    assert source.tables[0].frame.select("path", "label").collect().rows() == [("a.png", "crack"), ("b.png", "fine")]
    assert "not what their ending says: 1, such as b.png, which is image/jpeg" in said(source)
    labels.write_text("path,label\na.png,crack\na.png,fine\nc.png,fine\n")
    told = refused(tmp_path, "scans", asked=ReadOptions(labels=labels))
    assert "labels.csv:3: a.png is labelled twice" in told
    assert "labels.csv:4: There is no image c.png" in told
    assert "labels.csv b.png: The image has no label" in told


def test_a_table_of_structures_is_flat_and_lists_of_them_are_said(tmp_path):
    frame = pl.DataFrame({"at": [{"city": "北京", "zip": "01"}], "tags": [["x"]], "runs": [[{"n": 1}]], "raw": [b"x"]})
    frame.write_parquet(tmp_path / "t.parquet")
    source = opened(tmp_path, "t.parquet")
    assert source.tables[0].columns == ["at.city", "at.zip", "tags"]
    assert "runs holds lists of objects" in said(source) and "raw holds lists of objects or bytes" in said(source)
