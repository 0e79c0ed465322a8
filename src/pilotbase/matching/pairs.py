"""The inputs of a match: the need of a scenario, the offer of an application, and certificates as proofs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Literal
from unicodedata import normalize

from pilotbase.documents.application import Application, OfferTerms, Resources
from pilotbase.documents.base import Localized
from pilotbase.documents.capability import Capability
from pilotbase.documents.contract import AnswerKind, Field, Task
from pilotbase.documents.demand import WordedDemand
from pilotbase.documents.limits import IsolationLevel, Limits
from pilotbase.documents.scenario import Conditions, Scenario
from pilotbase.documents.subjects import scenario_subject
from pilotbase.documents.vocabularies import Verdict
from pilotbase.matching.comparing import Passage
from pilotbase.matching.words import texts_of

_SEPARATORS = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class CaseContract:
    """Inputs and answer of a scenario, or of the scenario that an application was made for."""

    features: tuple[Field, ...]
    target: Field
    task: Task
    answer: AnswerKind
    """The kind of answer."""
    positive: str | None

    @classmethod
    def of(cls, scenario: Scenario) -> CaseContract:
        """Return the contract of a scenario; its classes are known only when its data are."""
        target = scenario.field(scenario.data.target)
        return cls(scenario.feature_fields, target, scenario.task, scenario.answer, scenario.positive)

    @cached_property
    def by_name(self) -> dict[str, Field]:
        """Return the features by `plain_name`."""
        return {plain_name(feature.name): feature for feature in self.features}


@dataclass(frozen=True)
class Need:
    """What a scenario, or a demand in words, requires of an application."""

    subject: str
    title: Localized | str
    owner: str
    sector: str
    action: str
    task: str
    """Empty where a demand in words suggests none."""
    contract: CaseContract | None
    """None, as the two after the next: a demand in words has no data yet."""
    conditions: Conditions
    isolation: IsolationLevel | None
    limits: Limits | None
    sentences: tuple[str, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """Return the sentences by which others are found."""
        return self.sentences

    @cached_property
    def passages(self) -> tuple[Passage, ...]:
        """Return its words as a `Comparer` reads them."""
        return (Passage("demand", texts_of(self.sentences)),)


@dataclass(frozen=True)
class ApplicationOffer:
    """What an application offers; ``licence`` and ``resources`` are None if its manifest isn't visible."""

    subject: str
    title: Localized | str
    owner: str
    licence: str | None
    resources: Resources | None
    terms: OfferTerms
    made_for: str = ""
    """Subject of the scenario it was made for."""
    sector: str = ""
    action: str = ""
    contract: CaseContract | None = None
    sentences: tuple[str, ...] = ()
    """Its own words."""
    served: tuple[str, ...] = ()
    """The words of the scenario it was made for, if it is visible."""
    known_by: Literal["manifest", "certificate", "capability"] = "manifest"
    version: str | None = None
    capability: Capability | None = None
    """What is offered, if it is no application but the work of an organisation or an expert."""

    @property
    def words(self) -> tuple[str, ...]:
        """Return the sentences by which others are found."""
        return (*self.sentences, *self.served)

    @cached_property
    def passages(self) -> tuple[Passage, ...]:
        """Return its words as a `Comparer` reads them: its own, and those of the scenario it was made for."""
        own = Passage("offer", texts_of(self.sentences))
        return (own, Passage("demand", texts_of(self.served))) if self.served else (own,)

    def serving(self, need: Need | None) -> ApplicationOffer:
        """Return the offer with what the scenario that it was made for says, if it is visible."""
        if need is None:
            return self
        return replace(self, sector=need.sector, action=need.action, contract=need.contract, served=need.sentences)


@dataclass(frozen=True)
class ProvenPair:
    """A valid certificate: which application was tried on which scenario, and the verdict."""

    serial: str
    application: str
    scenario: str
    scenario_version: str
    """Digest of the scenario as it was tried."""
    verdict: Verdict
    isolation: IsolationLevel
    name: str = ""
    supplier: str = ""
    approximate: bool | None = None
    """True if the verdict depends on an approximate bound."""
    need: Need | None = field(default=None, compare=False)
    """The scenario as it was tried, if the actor can see it."""

    @property
    def accepted(self) -> bool:
        return self.verdict is Verdict.ACCEPT


def need_of(scenario: Scenario, subject: str = "") -> Need:
    """Return the need that a scenario states; ``subject`` names it if it isn't stored under its own name."""
    owner = scenario.owner.organisation
    return Need(
        subject=subject or scenario_subject(owner, scenario.name),
        title=scenario.title,
        owner=owner,
        sector=scenario.sector.value,
        action=scenario.action.value if scenario.action is not None else "",
        task=scenario.task,
        contract=CaseContract.of(scenario),
        conditions=scenario.conditions or Conditions(),
        isolation=scenario.trial.isolation,
        limits=scenario.trial.limits,
        sentences=said((scenario.title, scenario.problem, scenario.intended_use)),
    )


def need_of_demand(demand: WordedDemand) -> Need:
    """Return the need that a demand in words states: of its limits only whether the data may leave."""
    leave = demand.value("conditions.data_may_leave")
    return Need(
        subject=demand.subject,
        title=demand.title,
        owner=demand.owner.organisation,
        sector=demand.sector.value,
        action=demand.action.value if demand.action is not None else "",
        task=demand.value("task"),
        contract=None,
        conditions=Conditions(data_may_leave=leave == "true" if leave else None),
        isolation=None,
        limits=None,
        sentences=said((demand.title, demand.value("problem") or demand.text)),
    )


def offer_of(application: Application, made_for: Need | None, scenario: str = "") -> ApplicationOffer:
    """Return the offer of an application; ``made_for`` is the need of its own scenario, if visible.

    ``scenario`` is the subject of that scenario, visible or not.
    """
    card = application.model_card
    return ApplicationOffer(
        subject=application.subject,
        title=application.title,
        owner=application.supplier.organisation,
        licence=application.licence,
        resources=application.resources,
        terms=application.offered,
        made_for=made_for.subject if made_for else scenario,
        sentences=said((application.title, card.summary, card.training_data, card.limitations)),
        version=application.version,
    ).serving(made_for)


def offer_of_certificate(proven: ProvenPair) -> ApplicationOffer:
    """Return what is known of a certified application whose manifest isn't visible: what it was certified on."""
    return ApplicationOffer(
        subject=proven.application,
        title=proven.name,
        owner=proven.supplier,
        licence=None,
        resources=None,
        terms=OfferTerms(),
        made_for=proven.scenario,
        known_by="certificate",
    ).serving(proven.need)


def offer_of_capability(capability: Capability) -> ApplicationOffer:
    """Return what a supplier, service provider or expert offers by its own words."""
    return ApplicationOffer(
        subject=capability.subject,
        title=capability.title,
        owner=capability.organisation,
        licence=None,
        resources=None,
        terms=OfferTerms(languages=capability.languages, regions=capability.regions),
        sentences=said((capability.title, capability.summary, *capability.references)),
        known_by="capability",
        capability=capability,
    )


def proofs_of_capabilities(capabilities: Iterable[Capability], proofs: Iterable[ProvenPair]) -> list[ProvenPair]:
    """Return the certificates of each organisation's applications as proofs of its capabilities.

    None of them proves anything about its experts, data, models and computing power.
    """
    known = list(proofs)
    return [
        replace(proof, application=one.subject)
        for one in capabilities
        if one.kind.is_proven
        for proof in known
        if proof.supplier == one.organisation
    ]


@lru_cache(maxsize=1 << 16)
def plain_name(name: str) -> str:
    """Return a column's name without case, width and separators."""
    return _SEPARATORS.sub("", normalize("NFKC", name).casefold()) or name


def said(sentences: Iterable[Localized | str | None]) -> tuple[str, ...]:
    """Return every sentence once, in each language it is given in."""
    found: dict[str, None] = {}
    for sentence in sentences:
        spelled = (sentence.en, sentence.zh) if isinstance(sentence, Localized) else (sentence,)
        found |= dict.fromkeys(one.strip() for one in spelled if one and one.strip())
    return tuple(found)
