"""Noise on counts: OpenDP's discrete Laplace mechanism over integers, the only way out for a true count.

A count plus noise is an integer drawn exactly (Canonne, Kamath, Steinke, "The Discrete Gaussian for Differential
Privacy", NeurIPS 2020, algorithm 2), so that no bit of a float reveals the count. Needs the extra ``opendp``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from importlib import import_module
from typing import Any

from pilotbase.documents.errors import InputError
from pilotbase.documents.extras import packages_of
from pilotbase.documents.private import Noise
from pilotbase.documents.terms import MILLIONTHS

_TYPE = "i64"


def mechanism() -> str:
    """Return the name and version of what draws the noise; raises `InputError` if OpenDP is not installed."""
    return f"discrete Laplace (OpenDP {_opendp().__version__})"


def noisy(counts: Sequence[int], noise: Noise) -> list[int]:
    """Return ``counts`` with independent noise.

    For any two lists of counts that are ``noise.sensitivity`` apart in L1, each outcome is at most exp(ε) times as
    likely under one as under the other: OpenDP itself states this of the mechanism that draws, or nothing is drawn.
    """
    drawn: list[int] = _mechanism(noise.sensitivity, noise.epsilon)(list(counts))
    return drawn


def noise_for(sensitivity: int, epsilon: int) -> Noise:
    """Return the noise that ``epsilon`` millionths buy, with its error at 95 %."""
    return Noise(epsilon=epsilon, sensitivity=sensitivity, error=error_of(sensitivity, epsilon, 0.05))


def error_of(sensitivity: int, epsilon: int, beyond: float) -> int:
    """Return the smallest t with P(abs(noise) > t) ≤ ``beyond``: 2αᵗ⁺¹ / (1 + α), where α = exp(-ε / sensitivity)."""
    rate = epsilon / (MILLIONTHS * sensitivity)
    steps = (math.log(2 / beyond) - math.log1p(math.exp(-rate))) / rate
    return max(math.ceil(steps) - 1, 0)


@cache
def _mechanism(sensitivity: int, epsilon: int) -> Any:
    dp = _opendp()
    space = dp.vector_domain(dp.atom_domain(T=_TYPE)), dp.l1_distance(T=_TYPE)
    scale = sensitivity * MILLIONTHS / epsilon
    while True:
        drawing = dp.m.make_geometric(*space, scale=scale)
        if Fraction(drawing.map(sensitivity)) <= Fraction(epsilon, MILLIONTHS):
            return drawing
        scale = math.nextafter(scale, math.inf)  # OpenDP rounds its loss up, by a bit or two


@cache
def _opendp() -> Any:
    try:
        dp: Any = import_module("opendp.prelude")
    except ImportError:
        raise InputError("private.no_opendp", packages=packages_of("opendp")) from None
    dp.enable_features("contrib")
    return dp
