"""What is written down about every measure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from pilotbase.documents.texts import Text
from pilotbase.measures.cases import Kind
from pilotbase.measures.observation import Part, Question

Direction = Literal["higher", "lower"]

CLASSIFYING: frozenset[Kind] = frozenset({"label", "probability"})
SCORING: frozenset[Kind] = frozenset({"probability"})
PREDICTING: frozenset[Kind] = frozenset({"value"})
ANY: frozenset[Kind] = frozenset({"label", "probability", "value"})


@dataclass(frozen=True)
class Parameter:
    """A named argument: ``beta=2``. Without a default it must be given; ``low`` < value ≤ ``high``."""

    name: str
    default: Decimal | None
    low: Decimal
    high: Decimal


CUT = Parameter("cut", Decimal("0.5"), Decimal(0), Decimal(1))
"""From which probability on the positive class is answered."""


@dataclass(frozen=True)
class Measure:
    """One measure of predictions: what it is, where it comes from, and its per-case observation.

    ``bounds``: smallest and largest value; the name of a parameter stands for its value.
    ``pooled``: the per-case observation needs all cases (AUC on a hidden set), so only a census decides there.
    ``paired``: a case's weight depends on its truth alone and the measure is the plain ratio, so that a difference
    between two answers to the same cases is a mean itself (``drop``, ``lift``).
    """

    name: str
    title: Text
    formula: str
    source: str
    better: Direction
    kinds: frozenset[Kind]
    observe: Callable[[Question], Part]
    bounds: tuple[Decimal | str, Decimal | str] = (Decimal(0), Decimal(1))
    parameters: tuple[Parameter, ...] = ()
    of_class: bool = False
    pooled: bool = False
    needs_baseline: bool = False
    paired: bool = False

    def range(self, arguments: dict[str, Decimal]) -> tuple[Decimal, Decimal]:
        """Return the smallest and the largest value with these arguments."""
        low, high = (arguments[end] if isinstance(end, str) else end for end in self.bounds)
        return low, high
