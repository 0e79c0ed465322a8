"""Many e-values: which are shown, by definition and by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pilotbase.evidence.monitoring import ELond, e_benjamini_hochberg


def test_e_bh_by_hand() -> None:
    """K = 4, α = .1: the largest needs 40, the two largest 20 each, three 13.3, four 10."""
    assert e_benjamini_hochberg(np.log([39.0, 19.0, 1.0, 1.0]), 0.1).tolist() == [False] * 4
    assert e_benjamini_hochberg(np.log([1.0, 40.0, 1.0, 1.0]), 0.1).tolist() == [False, True, False, False]
    # The second alone does not reach 40, but both reach 20.
    assert e_benjamini_hochberg(np.log([20.0, 21.0, 1.0, 9.0]), 0.1).tolist() == [True, True, False, False]
    assert e_benjamini_hochberg(np.log([10.0, 10.0, 10.0, 10.0]), 0.1).all()


def test_e_bh_takes_zero_infinite_and_no_evidence() -> None:
    assert e_benjamini_hochberg(np.array([-math.inf, math.inf]), 0.1).tolist() == [False, True]
    assert len(e_benjamini_hochberg(np.zeros(0), 0.1)) == 0


def test_e_lond_by_hand() -> None:
    """Levels at α = .05: 1/40 for the first, 2 · 1/120 after one rejection, 2 · 1/240, then 3 · 1/400."""
    e_values = np.array([40.0, 59.0, 120.5, 133.4])
    assert ELond(0.05).update(np.log(e_values)).tolist() == [True, False, True, True]
    assert ELond(0.05).update(np.log(e_values - 1)).tolist() == [False, False, False, False]


def null_e_values(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Return log e-values of true hypotheses: likelihood ratios of N(3, 1) to N(0, 1)."""
    return 3 * rng.standard_normal(shape) - 4.5


def discovery_rates(runs: int) -> tuple[float, float, float]:
    """Return the false discovery rates of e-BH and e-LOND at α = .1, and e-BH's share of true ones found."""
    rng, rates = np.random.default_rng(0), np.zeros(3)
    for _ in range(runs):
        values = null_e_values(rng, (200,))
        true = rng.random(200) < 0.2
        values[true] = 3 * (rng.standard_normal(true.sum()) + 3) - 4.5
        batch, online = e_benjamini_hochberg(values, 0.1), ELond(0.1).update(values)
        rates += [
            (batch & ~true).sum() / max(batch.sum(), 1),
            (online & ~true).sum() / max(online.sum(), 1),
            (batch & true).sum() / true.sum(),
        ]
    return float(rates[0] / runs), float(rates[1] / runs), float(rates[2] / runs)


def test_false_discoveries_are_as_rare_as_said() -> None:
    batch, online, power = discovery_rates(300)
    assert batch <= 0.1
    assert online <= 0.1
    assert power > 0.2


def test_uncorrected_thresholds_would_show_many_false_ones() -> None:
    """The trap: each e-value against 1/α alone, 200 true hypotheses: something false is shown nearly always."""
    rng = np.random.default_rng(1)
    values = null_e_values(rng, (300, 200))
    assert ((values >= math.log(10)).any(axis=1)).mean() > 0.9
    assert np.mean([e_benjamini_hochberg(row, 0.1).any() for row in values]) <= 0.1


@pytest.mark.prove
def test_false_discoveries_in_many_runs() -> None:
    batch, online, _ = discovery_rates(5000)
    assert batch <= 0.1
    assert online <= 0.1
