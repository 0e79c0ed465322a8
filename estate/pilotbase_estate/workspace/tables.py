"""The tables of the estate in the one store; the store's own tables find them here."""

from __future__ import annotations

from pilotbase.workspace.columns import check, counts, index, key, moments, numbers, table, texts, unique, words

compute_jobs = table(
    "compute_jobs",
    *words(name=63, pool=63, organisation=120, person=120, kind=20, subject=160, state=12),
    *texts("asked", "work"),
    *words(voucher=32),
    *counts("attempt", "losses", "evictions"),
    *texts("nodes", "reason"),
    *moments("submitted_at"),
    *moments("started_at", "ended_at", null=True),
    key("name"),
    index("compute_jobs_of_pool", "pool", "state"),
    index("compute_jobs_of", "organisation", "submitted_at"),
    index("compute_jobs_about", "subject", "state"),
)
"""``asked``: the `ComputeJob`; ``work``: what a backend is to do, '' for a seat that a process of the base takes.

``subject``: what it is about, ''; ``attempt`` counts from 1 once it has started; ``nodes``: JSON; ``reason``: a text.
"""

compute_attempts = table(
    "compute_attempts",
    *words(job=63),
    *counts("number"),
    *words(pool=63, organisation=120),
    *texts("held", "nodes"),
    *words(ending=12),
    *numbers("wall_ms", "cpu_ms", "memory_mib_ms"),
    *moments("began_at"),
    *moments("ended_at", null=True),
    *words(engine=12, default=""),
    key("job", "number"),
    index("compute_attempts_of_pool", "pool", "began_at"),
    index("compute_attempts_open", "pool", "ended_at"),
    check("compute_attempts_metered", "wall_ms >= 0 and cpu_ms >= 0 and memory_mib_ms >= 0"),
)
"""``held``: the vector of all members, JSON; ``ending``: how it ended, '' while it runs.

``engine``: where it runs, '' for a seat or if unknown.
"""

compute_turns = table("compute_turns", *words(pool=63), *texts("recent", "kept"), key("pool"))
"""What the next decision depends on besides the jobs: organisations' recent use, and for whom machines are kept."""


vouchers = table(
    "vouchers",
    *words(identity=32, programme=63, organisation=120),
    *numbers("amount"),
    *words(state=12, rules=71, digest=71),
    *moments("issued_at", "expires_at"),
    key("identity"),
    index("vouchers_of", "organisation", "issued_at"),
    index("vouchers_expiring", "state", "expires_at"),
    check("vouchers_amount", "amount > 0"),
)
"""``rules``: digest of the rules that it was issued under; ``digest``: its document."""

voucher_uses = table(
    "voucher_uses",
    *words(job=100),
    *counts("attempt"),
    *words(voucher=32, programme=63, organisation=120, supplier=120, state=12),
    *counts("year"),
    *numbers("held", "subsidy"),
    *words(hold=71, settlement=71),
    *moments("held_at", "lapses_at"),
    key("job", "attempt"),
    index("voucher_uses_of", "voucher", "held_at"),
    index("voucher_uses_lapsing", "state", "lapses_at"),
    check("voucher_uses_amounts", "held > 0 and subsidy >= 0 and subsidy <= held"),
)
"""One attempt of a job, paid by one voucher. ``hold`` and ``settlement`` are documents; '': not settled yet."""

voucher_claims = table(
    "voucher_claims",
    *words(identity=71, job=100),
    *counts("attempt"),
    *words(programme=63, claimant=120, side=12, state=12),
    *counts("year"),
    *numbers("amount", "fee"),
    *words(payment=71, decision=71),
    *moments("claimed_at"),
    key("identity"),
    index("voucher_claims_once", "job", "attempt", unique=True, where="state in ('waiting', 'granted', 'paid')"),
    index("voucher_claims_payment", "payment"),
    index("voucher_claims_year", "claimant", "programme", "year"),
)
"""``identity`` is the digest of the claim. In any race, a use is claimed once: by supplier or consumer, never both.

``fee`` is what the claim states as paid for this use by ``payment``, the digest of the evidence; '': none given.
"""

voucher_moves = table(
    "voucher_moves",
    *words(programme=63),
    *numbers("place"),
    *words(transfer=240, step=12, voucher=32, job=140),
    *counts("attempt"),
    *numbers("amount"),
    *moments("moved_at"),
    key("programme", "place"),
    unique("transfer"),
    index("voucher_moves_of", "voucher", "place"),
)
"""Every movement of a programme's money, numbered without gaps; ``transfer`` names it in ``postings``."""

voucher_payers = table("voucher_payers", *words(service=63, voucher=32, pool=63), *moments("since"), key("service"))
"""Which voucher pays the calls of a service, at the prices of which pool, from when."""
