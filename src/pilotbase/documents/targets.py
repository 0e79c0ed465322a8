"""Targets: what the base means to reach in a year, to stand beside what it has reached."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import pydantic

from pilotbase.documents.base import Document, Part
from pilotbase.documents.vocabularies import Action, Sector

Aim = Literal["opened", "proposed", "trials", "verdicts", "certified", "served"]
"""Which figure is aimed at; names: text ``figure.<value>``."""


class Figure(StrEnum):
    """What is counted; names: text ``figure.<value>``."""

    OPENED = "opened"
    """Scenarios that were ever opened."""
    OPEN = "open"
    """Scenarios that are open now."""
    PROPOSED = "proposed"
    """Matches: trials that a supplier proposed."""
    TRIALS = "trials"
    """Trials that the parties agreed on."""
    UNDER_WAY = "under_way"
    """Trials between agreement and report."""
    VERDICTS = "verdicts"
    """Trials that came to a verdict."""
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    INCONCLUSIVE = "inconclusive"
    CERTIFIED = "certified"
    """Trials that came to a certificate."""
    IN_FORCE = "in_force"
    """Trials with a certificate that is valid now."""
    SERVED = "served"
    """Services that ever answered by a certified version."""
    IN_USE = "in_use"
    """Services that answer now, by whichever certified version."""
    UNCERTIFIED = "uncertified"
    """Services that answer now by an endpoint that holds no certificate, on the operator's word: no use is counted."""
    WARNED = "warned"
    """Services that ever had a warning of any colour."""
    STOPPED = "stopped"
    """Services that were ever stopped."""


class Phase(StrEnum):
    """Phases of the plan 分期, as its targets are set for 2027, 2030 and 2035; names: text ``phase.<value>``.

    Source: State Council opinions on the "AI+" action (国发〔2025〕11号).
    """

    P1 = "p1"
    P2 = "p2"
    P3 = "p3"

    @property
    def years(self) -> range:
        """Return the years that belong to it, each year to one phase only."""
        return _YEARS[self]


_YEARS = {Phase.P1: range(2020, 2028), Phase.P2: range(2028, 2031), Phase.P3: range(2031, 2036)}


class Target(Part):
    """So many of a figure in a year, of one sector, of one action, or of all."""

    year: int = pydantic.Field(ge=2020, le=2100)
    figure: Aim
    sector: Sector | None = None
    action: Action | None = None
    number: int = pydantic.Field(ge=0, le=10**9)

    @property
    def about(self) -> tuple[int, str, str, str]:
        """Return what it is a target of: two targets about the same contradict each other."""
        return (self.year, self.figure, self.sector or "", self.action or "")


class Targets(Document):
    """All targets of a base."""

    document: Literal["targets/1"] = "targets/1"
    targets: tuple[Target, ...] = ()
