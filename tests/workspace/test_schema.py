"""The migrations build exactly the tables that the code uses; a store of another version is not touched."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from pilotbase.documents.errors import InputError, PilotbaseError
from pilotbase.workspace import schema, tables
from pilotbase.workspace.engine import Database
from pilotbase.workspace.log.notes import LogKey
from pilotbase.workspace.store import Store


def _is_plain(database: str):
    """Tell what can be compared: the text index of SQLite is a table of FTS5, with tables of its own."""
    return lambda _, name, *__: database == "postgresql" or not (name or "").startswith("listing_search")


def test_migrations_and_tables_agree(every_url: str) -> None:
    database = Database(every_url)
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": _is_plain(connection.dialect.name)})
        assert compare_metadata(context, tables.metadata) == []
    database.close()


@pytest.mark.parametrize(
    ("change", "code", "kind"),
    [
        ("UPDATE alembic_version SET version_num = '9999'", "workspace.schema_newer", PilotbaseError),
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
