"""Replication: kits of certified applications, what makes one a benchmark, and how each site fared.

A kit is stated by the supplier, agreed to by the owner of the scenario on which the application is certified, and
admitted by the operator; until then only they see it. Every requirement is read from records.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import get_args

from pilotbase.certificate.status import CertificateStatus, issued_certificates, revocations_of, standing_of
from pilotbase.documents.certificate import Certificate
from pilotbase.documents.errors import BarredError, RefusedError
from pilotbase.documents.hashes import digest_json
from pilotbase.documents.permissions import DeskAct, ExchangeAct, SubjectRelation, permitted
from pilotbase.documents.replication import (
    BenchmarkNeed,
    Expected,
    KitPart,
    KitPartName,
    KitState,
    KitStep,
    Replication,
    ReplicationKit,
    SiteResult,
    StatedPart,
)
from pilotbase.documents.report import Report
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.service import CertifiedRoute, Service
from pilotbase.documents.subjects import holder_of, name_of
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Colour, ServingState
from pilotbase.evidence.across_sites import FEWEST_SITES, expect_next
from pilotbase.evidence.distributions import wilson
from pilotbase.service.hold_back import tell_value
from pilotbase.service.registry import services_of
from pilotbase.watch.warnings import standing_warnings, warnings_of
from pilotbase.worker.base import Base
from pilotbase.workspace.actors import PUBLIC, parties, require_may_begin
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.journeys import tried_pairs
from pilotbase.workspace.listings import find_listing, find_listings
from pilotbase.workspace.store import View

DAYS_WITHOUT_RED = 90
_MOST_WARNINGS = 10_000


def replications(base: Base, view: View) -> list[Replication]:
    """Return the applications whose kits the actor sees, and those that the actor may make one of; benchmarks first."""
    kits = {one.application for one in view.every(ReplicationKit)}
    accepted = {one.application.subject for one in issued_certificates(view) if one.accepts}
    own = {one for one in accepted if view.actor.organisation and view.actor.may_write_for(holder_of(one))}
    found = [replication_of(base, view, one) for one in sorted(kits | own)]
    return sorted(found, key=lambda one: (not one.benchmark, -len(one.sites), one.application))


def replication_of(base: Base, view: View, application: str) -> Replication:
    """Return how far an application is on its way to other sites.

    Raises:
        NotFoundError: the actor sees no kit of it, and may not make one; or it has no certificate.
    """
    kit = view.load_head(_head(application), ReplicationKit)
    own = [one for one in issued_certificates(view) if one.application.subject == application]
    if not own or (kit is None and not view.actor.may_write_for(holder_of(application))):
        raise NotFoundError("replication.not_found", application=name_of(application))
    now = view.store.clock()
    sites = _sites(view, own, now)
    accepted = sum(one.verdict == "accept" and one.status == "valid" for one in sites)
    needs = tuple(_requirements(base, application, kit, own, sites, now))
    share = wilson(accepted, len(sites))
    listing = find_listing(view, application)
    return Replication(
        application=application,
        title=listing.title if listing is not None else own[0].application.name,
        supplier=holder_of(application),
        version=kit.version if kit is not None else own[0].application.version,
        kit=kit,
        state=_state(view, kit, own, now) if kit is not None else None,
        benchmark=all(one.met is not False for one in needs),
        requirements=needs,
        sites=sites,
        accepted=accepted,
        share_lower=share.lower,
        share_upper=share.upper,
        expected=_expected(sites),
    )


def _sites(view: View, own: Sequence[Certificate], now: datetime) -> tuple[SiteResult, ...]:
    """Return the newest result of each site, the first site first."""
    newest: dict[str, Certificate] = {}
    for one in own:
        newest.setdefault(one.site.site if one.site is not None else one.scenario.owner.organisation, one)
    listed, titles = revocations_of(view), find_listings(view, {one.scenario.subject for one in newest.values()})
    stored = view.get_all([digest for one in newest.values() for digest in (one.report, one.scenario.digest)])
    results = []
    for site, one in newest.items():
        scenario, report = stored.get(one.scenario.digest), stored.get(one.report)
        first = next(iter(report.load(Report).criteria), None) if report is not None else None
        title = titles[one.scenario.subject].title if one.scenario.subject in titles else one.scenario.name
        results.append(
            SiteResult(
                site=site,
                region=_region(scenario.load(Scenario)) if scenario is not None else None,
                scenario=one.scenario.subject,
                scenario_title=title,
                serial=one.serial,
                verdict=one.verdict,
                status=standing_of(one, listed, now).status.value,
                issued_at=one.issued_at,
                rule=first.rule if first is not None else "",
                scored=first.scored or 0 if first is not None else 0,
                estimate=first.estimate if first is not None else None,
                lower=first.lower if first is not None else None,
                upper=first.upper if first is not None else None,
            )
        )
    return tuple(sorted(results, key=lambda one: one.issued_at))


def _region(scenario: Scenario) -> str | None:
    return scenario.conditions.region if scenario.conditions is not None else None


def _expected(sites: Iterable[SiteResult]) -> Expected | None:
    """Return where the next site is expected, from the sites that were measured by the first one's measure."""
    measured = [one for one in sites if None not in (one.estimate, one.lower, one.upper)]
    alike = [one for one in measured if _measure(one.rule) == _measure(measured[0].rule)]
    if len(alike) < FEWEST_SITES:
        return None
    found = expect_next([(one.estimate or 0.0, one.lower or 0.0, one.upper or 0.0) for one in alike])
    return Expected(rule=alike[0].rule, sites=len(alike), mean=found.value, lower=found.lower, upper=found.upper)


def _measure(rule: str) -> str:
    return rule.replace("<=", ">=").partition(">=")[0].strip()


def _requirements(
    base: Base,
    application: str,
    kit: ReplicationKit | None,
    own: Sequence[Certificate],
    sites: Sequence[SiteResult],
    now: datetime,
) -> Iterable[BenchmarkNeed]:
    valid = _valid(base.lab.view, own, now)
    yield BenchmarkNeed(
        name="certified", met=bool(valid), fact=text("replication.fact.certified", certificates=len(valid))
    )
    days = _days_without_red(base.lab.view, {one.serial for one in valid}, now)
    yield BenchmarkNeed(
        name="served",
        met=days is not None and days >= DAYS_WITHOUT_RED,
        fact=text("replication.fact.served", days=days) if days is not None else text("replication.fact.not_served"),
    )
    yield _value(base.lab.view, {one.serial for one in valid})
    lacking = [text(f"replication.part.{one}") for one in kit.lacking] if kit is not None else []
    fact = text("replication.fact.kit") if kit is not None else text("replication.fact.no_kit")
    yield BenchmarkNeed(
        name="kit",
        met=kit is not None and not lacking,
        fact=text("replication.fact.lacking", parts=len(lacking)) if lacking else fact,
    )
    yield BenchmarkNeed(name="second_site", met=len(sites) > 1, fact=text("replication.fact.sites", sites=len(sites)))


def _valid(view: View, own: Iterable[Certificate], now: datetime) -> list[Certificate]:
    listed = revocations_of(view)
    return [one for one in own if one.accepts and standing_of(one, listed, now).status is CertificateStatus.VALID]


def _days_without_red(view: View, serials: set[str], now: datetime) -> int | None:
    """Return for how long the longest-running service has answered without a red warning; None: none answers."""
    served = {(one.scenario, one.supplier): one.served for one in tried_pairs(view) if one.served is not None}
    found = []
    for service, route in _serving(view, serials):
        begun = served.get((service.scenario or "", route.application.supplier.organisation))
        if begun is None:
            continue
        red = [one.at for _, one in warnings_of(view, service.name, _MOST_WARNINGS) if one.colour is Colour.RED]
        stands_red = any(one.colour is Colour.RED for one in standing_warnings(view, service.name).values())
        found.append(timedelta(0) if stands_red else now - max([begun, *red]))
    return max(found).days if found else None


def _serving(view: View, serials: set[str]) -> Iterable[tuple[Service, CertifiedRoute]]:
    """Return the services that answer with one of the certificates, and its first route there."""
    for service, stands in services_of(view):
        routes = [one for one in service.routes if isinstance(one, CertifiedRoute) and one.serial in serials]
        if routes and stands.state is not ServingState.STOPPED:
            yield service, routes[0]


def _value(view: View, serials: set[str]) -> BenchmarkNeed:
    """Return whether a service saves anything for sure, by a hold-back whose planned units are all reported."""
    told = [tell_value(view, service.name) for service, _ in _serving(view, serials)]
    lows = [one.benefit.low for one in told if one.benefit is not None and one.why is None]
    if not lows:
        return BenchmarkNeed(name="value", met=None, fact=text("replication.fact.value_unknown"))
    met = max(lows) > 0
    return BenchmarkNeed(name="value", met=met, fact=text(f"replication.fact.value_{'shown' if met else 'not_shown'}"))


def state_kit(base: Base, view: View, application: str, stated: Sequence[StatedPart]) -> Replication:
    """State the kit of an application, which stands on its newest certificate; stated anew, it is agreed to anew.

    Raises:
        NotFoundError: the actor does not speak for its supplier, or it has no certificate.
        BarredError: no certificate of it accepts and holds.
    """
    supplier = holder_of(application)
    if not permitted(ExchangeAct.KIT_STATE, view.actor, SubjectRelation(supplier=supplier)):
        raise NotFoundError("replication.not_found", application=name_of(application))
    own = [one for one in issued_certificates(view) if one.application.subject == application]
    valid = _valid(view, own, view.store.clock())
    if not valid:
        raise BarredError("replication.not_certified", application=name_of(application))
    newest, known = valid[0], view.load_head(_head(application), ReplicationKit)
    kit = ReplicationKit(
        application=application,
        version=newest.application.version,
        owner=newest.scenario.owner.organisation,
        serial=newest.serial,
        parts=_parts(base, newest, {str(one.name): one for one in stated}),
        made_at=known.made_at if known is not None else view.store.clock(),
    )
    if known != kit:
        with view.transaction("replication.stated") as change:
            made = kit.model_copy(update={"made_at": change.now})
            change.let_stand(_head(application), change.put(made, parties(kit.owner), owner=supplier))
    return replication_of(base, view, application)


def _parts(base: Base, certificate: Certificate, stated: dict[str, StatedPart]) -> tuple[KitPart, ...]:
    """Return the parts: those that follow from the certificate's records, and those that the supplier states."""
    stored = base.lab.view.get(certificate.report)
    measured = stored is not None and stored.load(Report).performance is not None
    records: dict[KitPartName, str] = {
        "plan": certificate.plan,
        "contract": certificate.scenario.digest,
        "environment": certificate.application.environment,
        "limits": certificate.report,
        "certificate": certificate.serial,
        "materials": certificate.application.digest,
        **({"hardware": certificate.report} if measured else {}),
    }
    parts = []
    for name in get_args(KitPartName):
        said = stated.get(name)
        digest = records.get(name) if said is None else None if said.none else digest_json(said.words)
        parts.append(KitPart(name=name, digest=digest, words=said.words if said is not None else ""))
    return tuple(parts)


def agree_to_kit(base: Base, view: View, application: str) -> Replication:
    """Agree to a kit as the owner of its scenario; agreed again, it stays so.

    Raises:
        NotFoundError: the actor sees no kit of it.
        RefusedError: the actor is not that owner.
    """
    kit, digest = _kit(view, application)
    if not permitted(ExchangeAct.KIT_AGREE, view.actor, SubjectRelation(demand_owner=kit.owner)):
        raise RefusedError("replication.not_the_owner", owner=kit.owner)
    if not any(one.act == "agreed" for one in _steps(view, digest)):
        with view.transaction("replication.agreed") as change:
            made = KitStep(kit=digest, act="agreed", organisation=view.actor.organisation, at=change.now)
            change.put(made, parties(holder_of(application)), fields={"kit": digest})
    return replication_of(base, view, application)


def admit_kit(base: Base, view: View, application: str) -> Replication:
    """Admit a kit: from then on everybody sees it, and any site may ask for it.

    Raises:
        RefusedError: the actor is no operator.
        NotFoundError: there is no kit of it.
        BarredError: a part is lacking, its owner has not agreed, or its certificate no longer holds.
    """
    require_may_begin(DeskAct.KITS, view.actor)
    kit, digest = _kit(view, application)
    state = replication_of(base, view, application).state
    if state == "outdated":
        raise BarredError("replication.outdated")
    if kit.lacking:
        raise BarredError("replication.incomplete", parts=", ".join(kit.lacking))
    if state == "stated":
        raise BarredError("replication.not_agreed", owner=kit.owner)
    if state == "agreed":
        with view.transaction("replication.admitted") as change:
            made = KitStep(kit=digest, act="admitted", organisation=view.actor.organisation, at=change.now)
            change.put(made, PUBLIC, fields={"kit": digest})
            change.change_visibility(digest, PUBLIC)
    return replication_of(base, view, application)


def _kit(view: View, application: str) -> tuple[ReplicationKit, str]:
    digest = view.head(_head(application))
    if digest is None:
        raise NotFoundError("replication.not_found", application=name_of(application))
    return view.load(digest, ReplicationKit), digest


def _steps(view: View, digest: str) -> list[KitStep]:
    return view.every(KitStep, {"kit": digest})


def _state(view: View, kit: ReplicationKit, own: Sequence[Certificate], now: datetime) -> KitState:
    if kit.serial not in {one.serial for one in _valid(view, own, now)}:
        return "outdated"
    acts = {one.act for one in _steps(view, kit.digest())}
    return "admitted" if "admitted" in acts else "agreed" if "agreed" in acts else "stated"


def _head(application: str) -> str:
    return f"replication:{name_of(application)}"
