"""The stream on which drift detectors are compared, the same for ours and for every peer: 14 numbers, 6 categories.

Rows are independent of each other. A shift moves the first three numbers by so many standard deviations of the normal
value behind them; the fourth to the last are normal, skewed, bounded, whole, with many zeros, or correlated.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

LEVELS = (2, 3, 5, 8, 20, 50)
NUMBERS = tuple(f"n{place}" for place in range(14))
CATEGORIES = tuple(f"c{place}" for place in range(len(LEVELS)))


def rows(rng: np.random.Generator, count: int, shift: float = 0.0) -> dict[str, np.ndarray | list[str]]:
    """Return ``count`` rows, column by column: floats, and words as lists."""
    z = rng.standard_normal((count, 14))
    z[:, :3] += shift
    u = rng.random((count, 2))
    values = [
        z[:, 0],
        50 + 10 * z[:, 1],
        np.exp(z[:, 2]),
        100 * np.exp(0.5 * z[:, 3]),
        ndtr(z[:, 4]),
        -np.log1p(-ndtr(z[:, 5])),
        np.where(u[:, 0] < 0.3, z[:, 6] - 3, z[:, 6] + 1),
        np.floor(20 * ndtr(z[:, 7])),
        np.round(18 + 62 * ndtr(z[:, 8])),
        np.where(u[:, 1] < 0.6, 0, 30 * np.exp(z[:, 9])),
        *(z[:, place] * (place - 8) + 0.3 * z[:, 0] for place in range(10, 14)),
    ]
    return {
        **dict(zip(NUMBERS, values, strict=True)),
        **{name: _words(rng, levels, count) for name, levels in zip(CATEGORIES, LEVELS, strict=True)},
    }


def _words(rng: np.random.Generator, levels: int, count: int) -> list[str]:
    """Return words whose frequencies fall as 1/rank."""
    shares = 1 / np.arange(1, levels + 1)
    names = [f"level {place}" for place in range(levels)]
    return [names[code] for code in rng.choice(levels, count, p=shares / shares.sum()).tolist()]
