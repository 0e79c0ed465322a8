"""One file per claim, in the order of the page."""

from __future__ import annotations

from benchmarks.evidence.claims import (
    anytime_coverage,
    attempts_reused,
    attempts_shared,
    auc_pairs,
    best_of_k,
    board_climb,
    clusters,
    committed_order,
    exact_ties,
    few_labels,
    fixed_number,
    golden_vectors,
    group_gap,
    hidden_boundary,
    input_drift,
    judged_groups,
    late_labels,
    latency_blocks,
    linearised_ratios,
    log_grid,
    macro_means,
    many_criteria,
    no_positive,
    oracles,
    planning,
    population_boundary,
    prediction_powered,
    published_planning,
    real_values,
    sample_saving,
    shift_detection,
    strata,
    tender,
    watch_delay,
    watch_false_alarms,
    watch_threshold,
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
            prediction_powered.CLAIM,
            auc_pairs.CLAIM,
            clusters.CLAIM,
            latency_blocks.CLAIM,
            many_criteria.CLAIM,
            no_positive.CLAIM,
            best_of_k.CLAIM,
        ),
    ),
    (
        Words("Errors at the boundary, and intervals", "边界处的错误与区间"),
        (
            hidden_boundary.CLAIM,
            population_boundary.CLAIM,
            exact_ties.CLAIM,
            linearised_ratios.CLAIM,
            macro_means.CLAIM,
            real_values.CLAIM,
            anytime_coverage.CLAIM,
            fixed_number.CLAIM,
        ),
    ),
    (
        Words("How many cases it takes", "需要多少案例"),
        (sample_saving.CLAIM, log_grid.CLAIM, planning.CLAIM, few_labels.CLAIM, judged_groups.CLAIM, tender.CLAIM),
    ),
    (
        Words("Watching services", "服务监测"),
        (
            watch_threshold.CLAIM,
            late_labels.CLAIM,
            watch_delay.CLAIM,
            watch_false_alarms.CLAIM,
            input_drift.CLAIM,
            shift_detection.CLAIM,
        ),
    ),
    (
        Words("Published numbers, side by side", "与公布数字对照"),
        (
            oracles.CLAIM,
            golden_vectors.CLAIM,
            board_climb.CLAIM,
            published_planning.CLAIM,
        ),
    ),
)
CLAIMS: tuple[Claim, ...] = tuple(claim for _, claims in SECTIONS for claim in claims)
