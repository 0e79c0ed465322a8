"""Cohen's kappa: agreement beyond chance of two annotators who have labelled the same items."""

from __future__ import annotations

import numpy as np

from pilotbase.evidence.bootstrap import Statistic
from pilotbase.evidence.primitive import Floats, Ints


def cohen_kappa(first: Ints, second: Ints, classes: int) -> Statistic:
    """Return κ = (p_o − p_e) / (1 − p_e) of two annotators' classes 0 … ``classes`` − 1, item by item.

    p_o is the share of items on which they agree, p_e what their own shares of the classes would give by chance. NaN
    (0/0) where both always say the same one class.

    Source: Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20 (1960),
    pages 37-46, equation 1.
    """
    one_hot = np.eye(classes)
    ours, theirs, agreed = one_hot[first], one_hot[second], (first == second).astype(np.float64)

    def kappa(weights: Floats) -> Floats:
        total = weights.sum(axis=1)
        observed = weights @ agreed / total
        chance = ((weights @ ours) * (weights @ theirs)).sum(axis=1) / total**2
        with np.errstate(invalid="ignore"):
            found: Floats = (observed - chance) / (1 - chance)
        return found

    return kappa
