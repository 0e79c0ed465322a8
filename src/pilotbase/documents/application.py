"""Application 应用: what a supplier submits, one immutable, content-addressed version at a time."""

from __future__ import annotations

from typing import Annotated, Literal

import pydantic
from pydantic import StringConstraints

from pilotbase.documents.base import Document, Localized, Name, Part
from pilotbase.documents.limits import IsolationLevel
from pilotbase.documents.quantities import Bytes
from pilotbase.documents.scenario import Contact, LanguageTag, Region
from pilotbase.documents.subjects import application_subject

EntryPoint = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]
"""``module:function`` inside the application's folder, such as ``app:predict``."""


PlainPath = Annotated[str, StringConstraints(max_length=200, pattern=r"^(?:[A-Za-z0-9_][\w.-]*/)*[A-Za-z0-9_][\w.-]*$")]
"""A path inside the application's folder, such as ``requirements.lock``: relative, and never upwards."""

DEFAULT_REQUIREMENTS = "requirements.lock"


class Resources(Part):
    """What the application says it needs; the scenario's limits still hold."""

    memory: Bytes | None = None
    threads: int = pydantic.Field(default=1, ge=1, le=1024)


class ModelCard(Part):
    """What a buyer must know before use."""

    summary: Localized | str
    training_data: Localized | str | None = None
    limitations: Localized | str | None = None
    human_oversight: Localized | str | None = None
    """How a person stays in charge: when the application abstains, who takes over, how it is overridden."""


class OfferTerms(Part):
    """On which terms scenarios may be found for it; what is not said is unknown to whoever matches, and no refusal."""

    published: bool = False
    """Everybody may find this version once it is submitted, and read its manifest."""
    languages: tuple[LanguageTag, ...] | None = None
    """Languages of the texts that it reads and writes."""
    regions: tuple[Region, ...] | None = None
    """Where it may be used: ``CN`` covers ``CN-31``."""
    sends_data: bool | None = None
    """Whether it sends data away from where it is used, such as to a service of the supplier's."""
    isolation: IsolationLevel | None = None
    """The strictest isolation level in which it still works."""


class Application(Document):
    """The manifest ``application.yaml`` of an application's folder."""

    document: Literal["application/1"] = "application/1"
    name: Name
    version: str = pydantic.Field(max_length=64, pattern=r"^\d+\.\d+\.\d+([-+][\w.]+)?$")
    title: Localized | str
    supplier: Contact
    licence: str
    scenario: Name | None = None
    """The scenario it was made for."""
    interface: Literal["predict"] = "predict"
    runtime: Literal["python"] = "python"
    entry_point: EntryPoint = "app:predict"
    requirements: PlainPath = DEFAULT_REQUIREMENTS
    """Locked requirements, a file of the folder: ``name==version --hash=sha256:…`` lines; empty: nothing is needed."""
    resources: Resources = Resources()
    model_card: ModelCard
    offer: OfferTerms | None = None
    """What matching asks beyond contract and words."""

    @property
    def subject(self) -> str:
        """What names the application through all its versions."""
        return application_subject(self.supplier.organisation, self.name)
