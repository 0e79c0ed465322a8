"""Closed-form boundaries that a centred sum never leaves, at any time, as published: kept for comparison."""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from pilotbase.evidence.primitive import Floats, within
from pilotbase.evidence.quantiles import mixture_tuning


def stitched(variance: Floats, alpha: float, eta: float = 2.0, s: float = 1.4, smallest: float = 1.0) -> Floats:
    """Return the one-sided polynomial stitched boundary of a sub-Gaussian sum at intrinsic time ``variance``.

    P(the sum ever exceeds it) ≤ α; for both sides give α/2. Source: Howard, Ramdas, McAuliffe & Sekhon, "Time-uniform,
    nonparametric, nonasymptotic confidence sequences", Annals of Statistics 2021, theorem 1 with c = 0.
    """
    within("alpha", alpha, 0, 1)
    time = np.maximum(variance, smallest)
    factor = (eta**0.25 + eta**-0.25) / math.sqrt(2)
    constant = math.log(float(special.zeta(s)) / (alpha * math.log(eta) ** s))
    boundary: Floats = factor * np.sqrt(time * (s * np.log(np.log(eta * time / smallest)) + constant))
    return boundary


def iterated_logarithm(n: Floats, alpha: float) -> Floats:
    """Return the two-sided radius of the mean of ``n`` 1-sub-Gaussian values, 1.7 √((loglog 2n + .72 log(10.4/α))/n).

    Source: as `stitched`, equation (1.2).
    """
    within("alpha", alpha, 0, 1)
    radius: Floats = 1.7 * np.sqrt((np.log(np.log(2 * n)) + 0.72 * math.log(10.4 / alpha)) / n)
    return radius


def normal_mixture(variance: Floats, alpha: float, best_at: float) -> Floats:
    """Return the two-sided normal mixture boundary of a sub-Gaussian sum, tightest near ``variance`` = ``best_at``.

    Source: Robbins 1970; as `stitched`, proposition 5 and section 3.5 for the tuning.
    """
    within("alpha", alpha, 0, 1)
    rho = best_at / mixture_tuning(alpha)
    boundary: Floats = np.sqrt((variance + rho) * np.log((variance + rho) / (rho * alpha**2)))
    return boundary
