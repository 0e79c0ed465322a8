"""The tables of the one store. Queue, budget and ledger are plain rows; documents are canonical JSON bytes.

The migrations build these tables; a test compares the two. Times are microseconds since 1970 in UTC: SQLite keeps no
zones, and integers compare alike in both databases. Tables of a later room are in a file of their own; those of
plug-ins in their module of this name.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from pilotbase.documents.plugins import mirrored
from pilotbase.workspace import service_tables, terms_rows, watch_tables
from pilotbase.workspace.columns import SERIAL, UtcMoment, metadata

__all__ = ["metadata", "service_tables", "terms_rows", "watch_tables"]

documents = Table(
    "documents",
    metadata,
    Column("digest", String(71), primary_key=True),
    Column("owner", String(120), primary_key=True),
    Column("kind", String(60), nullable=False),
    Column("scope", String(10), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("search", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("stored_at", UtcMoment, nullable=False),
    Index("documents_kind", "kind", "sequence"),
    Index("documents_owner", "owner", "kind"),
    Index("documents_seen", "digest", "owner", "scope"),
    CheckConstraint("scope in ('public', 'parties', 'base')", name="documents_scope"),
)
"""One row per owner: two organisations may hold the same bytes without learning of each other."""

document_parties = Table(
    "document_parties",
    metadata,
    Column("digest", String(71), primary_key=True),
    Column("owner", String(120), primary_key=True),
    Column("organisation", String(120), primary_key=True),
    ForeignKeyConstraint(["digest", "owner"], ["documents.digest", "documents.owner"]),
    Index("document_parties_of", "organisation", "digest", "owner"),
)

document_fields = Table(
    "document_fields",
    metadata,
    Column("digest", String(71), primary_key=True),
    Column("owner", String(120), primary_key=True),
    Column("name", String(60), primary_key=True),
    Column("value", String(400), primary_key=True),
    Index("document_fields_value", "name", "value"),
    ForeignKeyConstraint(["digest", "owner"], ["documents.digest", "documents.owner"]),
)

heads = Table(
    "heads",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("digest", String(71), nullable=False),
    Column("owner", String(120), nullable=False),
    Column("moved_at", UtcMoment, nullable=False),
    ForeignKeyConstraint(["digest", "owner"], ["documents.digest", "documents.owner"]),
)

counters = Table(
    "counters",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

accounts = Table(
    "accounts",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("balance", BigInteger, nullable=False),
)

postings = Table(
    "postings",
    metadata,
    Column("transfer", String(200), primary_key=True),
    Column("account", String(200), primary_key=True),
    Column("amount", BigInteger, nullable=False),
    Column("posted_at", UtcMoment, nullable=False),
    Index("postings_account", "account", "posted_at"),
)

leases = Table(
    "leases",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("holder", String(200), nullable=False),
    Column("token", BigInteger, nullable=False),
    Column("seconds", BigInteger, nullable=False),
    Column("renewed_at", UtcMoment, nullable=True),
)
"""``renewed_at`` is null once released; ``token`` only grows."""

changes = Table(
    "changes",
    metadata,
    Column("sequence", SERIAL, primary_key=True, autoincrement=True),
    Column("kind", String(60), nullable=False),
    Column("event", String(20), nullable=False),
    Column("digest", String(71), nullable=False),
    Column("owner", String(120), nullable=False),
    Column("head", String(200), nullable=True),
    Column("changed_at", UtcMoment, nullable=False),
    Index("changes_kind", "kind", "sequence"),
    sqlite_autoincrement=True,
)

log_entries = Table(
    "log_entries",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
)

log_nodes = Table(
    "log_nodes",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
)

log_checkpoints = Table(
    "log_checkpoints",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("note", Text, nullable=False),
)

log_payloads = Table(
    "log_payloads",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("salt", LargeBinary, nullable=False),
    Column("payload", LargeBinary, nullable=False),
)
"""Personal or secret payload, stored separately so that erasing it leaves every proof valid."""

log_readings = Table(
    "log_readings",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Index("log_readings_number", "number"),
)
"""What was read → the lines of the log that record it (`log.entries`)."""

hidden_sets = Table(
    "hidden_sets",
    metadata,
    Column("digest", String(71), primary_key=True),
    Column("owner", String(120), nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("scored", LargeBinary, nullable=False),
)
"""``wrapped``: the set's secrets under the owner's key; ``scored``: one bit a case, never cleared."""

attempts = Table(
    "attempts",
    metadata,
    Column("identity", SERIAL, primary_key=True, autoincrement=True),
    Column("hidden_set", String(71), nullable=False),
    Column("number", Integer, nullable=False),
    Column("plan", String(71), nullable=False),
    Column("application", String(71), nullable=False),
    Column("nonce", String(64), nullable=False),
    Column("state", String(12), nullable=False),
    Column("reserved", LargeBinary, nullable=False),
    Column("answers", String(71), nullable=True),
    Column("opened_at", UtcMoment, nullable=False),
    Column("delivered_at", UtcMoment, nullable=True),
    Column("closed_at", UtcMoment, nullable=True),
    ForeignKeyConstraint(["hidden_set"], ["hidden_sets.digest"]),
    Index("attempts_set", "hidden_set", "number"),
    Index(
        "attempts_held",
        "hidden_set",
        "number",
        unique=True,
        sqlite_where=text("state <> 'returned'"),
        postgresql_where=text("state <> 'returned'"),
    ),
    sqlite_autoincrement=True,
)
"""A number is held by one attempt; it is freed only if the attempt was returned before delivery."""

listings = Table(
    "listings",
    metadata,
    Column("subject", String(200), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("state", String(30), nullable=False),
    Column("digest", String(71), nullable=False),
    Column("owner", String(120), nullable=False),
    Column("sector", String(40), nullable=False),
    Column("action", String(40), nullable=False),
    Column("title", LargeBinary, nullable=False),
    Column("words", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("moved_at", UtcMoment, nullable=False),
    Column("scenario", String(200), nullable=False, server_default=""),
    Column("application", String(200), nullable=False, server_default=""),
    Column("scope", String(10), nullable=False, server_default="base"),
    Column("facets", Text, nullable=False, server_default=""),
    ForeignKeyConstraint(["digest", "owner"], ["documents.digest", "documents.owner"]),
    Index("listings_kind", "kind", "scope", "sequence", "state", "sector", "action"),
    Index("listings_state", "kind", "scope", "state", "sequence", "sector", "action"),
    Index("listings_owner", "owner", "kind", "sequence"),
    Index("listings_sequence", "sequence", unique=True),
    Index("listings_content", "digest", "owner"),
    Index("listings_scenario", "kind", "scenario", "sequence"),
    Index("listings_application", "kind", "application", "sequence"),
    Index("listings_facets", "kind", "scope", "facets", "sequence"),
)
"""The present state of each record: a copy to list and to search. Who sees the document (digest, owner) sees it.

``scope`` is that document's; see `listing_rows`. A list is a range of an index over one kind and scope.
"""

listing_search = Table(
    "listing_search",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("terms", ARRAY(Text), nullable=False),
    Index("listing_search_terms", "terms", postgresql_using="gin"),
)
"""The words of listings, by their ``sequence``, on PostgreSQL; on SQLite it is a table of FTS5. See `text_index`."""

waits = Table(
    "waits",
    metadata,
    Column("subject", String(200), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("act", String(60), nullable=False),
    Column("role", String(20), nullable=False),
    Column("organisation", String(120), nullable=False),
    Column("person", String(63), nullable=False),
    Column("since", UtcMoment, nullable=False),
    Column("due", UtcMoment, nullable=True),
    ForeignKeyConstraint(["subject"], ["listings.subject"]),
    Index("waits_for", "role", "organisation", "due"),
    Index("waits_due", "due"),
)
"""What each record waits for; an empty organisation or person means any."""

OF_RECORDS = ("demanded", "opened", "proposed", "agreed", "frozen", "reported", "accepted", "certified")
"""The milestones of a record on the way from demand to use, in order."""
OF_SERVICES = ("served", "warned", "stopped")
"""The first-time milestones of a service: it answers, a risk warning is raised, it is stopped."""
MILESTONES = (*OF_RECORDS, "served")
"""The whole way from demand to use."""

journeys = Table(
    "journeys",
    metadata,
    Column("subject", String(200), primary_key=True),
    Column("kind", String(20), nullable=False),
    *(Column(f"{milestone}_at", UtcMoment, nullable=True) for milestone in (*OF_RECORDS, *OF_SERVICES)),
    Column("verdict", String(20), nullable=False),
    Column("supplier", String(120), nullable=False),
    Column("amount", BigInteger, nullable=True),
    Column("currency", String(3), nullable=False),
    Column("cpu_ms", BigInteger, nullable=True),
    Column("supports", Integer, nullable=False, server_default="0"),
    Column("potential", Integer, nullable=True),
    Column("maturity", Integer, nullable=True),
    Column("driving_effect", Integer, nullable=True),
    ForeignKeyConstraint(["subject"], ["listings.subject"]),
    Index("journeys_certified", "kind", "certified_at"),
)
"""When a scenario, a trial or a service reached which milestone, and other values for figures.

``amount`` is the agreed price in hundredths of ``currency``; ``cpu_ms`` the CPU time of the trials of all rounds;
``supports`` has bit *n* for the support at place *n* of its vocabulary.
"""

_OPEN, _ONE = text("ready_at is not null"), text("ready_at is not null and not stopping")
work = Table(
    "work",
    metadata,
    Column("identity", SERIAL, primary_key=True, autoincrement=True),
    Column("lane", String(40), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("key", String(200), nullable=False),
    Column("organisation", String(120), nullable=False),
    Column("person", String(63), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("state", String(12), nullable=False),
    Column("ready_at", UtcMoment, nullable=True),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("attempt", Integer, nullable=False),
    Column("token", BigInteger, nullable=False, server_default="0"),
    Column("holder", String(200), nullable=False, server_default=""),
    Column("stopping", Boolean, nullable=False, server_default=false()),
    Column("progress", LargeBinary, nullable=True),
    Column("reason", LargeBinary, nullable=True),
    Column("queued_at", UtcMoment, nullable=False),
    Column("started_at", UtcMoment, nullable=True),
    Column("beat_at", UtcMoment, nullable=True),
    Column("ended_at", UtcMoment, nullable=True),
    Index("work_due", "lane", "state", "ready_at", "identity", sqlite_where=_OPEN, postgresql_where=_OPEN),
    Index("work_once", "lane", "kind", "key", unique=True, sqlite_where=_ONE, postgresql_where=_ONE),
    Index("work_key", "lane", "key", "identity"),
    Index("work_lane", "lane", "identity"),
    sqlite_autoincrement=True,
)
"""Jobs, mails and messages that are queued, running or ended (`work`)."""

uploads = Table(
    "uploads",
    metadata,
    Column("identity", String(32), primary_key=True),
    Column("owner", String(120), nullable=False),
    Column("person", String(63), nullable=False),
    Column("name", String(200), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("digest", String(71), nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("finished", Boolean, nullable=False),
    Column("created_at", UtcMoment, nullable=False),
    Column("expires_at", UtcMoment, nullable=False),
    Index("uploads_owner", "owner", "created_at"),
    Index("uploads_expiry", "expires_at"),
)
"""Open uploads; a row and its bytes are deleted when it is taken in, erased or expires."""

upload_chunks = Table(
    "upload_chunks",
    metadata,
    Column("upload", String(32), primary_key=True),
    Column("start", BigInteger, primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
    Column("blob", String(71), nullable=False),
    ForeignKeyConstraint(["upload"], ["uploads.identity"]),
)
"""Encrypted chunks by their offset; those from ``uploads.received`` on were not acknowledged."""

threads = Table(
    "threads",
    metadata,
    Column("identity", String(32), primary_key=True),
    Column("subject", String(200), nullable=False),
    Column("organisation", String(120), nullable=False),
    Column("private", Boolean, nullable=False),
    Column("answered", Boolean, nullable=False),
    Column("digest", String(71), nullable=False),
    Column("owner", String(120), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    ForeignKeyConstraint(["digest", "owner"], ["documents.digest", "documents.owner"]),
    Index("threads_subject", "subject", "sequence"),
    Index("threads_sequence", "sequence"),
)
"""The present state of each thread, seen with its subject; a private one only by its asker and the subject's owner."""

notices = Table(
    "notices",
    metadata,
    Column("sequence", SERIAL, primary_key=True, autoincrement=True),
    Column("identity", String(64), nullable=False, unique=True),
    Column("kind", String(20), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("thread", String(32), nullable=False),
    Column("organisation", String(120), nullable=False),
    Column("role", String(20), nullable=False),
    Column("person", String(63), nullable=False),
    Column("author", String(63), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("made_at", UtcMoment, nullable=False),
    Index("notices_for", "organisation", "role", "sequence"),
    Index("notices_made", "made_at"),
    sqlite_autoincrement=True,
)
"""What happened, for whom: an empty organisation, role or person means any. ``author`` did it and is not notified."""

notice_reads = Table(
    "notice_reads",
    metadata,
    Column("person", String(63), primary_key=True),
    Column("notice", BigInteger, primary_key=True, autoincrement=False),
    ForeignKeyConstraint(["notice"], ["notices.sequence"]),
    Index("notice_reads_notice", "notice"),
)
"""Which person has read which notice."""

notice_floors = Table(
    "notice_floors",
    metadata,
    Column("person", String(63), primary_key=True),
    Column("organisation", String(120), primary_key=True),
    Column("read_to", BigInteger, nullable=False),
)
"""Up to which notice a person, acting for an organisation, has read everything."""

notice_mails = Table(
    "notice_mails",
    metadata,
    Column("person", String(63), primary_key=True),
    Column("choice", String(10), nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("sent_at", UtcMoment, nullable=True),
)
"""A person's mail settings for notices, and the last mailed one."""

webhooks = Table(
    "webhooks",
    metadata,
    Column("identity", String(32), primary_key=True),
    Column("organisation", String(120), nullable=False),
    Column("url", Text, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("made_by", String(63), nullable=False),
    Column("made_at", UtcMoment, nullable=False),
    Column("ended_at", UtcMoment, nullable=True),
    Column("channel", String(20), nullable=False, server_default="webhook"),
    Column("language", String(2), nullable=False, server_default="en"),
    Column("rests_until", UtcMoment, nullable=True),
    Index("webhooks_organisation", "organisation"),
)
"""Addresses of an organisation with their channels; a key of the home seals ``secret``."""

positions = Table(
    "positions",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("value", BigInteger, nullable=False),
)
"""The position of a reader of the change feed, or of time."""

requests = Table(
    "requests",
    metadata,
    Column("request", String(71), primary_key=True),
    Column("outcome", String(200), nullable=False),
    Column("done_at", UtcMoment, nullable=False),
    Index("requests_age", "done_at"),
)
"""The results of requests that may be sent again (`requests`)."""

CORE = frozenset(metadata.tables)
"""The names of the tables above; those of plug-ins follow."""
mirrored("workspace.tables")
