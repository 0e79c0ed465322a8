"""The tables of shared pools: jobs and their state, every attempt, what the order of turns depends on.

Migrations build them; a test compares the two.
"""

from __future__ import annotations

from pilotbase.workspace.columns import check, counts, index, key, moments, numbers, table, texts, words

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
