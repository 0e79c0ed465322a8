"""Adding up what came of batches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pilotbase.documents.observation import Refusal, Taken
from pilotbase.documents.texts import text
from pilotbase.watch.intake_counters import Counted


def with_amounts(taken: Taken, amounts: Mapping[str, int]) -> Taken:
    """Return ``taken`` with so much more in the fields that ``amounts`` names."""
    return taken.model_copy(update={name: getattr(taken, name) + amount for name, amount in amounts.items()})


def with_refusal(taken: Taken, batch: str, what: Counted, **params: object) -> Taken:
    """Return ``taken`` with one more batch that was refused, and why."""
    refusal = Refusal(batch=batch, reason=text(f"observation.{what}", batch=batch, **params))
    return taken.model_copy(update={"refused": (*taken.refused, refusal)})


def refused_for(taken: Taken, what: Counted) -> int:
    """Return how many batches were refused for one reason."""
    return sum(refusal.reason.code == f"observation.{what}" for refusal in taken.refused)


def sum_of(found: Iterable[Taken]) -> Taken:
    """Return everything together."""
    total = Taken()
    for one in found:
        amounts = {name: value for name, value in one if isinstance(value, int)}
        total = with_amounts(total, amounts).model_copy(update={"refused": (*total.refused, *one.refused)})
    return total
