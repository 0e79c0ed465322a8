"""One file per claim, in the order of the page."""

from __future__ import annotations

from benchmarks.evidence.claims import (
    attempts_reused,
    attempts_shared,
    auc_pairs,
    clusters,
    committed_order,
    group_gap,
    latency_blocks,
    many_criteria,
    no_positive,
    strata,
)
from benchmarks.evidence.contract import Claim, Words

SECTIONS: tuple[tuple[Words, tuple[Claim, ...]], ...] = (
    (
        Words("Traps, shown both ways", "常见陷阱：错误做法与本系统做法"),
        (
            committed_order.CLAIM,
            attempts_reused.CLAIM,
            attempts_shared.CLAIM,
            strata.CLAIM,
            group_gap.CLAIM,
            auc_pairs.CLAIM,
            clusters.CLAIM,
            latency_blocks.CLAIM,
            many_criteria.CLAIM,
            no_positive.CLAIM,
        ),
    ),
)
CLAIMS: tuple[Claim, ...] = tuple(claim for _, claims in SECTIONS for claim in claims)
