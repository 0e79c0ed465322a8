"""The revisions make exactly the tables that the code declares; a store of another version is not touched."""

import pytest
from sqlalchemy import Connection, create_engine, text

from pilotbase.documents.errors import InputError, PilotbaseError
from pilotbase.workspace import schema, tables
from pilotbase.workspace.engine import Database
from pilotbase.workspace.log.notes import LogKey
from pilotbase.workspace.store import Store

_SEARCH = "listing_search"
"""On SQLite it is a table of FTS5, with tables of its own that SQLAlchemy cannot declare."""
_POSTGRESQL = """
    SELECT 'column', table_name::text, column_name::text, concat_ws(' ', udt_name, character_maximum_length,
           is_nullable, replace(column_default, table_schema || '.', ''))
    FROM information_schema.columns WHERE table_schema = :schema
    UNION ALL SELECT 'index', tablename, indexname, replace(indexdef, schemaname || '.', '')
    FROM pg_indexes WHERE schemaname = :schema
    UNION ALL SELECT 'constraint', relname, conname, replace(pg_get_constraintdef(c.oid), nspname || '.', '')
    FROM pg_constraint c JOIN pg_class t ON t.oid = conrelid JOIN pg_namespace n ON n.oid = connamespace
    WHERE nspname = :schema AND contype <> 'n'"""


def test_revisions_and_tables_agree(every_url: str) -> None:
    database = Database(every_url)
    with database.write() as connection:
        if connection.dialect.name == "sqlite":
            made, declared = _sqlite(connection), _declared_on_sqlite()
        else:
            made = _postgresql(connection, "public")
            connection.execute(text("CREATE SCHEMA declared"))
            connection.execute(text("SET LOCAL search_path = declared"))
            tables.metadata.create_all(connection)
            declared = _postgresql(connection, "declared")
            connection.execute(text("DROP SCHEMA declared CASCADE"))
        assert {row[:3] for row in made} == {row[:3] for row in declared}
        assert made == declared
    database.close()


def _sqlite(connection: Connection) -> set[tuple[str, ...]]:
    """Return every table and index with the parts of the statement that makes it."""
    rows = connection.execute(text("SELECT type, tbl_name, name, coalesce(sql, '') FROM sqlite_master")).all()
    ours = [row for row in rows if not row.tbl_name.startswith((_SEARCH, "sqlite_", "alembic_"))]
    return {(*row[:3], *sorted(line.strip(", \t") for line in row[3].splitlines())) for row in ours}


def _declared_on_sqlite() -> set[tuple[str, ...]]:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        tables.metadata.create_all(connection, [t for t in tables.metadata.sorted_tables if t.name != _SEARCH])
        return _sqlite(connection)


def _postgresql(connection: Connection, schema: str) -> set[tuple[str, ...]]:
    rows = connection.execute(text(_POSTGRESQL), {"schema": schema}).all()
    return {tuple(row) for row in rows if not row[1].startswith("alembic_")}


@pytest.mark.parametrize(
    ("change", "code", "kind"),
    [
        ("UPDATE alembic_version SET version_num = '9999'", "workspace.schema_newer", PilotbaseError),
        ("UPDATE alembic_version SET version_num = '0024'", "workspace.schema_unreleased", PilotbaseError),
        ("DROP TABLE alembic_version", "workspace.no_store", InputError),
    ],
)
def test_a_store_of_another_version_is_not_opened(
    every_url: str, key: LogKey, change: str, code: str, kind: type[PilotbaseError]
) -> None:
    database = Database(every_url)
    with database.write() as connection:
        connection.execute(text(change))
    database.close()
    with pytest.raises(kind) as caught:
        Store.open(every_url, key)
    assert caught.value.code == code


def test_an_older_store_asks_for_an_upgrade(every_url: str, key: LogKey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "CURRENT", "9999")
    with pytest.raises(InputError) as caught:
        Store.open(every_url, key)
    assert "pilotbase upgrade" in caught.value.render()


def test_a_password_never_stands_in_a_message() -> None:
    database = Database("postgresql://pilot:geheim@127.0.0.1:1/pilot")
    with pytest.raises(PilotbaseError) as caught, database.read():
        pass
    assert caught.value.code == "workspace.database_unreachable"
    assert "geheim" not in caught.value.render()
    assert "127.0.0.1" in caught.value.render()
