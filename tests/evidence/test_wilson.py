"""The interval of a share: as published, and never beyond what a share can be."""

import pytest

from pilotbase.evidence.distributions import wilson


def test_wilson_is_the_published_interval():
    """Newcombe, Statistics in Medicine 17 (1998), table I, method 3: 81 of 263, 15 of 148, 0 of 20, 1 of 29."""
    published = {
        (81, 263): (0.2553, 0.3662),
        (15, 148): (0.0624, 0.1605),
        (0, 20): (0, 0.1611),
        (1, 29): (0.0061, 0.1718),
    }
    for (successes, trials), bounds in published.items():
        share = wilson(successes, trials)
        assert (share.lower, share.upper) == pytest.approx(bounds, abs=5e-5)


def test_wilson_never_leaves_what_a_share_can_be():
    for trials in (1, 2, 7, 1000):
        for successes in (0, trials):
            share = wilson(successes, trials)
            assert 0 <= share.lower <= share.value <= share.upper <= 1
