"""How much error an attempt may spend: α over all attempts on one version of a hidden set, by whomever."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from pilotbase.documents.errors import InputError


@dataclass(frozen=True)
class Levels:
    """Error levels of one decision: of a false accept, and of a false reject (shared among the criteria)."""

    accept: Fraction
    reject: Fraction

    def __post_init__(self) -> None:
        for level in (self.accept, self.reject):
            if not 0 < level < 1:
                raise InputError("evidence.level_out_of_range", level=float(level))


def exact(level: float) -> Fraction:
    """Return the fraction that a level was written as: 0.05 is 1/20, not the float nearest to it."""
    return Fraction(str(level))


def attempt_levels(alpha: Fraction, attempt: int) -> Levels:
    """Return the levels of attempt ``j`` = 1, 2, … on a hidden-set version: α/(j(j+1)) each, which sums to α.

    So a certificate can say of all attempts together that any of them is false with probability at most α, whether it
    accepts or rejects.
    """
    if attempt < 1:
        raise InputError("evidence.attempt_out_of_range", attempt=attempt)
    level = alpha / (attempt * (attempt + 1))
    return Levels(level, level)
