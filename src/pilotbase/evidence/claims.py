"""What a criterion's figures claim, in words: the estimand and the unit."""

from __future__ import annotations

from typing import Literal

from pilotbase.documents.texts import Text, text

Estimand = Literal["hidden_set", "population", "run"]
"""``hidden_set``: these cases. ``population``: cases drawn like them. ``run``: the measured run, nothing beyond it."""


def claim_text(estimand: Estimand, census: bool, unit: str, used: int, total: int) -> Text:
    """Return the sentence on what one criterion's figures are about."""
    if estimand == "run":
        return text("evidence.claim.run", used=used, unit=unit_text(unit))
    if estimand == "population" and unit != "case":
        # Bets are scaled by the largest cluster that was seen: one that is far larger would lose more than was staked.
        return text("evidence.claim.population_units", used=used, unit=unit_text(unit))
    if estimand == "population":
        return text("evidence.claim.population", used=used, unit=unit_text(unit))
    if census:
        return text("evidence.claim.census", total=total, unit=unit_text(unit))
    return text("evidence.claim.hidden_set", used=used, total=total, unit=unit_text(unit))


def of_seen_groups(claim: Text) -> Text:
    """Return a claim about groups of a population: of those that occur, since of others nothing was seen."""
    return text("evidence.claim.seen_groups", claim=claim)


def not_measured_text() -> Text:
    """Return what is claimed where the whole set holds nothing to count: nothing."""
    return text("evidence.claim.not_measured")


def unit_text(unit: str) -> Text:
    """Return the unit's name: the known units in the reader's language, a column's name as it is."""
    known = {
        "case": text("evidence.unit.case"),
        "pair": text("evidence.unit.pair"),
        "time_block": text("evidence.unit.time_block"),
        "request": text("evidence.unit.request"),
        "run": text("evidence.unit.run"),
        "repeated_case": text("evidence.unit.repeated_case"),
    }
    return known.get(unit) or text("evidence.unit.named", name=unit)
