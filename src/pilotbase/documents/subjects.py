"""Names of what a base contains: subjects of records, and the heads under which the store finds the newest version.

A subject names a thing through all its versions (``scenario:plant/milling``); a head is the store's name for one of its
documents. Names used by more than one package are defined here, so that packages that never call each other agree; a
name used by one package is defined there.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import StringConstraints

from pilotbase.documents.base import Document, Localized, Name
from pilotbase.documents.vocabularies import Ownership, Role


class Organisation(Document, published=True):
    """An organisation and the roles it may act in."""

    document: Literal["organisation/1"] = "organisation/1"
    name: Name
    title: Localized | str
    roles: tuple[Role, ...]
    contact: str = ""
    related: tuple[Name, ...] = ()
    """Organisations with ownership ties, declared and printed on certificates."""
    ownership: Ownership | None = None
    """Who owns it; None: not stated."""
    ownership_proof: Annotated[str, StringConstraints(max_length=200)] = ""
    """What shows that: a registration number, a document."""

    @property
    def subject(self) -> str:
        """The organisation's name across all its versions."""
        return organisation_subject(self.name)


Subject = Annotated[str, StringConstraints(pattern=r"^[a-z]+:[a-z0-9][a-z0-9_/-]{0,150}$")]
"""``scenario:plant/milling``, ``application:acme/forest``, ``commission:7f3a…``, ``dataset:plant/logs``."""


def demand_subject(owner: str, name: str) -> str:
    """Return the subject of an owner's demand in words."""
    return f"demand:{owner}/{name}"


def scenario_subject(owner: str, name: str) -> str:
    """Return the subject of an owner's scenario."""
    return f"scenario:{owner}/{name}"


def application_subject(supplier: str, name: str) -> str:
    """Return the subject of a supplier's application."""
    return f"application:{supplier}/{name}"


def dataset_subject(owner: str, name: str) -> str:
    """Return the subject of an owner's dataset."""
    return f"dataset:{owner}/{name}"


def subject_written(kind: str, written: str) -> str:
    """Return the subject of a name written with its kind or without: both mean ``dataset:plant/logs``."""
    return f"{kind}:{written.removeprefix(f'{kind}:')}"


def organisation_subject(name: str) -> str:
    """Return the subject of an organisation."""
    return f"organisation:{name}"


def commission_subject(name: str) -> str:
    """Return the subject of a commissioned trial."""
    return f"commission:{name}"


def agreement_subject(name: str) -> str:
    """Return the subject of an agreement on a dataset."""
    return f"agreement:{name}"


def capability_subject(organisation: str, name: str) -> str:
    """Return the subject of what an organisation states it can do; its document is in the store under that name."""
    return f"capability:{organisation}/{name}"


def service_subject(name: str) -> str:
    """Return the subject of a service; its document is in the store under the same name."""
    return f"service:{name}"


def consent_head(identity: str) -> str:
    """Return the head of a consent to an act of an agent in service."""
    return f"consent:{identity}"


def incident_subject(number: int) -> str:
    """Return the subject of an incident; its document is in the store under the same name."""
    return f"incident:{number}"


def kind_of(subject: str) -> str:
    """Return what kind of thing a subject names: ``scenario`` of ``scenario:plant/milling``."""
    return subject.partition(":")[0]


def name_of(subject: str) -> str:
    """Return the name within its kind: ``plant/milling`` of ``scenario:plant/milling``."""
    return subject.partition(":")[2]


def holder_of(subject: str) -> str:
    """Return the organisation that a scenario's or an application's subject names: ``plant`` of the above."""
    return name_of(subject).partition("/")[0]


def record_head(subject: str) -> str:
    """Return the head of a subject's record."""
    return f"record:{subject}"


def report_head(plan: str) -> str:
    """Return the head of the report on the plan with this digest."""
    return f"report:{plan}"


def verdicts_head(plan: str) -> str:
    """Return the head of the experts' verdicts on the answers of a trial."""
    return f"panel-verdicts:{plan}"


def certificate_head(report: str) -> str:
    """Return the head of the certificate for the report with this digest."""
    return f"certificate:{report}"


def quality_head(dataset: str) -> str:
    """Return the head of the quality report that a dataset's owner has published."""
    return f"quality:{dataset}"


def labels_head(dataset: str) -> str:
    """Return the head of what a dataset's owner has published about its labels."""
    return f"published-labels:{dataset}"


def hold_back_head(service: str) -> str:
    """Return the head of a service's newest hold-back."""
    return f"hold-back:{service}"


def hold_back_seed_head(identity: str) -> str:
    """Return the head of the seed of a hold-back, which the base alone sees."""
    return f"hold-back-seed:{identity}"


def exposure_head(exposed: str) -> str:
    """Return the head of the exposure that stands for a scenario, or for a service without one."""
    return f"exposure:{exposed}"


def standing_head(service: str) -> str:
    """Return the head of a service's standing."""
    return f"service-standing:{service}"


def watch_head(service: str) -> str:
    """Return the head of the watch of a service."""
    return f"watch:{service}"
