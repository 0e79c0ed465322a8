"""Inverting a test gives a bound only if evidence falls as the bound comes nearer: shown for every kind of stream."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotbase.evidence.lattice import Stream, claim_at_least, claim_at_most, stream_of
from pilotbase.measures.observation import MeasurePart

KINDS: dict[str, tuple[tuple[int, int], ...]] = {
    "share": ((0, 1), (1, 1)),
    "f1": ((2, 2), (0, 1), (0, 1)),
    "f_beta": ((5, 5), (0, 4), (0, 1)),
    "weighted": ((0, 3), (3, 3), (0, 20), (20, 20)),
    "real": ((0, 1000), (1, 1000), (1000, 1000)),
}


def draw(kind: str, seed: int, clusters: bool, n: int = 150) -> Stream:
    rng = np.random.default_rng(seed)
    outcomes = KINDS[kind]
    if kind == "real":
        gain, weight = rng.integers(0, 1001, n), np.full(n, 1000)
    else:
        shares = rng.dirichlet(np.ones(len(outcomes)))
        pairs = np.array(outcomes)[rng.choice(len(outcomes), n, p=shares)]
        gain, weight = pairs[:, 0], pairs[:, 1]
    units = np.sort(rng.integers(0, n // 3, n)) if clusters else None
    return stream_of(MeasurePart(gain.astype(np.int64), weight.astype(np.int64), outcomes), np.arange(n), units)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("clusters", [False, True])
@pytest.mark.parametrize("kind", sorted(KINDS))
@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    bounds=st.lists(st.fractions(Fraction(1, 100), Fraction(99, 100), max_denominator=500), min_size=2, max_size=2),
    finite=st.booleans(),
)
def test_evidence_falls_as_the_bound_comes_nearer(
    kind: str, clusters: bool, seed: int, bounds: Any, finite: bool
) -> None:
    stream = draw(kind, seed, clusters)
    low, high = sorted(bounds)
    seen = len(stream) * 2 // 3
    for make, easy, hard in ((claim_at_least, low, high), (claim_at_most, high, low)):
        easier, harder = make(stream, easy), make(stream, hard)
        of_easier = easier.confirming(finite).update(easier.values[:seen])
        of_harder = harder.confirming(finite).update(harder.values[:seen])
        assert (of_easier >= of_harder - 1e-7).all()


@pytest.mark.parametrize("clusters", [False, True])
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_values_stay_in_the_range_that_the_bets_rest_on(kind: str, clusters: bool) -> None:
    for seed in range(20):
        stream = draw(kind, seed, clusters)
        for bound in (Fraction(1, 3), Fraction("0.9"), Fraction("0.123456")):
            for claim in (claim_at_least(stream, bound), claim_at_most(stream, bound)):
                assert claim.values.min() >= claim.low
                assert claim.values.max() <= claim.high
                assert claim.low <= claim.mean <= claim.high


def test_huge_values_are_rounded_against_the_claim_and_never_overflow() -> None:
    n, step = 2000, 10**9
    gain = np.full(n, step, dtype=np.int64)
    part = MeasurePart(gain, np.full(n, step, dtype=np.int64), ((0, step), (1, step), (step, step)))
    units = np.repeat(np.arange(200), 10)
    stream = stream_of(part, np.arange(n), units)
    claim = claim_at_least(stream, Fraction("0.99999"))
    assert claim.rounding > 0 or claim.high * len(stream) < 2**62
    assert claim.holds()
    assert claim.refuting(True).crossing(-claim.values, 3.0) is None
