"""Canaries: errors stay below alpha on good and bad days, and a version that fails is found soon."""

import json
import random
from dataclasses import asdict

import pytest

from pilotbase.evidence.canary import CanaryEvidence

ALPHA, RUNS = 0.05, 150
MOST = ALPHA + 3 * (ALPHA * (1 - ALPHA) / RUNS) ** 0.5


def ended(seed, old, new, share=0.2, calls=4000, days=False):
    """Return how a canary ends and after how many calls; ``days``: every fifth day all fail sixteen times as often."""
    draw = random.Random(seed)
    canary = CanaryEvidence(round((1 - share) / share), 0.02)
    for call in range(1, calls + 1):
        is_new = draw.random() < share
        chance = new if is_new else old
        if days:
            chance *= 4 if call // 300 % 5 == 0 else 0.25
        canary.see(is_new, draw.random() < chance)
        if canary.harm >= 1 / ALPHA:
            return "harm", call
        if canary.gain >= 1 / ALPHA:
            return "gain", call
    return "open", calls


def shadowed(seed, old, new, calls=2000):
    """Return how a release ends if both versions get every call; they often fail at the same ones."""
    draw = random.Random(seed)
    canary = CanaryEvidence(9, 0.02)
    for call in range(1, calls + 1):
        hard = draw.random()
        canary.see_both(hard < old, (hard if draw.random() < 0.5 else draw.random()) < new, alike=True)
        if canary.harm >= 1 / ALPHA:
            return "harm", call
        if canary.gain >= 1 / ALPHA:
            return "gain", call
    return "open", calls


def share_of(wanted, *chances, **how):
    return sum(ended(seed, *chances, **how)[0] == wanted for seed in range(RUNS)) / RUNS


@pytest.mark.parametrize("days", [False, True])
def test_a_version_that_fails_as_often_is_hardly_ever_taken_back(days):
    assert share_of("harm", 0.05, 0.05, days=days) <= MOST


@pytest.mark.parametrize(("old", "new"), [(0.05, 0.07), (0.0, 0.02), (0.2, 0.22)])
def test_a_version_that_fails_more_often_by_the_margin_hardly_ever_takes_over(old, new):
    assert share_of("gain", old, new) <= MOST


def test_calls_that_both_versions_were_asked_keep_the_same_promises():
    for wanted, old, new in (("harm", 0.05, 0.05), ("gain", 0.05, 0.07)):
        assert sum(shadowed(seed, old, new)[0] == wanted for seed in range(RUNS)) / RUNS <= MOST
    assert all(shadowed(seed, 0.01, 1.0)[1] < 12 for seed in range(20))


def test_what_always_fails_is_found_within_a_few_calls():
    ends = [ended(seed, 0.001, 1.0) for seed in range(20)]
    assert all(end == "harm" and calls < 120 for end, calls in ends)


def test_a_version_that_never_fails_takes_over():
    ends = [ended(seed, 0.0, 0.0) for seed in range(20)]
    assert all(end == "gain" for end, _ in ends)


def test_it_goes_on_from_its_stored_state_and_its_calls_wait_in_bounds():
    whole, parts, draw = CanaryEvidence(4, 0.02), CanaryEvidence(4, 0.02), random.Random(1)
    for _ in range(300):
        new, failed = draw.random() < 0.2, draw.random() < 0.3
        whole.see(new, failed)
        parts.see(new, failed)
        parts = CanaryEvidence(**json.loads(json.dumps(asdict(parts))))
    assert (whole.harm, whole.gain, whole.new_calls) == (parts.harm, parts.gain, parts.new_calls)
    for _ in range(10_000):
        whole.see(new=False, failed=True)
    assert len(whole.waiting_old) <= 4 * 64 and whole.old_failed > 10_000 - 300
