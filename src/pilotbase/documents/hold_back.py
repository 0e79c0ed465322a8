"""Hold-back 随机留置: a drawn share of a service's units goes today's way, so that what it saves is measured."""

from __future__ import annotations

from typing import Annotated, Literal

import pydantic
from pydantic import StringConstraints

from pilotbase.documents.api.shapes import ResponseModel
from pilotbase.documents.base import Document, Moment, Name, Part
from pilotbase.documents.hashes import Digest
from pilotbase.documents.prices import Currency
from pilotbase.documents.service import Drawn
from pilotbase.documents.texts import Text

FEWEST_HELD = 400
"""Units held back from which a benefit is shown: skewed costs make intervals of fewer too short."""
MOST_OUTCOMES = 10_000
Seed = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Unit = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class HoldBackTerms(Part):
    """How a benefit is measured; set before it begins, and not changed."""

    share: float = pydantic.Field(default=0.05, ge=0.01, le=0.5)
    """Part of the units that goes today's way."""
    cap: float = pydantic.Field(gt=0, le=1e12)
    """Highest cost that one unit counts with."""
    currency: Currency = "CNY"
    units: int = pydantic.Field(default=10_000, ge=1000, le=10**8)
    """How many units are reported before the result is read: the stop rule."""


class HoldBack(Document, published=True):
    """A hold-back of a service: its terms, and the commitment to the seed by which units are drawn."""

    document: Literal["hold-back/1"] = "hold-back/1"
    identity: Drawn
    service: Name
    terms: HoldBackTerms
    commitment: Digest
    """SHA-256 of the seed: nobody chooses afterwards who was held back."""
    since: Moment
    ended_at: Moment | None = None
    seed: Seed | None = None
    """Shown once it has ended, so that anyone can draw again."""


class HoldBackSeed(Document):
    """The seed while units are drawn: the base alone sees it."""

    document: Literal["hold-back-seed/1"] = "hold-back-seed/1"
    identity: Drawn
    seed: Seed


class UnitOutcome(Part):
    """What one unit has cost, whichever way it went."""

    unit: Unit
    cost: float = pydantic.Field(ge=0, le=1e12)
    """Minutes at their rate, errors, handling: without what the service itself costs."""


class ServiceOutcomes(Document, published=True):
    """Outcomes of units, as the owner reports them; of a unit that comes again the sum counts."""

    document: Literal["service-outcomes/1"] = "service-outcomes/1"
    service: Name
    hold_back: Drawn
    outcomes: Annotated[tuple[UnitOutcome, ...], pydantic.Field(min_length=1, max_length=MOST_OUTCOMES)]


class BenefitTold(ResponseModel):
    """What a unit saves: mean cost today's way less mean cost with the service."""

    mean: float
    low: float
    high: float
    """Between the two with 95 % confidence, if very many units are drawn; corrected for skewed costs."""
    cost_of_measuring: float
    """What holding back has cost so far: units held back times the mean."""


class ValueTold(ResponseModel):
    """What a service saves, measured by its newest hold-back; unknown without one."""

    service: str
    hold_back: HoldBack | None
    held: int
    """Units held back with an outcome."""
    answered: int
    capped: int
    """Units that count with the cap."""
    benefit: BenefitTold | None
    why: Text | None
    """Why no benefit is shown, or why it is not final."""
    models_cost: dict[str, float]
    """Currency → what models of the service cost since the hold-back began, by its meters."""
    trial_price: float | None
    """What the parties agreed on for the trial; None: unknown."""
    trial_currency: str
    trial_cpu_seconds: float | None
    """CPU time of the trial, all rounds together; None: it was not metered."""
