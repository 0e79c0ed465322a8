"""What the page of a record offers its reader: what they may do now, and the pages that it leads to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode

from pilotbase.catalogue.advancing import Possible
from pilotbase.certificate.status import IssuedCertificate
from pilotbase.documents.api.trials import SealedVersion
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.demand import WordedDemand
from pilotbase.documents.permissions import Act, ReadScope, SubjectRelation, permitted
from pilotbase.documents.record import ApplicationVersion, Record, Waiting
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.states import ScenarioState
from pilotbase.documents.texts import text
from pilotbase.hub.acting import RequestActor
from pilotbase.hub.base import base
from pilotbase.hub.presenters.mission import mission_shown
from pilotbase.hub.presenters.records import RecordView
from pilotbase.service.admission import why_not_admitted
from pilotbase.service.registry import services_behind
from pilotbase.vault.readers import may_see_readers
from pilotbase.worker.datasets.synthetic_kits import has_kit
from pilotbase.worker.operations.datasets import dataset_versions
from pilotbase.worker.sample_bundles.orders import reports_of
from pilotbase.worker.services.acts import may_put_into_service
from pilotbase.worker.trials.acts import acts_on
from pilotbase.worker.trials.hidden_budgets import budget_of_trial, sealed_versions
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.store import View

_ENDS = frozenset(
    {
        Act.DEMAND_DECLINE,
        Act.DEMAND_LEAVE,
        Act.DEMAND_WITHDRAW,
        Act.SCENARIO_CLOSE,
        Act.SCENARIO_WITHDRAW,
        Act.APPLICATION_STOP,
        Act.APPLICATION_WITHDRAW,
        Act.COMMISSION_DECLINE,
        Act.COMMISSION_CANCEL,
        Act.REVIEWER_RELEASE,
        Act.TRIAL_STOP,
        Act.CONSENT_REFUSE,
        Act.ACCEPTANCE_REFUSE,
        Act.CERTIFICATE_SUSPEND,
        Act.CERTIFICATE_REVOKE,
        Act.DATASET_WITHDRAW,
        Act.AGREEMENT_REVOKE,
        Act.AGREEMENT_RELEASE,
        Act.AGREEMENT_END,
    }
)
"""Acts that end or undo something: their buttons look so."""
_ABOUT_NOTHING = frozenset({"record.no_open_appeal", "record.no_such_order", "record.no_work"})
"""What stands against an act that has nothing to be done to: no page speaks of it."""


@dataclass(frozen=True)
class Choice:
    """One act: whether it waits for the reader, whether it ends something, and what else stands against it."""

    possible: Possible
    turn: bool
    ends: bool

    @property
    def act(self) -> Act:
        return self.possible.act

    @property
    def barred(self) -> bool:
        return self.possible.obstacle is not None


def choices(view: View, record: Record) -> list[Choice]:
    """Return what the actor of ``view`` may do to ``record`` now, in the order in which a page offers it."""
    possible = [
        one
        for one in acts_on(base(), view, record)
        if (one.obstacle is None or one.obstacle.code not in _ABOUT_NOTHING)
        and (record.reviewers or one.act is not Act.REVIEWER_RELEASE)
    ]
    waiting = {wait.act for wait in record.waits if _mine(wait, view.actor)}
    bars = [one.bar for one in possible if one.act in waiting and one.bar is not None]
    remedies = [one for bar in bars for one in bar.remedies if one.is_for(view.actor) and one.subject == record.subject]
    turn = waiting | {one.act for one in remedies}
    found = [Choice(one, one.act in turn, one.act in _ENDS) for one in possible]
    return sorted(found, key=lambda one: (one.barred, one.ends, not one.turn))


def _mine(wait: Waiting, actor: Actor) -> bool:
    """Return whether a piece of work waits for this actor."""
    mine = wait.organisation in (None, actor.organisation) and wait.person in (None, actor.person)
    return mine and wait.role in actor.roles


def ways_on(acting: RequestActor, seen: RecordView) -> dict[str, Any]:
    """Return what the page of a scenario, an application or a trial tells beyond its record."""
    trial = seen.record if seen.record is not None and seen.record.kind == "commission" else None
    on_the_way = isinstance(seen.document, WordedDemand | Scenario | ApplicationVersion) or trial is not None
    thread = mission_shown(acting, seen.subject, trial=trial) if on_the_way else {}
    return thread | _beyond(acting, seen)


def _beyond(acting: RequestActor, seen: RecordView) -> dict[str, Any]:
    if isinstance(seen.document, Scenario):
        links = [*_links(acting, seen, seen.document), *_readers(acting, seen, "scenarios")]
        versions = _data_versions(acting, seen.document)
        starts = acting.may(Act.APPLICATION_REGISTER) and has_kit(base(), seen.document, acting.organisation)
        return {"links": links, "data_versions": versions, "starter_kit": starts}
    if isinstance(seen.document, Dataset):
        versions_seen = dataset_versions(acting.view, seen.subject)
        return {"links": _readers(acting, seen, "datasets"), "dataset_versions": versions_seen}
    if isinstance(seen.document, ApplicationVersion):
        return {"links": _matches(acting, seen, "applications")}
    if isinstance(seen.document, WordedDemand):
        return {"links": _matches(acting, seen, "demands")}
    if seen.record is not None and seen.record.kind == "commission":
        return _of_trial(acting, seen.record)
    return {}


def _matches(acting: RequestActor, seen: RecordView, section: str) -> list[tuple[Any, str]]:
    if not acting.organisation:
        return []
    label = text("match.find_scenarios") if section == "applications" else text("match.find_applications")
    return [(label, reverse("record-matches", kwargs={"section": section, "name": seen.name}))]


def _links(acting: RequestActor, seen: RecordView, scenario: Scenario) -> list[tuple[Any, str]]:
    stands = SubjectRelation(demand_owner=scenario.owner.organisation)
    links = []
    if scenario.trial.board is not None and permitted(ReadScope.BOARD, acting.actor, stands):
        links.append((text("live.board"), reverse("board", kwargs={"name": seen.name})))
    if permitted(ReadScope.BOARD, acting.actor, stands):
        links.append((text("tender.title"), reverse("tenders", kwargs={"name": seen.name})))
    if permitted(ReadScope.BUDGET, acting.actor, stands):
        links.append((text("trial.size.title"), f"{reverse('plan-size')}?{urlencode({'scenario': seen.name})}"))
    owned = dict(zip(("owner", "name"), seen.name.split("/"), strict=True))
    if seen.listing.state == ScenarioState.OPEN:
        links.append((text("openness.score"), reverse("openness-of", kwargs=owned)))
    if permitted(ReadScope.POTENTIAL, acting.actor, stands):
        links.append((text("roadmap.potential"), reverse("potential", kwargs=owned)))
    if permitted(ReadScope.COMPARISON, acting.actor, stands):
        links.append((text("live.comparison"), reverse("comparison", kwargs={"name": seen.name})))
        links.append((text("workforce.title"), reverse("workforce-effect", kwargs=owned)))
    return links


def _data_versions(acting: RequestActor, scenario: Scenario) -> tuple[SealedVersion, ...]:
    """Return the versions of the hidden data, for whom may know what they still hold."""
    if not permitted(ReadScope.BUDGET, acting.actor, SubjectRelation(demand_owner=scenario.owner.organisation)):
        return ()
    return sealed_versions(base(), scenario)


def _readers(acting: RequestActor, seen: RecordView, section: str) -> list[tuple[Any, str]]:
    if not acting.organisation or not may_see_readers(acting.view, seen.subject):
        return []
    return [(text("reader.title"), reverse("readers", kwargs={"section": section, "name": seen.name}))]


def _of_trial(acting: RequestActor, record: Record) -> dict[str, Any]:
    may_budget = permitted(ReadScope.BUDGET, acting.actor, record.stands)
    return {
        "may_take_bundle": permitted(ReadScope.BUNDLE, acting.actor, record.stands) and bool(reports_of(record)),
        "budget": budget_of_trial(base(), acting.view, record.subject) if may_budget else None,
        **_serving(acting, record),
        "own_rounds": record.round if acting.organisation == record.supplier else None,
    }


def _serving(acting: RequestActor, record: Record) -> dict[str, Any]:
    """Return the services that the newest certificate of a trial is behind, and whether one may be made of it now."""
    digest = record.documents.get("certificate")
    if digest is None:
        return {}
    issued = base().lab.view.load(digest, IssuedCertificate)
    may_serve = may_put_into_service(acting.actor, issued.certificate)
    serves = may_serve and why_not_admitted(acting.view, issued, record.subject) is None
    return {"services": services_behind(acting.view, digest), "may_serve": issued.certificate if serves else None}
