"""One queue: jobs and messages to webhooks become rows of the table ``work``; webhooks have a channel.

Mails that wait are queued anew from where each person's mails have come to.
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"

_JOBS = """INSERT INTO work (identity, lane, kind, key, organisation, person, payload, state, ready_at, tries, attempt,
                             token, holder, stopping, progress, reason, queued_at, started_at, beat_at, ended_at)
           SELECT identity, 'jobs', kind, subject, organisation, person, payload, state,
                  CASE state WHEN 'running' THEN coalesce(renewed_at + seconds * 1000000, beat_at, queued_at)
                             WHEN 'queued' THEN coalesce(beat_at, queued_at) END,
                  CASE WHEN started_at IS NULL THEN 0 ELSE 1 END, attempt, coalesce(token, 0), coalesce(holder, ''),
                  stopping, progress, reason, queued_at, started_at, beat_at, ended_at
           FROM jobs LEFT JOIN leases ON leases.name = 'job:' || identity"""

_SENT = """SELECT d.identity, d.webhook, d.state, d.tries, d.next_at, d.status, d.failure, d.ended_at, w.organisation,
                  w.url, n.identity AS notice, n.made_at
           FROM webhook_deliveries d JOIN webhooks w ON w.identity = d.webhook JOIN notices n ON n.sequence = d.notice
           ORDER BY d.notice, d.identity"""
_PUT = """INSERT INTO work (lane, kind, key, organisation, person, payload, state, ready_at, tries, attempt, reason,
                            queued_at, ended_at)
          VALUES (:lane, 'notice', :key, :organisation, '', :payload, :state, :ready_at, :tries, 1, :reason,
                  :queued_at, :ended_at)"""
_MOMENTS = ("queued_at", "started_at", "beat_at", "ended_at")
_STATES = {"waiting": "queued", "delivered": "done", "given_up": "failed", "dropped": "cancelled"}


def upgrade() -> None:
    """Make the table, and take over the jobs with the leases of those that run, and the messages."""
    _make_table()
    op.execute(_JOBS)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SELECT setval(pg_get_serial_sequence('work', 'identity'), max(identity)) FROM work")
    _take_messages()
    for column in ("tries", "failure", "next_at"):
        op.drop_column("notice_mails", column)
    op.add_column("webhooks", sa.Column("channel", sa.String(length=20), nullable=False, server_default="webhook"))
    op.add_column("webhooks", sa.Column("language", sa.String(length=2), nullable=False, server_default="en"))
    op.add_column("webhooks", sa.Column("rests_until", sa.BigInteger(), nullable=True))
    op.execute("DELETE FROM leases WHERE name LIKE 'job:%'")
    op.drop_table("jobs")


def _make_table() -> None:
    op.create_table(
        "work",
        sa.Column(
            "identity",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("lane", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("organisation", sa.String(length=120), nullable=False),
        sa.Column("person", sa.String(length=63), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("ready_at", sa.BigInteger(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("holder", sa.String(length=200), nullable=False, server_default=""),
        sa.Column("stopping", sa.Boolean(), nullable=False, server_default=sa.false()),
        *(sa.Column(name, sa.LargeBinary(), nullable=True) for name in ("progress", "reason")),
        *(sa.Column(name, sa.BigInteger(), nullable=name != "queued_at") for name in _MOMENTS),
        sa.PrimaryKeyConstraint("identity"),
        sqlite_autoincrement=True,
    )
    is_open, is_one = sa.text("ready_at is not null"), sa.text("ready_at is not null and not stopping")
    due = ["lane", "state", "ready_at", "identity"]
    op.create_index("work_due", "work", due, sqlite_where=is_open, postgresql_where=is_open)
    once = ["lane", "kind", "key"]
    op.create_index("work_once", "work", once, unique=True, sqlite_where=is_one, postgresql_where=is_one)
    op.create_index("work_key", "work", ["lane", "key", "identity"])
    op.create_index("work_lane", "work", ["lane", "identity"])


def _take_messages() -> None:
    connection = op.get_bind()
    put = sa.text(_PUT)
    for row in connection.execute(sa.text(_SENT)).all():
        values = {
            "lane": f"webhook:{row.webhook}",
            "key": row.identity,
            "organisation": row.organisation,
            "payload": json.dumps({"notice": row.notice}).encode(),
            "state": _STATES[row.state],
            "ready_at": row.next_at,
            "tries": row.tries,
            "reason": _reason(row),
            "queued_at": row.made_at,
            "ended_at": row.ended_at,
        }
        connection.execute(put, values)
    op.drop_table("webhook_deliveries")


def _reason(row: sa.Row[tuple[str, ...]]) -> bytes | None:
    """Return what came of the last try, as the text that the newer version keeps."""
    if row.status is not None:
        return json.dumps({"code": "notice.answered", "params": {"status": row.status}}).encode()
    host = row.url.partition("://")[2].partition("/")[0]
    params = {"host": host, "webhook": row.webhook}
    return json.dumps({"code": row.failure, "params": params}).encode() if row.failure else None
