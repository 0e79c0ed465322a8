"""Labels and probabilities of a classifier, the same for ours and for every peer."""

from __future__ import annotations

import numpy as np


def classified(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return truth (a fifth is positive) and the probability answered."""
    rng = np.random.default_rng(0)
    truth = (rng.random(n) < 0.2).astype(np.int64)
    return truth, 1 / (1 + np.exp(-(rng.normal(size=n) + 1.5 * truth - 1)))
