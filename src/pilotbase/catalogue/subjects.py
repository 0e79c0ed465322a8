"""The names of records, and what a new record is about."""

from __future__ import annotations

import secrets

from pilotbase.catalogue.records import both_languages, everything, load_record
from pilotbase.documents.agreement import Agreement
from pilotbase.documents.application import Application
from pilotbase.documents.base import Localized, Part
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.demand import WordedDemand
from pilotbase.documents.errors import BarredError, InputError
from pilotbase.documents.hashes import Digest, hex_of
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import ApplicationVersion, Commission, Record
from pilotbase.documents.record import Approval as FiledApproval
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.subjects import (
    Organisation,
    Subject,
    agreement_subject,
    commission_subject,
    holder_of,
    kind_of,
    organisation_subject,
)
from pilotbase.workspace.records import D, Stored
from pilotbase.workspace.store import View
from pilotbase.workspace.terms_rows import agreements_between

_WORDS = frozenset({Act.AGREEMENT_OFFER, Act.AGREEMENT_GRANT, Act.AGREEMENT_REVOKE, Act.AGREEMENT_RELEASE})
"""Acts that are the dataset owner's word to an organisation."""


def subject_of(part: Part) -> str | None:
    """Return the subject whose content ``part`` is, or None if it is no content."""
    if isinstance(part, Scenario | Dataset | WordedDemand):
        return part.subject
    if isinstance(part, ApplicationVersion):
        return part.application.subject
    if isinstance(part, Organisation):
        return organisation_subject(part.name)
    return None


def new_commission(key: Digest | None = None) -> str:
    """Return the subject of a new commission, drawn at random so that it reveals nothing about their number.

    ``key`` names the request: sent again, it means the same commission.
    """
    return commission_subject(hex_of(key)[:16] if key is not None else secrets.token_hex(8))


def new_agreement(key: Digest | None = None) -> str:
    """Return the subject of a new agreement, drawn as a commission's is."""
    return agreement_subject(hex_of(key)[:16] if key is not None else secrets.token_hex(8))


def act_of_new(view: View, dataset: Subject) -> Act:
    """Return how the actor's new agreement begins: offered by the owner, taken up, or requested after a revocation.

    Taking up the published offer is an agreement at once, unless the owner's latest word to them on this dataset is a
    revocation: then they ask, and the owner consents or not. An agreement that ran out is no such word.
    """
    if holder_of(dataset) == view.actor.organisation:
        return Act.AGREEMENT_OFFER
    revoked = is_revoked(everything(view), dataset, view.actor.organisation)
    return Act.AGREEMENT_ASK if revoked else Act.AGREEMENT_TAKE


def is_revoked(base: View, dataset: Subject, organisation: str) -> bool:
    """Return whether a dataset's latest word to an organisation is a revocation. ``base`` sees every document."""
    with base.reading() as connection:
        subjects = [row.subject for row in agreements_between(connection, dataset, organisation)]
    said = [
        (step.at, step.act is Act.AGREEMENT_REVOKE)
        for subject in subjects
        for step in load_record(base, subject)[0].history
        if step.act in _WORDS
    ]
    return max(said, default=(None, False))[1]


def require_subject(brought: Part | None, subject: Subject) -> None:
    """Return if ``brought`` is about ``subject``; raises `InputError`, since its owner and name are fixed."""
    found = subject_of(brought) if brought is not None else None
    if found != subject:
        raise InputError("record.name_fixed", subject=subject, found=found or "–")


def begin(base: View, subject: str, brought: Part | None, state: str) -> Record:
    """Return the first version of a record, without history; ``base`` must see every document.

    Raises:
        InputError: what was handed in is about something else.
        RefusedError: a commission over a scenario or an application that does not exist.
    """
    if isinstance(brought, Commission):
        return _begin_commission(base, subject, brought, state)
    if isinstance(brought, Agreement):
        return _begin_agreement(base, subject, brought, state)
    require_subject(brought, subject)
    about = brought.application if isinstance(brought, ApplicationVersion) else brought
    assert isinstance(about, Scenario | Dataset | WordedDemand | Application | Organisation)
    party = {
        "demand_owner": about.owner.organisation if isinstance(about, Scenario | Dataset | WordedDemand) else None,
        "supplier": about.supplier.organisation if isinstance(about, Application) else None,
        "organisation": about.name if isinstance(about, Organisation) else None,
    }
    kind = kind_of(subject)
    return Record(subject=subject, kind=kind, title=about.title, state=state, since=base.store.clock(), **party)


def _begin_agreement(base: View, subject: str, agreement: Agreement, state: str) -> Record:
    dataset = _load(base, agreement.dataset_version, Dataset)
    if dataset is None or dataset.subject != agreement.dataset:
        raise BarredError("record.dataset_not_published", dataset=agreement.dataset)
    return Record(
        subject=subject,
        kind="agreement",
        title=dataset.title,
        state=state,
        since=base.store.clock(),
        demand_owner=agreement.assigner,
        supplier=agreement.assignee,
        documents={"dataset": agreement.dataset_version},
        subjects={"dataset": agreement.dataset},
    )


def _begin_commission(base: View, subject: str, commission: Commission, state: str) -> Record:
    scenario = _load(base, commission.scenario_version, Scenario)
    if scenario is None or subject_of(scenario) != commission.scenario:
        raise BarredError("record.scenario_not_open", scenario=commission.scenario)
    version = _load(base, commission.application_version, ApplicationVersion)
    if version is None or subject_of(version) != commission.application:
        raise BarredError("record.application_not_submitted", application=commission.application)
    owner = scenario.owner.organisation
    filed = [
        FiledApproval(kind=one.kind, issued_by=owner, reference=one.reference, until=one.until)
        for one in scenario.trial.approvals
        if one.reference
    ]
    return Record(
        subject=subject,
        kind="commission",
        title=_joined(version.application, scenario.title),
        state=state,
        since=base.store.clock(),
        demand_owner=owner,
        supplier=version.application.supplier.organisation,
        documents={
            "scenario": commission.scenario_version,
            "application": commission.application_version,
            "folder": version.folder,
        },
        subjects={"scenario": commission.scenario, "application": commission.application},
        approvals_needed=tuple(dict.fromkeys(one.kind for one in scenario.trial.approvals)),
        approvals=tuple(filed),
    )


def _joined(application: Application, scenario: Localized | str) -> Localized:
    one, other, version = both_languages(application.title), both_languages(scenario), application.version
    return Localized(en=f"{one.en} {version} · {other.en}", zh=f"{one.zh} {version} · {other.zh}")


def _load(base: View, digest: Digest, model: type[D]) -> D | None:
    found: Stored | None = base.get(digest)
    kind = str(model.model_fields["document"].default).partition("/")[0]
    return found.load(model) if found is not None and found.kind == kind else None
