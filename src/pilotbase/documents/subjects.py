"""Names of what a base holds: subjects of records, and the heads under which the store finds what is newest.

A subject names a thing through all its versions (``scenario:plant/milling``); a head is the name in the store that
stands for one of its documents. What more than one room names is spelled here, so that rooms which never call each
other agree; what only one room names, it spells itself.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

Subject = Annotated[str, StringConstraints(pattern=r"^[a-z]+:[a-z0-9][a-z0-9_/-]{0,150}$")]
"""``scenario:plant/milling``, ``application:acme/forest``, ``commission:7f3a…``, ``dataset:plant/logs``."""


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
    """Return the subject that somebody has written with its kind or without: both name ``dataset:plant/logs``."""
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


def service_subject(name: str) -> str:
    """Return the subject of a service; its document stands in the store under the same name."""
    return f"service:{name}"


def incident_subject(number: int) -> str:
    """Return the subject of an incident; its document stands in the store under the same name."""
    return f"incident:{number}"


def claim_subject(claim: str) -> str:
    """Return the subject of a claim on a voucher, by its digest; it stands in the store under the same name."""
    return f"voucher-claim:{claim.partition(':')[2]}"


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
    """Return the head of the report over the plan with this digest."""
    return f"report:{plan}"


def certificate_head(report: str) -> str:
    """Return the head of the certificate over the report with this digest."""
    return f"certificate:{report}"


def quality_head(dataset: str) -> str:
    """Return the head of the quality report that a dataset's owner has published."""
    return f"quality:{dataset}"


def labels_head(dataset: str) -> str:
    """Return the head of what a dataset's owner has published of its labels."""
    return f"published-labels:{dataset}"


def standing_head(service: str) -> str:
    """Return the head of where a service stands."""
    return f"service-standing:{service}"


def watch_head(service: str) -> str:
    """Return the head of the watch of a service."""
    return f"watch:{service}"
