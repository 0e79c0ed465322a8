"""The store of 0.1, without the tables of the computing estate."""

from alembic import op

from pilotbase.workspace.columns import (
    blobs,
    check,
    counts,
    flags,
    floats,
    index,
    key,
    numbers,
    refers,
    serial,
    texts,
    unique,
    words,
)
from pilotbase.workspace.migrations.shorthand import make_table

revision = "0101"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    _make_documents()
    _make_accounts_and_log()
    _make_vault()
    _make_records()
    _make_exchange()
    _make_work_and_terms()
    _make_services()
    _make_observations()
    _make_cohorts()
    _make_warnings()
    for statement in _SEARCH[op.get_bind().dialect.name]:
        op.execute(statement)


def _make_documents() -> None:
    make_table(
        "documents",
        *words(digest=71, owner=120, kind=60, scope=10),
        *blobs("body"),
        *texts("search"),
        *numbers("sequence", "stored_at"),
        key("digest", "owner"),
        check("documents_scope", "scope in ('public', 'parties', 'base')"),
        index("documents_kind", "kind", "sequence"),
        index("documents_owner", "owner", "kind"),
        index("documents_seen", "digest", "owner", "scope"),
    )
    make_table(
        "document_parties",
        *words(digest=71, owner=120, organisation=120),
        key("digest", "owner", "organisation"),
        refers(digest="documents.digest", owner="documents.owner"),
        index("document_parties_of", "organisation", "digest", "owner"),
    )
    make_table(
        "document_fields",
        *words(digest=71, owner=120, name=60, value=400),
        key("digest", "owner", "name", "value"),
        refers(digest="documents.digest", owner="documents.owner"),
        index("document_fields_value", "name", "value"),
    )
    make_table(
        "heads",
        *words(name=200, digest=71, owner=120),
        *numbers("moved_at"),
        key("name"),
        refers(digest="documents.digest", owner="documents.owner"),
    )
    make_table(
        "changes",
        serial("sequence"),
        *words(kind=60, event=20, digest=71, owner=120),
        *words(head=200, null=True),
        *numbers("changed_at"),
        key("sequence"),
        index("changes_kind", "kind", "sequence"),
    )


def _make_accounts_and_log() -> None:
    make_table("counters", *words(name=200), *numbers("value"), key("name"))
    make_table("accounts", *words(name=200), *numbers("balance"), key("name"))
    make_table(
        "postings",
        *words(transfer=200, account=200),
        *numbers("amount", "posted_at"),
        key("transfer", "account"),
        index("postings_account", "account", "posted_at"),
    )
    make_table(
        "leases",
        *words(name=200, holder=200),
        *numbers("token", "seconds"),
        *numbers("renewed_at", null=True),
        key("name"),
    )
    make_table(
        "requests",
        *words(request=71, outcome=200),
        *numbers("done_at"),
        key("request"),
        index("requests_age", "done_at"),
    )
    make_table("positions", *words(name=60), *numbers("value"), key("name"))
    make_table("log_entries", *numbers("number"), *blobs("body"), key("number"))
    make_table("log_nodes", *counts("level"), *numbers("position"), *blobs("hash"), key("level", "position"))
    make_table("log_checkpoints", *numbers("size"), *texts("note"), key("size"))
    make_table("log_payloads", *numbers("number"), *blobs("salt", "payload"), key("number"))
    make_table(
        "log_readings",
        *words(name=200),
        *numbers("number"),
        key("name", "number"),
        index("log_readings_number", "number"),
    )


def _make_vault() -> None:
    make_table(
        "hidden_sets", *words(digest=71, owner=120), *numbers("rows"), *blobs("wrapped", "scored"), key("digest")
    )
    make_table(
        "attempts",
        serial("identity"),
        *words(hidden_set=71),
        *counts("number"),
        *words(plan=71, application=71, nonce=64, state=12),
        *blobs("reserved"),
        *words(answers=71, null=True),
        *numbers("opened_at"),
        *numbers("delivered_at", "closed_at", null=True),
        key("identity"),
        refers(hidden_set="hidden_sets.digest"),
        index("attempts_held", "hidden_set", "number", unique=True, where="state <> 'returned'"),
        index("attempts_set", "hidden_set", "number"),
    )
    make_table(
        "uploads",
        *words(identity=32, owner=120, person=63, name=200),
        *numbers("size"),
        *words(digest=71),
        *numbers("received"),
        *flags("finished"),
        *numbers("created_at", "expires_at"),
        key("identity"),
        index("uploads_expiry", "expires_at"),
        index("uploads_owner", "owner", "created_at"),
    )
    make_table(
        "upload_chunks",
        *words(upload=32),
        *numbers("start", "size"),
        *words(blob=71),
        key("upload", "start"),
        refers(upload="uploads.identity"),
    )


def _make_records() -> None:
    make_table(
        "listings",
        *words(subject=200, kind=20, state=30, digest=71, owner=120, sector=40, action=40),
        *blobs("title"),
        *texts("words"),
        *numbers("sequence", "moved_at"),
        *words(scenario=200, application=200, default=""),
        *words(scope=10, default="base"),
        *texts("facets", default=""),
        key("subject"),
        refers(digest="documents.digest", owner="documents.owner"),
        index("listings_application", "kind", "application", "sequence"),
        index("listings_content", "digest", "owner"),
        index("listings_facets", "kind", "scope", "facets", "sequence"),
        index("listings_kind", "kind", "scope", "sequence", "state", "sector", "action"),
        index("listings_owner", "owner", "kind", "sequence"),
        index("listings_scenario", "kind", "scenario", "sequence"),
        index("listings_sequence", "sequence", unique=True),
        index("listings_state", "kind", "scope", "state", "sequence", "sector", "action"),
    )
    make_table(
        "waits",
        *words(subject=200),
        *counts("position"),
        *words(act=60, role=20, organisation=120, person=63),
        *numbers("since"),
        *numbers("due", null=True),
        key("subject", "position"),
        refers(subject="listings.subject"),
        index("waits_due", "due"),
        index("waits_for", "role", "organisation", "due"),
    )
    make_table(
        "journeys",
        *words(subject=200, kind=20),
        *numbers("demanded_at", "opened_at", "proposed_at", "agreed_at", "frozen_at", "reported_at", null=True),
        *numbers("accepted_at", "certified_at", "served_at", "warned_at", "stopped_at", null=True),
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


def _make_exchange() -> None:
    make_table(
        "threads",
        *words(identity=32, subject=200, organisation=120),
        *flags("private", "answered"),
        *words(digest=71, owner=120),
        *numbers("sequence"),
        key("identity"),
        refers(digest="documents.digest", owner="documents.owner"),
        index("threads_sequence", "sequence"),
        index("threads_subject", "subject", "sequence"),
    )
    make_table(
        "notices",
        serial("sequence"),
        *words(identity=64, kind=20, subject=200, thread=32, organisation=120, role=20, person=63, author=63),
        *blobs("body"),
        *numbers("made_at"),
        key("sequence"),
        unique("identity"),
        index("notices_for", "organisation", "role", "sequence"),
        index("notices_made", "made_at"),
    )
    make_table(
        "notice_reads",
        *words(person=63),
        *numbers("notice"),
        key("person", "notice"),
        refers(notice="notices.sequence"),
        index("notice_reads_notice", "notice"),
    )
    make_table("notice_floors", *words(person=63, organisation=120), *numbers("read_to"), key("person", "organisation"))
    make_table(
        "notice_mails",
        *words(person=63, choice=10),
        *numbers("position"),
        *numbers("sent_at", null=True),
        key("person"),
    )
    make_table(
        "webhooks",
        *words(identity=32, organisation=120),
        *texts("url"),
        *blobs("secret"),
        *words(made_by=63),
        *numbers("made_at"),
        *numbers("ended_at", null=True),
        *words(channel=20, default="webhook"),
        *words(language=2, default="en"),
        *numbers("rests_until", null=True),
        key("identity"),
        index("webhooks_organisation", "organisation"),
    )


def _make_work_and_terms() -> None:
    make_table(
        "work",
        serial("identity"),
        *words(lane=40, kind=40, key=200, organisation=120, person=63),
        *blobs("payload"),
        *words(state=12),
        *numbers("ready_at", null=True),
        *counts("tries", default="0"),
        *counts("attempt"),
        *numbers("token", default="0"),
        *words(holder=200, default=""),
        *flags("stopping", default=False),
        *blobs("progress", "reason", null=True),
        *numbers("queued_at"),
        *numbers("started_at", "beat_at", "ended_at", null=True),
        key("identity"),
        index("work_due", "lane", "state", "ready_at", "identity", where="ready_at is not null"),
        index("work_key", "lane", "key", "identity"),
        index("work_lane", "lane", "identity"),
        index("work_once", "lane", "kind", "key", unique=True, where="ready_at is not null and not stopping"),
    )
    make_table("datasets", *words(subject=200, owner=120, state=30, digest=71, version=40, opening=20), key("subject"))
    make_table(
        "agreements",
        *words(subject=200, dataset=200, assigner=120, assignee=120, state=30, digest=71),
        *numbers("begins", "ends", null=True),
        key("subject"),
        index("agreements_ending", "state", "ends"),
        index("agreements_of", "dataset", "assignee"),
    )
    make_table(
        "uses",
        *words(ground=200),
        *numbers("place"),
        *words(request=71, target=200, version=71, action=40, organisation=120, person=63),
        *words(purpose=200, recipient=120, channel=40),
        *numbers("cell_size", null=True),
        *numbers("epsilon", "rows", "epsilon_so_far", "rows_so_far", "used_at"),
        key("ground", "place"),
        check("uses_spend", "epsilon >= 0 and rows >= 0"),
        index("uses_once", "ground", "request", unique=True),
        index("uses_organisation", "organisation", "used_at"),
        index("uses_target", "target", "used_at"),
    )
    make_table(
        "refusals",
        *words(target=200, organisation=120, action=40, channel=40, reason=80, day=10),
        *numbers("times"),
        key("target", "organisation", "action", "channel", "reason", "day"),
    )


def _make_services() -> None:
    make_table(
        "service_keys",
        *words(identity=16, service=63, organisation=120, title=200, prefix=16, secret=64),
        *words(scopes=100, budget=63, made_by=63),
        *numbers("made_at", "expires_at"),
        *numbers("revoked_at", null=True),
        key("identity"),
        unique("secret"),
        index("service_keys_of", "service", "made_at"),
    )
    make_table(
        "service_budgets",
        *words(service=63, name=63, period=8),
        *numbers("calls", "tokens", null=True),
        key("service", "name"),
    )
    make_table(
        "service_spending",
        *words(service=63, budget=63, period=8),
        *numbers("calls", "tokens"),
        key("service", "budget", "period"),
    )
    make_table(
        "allotments",
        *words(desk=32, service=63, budget=63, period=8),
        *numbers("calls", "tokens", "renewed_at"),
        key("desk", "service", "budget", "period"),
        index("allotments_of", "service", "budget", "period"),
        index("allotments_renewed", "renewed_at"),
    )
    make_table(
        "service_meters",
        *words(service=63),
        *numbers("hour"),
        *words(key=16, version=71, end=20),
        *numbers("calls", "cases", "tokens", "microseconds"),
        key("service", "hour", "key", "version", "end"),
    )
    make_table("service_journals", *words(desk=32), *counts("segment"), *numbers("place"), key("desk"))


def _make_observations() -> None:
    make_table(
        "observation_packs",
        serial("number"),
        *words(service=63),
        *numbers("cohort", null=True),
        *counts("cases"),
        *numbers("first_at", "last_at", "taken_at"),
        *blobs("body", null=True),
        key("number"),
        index("observation_packs_age", "service", "last_at"),
        index("observation_packs_cohort", "cohort", "number"),
        index("observation_packs_service", "service", "number"),
    )
    make_table(
        "observed_batches",
        *blobs("key", "digest"),
        *numbers("pack", null=True),
        key("key"),
        index("observed_batches_pack", "pack"),
        clustered=True,
    )
    make_table(
        "observed_cases",
        *blobs("key"),
        *numbers("pack"),
        *counts("row"),
        key("key"),
        index("observed_cases_pack", "pack"),
        clustered=True,
    )


def _make_cohorts() -> None:
    make_table(
        "label_batches",
        serial("number"),
        *words(service=63),
        *blobs("key", "digest"),
        *counts("cases", "unknown"),
        *numbers("taken_at"),
        key("number"),
        unique("key"),
        index("label_batches_service", "service", "number"),
    )
    make_table(
        "labels",
        *blobs("key"),
        *numbers("batch"),
        *texts("value"),
        key("key", "batch"),
        index("labels_batch", "batch"),
        clustered=True,
    )
    make_table(
        "watch_cohorts",
        serial("number"),
        *words(service=63),
        *numbers("begins_at", "seconds", "closes_at"),
        *words(state=8),
        *numbers("cases", "labelled", "labels_to"),
        key("number"),
        index("watch_cohorts_due", "state", "closes_at"),
        index("watch_cohorts_span", "service", "begins_at", "seconds", unique=True),
    )
    make_table("watch_counts", *words(service=63, what=40), *numbers("count", "last_at"), key("service", "what"))


def _make_warnings() -> None:
    make_table(
        "watches",
        *words(service=63, watch=71),
        *counts("armed"),
        *numbers("passes", "read_to"),
        *words(colour=10),
        *numbers("ran_at"),
        key("service"),
        index("watches_armed", "armed"),
    )
    make_table(
        "watch_states",
        *words(service=63, detector=200, signal=20),
        *texts("promise"),
        *blobs("state"),
        *numbers("seen"),
        *words(colour=10),
        *floats("value"),
        *numbers("last_at", null=True),
        key("service", "detector"),
    )
    make_table(
        "watch_points",
        *words(service=63, detector=200),
        *numbers("number", "at", "seen"),
        *floats("value"),
        *words(colour=10),
        key("service", "detector", "number"),
    )
    make_table("warning_levels", *words(service=63, detector=200, colour=10, warning=71), key("service", "detector"))
    make_table(
        "reactions",
        *words(cause=71, step=80, service=63),
        *counts("place"),
        *numbers("done_at"),
        *blobs("outcome"),
        key("cause", "step"),
        index("reactions_of", "service", "done_at"),
    )
    make_table(
        "incidents",
        *numbers("number"),
        *words(service=63, state=10, digest=71),
        key("number"),
        index("incidents_of", "service", "state"),
    )
    make_table(
        "incident_clocks",
        *numbers("incident"),
        *words(clock=63),
        *numbers("due"),
        *counts("told"),
        key("incident", "clock"),
        index("incident_clocks_due", "told", "due"),
    )


_SEARCH = {
    "sqlite": ["CREATE VIRTUAL TABLE listing_search USING fts5(terms, content='', columnsize=0, tokenize='ascii')"],
    "postgresql": [
        "CREATE TABLE listing_search (sequence BIGINT PRIMARY KEY, terms TEXT[] NOT NULL)",
        "CREATE INDEX listing_search_terms ON listing_search USING gin (terms)",
        "ALTER TABLE listing_search ALTER COLUMN terms SET STORAGE EXTERNAL",  # counting rows reads none
        "ALTER TABLE listing_search SET (toast_tuple_target = 128)",
    ],
}
