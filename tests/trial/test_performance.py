import numpy as np
import pytest

from pilotbase.trial.performance import Load, summarise


def load(seconds: list[float]) -> Load:
    return Load(batch_seconds=tuple(seconds), cases=100 * len(seconds), batch_rows=100, load_seconds=0.2)


def test_quantiles_are_observations_and_never_between_them():
    found = summarise(load([0.001] * 18 + [0.5, 0.9])).latency_quantiles
    assert (found["p50"], found["p90"], found["p95"], found["max"]) == (0.001, 0.001, 0.5, 0.9)


def test_equal_latencies_are_one_bin_without_width():
    assert summarise(load([0.002] * 3)).latency_histogram == ((0.002, 0.002, 3),)


def test_every_batch_stands_in_one_bin():
    seconds = np.random.default_rng(1).exponential(0.01, 500).tolist()
    found = summarise(load(seconds))
    assert sum(count for _, _, count in found.latency_histogram) == found.batches == 500
    assert found.cases_per_second == pytest.approx(50_000 / sum(seconds))


def test_a_run_that_answered_nothing_has_no_figures():
    found = summarise(load([]))
    assert (found.batches, found.cases_per_second, found.latency_histogram) == (0, 0.0, ())
