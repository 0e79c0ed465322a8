"""Replication 推广: the kit by which another site takes a certified application over, and how each site fared.

A benchmark application 标杆应用 is one for which records show every requirement; nobody's opinion admits it.
"""

from __future__ import annotations

from typing import Annotated, Literal

import pydantic
from pydantic import StringConstraints

from pilotbase.documents.base import Document, Localized, Moment, Name, Part
from pilotbase.documents.hashes import Digest
from pilotbase.documents.scenario import Region
from pilotbase.documents.subjects import Subject
from pilotbase.documents.texts import Text
from pilotbase.documents.vocabularies import Verdict

LONGEST_PART = 4000
KitPartName = Literal[
    "plan",
    "contract",
    "adapters",
    "environment",
    "hardware",
    "costs",
    "procedure",
    "training",
    "limits",
    "terms",
    "certificate",
    "materials",
    "contact",
]
"""Names: text ``replication.part.<value>``."""
STATED: tuple[KitPartName, ...] = ("adapters", "hardware", "costs", "procedure", "training", "terms", "contact")
"""Parts that the supplier writes; the others follow from records, and so does the hardware that a trial measured."""
RequirementName = Literal["certified", "served", "value", "kit", "second_site"]
"""Names: text ``replication.need.<value>``."""
Words = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_PART)]


class KitPart(Part):
    """One part of a kit: what it is by its digest, or why there is none."""

    name: KitPartName
    digest: Digest | None = None
    """Of the record that is the part, or of the words."""
    words: str = ""
    """What the supplier states; of a part that there is none of, why."""

    @property
    def complete(self) -> bool:
        """Return whether it has a digest, or says why there is none."""
        return self.digest is not None or bool(self.words)


class StatedPart(Part):
    """What the supplier states of one part; ``none``: there is none, because of these words."""

    name: Literal["adapters", "hardware", "costs", "procedure", "training", "terms", "contact"]
    words: Words
    none: bool = False


class StatedKit(Part):
    """What the supplier states of a kit; the other parts follow from records."""

    parts: tuple[StatedPart, ...] = pydantic.Field(max_length=len(STATED))


class ReplicationKit(Document, published=True):
    """The kit of one version of an application, as its supplier has put it together."""

    document: Literal["replication-kit/1"] = "replication-kit/1"
    application: Subject
    version: str
    owner: Name
    """The owner of the scenario on which it is certified, who agrees to the kit."""
    serial: Digest
    """The certificate that it stands on."""
    parts: tuple[KitPart, ...]
    made_at: Moment

    @property
    def lacking(self) -> tuple[KitPartName, ...]:
        """Return the parts that are neither there nor said to be none."""
        return tuple(one.name for one in self.parts if not one.complete)


class KitStep(Document):
    """That the owner has agreed to a kit, or the operator has admitted it."""

    document: Literal["replication-step/1"] = "replication-step/1"
    kit: Digest
    act: Literal["agreed", "admitted"]
    organisation: Name
    at: Moment


KitState = Literal["stated", "agreed", "admitted", "outdated"]
"""``outdated``: its certificate no longer holds. Names: text ``replication.state.<value>``."""


class SiteResult(Part):
    """What a trial at one site found; figures only where the reader may see the report."""

    site: Name
    """The site on whose machine it ran, or the owner of the scenario."""
    region: Region | None = None
    scenario: Subject
    scenario_title: Localized | str
    serial: Digest
    verdict: Verdict
    status: Literal["valid", "suspended", "expired", "revoked"]
    issued_at: Moment
    rule: str = ""
    scored: int = 0
    """Cases that the figures are of."""
    estimate: float | None = None
    lower: float | None = None
    upper: float | None = None


class BenchmarkNeed(Part):
    """One requirement of a benchmark application, with the fact that meets it or not; None: not known."""

    name: RequirementName
    met: bool | None
    fact: Text


class Expected(Part):
    """Where the next site's score is expected, from at least five sites (random effects, approximate)."""

    rule: str
    sites: int
    mean: float
    lower: float
    upper: float


class Replication(Part):
    """An application on its way to other sites."""

    application: Subject
    title: Localized | str
    supplier: Name
    version: str
    kit: ReplicationKit | None = None
    """None: there is none that the reader may see."""
    state: KitState | None = None
    benchmark: bool
    """Whether every requirement is met; an unknown value does not count against it."""
    requirements: tuple[BenchmarkNeed, ...]
    sites: tuple[SiteResult, ...]
    accepted: int = pydantic.Field(ge=0)
    """Sites whose newest certificate accepts and holds."""
    share_lower: float | None = None
    share_upper: float | None = None
    """95 % interval (Wilson) of the share of sites that accept."""
    expected: Expected | None = None
