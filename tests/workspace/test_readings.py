"""The index of readings: what was logged before it was there is entered by the upgrade, and told to nobody anew."""

import json

import pytest
from sqlalchemy import insert, select

from pilotbase.workspace import schema, tables
from pilotbase.workspace.changes import position
from pilotbase.workspace.engine import Database
from pilotbase.workspace.log.entries import readings_of, readings_since
from tests.workspace.stores_for_tests import made_at

ENTRIES = [
    {"action": "scenario.sealed", "subjects": ["sha256:a"]},
    {"action": "vault.opened", "subjects": ["sha256:hidden"]},
    {"action": "terms.used", "subjects": ["agreement:a", "dataset:plant/logs", "sha256:use", "x" * 300]},
]


@pytest.fixture
def old(every_url: str):
    """A store as the version before left it, with three lines in its log."""
    database = made_at("0017", every_url)
    with database.write() as connection:
        for number, entry in enumerate(ENTRIES):
            body = json.dumps({"number": number, **entry}).encode()
            connection.execute(insert(tables.log_entries).values(number=number, body=body))
    yield database
    database.close()


def test_an_upgrade_enters_what_was_read_before(old: Database) -> None:
    with old.write() as connection:
        schema.migrate(connection, schema.CURRENT)
    with old.read() as connection:
        rows = connection.execute(select(tables.log_readings).order_by(tables.log_readings.c.name)).all()
        assert [tuple(row) for row in rows] == [
            ("agreement:a", 2),
            ("dataset:plant/logs", 2),
            ("sha256:hidden", 1),
            ("sha256:use", 2),
        ]
        assert [json.loads(body)["number"] for body in readings_of(connection, ["sha256:hidden", "sha256:use"])] == [
            2,
            1,
        ]
        assert readings_since(connection, position(connection, "readings") or 0, 10) == []
