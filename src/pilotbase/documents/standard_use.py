"""Which standards a scenario is held against, and what its owner or a supplier shows of what no trial can measure."""

from __future__ import annotations

from typing import Annotated, Any

import pydantic

from pilotbase.documents.base import Day, Name, Part
from pilotbase.documents.hashes import Digest


class EvidenceDocument(Part):
    """A document that somebody vouches for: its number or title, and figures where the requirement asks for any.

    The base looks whether it is there, in time, and within the figures asked for; it does not judge what it says.
    """

    kind: Name
    """What a profile calls it, such as ``risk-management-plan``."""
    reference: str = pydantic.Field(min_length=1, max_length=500)
    """Its number, title or address: where somebody finds it."""
    until: Day | None = None
    sample: int | None = pydantic.Field(default=None, ge=1, le=10**12)
    """Of how many it speaks, where it is about a sample."""
    passed: int | None = pydantic.Field(default=None, ge=0, le=10**12)
    """How many of these were found in order."""
    reviewers: Annotated[tuple[str, ...], pydantic.Field(max_length=20)] = ()
    """Who has looked, each alone."""
    record: Digest | None = None
    """Digest of the check's record (``standard-check/1``), where the software made it."""

    @property
    def share(self) -> float | None:
        """Return the share found in order; None where it states none."""
        return None if self.sample is None or self.passed is None else self.passed / self.sample


Evidence = Annotated[tuple[EvidenceDocument, ...], pydantic.Field(max_length=200)]


class StandardUse(Part):
    """One profile that a scenario names; its name alone may stand there."""

    profile: Name
    also: Annotated[tuple[Name, ...], pydantic.Field(max_length=200)] = ()
    """Requirements that are off by default, since only remembered, and are held here all the same."""
    evidence: Evidence = ()
    """What the owner of the scenario shows."""


def _short_form(value: Any) -> Any:
    return {"profile": value} if isinstance(value, str) else value


StandardUses = Annotated[
    tuple[Annotated[StandardUse, pydantic.BeforeValidator(_short_form)], ...],
    pydantic.Field(min_length=1, max_length=20),
]


class StandardReference(Part):
    """The version of a profile that a plan was frozen with."""

    name: Name
    version: str
    digest: Digest
    also: tuple[Name, ...] = ()
