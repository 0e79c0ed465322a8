"""The tables of the one store. Queue, budget and ledger are plain rows; documents are canonical JSON bytes.

Until 0.1 is released, the first revision makes what is declared here. Times are microseconds since 1970 in UTC: SQLite
keeps no zones, and integers compare alike in both databases. Tables of a later room are in a file of their own; those
of plug-ins in their module of this name.
"""

from __future__ import annotations

from sqlalchemy import ARRAY, BigInteger, Column, Index, Table, Text

from pilotbase.documents.plugins import mirrored
from pilotbase.workspace import terms_rows, watch_tables
from pilotbase.workspace.columns import (
    blobs,
    check,
    counts,
    flags,
    index,
    key,
    metadata,
    moments,
    numbers,
    refers,
    serial,
    table,
    texts,
    unique,
    words,
)

__all__ = ["metadata", "terms_rows", "watch_tables"]

documents = table(
    "documents",
    *words(digest=71, owner=120, kind=60, scope=10),
    *blobs("body"),
    *texts("search"),
    *numbers("sequence"),
    *moments("stored_at"),
    key("digest", "owner"),
    index("documents_kind", "kind", "sequence"),
    index("documents_owner", "owner", "kind"),
    index("documents_seen", "digest", "owner", "scope"),
    check("documents_scope", "scope in ('public', 'parties', 'base')"),
)
"""One row per owner: two organisations may hold the same bytes without learning of each other."""

document_parties = table(
    "document_parties",
    *words(digest=71, owner=120, organisation=120),
    key("digest", "owner", "organisation"),
    refers(digest="documents.digest", owner="documents.owner"),
    index("document_parties_of", "organisation", "digest", "owner"),
)

document_fields = table(
    "document_fields",
    *words(digest=71, owner=120, name=60, value=400),
    key("digest", "owner", "name", "value"),
    index("document_fields_value", "name", "value"),
    refers(digest="documents.digest", owner="documents.owner"),
)

heads = table(
    "heads",
    *words(name=200, digest=71, owner=120),
    *moments("moved_at"),
    key("name"),
    refers(digest="documents.digest", owner="documents.owner"),
)

counters = table("counters", *words(name=200), *numbers("value"), key("name"))

accounts = table("accounts", *words(name=200), *numbers("balance"), key("name"))

postings = table(
    "postings",
    *words(transfer=240, account=200),
    *numbers("amount"),
    *moments("posted_at"),
    key("transfer", "account"),
    index("postings_account", "account", "posted_at"),
)

leases = table(
    "leases", *words(name=200, holder=200), *numbers("token", "seconds"), *moments("renewed_at", null=True), key("name")
)
"""``renewed_at`` is null once released; ``token`` only grows."""

changes = table(
    "changes",
    serial("sequence"),
    *words(kind=60, event=20, digest=71, owner=120),
    *words(head=200, null=True),
    *moments("changed_at"),
    key("sequence"),
    index("changes_kind", "kind", "sequence"),
)

log_entries = table("log_entries", *numbers("number"), *blobs("body"), *words(person=63, null=True), key("number"))
"""``person``: who acted, by an opaque identifier. It stands beside the line: proofs publish whole lines."""

log_nodes = table("log_nodes", *counts("level"), *numbers("position"), *blobs("hash"), key("level", "position"))

log_checkpoints = table("log_checkpoints", *numbers("size"), *texts("note"), key("size"))

log_payloads = table("log_payloads", *numbers("number"), *blobs("salt", "payload"), key("number"))
"""Personal or secret payload, stored separately so that erasing it leaves every proof valid."""

log_readings = table(
    "log_readings", *words(name=200), *numbers("number"), key("name", "number"), index("log_readings_number", "number")
)
"""What was read → the lines of the log that record it (`log.entries`)."""

hidden_sets = table(
    "hidden_sets", *words(digest=71, owner=120), *numbers("rows"), *blobs("wrapped", "scored"), key("digest")
)
"""``wrapped``: the set's secrets under the owner's key; ``scored``: one bit a case, never cleared."""

attempts = table(
    "attempts",
    serial("identity"),
    *words(hidden_set=71),
    *counts("number"),
    *words(plan=71, application=71, nonce=64, state=12),
    *blobs("reserved"),
    *words(answers=71, null=True),
    *moments("opened_at"),
    *moments("delivered_at", "closed_at", null=True),
    key("identity"),
    refers(hidden_set="hidden_sets.digest"),
    index("attempts_set", "hidden_set", "number"),
    index("attempts_held", "hidden_set", "number", unique=True, where="state <> 'returned'"),
)
"""A number is held by one attempt; it is freed only if the attempt was returned before delivery."""

listings = table(
    "listings",
    *words(subject=200, kind=20, state=30, digest=71, owner=120, sector=40, action=40),
    *blobs("title"),
    *texts("words"),
    *numbers("sequence"),
    *moments("moved_at"),
    *moments("ends_at", null=True),
    *words(scenario=200, application=200, default=""),
    *words(scope=10, default="base"),
    *texts("facets", default=""),
    key("subject"),
    refers(digest="documents.digest", owner="documents.owner"),
    index("listings_kind", "kind", "scope", "sequence", "state", "sector", "action", "ends_at"),
    index("listings_state", "kind", "scope", "state", "sequence", "sector", "action", "ends_at"),
    index("listings_owner", "owner", "kind", "sequence"),
    index("listings_scope", "scope", "subject"),
    index("listings_sequence", "sequence", unique=True),
    index("listings_content", "digest", "owner"),
    index("listings_scenario", "kind", "scenario", "sequence"),
    index("listings_application", "kind", "application", "sequence"),
    index("listings_facets", "kind", "scope", "facets", "sequence"),
)
"""The present state of each record: a copy to list and to search. Who sees the document (digest, owner) sees it.

``scope`` is that document's. A list is a range of an index over one kind and scope.
"""

listing_search = Table(
    "listing_search",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("terms", ARRAY(Text).with_variant(Text(), "sqlite"), nullable=False),
    Index("listing_search_terms", "terms", info={"using": "gin"}),
)
"""The words of listings, by their ``sequence``, on PostgreSQL; on SQLite it is a table of FTS5. See `text_index`."""

meanings = table(
    "meanings",
    *words(subject=200, language=2, text=71, model=71),
    *blobs("vector"),
    *numbers("place"),
    key("subject", "language"),
    refers(subject="listings.subject"),
    index("meanings_place", "place", "model"),
)
"""What the words of a listing mean to a model: their digest, that of the model, and 384 numbers of 16 bits.

``place``: that of their reader in the change feed when it wrote the row; it only grows while the model is the same.
"""

waits = table(
    "waits",
    *words(subject=200),
    *counts("position"),
    *words(act=60, role=20, organisation=120, person=63),
    *moments("since"),
    *moments("due", null=True),
    key("subject", "position"),
    refers(subject="listings.subject"),
    index("waits_for", "role", "organisation", "due"),
    index("waits_due", "due"),
)
"""What each record waits for; an empty organisation or person means any."""

OF_RECORDS = ("demanded", "opened", "proposed", "agreed", "frozen", "reported", "accepted", "certified")
"""The milestones of a record on the way from demand to use, in order."""
OF_SERVICES = ("served", "warned", "stopped")
"""The first-time milestones of a service: it answers, a risk warning is raised, it is stopped."""
ANSWERED = "answered"
"""Beside the way: when a proposed trial was first answered, or given up."""
MILESTONES = (*OF_RECORDS, "served")
"""The whole way from demand to use."""

journeys = table(
    "journeys",
    *words(subject=200, kind=20),
    *moments(*(f"{milestone}_at" for milestone in (*OF_RECORDS, ANSWERED, *OF_SERVICES)), null=True),
    *words(verdict=20, supplier=120),
    *numbers("amount", null=True),
    *words(currency=3),
    *numbers("cpu_ms", null=True),
    *counts("supports", default="0"),
    *counts("potential", "maturity", "driving_effect", null=True),
    key("subject"),
    refers(subject="listings.subject"),
    index("journeys_certified", "kind", "certified_at"),
)
"""When a scenario, a trial or a service reached which milestone, and other values for figures.

``amount`` is the agreed price in hundredths of ``currency``; ``cpu_ms`` the CPU time of the trials of all rounds;
``supports`` has bit *n* for the support at place *n* of its vocabulary.
"""

work = table(
    "work",
    serial("identity"),
    *words(lane=40, kind=40, key=200, organisation=120, person=63),
    *blobs("payload"),
    *words(state=12),
    *moments("ready_at", null=True),
    *counts("tries", default="0"),
    *counts("attempt"),
    *numbers("token", default="0"),
    *words(holder=200, default=""),
    *flags("stopping", default=False),
    *blobs("progress", "reason", null=True),
    *moments("queued_at"),
    *moments("started_at", "beat_at", "ended_at", null=True),
    key("identity"),
    index("work_due", "lane", "state", "ready_at", "identity", where="ready_at is not null"),
    index("work_once", "lane", "kind", "key", unique=True, where="ready_at is not null and not stopping"),
    index("work_key", "lane", "key", "identity"),
    index("work_lane", "lane", "identity"),
)
"""Jobs, mails and messages that are queued, running or ended (`work`)."""

uploads = table(
    "uploads",
    *words(identity=32, owner=120, person=63, name=200),
    *numbers("size"),
    *words(digest=71),
    *numbers("received"),
    *flags("finished"),
    *moments("created_at", "expires_at"),
    key("identity"),
    index("uploads_owner", "owner", "created_at"),
    index("uploads_expiry", "expires_at"),
)
"""Open uploads; a row and its bytes are deleted when it is taken in, erased or expires."""

upload_chunks = table(
    "upload_chunks",
    *words(upload=32),
    *numbers("start", "size"),
    *words(blob=71),
    key("upload", "start"),
    refers(upload="uploads.identity"),
)
"""Encrypted chunks by their offset; those from ``uploads.received`` on were not acknowledged."""

threads = table(
    "threads",
    *words(identity=32, subject=200, organisation=120),
    *flags("private", "answered"),
    *words(digest=71, owner=120),
    *numbers("sequence"),
    key("identity"),
    refers(digest="documents.digest", owner="documents.owner"),
    index("threads_subject", "subject", "sequence"),
    index("threads_sequence", "sequence"),
)
"""The present state of each thread, seen with its subject; a private one only by its asker and the subject's owner."""

notices = table(
    "notices",
    serial("sequence"),
    *words(identity=64, kind=20, subject=200, thread=32, organisation=120, role=20, person=63, author=63),
    *blobs("body"),
    *moments("made_at"),
    key("sequence"),
    unique("identity"),
    index("notices_for", "organisation", "role", "sequence"),
    index("notices_made", "made_at"),
)
"""What happened, for whom: an empty organisation, role or person means any. ``author`` did it and is not notified."""

notice_reads = table(
    "notice_reads",
    *words(person=63),
    *numbers("notice"),
    key("person", "notice"),
    refers(notice="notices.sequence"),
    index("notice_reads_notice", "notice"),
)
"""Which person has read which notice."""

notice_floors = table(
    "notice_floors", *words(person=63, organisation=120), *numbers("read_to"), key("person", "organisation")
)
"""Up to which notice a person, acting for an organisation, has read everything."""

snoozes = table(
    "snoozes",
    *words(person=63, organisation=120, subject=200, act=60),
    *moments("since", "until"),
    key("person", "organisation", "subject", "act"),
)
"""Tasks that a person, acting for an organisation, has put off: which, waiting since when, and until when."""

followed_matches = table(
    "followed_matches",
    *words(person=63, organisation=120, subject=200),
    *moments("since"),
    key("person", "organisation", "subject"),
)
"""Who, acting for which organisation, follows the matches of which scenario or application."""

first_looks = table(
    "first_looks",
    *words(subject=200, supplier=120, look=10),
    *moments("at"),
    key("subject", "supplier", "look"),
)
"""When a supplier first met a demand among its matches, opened it, or took its kit."""

learners = table("learners", *words(person=200, pseudonym=16), key("person"), unique("pseudonym"))
"""Under which pseudonym a person takes courses; what erases the row leaves the entries without a person."""

notice_mails = table(
    "notice_mails", *words(person=63, choice=10), *numbers("position"), *moments("sent_at", null=True), key("person")
)
"""A person's mail settings for notices, and the last mailed one."""

webhooks = table(
    "webhooks",
    *words(identity=32, organisation=120),
    *texts("url"),
    *blobs("secret"),
    *words(made_by=63),
    *moments("made_at"),
    *moments("ended_at", null=True),
    *words(channel=20, default="webhook"),
    *words(language=2, default="en"),
    *moments("rests_until", null=True),
    key("identity"),
    index("webhooks_organisation", "organisation"),
)
"""Addresses of an organisation with their channels; a key of the home seals ``secret``."""

positions = table("positions", *words(name=60), *numbers("value"), key("name"))
"""The position of a reader of the change feed, or of time."""

requests = table(
    "requests", *words(request=71, outcome=200), *moments("done_at"), key("request"), index("requests_age", "done_at")
)
"""The results of requests that may be sent again (`requests`)."""

CORE = frozenset(metadata.tables)
"""The names of the tables above; those of plug-ins follow."""
mirrored("workspace.tables")


service_keys = table(
    "service_keys",
    *words(
        identity=16, service=63, organisation=120, title=200, prefix=16, secret=64, scopes=100, budget=63, made_by=63
    ),
    *moments("made_at", "expires_at"),
    *moments("revoked_at", null=True),
    *numbers("calls_a_minute", null=True),
    key("identity"),
    unique("secret"),
    index("service_keys_of", "service", "made_at"),
)
"""Who may call a service, how often (null: any number of calls). ``secret`` is its hex SHA-256, ``prefix`` its
beginning; no budget: ''."""

service_budgets = table(
    "service_budgets",
    *words(service=63, name=63, period=8),
    *numbers("calls", "tokens", "billionths", null=True),
    key("service", "name"),
)
"""How much may be used in a period ('month' or 'total'); null: no limit."""

service_spending = table(
    "service_spending",
    *words(service=63, budget=63, period=8),
    *numbers("calls", "tokens", "billionths"),
    key("service", "budget", "period"),
)
"""The part of a budget spent in one period (``2026-11``, or 'total'): used, or in an allotment."""

allotments = table(
    "allotments",
    *words(desk=32, service=63, budget=63, period=8),
    *numbers("calls", "tokens", "billionths"),
    *moments("renewed_at"),
    key("desk", "service", "budget", "period"),
    index("allotments_of", "service", "budget", "period"),
    index("allotments_renewed", "renewed_at"),
)
"""The part of a budget that a desk holds and has not accounted for: included in ``service_spending``."""

service_meters = table(
    "service_meters",
    *words(service=63),
    *moments("hour"),
    *words(key=16, version=71, end=20),
    *numbers("calls", "cases", "tokens", "microseconds", "billionths"),
    key("service", "hour", "key", "version", "end"),
)
"""What was used, by the hour in which the call ended; ``version``: digest of the answering version, or ''.

``billionths``: what models cost, in billionths of the currency of their prices.
"""

service_releases = table(
    "service_releases",
    *words(release=32, service=63, state=20),
    *texts("version", "evidence"),
    *moments("since"),
    *moments("ended_at", null=True),
    key("release"),
    index("service_releases_of", "service", "since"),
    index("service_releases_running", "state"),
)
"""Releases of new versions; ``evidence``: of a `CanaryEvidence`, JSON."""

service_journals = table("service_journals", *words(desk=32), *counts("segment"), *numbers("place"), key("desk"))
"""The segment and byte up to which the journal of a desk has been taken in; segment -1: all of it."""
