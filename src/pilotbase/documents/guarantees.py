"""Kinds of guarantee that figures have, from the strongest to the weakest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, get_args

from pilotbase.documents.texts import Text, text

Guarantee = Literal["exact_census", "exact_anytime", "exact_fixed", "asymptotic", "measured_run", "descriptive"]


def weakest(guarantees: Sequence[Guarantee]) -> Guarantee:
    """Return the weakest kind: a certificate's guarantee is that of its weakest criterion."""
    return max(guarantees, key=get_args(Guarantee).index)


def is_approximate(guarantees: Iterable[str | None]) -> bool:
    """Return whether a verdict depends on an approximate bound."""
    return "asymptotic" in guarantees


def verdict_in_words(verdict: str, approximate: bool = False) -> Text:
    """Return a verdict's name, with the rider that it carries everywhere where one of its bounds is approximate."""
    name = Text(code=f"verdict.{verdict}")
    return text("verdict.approximate", verdict=name) if approximate else name
