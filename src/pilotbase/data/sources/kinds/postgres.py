"""Tables of a PostgreSQL database, read in one read-only transaction: a snapshot of a source that keeps changing.

Needs the extra ``postgres``. The password of the address never gets into a document.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import polars as pl

from pilotbase.data.sources.database_rows import DeclaredTable, declared_tables, kept_tables, require_names
from pilotbase.data.sources.source import FileFaults, OpenedSource, ReadOptions, refuse
from pilotbase.documents.dataset import FileObject, Reference
from pilotbase.documents.errors import InputError
from pilotbase.documents.extras import packages_of
from pilotbase.documents.texts import text

if TYPE_CHECKING:
    import psycopg

_BATCH = 10_000
_SECONDS_TO_CONNECT = 10
_TYPES: dict[str, pl.DataType] = {
    **dict.fromkeys(("smallint", "integer", "bigint"), pl.Int64()),
    **dict.fromkeys(("real", "double precision", "numeric"), pl.Float64()),
    **dict.fromkeys(
        ("text", "character varying", "character", "uuid", "USER-DEFINED", "time without time zone"), pl.String()
    ),
    "boolean": pl.Boolean(),
    "date": pl.Date(),
    "timestamp without time zone": pl.Datetime("us"),
    "timestamp with time zone": pl.Datetime("us", "UTC"),
}
_TABLES = (
    "SELECT table_name FROM information_schema.tables WHERE table_schema = %s AND table_type = 'BASE TABLE' ORDER BY 1"
)
_COLUMNS = (
    "SELECT column_name, data_type, is_nullable FROM information_schema.columns"
    " WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position"
)
_KEYS = (
    "SELECT c.contype::text, a.attname, t.relname, b.attname FROM pg_constraint c"
    " CROSS JOIN LATERAL unnest(c.conkey) WITH ORDINALITY k(number, at)"
    " JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number"
    " LEFT JOIN pg_class t ON t.oid = c.confrelid"
    " LEFT JOIN pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = c.confkey[k.at]"
    " WHERE c.contype IN ('p', 'f') AND c.conrelid = (quote_ident(%s) || '.' || quote_ident(%s))::regclass"
    " ORDER BY k.at"
)


def read(place: str, asked: ReadOptions, scratch: Path) -> OpenedSource:
    """Return the tables in ``place``; see `pilotbase.data.sources.source.Read`."""
    address, _, schema = place.partition("#")
    schema = schema or "public"
    shown = shown_address(address)
    faults = FileFaults(shown)
    connection = _connected(address, shown)
    try:
        with connection:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            connection.execute("SET LOCAL TIME ZONE 'UTC'")
            names = [name for (name,) in connection.execute(_TABLES, (schema,)).fetchall()]
            declared = declared_tables(names, asked, shown, partial(_declaration, connection, schema, shown))
            tables, taken = kept_tables(declared, partial(_rows, connection, schema), (shown, scratch), faults)
    finally:
        connection.close()
    resource = FileObject(id=shown, content_url=shown, encoding_format=("application/sql",))
    return OpenedSource(tables, (resource,), (text("source.taken.snapshot", file=shown), *taken), live=True)


def shown_address(address: str) -> str:
    """Return the address of a database without user, password and parameters."""
    parts = urlsplit(address)
    host = parts.hostname or "local"
    return f"postgresql://{host}{f':{parts.port}' if parts.port else ''}{parts.path}"


def _connected(address: str, shown: str) -> psycopg.Connection[Any]:
    try:
        import psycopg
    except ImportError:
        raise InputError("source.no_driver", file=shown, packages=packages_of("postgres")) from None
    try:
        return psycopg.connect(address, connect_timeout=_SECONDS_TO_CONNECT)
    except psycopg.Error as error:
        reason = (str(error).strip().splitlines() or [""])[0][:120]
        raise refuse(shown, text("source.no_connection", reason=reason)) from None


def _declaration(connection: psycopg.Connection[Any], schema: str, shown: str, table: str) -> DeclaredTable:
    columns = connection.execute(_COLUMNS, (schema, table)).fetchall()
    require_names([column[0] for column in columns], shown, table)
    key, references = [], {}
    for kind, here, there, field in connection.execute(_KEYS, (schema, table)).fetchall():
        if kind == "p":
            key.append(here)
        else:
            references[here] = Reference(record_set=there, field=field)
    return DeclaredTable(
        name=table,
        schema={name: _TYPES[kind] for name, kind, _ in columns if kind in _TYPES},
        key=tuple(key),
        required=frozenset(name for name, _, nullable in columns if nullable == "NO"),
        references=references,
        left_out=tuple(name for name, kind, _ in columns if kind not in _TYPES),
    )


def _rows(connection: psycopg.Connection[Any], schema: str, declared: DeclaredTable) -> Iterator[tuple[object, ...]]:
    from psycopg import sql

    query = sql.SQL("SELECT {} FROM {}").format(
        sql.SQL(", ").join(map(sql.Identifier, declared.schema)), sql.Identifier(schema, declared.name)
    )
    with connection.cursor(name="pilotbase_described") as cursor:
        cursor.itersize = _BATCH
        yield from cursor.execute(query)
