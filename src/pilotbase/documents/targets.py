"""Targets: what the base means to reach in a year, to stand beside what it has reached."""

from __future__ import annotations

from typing import Literal

import pydantic

from pilotbase.documents.base import Document, Part
from pilotbase.documents.vocabularies import Action, Sector

Aim = Literal["opened", "trials", "verdicts", "certified"]
"""Which figure is aimed at; names: text ``figure.<value>``."""


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
