"""The interval of a share by Wilson's score, honest where shares are near 0 or 1 and samples small."""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

from pilotbase.evidence.distributions import normal_upper_quantile


class Share(NamedTuple):
    """A share with its bounds."""

    value: float
    lower: float
    upper: float


def wilson(successes: float, trials: int, confidence: float = 0.95) -> Share:
    """Return successes / trials with its two-sided score interval; ``trials`` is at least 1.

    With p = s/n and z the normal quantile: (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n).

    Source: Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the American
    Statistical Association 22 (1927), pages 209-212.
    """
    share, z2 = successes / trials, normal_upper_quantile((1 - confidence) / 2) ** 2
    centre = share + z2 / (2 * trials)
    half = sqrt(z2 * share * (1 - share) / trials + (z2 / (2 * trials)) ** 2)
    scale = 1 + z2 / trials
    return Share(share, min(share, max(0.0, (centre - half) / scale)), max(share, min(1.0, (centre + half) / scale)))
