"""A SQLite file: its plain tables, opened read-only; views, triggers and virtual tables are not run."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from urllib.parse import quote

import polars as pl

from pilotbase.data.sources.database_rows import DeclaredTable, declared_tables, kept_tables, require_names
from pilotbase.data.sources.source import FileFaults, OpenedSource, ReadOptions, file_object, refuse, require_file
from pilotbase.documents.dataset import Reference
from pilotbase.documents.progress import OnProgress, Progress
from pilotbase.documents.texts import text

_MAGIC = b"SQLite format 3\0"
_BATCH = 10_000


def read(place: str, asked: ReadOptions, scratch: Path) -> OpenedSource:
    """Return the tables in ``place``; see `pilotbase.data.sources.source.Read`."""
    path = Path(place)
    require_file(path)
    with path.open("rb") as stream:
        if stream.read(len(_MAGIC)) != _MAGIC:
            raise refuse(path.name, text("source.no_sqlite"))
    faults = FileFaults(path.name)
    try:
        with closing(_opened(path)) as connection:
            _check(connection, faults)
            declared = _declared(connection, asked, path.name)
            rows = partial(_rows, connection, asked.on_progress)
            tables, taken = kept_tables(declared, rows, (path.name, scratch), faults)
    except sqlite3.DatabaseError as error:
        raise refuse(path.name, text("source.broken_sqlite", reason=str(error)[:120])) from None
    return OpenedSource(tables, (file_object(path, "application/vnd.sqlite3", asked),), tuple(taken))


def _opened(path: Path) -> sqlite3.Connection:
    """Open so that nothing is written, not even a journal, and nothing in its schema is run."""
    beside = Path(f"{path}-wal")
    immutable = "" if beside.exists() and beside.stat().st_size else "&immutable=1"
    connection = sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro{immutable}", uri=True)
    connection.execute("PRAGMA trusted_schema=OFF")
    connection.execute("PRAGMA cell_size_check=ON")
    return connection


def _check(connection: sqlite3.Connection, faults: FileFaults) -> None:
    for (said,) in connection.execute("PRAGMA quick_check(5)"):
        if said != "ok":
            faults.add(text("source.damaged_sqlite", reason=str(said).replace("\n", " ")[:160]))
    faults.require_none()


def _declared(connection: sqlite3.Connection, asked: ReadOptions, file: str) -> list[DeclaredTable]:
    listed = connection.execute("SELECT name, type FROM pragma_table_list WHERE schema = 'main' ORDER BY name")
    names = [name for name, kind in listed if kind == "table" and not name.startswith("sqlite_")]
    return declared_tables(names, asked, file, partial(_declaration, connection, file))


def _declaration(connection: sqlite3.Connection, file: str, table: str) -> DeclaredTable:
    columns = connection.execute('SELECT name, type, "notnull", pk FROM pragma_table_info(?)', (table,)).fetchall()
    require_names([column[0] for column in columns], file, table)
    types = {name: _type(connection, table, name, kind) for name, kind, _, _ in columns}
    keyed = sorted((pk, name) for name, _, _, pk in columns if pk)
    references = {}
    for there, here, column in connection.execute(
        'SELECT "table", "from", "to" FROM pragma_foreign_key_list(?)', (table,)
    ):
        references[here] = Reference(record_set=there, field=column or here)
    return DeclaredTable(
        name=table,
        schema={name: dtype for name, dtype in types.items() if dtype is not None},
        key=tuple(name for _, name in keyed),
        required=frozenset(name for name, _, never_null, pk in columns if never_null or pk),
        references=references,
        left_out=tuple(name for name, dtype in types.items() if dtype is None),
    )


def _type(connection: sqlite3.Connection, table: str, column: str, kind: str) -> pl.DataType | None:
    """Return the type of a column from its values, since SQLite holds anything anywhere; bytes are left out."""
    found = {
        one
        for (one,) in connection.execute(f"SELECT DISTINCT typeof({_quoted(column)}) FROM {_quoted(table)}")  # noqa: S608 - quoted
    } - {"null"}
    if "blob" in found:
        return None
    if found == {"integer"}:
        return pl.Boolean() if kind.upper().startswith("BOOL") else pl.Int64()
    if found <= {"integer", "real"} and found:
        return pl.Float64()
    if "text" in found and any(word in kind.upper() for word in ("INT", "REAL", "FLOA", "DOUB", "NUM", "DEC")):
        return pl.Float64() if found - {"text"} else pl.String()
    return pl.String()


def _rows(
    connection: sqlite3.Connection, on_progress: OnProgress, declared: DeclaredTable
) -> Iterator[tuple[object, ...]]:
    columns = ", ".join(_quoted(name) for name in declared.schema)
    cursor = connection.execute(f"SELECT {columns} FROM {_quoted(declared.name)}")  # noqa: S608 - names are quoted
    stage, done = text("source.progress.table", table=declared.name), 0
    while batch := cursor.fetchmany(_BATCH):
        yield from batch
        done += len(batch)
        if len(batch) == _BATCH:
            on_progress(Progress(stage, done))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
