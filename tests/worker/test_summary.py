"""Scores on a terminal, in the unit that their criterion asks in."""

import pytest

from pilotbase.worker.trials.summary import figure_of


@pytest.mark.parametrize(
    ("rule", "estimate", "unit", "said"),
    [
        ("latency.p95 <= 500 ms", 0.004632, "s", "4.632 ms"),
        ("memory.peak <= 1 GiB", 7.311e6, "B", "0.006809 GiB"),
        ("error.mean_absolute <= 4", 3.0, "MW", "3 MW [2, 4]"),
        ("recall(failure) >= 0.80", 0.9, "", "0.9 [0.8, 0.95]"),
        ("recall(failure) >= 0.80", None, "", "–"),
        ("recall(failure) >= 0.80", 0.79998, "", "0.79998 [0.6999, 0.8001]"),
        ("latency.p95 <= 50 ms", 0.0500001, "s", "50.0001 ms"),
        ("load.p99 <= 50 ms", 1.15e9, "s", "∞"),
    ],
)
def test_a_score_stands_in_the_unit_of_its_criterion(rule, estimate, unit, said):
    bounds = {3.0: (2.0, 4.0), 0.9: (0.8, 0.95), 0.79998: (0.69996, 0.80002)}.get(estimate, (None, None))
    assert figure_of(rule, estimate, bounds, unit) == said
