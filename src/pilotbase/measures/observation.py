"""What a measure gives for each case: integers whose ratio of sums is the measure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pilotbase.measures.cases import Cases, Floats, Ints

Counts = NDArray[np.signedinteger[Any]]
"""As narrow as the values allow: picking millions in random order is bound by memory."""
Form = Literal["single", "worst", "gap", "quantile"]
Estimand = Literal["hidden_set", "population", "run"]
Comparison = Literal[">=", "<="]

_DIGITS = 9
"""Real-valued scores are read to at least nine digits of their range, so that sums and ties are exact."""


@dataclass(frozen=True, eq=False)
class Part:
    """``(unit · Σ gain / Σ weight) ** (1 / root)``; a case of weight zero is not eligible.

    ``outcomes``: every (gain, weight) an eligible case can have; for real values the extremes and one step.
    """

    gain: Counts
    weight: Counts
    outcomes: tuple[tuple[int, int], ...]
    root: Literal[1, 2] = 1
    unit: int = 1
    name: str | None = None

    def value(self) -> float | None:
        """Return the measure over all cases; None when it is 0/0, which is *not measured*."""
        weight = int(self.weight.sum())
        return None if weight == 0 else float(self.unit * Fraction(int(self.gain.sum()), weight)) ** (1 / self.root)


@dataclass(frozen=True, eq=False)
class Observation:
    """A measure on cases: one part, or one for each group of which the worst or the largest difference counts."""

    form: Form
    parts: tuple[Part, ...]
    census_only: bool = False
    quantile: Fraction | None = None

    def value(self, comparison: Comparison) -> float | None:
        """Return the measure over all cases; for the worst group, the smallest where ``>=`` is asked."""
        values = [part.value() for part in self.parts]
        found = [value for value in values if value is not None]
        if len(found) < len(values) or not found or (self.form == "gap" and len(found) < 2):
            return None
        if self.form == "gap":
            return max(found) - min(found)
        if self.form == "worst":
            return min(found) if comparison == ">=" else max(found)
        return found[0]


@dataclass(frozen=True, eq=False)
class Question:
    """What a measure is asked: which cases, which class, which arguments, and which way is worst for the criterion.

    ``order``: in which the cases will be scored (pairs for AUC follow it).
    """

    cases: Cases
    arguments: Mapping[str, Decimal]
    label: int
    comparison: Comparison
    order: Ints
    estimand: Estimand = "hidden_set"

    def worst(self, low: int, high: int) -> int:
        """Return the gain that an abstention gets: whichever harms the criterion more."""
        return low if self.comparison == ">=" else high

    def answered(self) -> Ints:
        """Return the answered class codes, -1 for abstentions."""
        cut = float(self.arguments.get("cut", Decimal("0.5")))
        return self.cases.labels(self.cases.answers, cut)


def indicator(
    success: NDArray[np.bool_], eligible: NDArray[np.bool_], abstained: NDArray[np.bool_], question: Question
) -> Part:
    """Return the share of ``success`` among ``eligible``; abstained eligible cases get what is worst."""
    gain = success | abstained if question.worst(0, 1) else success & ~abstained
    return Part((gain & eligible).view(np.int8), eligible.view(np.int8), ((0, 1), (1, 1)))


def mean_of(
    scores: Floats, high: Decimal, question: Question, root: Literal[1, 2] = 1, low: Decimal = Decimal(0)
) -> Part:
    """Return the mean of real scores in [``low``, ``high``] on a decimal lattice; NaN becomes what is worst."""
    shift = _DIGITS - max(abs(low), abs(high)).adjusted()
    steps, unit = 10 ** max(shift, 0), 10 ** max(-shift, 0)
    bottom, top = (int(end * steps / unit) for end in (low, high))
    filled = np.where(np.isnan(scores), question.worst(bottom, top) * unit / steps, scores)
    gain = np.clip(np.rint(filled / unit * steps), bottom, top).astype(np.int64)
    outcomes = ((bottom, steps), (bottom + 1, steps), (top, steps))
    return Part(gain, np.full(len(gain), steps, dtype=np.int64), outcomes, root, unit)
