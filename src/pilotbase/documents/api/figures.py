"""The figures of a base as its API tells them: what everybody may know, and what a caller sees."""

from __future__ import annotations

from datetime import datetime

from pilotbase.documents.api.shapes import ResponseModel


class MedianTold(ResponseModel):
    """The middle of some values, and how many there are."""

    value: float
    count: int


class PublicFigures(ResponseModel):
    """What everybody may know of a base."""

    open_scenarios: int
    certificates: dict[str, int]
    """Status (valid, suspended, expired, revoked) → certificates that say accept."""
    days: dict[str, MedianTold]
    """Step from demand to use → days, of certified trials; a step of too few is left out."""
    days_in_all: MedianTold | None
    prices: dict[str, MedianTold]
    """Currency → price of a trial."""
    fewest_trials: int
    """From so many trials on a median is told …"""
    fewest_parties: int
    """… of so many demand owners and so many suppliers."""


class TargetTold(ResponseModel):
    """A target of the year with what was reached of it."""

    figure: str
    sector: str | None
    action: str | None
    number: int
    reached: int


class OverviewTold(ResponseModel):
    """Everything that the caller sees, counted; targets for operator and regulator only."""

    at: datetime
    year: int
    counts: dict[str, int]
    """Figure → so far, or now."""
    this_year: dict[str, int]
    by_sector: dict[str, dict[str, int]]
    by_action: dict[str, dict[str, int]]
    days: dict[str, MedianTold]
    days_in_all: MedianTold | None
    prices: dict[str, MedianTold]
    late: int
    queued: int
    targets: list[TargetTold]
