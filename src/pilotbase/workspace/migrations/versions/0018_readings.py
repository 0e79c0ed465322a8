"""Readings: an index of the log by what was read, and how often the gate has refused whom what."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
_READINGS = frozenset(
    {"vault.opened", "vault.envelope_opened", "vault.dataset_opened", "vault.upload_opened"}
    | {"trial.bundle_taken", "trial.bundle_fetched", "terms.used"}
)
"""What told of readings when this was written."""
_LONGEST = 200


def upgrade() -> None:
    """Make the tables, and enter the lines that there are; what they tell of is not told once more."""
    readings = op.create_table(
        "log_readings",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("name", "number"),
    )
    op.create_index("log_readings_number", "log_readings", ["number"], unique=False)
    op.create_table(
        "refusals",
        *(sa.Column(name, sa.String(length=length), nullable=False) for name, length in _WORDS),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(*(name for name, _ in _WORDS)),
    )
    connection, found, size = op.get_bind(), [], 0
    lines = sa.table("log_entries", sa.column("number"), sa.column("body"))
    rows = sa.select(lines.c.number, lines.c.body).order_by(lines.c.number)
    for number, body in connection.execute(rows.execution_options(yield_per=500)):
        entry, size = json.loads(body), number + 1
        if entry["action"] in _READINGS:
            names = {name for name in entry["subjects"] if 0 < len(name) <= _LONGEST}
            found += [{"name": name, "number": number} for name in sorted(names)]
    if found:
        connection.execute(sa.insert(readings), found)
    if size:
        positions = sa.table("positions", sa.column("name"), sa.column("value"))
        connection.execute(sa.insert(positions).values(name="readings", value=size))


_WORDS = (
    ("target", 200),
    ("organisation", 120),
    ("action", 40),
    ("channel", 40),
    ("reason", 80),
    ("day", 10),
)
