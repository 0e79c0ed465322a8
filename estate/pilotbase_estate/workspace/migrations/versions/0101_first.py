"""The tables of the computing estate: shared pools, and vouchers that pay for computing."""

from pilotbase.workspace.columns import check, counts, index, key, numbers, texts, unique, words
from pilotbase.workspace.migrations.shorthand import make_table

revision = "0101"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    _make_pools()
    _make_vouchers()


def _make_pools() -> None:
    make_table(
        "compute_jobs",
        *words(name=63, pool=63, organisation=120, person=120, kind=20, subject=160, state=12),
        *texts("asked", "work"),
        *words(voucher=32),
        *counts("attempt", "losses", "evictions"),
        *texts("nodes", "reason"),
        *numbers("submitted_at"),
        *numbers("started_at", "ended_at", null=True),
        key("name"),
        index("compute_jobs_about", "subject", "state"),
        index("compute_jobs_of", "organisation", "submitted_at"),
        index("compute_jobs_of_pool", "pool", "state"),
    )
    make_table(
        "compute_attempts",
        *words(job=63),
        *counts("number"),
        *words(pool=63, organisation=120),
        *texts("held", "nodes"),
        *words(ending=12),
        *numbers("wall_ms", "cpu_ms", "memory_mib_ms", "began_at"),
        *numbers("ended_at", null=True),
        *words(engine=12, default=""),
        key("job", "number"),
        check("compute_attempts_metered", "wall_ms >= 0 and cpu_ms >= 0 and memory_mib_ms >= 0"),
        index("compute_attempts_of_pool", "pool", "began_at"),
        index("compute_attempts_open", "pool", "ended_at"),
    )
    make_table("compute_turns", *words(pool=63), *texts("recent", "kept"), key("pool"))


def _make_vouchers() -> None:
    make_table(
        "vouchers",
        *words(identity=32, programme=63, organisation=120),
        *numbers("amount"),
        *words(state=12, rules=71, digest=71),
        *numbers("issued_at", "expires_at"),
        key("identity"),
        check("vouchers_amount", "amount > 0"),
        index("vouchers_expiring", "state", "expires_at"),
        index("vouchers_of", "organisation", "issued_at"),
    )
    make_table(
        "voucher_uses",
        *words(job=100),
        *counts("attempt"),
        *words(voucher=32, programme=63, organisation=120, supplier=120, state=12),
        *counts("year"),
        *numbers("held", "subsidy"),
        *words(hold=71, settlement=71),
        *numbers("held_at", "lapses_at"),
        key("job", "attempt"),
        check("voucher_uses_amounts", "held > 0 and subsidy >= 0 and subsidy <= held"),
        index("voucher_uses_lapsing", "state", "lapses_at"),
        index("voucher_uses_of", "voucher", "held_at"),
    )
    make_table(
        "voucher_claims",
        *words(identity=71, job=100),
        *counts("attempt"),
        *words(programme=63, claimant=120, side=12, state=12),
        *counts("year"),
        *numbers("amount", "fee"),
        *words(payment=71, decision=71),
        *numbers("claimed_at"),
        key("identity"),
        index("voucher_claims_once", "job", "attempt", unique=True, where="state in ('waiting', 'granted', 'paid')"),
        index("voucher_claims_payment", "payment"),
        index("voucher_claims_year", "claimant", "programme", "year"),
    )
    make_table(
        "voucher_moves",
        *words(programme=63),
        *numbers("place"),
        *words(transfer=200, step=12, voucher=32, job=100),
        *counts("attempt"),
        *numbers("amount", "moved_at"),
        key("programme", "place"),
        unique("transfer"),
        index("voucher_moves_of", "voucher", "place"),
    )
    make_table("voucher_payers", *words(service=63, voucher=32, pool=63), *numbers("since"), key("service"))
