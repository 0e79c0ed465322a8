"""Profiles: what somebody claims beside what the base's records show, and the list of capabilities.

A profile is computed for its reader, from what the reader may see. Claims add nothing to its evidence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from pilotbase.catalogue.capabilities import CAPABILITIES, capabilities_of, kind_facet, read_capability
from pilotbase.catalogue.records import everything, organisation_of
from pilotbase.certificate.status import (
    CertificateStatus,
    RevocationList,
    issued_certificates,
    revocations_of,
    standing_of,
)
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.application import Application
from pilotbase.documents.base import Localized
from pilotbase.documents.capability import (
    CapabilityKind,
    Claim,
    Fact,
    ListedCapability,
    Profile,
    ProfileLink,
    ShownCertificate,
)
from pilotbase.documents.certificate import Certificate
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.plugins import mirrored
from pilotbase.documents.record import ApplicationVersion
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.service import CertifiedRoute
from pilotbase.documents.states import ApplicationState, DatasetState, ScenarioState
from pilotbase.documents.subjects import holder_of, kind_of, name_of
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Outcome, Sector, ServingState, Verdict
from pilotbase.matching.judging import weighed
from pilotbase.service.registry import services_of
from pilotbase.worker.datasets.contributions import contribution
from pilotbase.worker.datasets.measuring import published_report
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.listings import (
    MAXIMUM_PAGE,
    Listing,
    Query,
    count,
    find_listing,
    find_listings,
    list_page,
)
from pilotbase.workspace.store import View

MOST_SHOWN = 50
"""Certificates and links of a profile."""
ProfileReader = Callable[[View, str], Profile]
"""Returns the profile of a subject for the actor of a view; raises `NotFoundError`."""
Said = Text | Localized | str


def list_capabilities(view: View, words: str = "", kind: CapabilityKind | None = None) -> list[ListedCapability]:
    """Return the newest stated capabilities, those first whose organisations hold certificates."""
    query = Query("capability", words=words, states=CAPABILITIES.states, facets=(kind_facet(kind),) if kind else ())
    now, held = view.store.clock(), _accepted_by_supplier(view)
    listed = [
        filled(
            ListedCapability,
            one,
            stale=one.is_stale(now),
            certificates=held[one.organisation] if one.kind.is_proven else 0,
        )
        for one in capabilities_of(view, list_page(view, query, limit=MAXIMUM_PAGE).items)
    ]
    return sorted(listed, key=lambda one: (-one.certificates, one.stale, one.subject))


def _accepted_by_supplier(view: View) -> Counter[str]:
    """Return supplier → certificates that hold and accept."""
    listed, now = revocations_of(view), view.store.clock()
    return Counter(
        one.application.supplier.organisation
        for one in issued_certificates(view)
        if one.accepts and standing_of(one, listed, now).status is CertificateStatus.VALID
    )


def profile_of(view: View, subject: str) -> Profile:
    """Return the profile of an organisation, capability, application, dataset or pool.

    Raises:
        NotFoundError: the actor sees nothing of that name, or there are no profiles of its kind.
    """
    reader = _readers().get(kind_of(subject))
    if reader is None:
        raise NotFoundError("record.not_found", subject=subject)
    return reader(view, subject)


@cache
def _readers() -> Mapping[str, ProfileReader]:
    """Return kind of subject → what reads its profile, also those of plug-ins."""
    added = {kind: reader for module in mirrored("worker.providers") for kind, reader in module.PROFILES.items()}
    own: Mapping[str, ProfileReader] = {
        "organisation": _of_organisation,
        "capability": _of_capability,
        "application": _of_application,
        "dataset": _of_dataset,
    }
    return {**own, **added}


def _of_capability(view: View, subject: str) -> Profile:
    found = read_capability(view, subject)
    proven = found.kind.is_proven
    own = _certificates(view, lambda one: one.application.supplier.organisation, found.organisation) if proven else []
    shows = _Shows.of(view, own)
    days = text("profile.days", days=found.days_a_month) if found.days_a_month is not None else None
    return Profile(
        **_shown(view, own),
        subject=subject,
        kind="capability",
        title=found.title,
        owner=found.organisation,
        summary=found.summary,
        stated_at=found.stated_at,
        stale=found.is_stale(view.store.clock()),
        claims=(
            *(_claim("sector", text(f"sector.{one}"), shows.sector(one)) for one in found.sectors),
            *(_claim("task", text(f"match.task.{one}"), shows.task(one)) for one in found.tasks),
            *(_claim("data", text(f"demand.data.{one}")) for one in found.data),
            *_claims("language", *found.languages or ()),
            *_claims("region", *found.regions or ()),
            *_claims("days", days),
            *_claims("price", found.price),
            *_claims("reference", *found.references),
        ),
        facts=(_fact("kind", text(f"capability.{found.kind}")), *((_services(view, own),) if proven else ())),
        links=_links(view, Query("application", states=(ApplicationState.SUBMITTED,), owner=found.organisation)),
    )


def _of_organisation(view: View, subject: str) -> Profile:
    """Return the profile of an organisation of which the actor sees anything: its record, an offer, a certificate."""
    name = name_of(subject)
    own = _certificates(view, lambda one: one.application.supplier.organisation, name)
    offered = (
        Query("capability", states=CAPABILITIES.states, owner=name),
        Query("application", states=(ApplicationState.SUBMITTED,), owner=name),
        Query("scenario", states=(ScenarioState.OPEN,), owner=name),
        Query("dataset", states=(DatasetState.PUBLISHED,), owner=name),
    )
    links = _links(view, *offered)
    found = organisation_of(everything(view), name)
    if found is None or not (links or own or find_listing(view, subject)):
        raise NotFoundError("record.not_found", subject=subject)
    counted = [_fact(f"offered.{query.kind}", str(count(view, query))) for query in offered]
    return Profile(
        **_shown(view, own),
        subject=subject,
        kind="organisation",
        title=found.title,
        owner=name,
        facts=(*counted, _services(view, own)),
        links=links,
    )


def _of_application(view: View, subject: str) -> Profile:
    """Return the profile of an application; one whose manifest is hidden is known by its certificates alone."""
    listing, own = find_listing(view, subject), _certificates(view, lambda one: one.application.subject, subject)
    if listing is None and not own:
        raise NotFoundError("record.not_found", subject=subject)
    found = view.load(listing.digest, ApplicationVersion).application if listing is not None else None
    return Profile(
        **_shown(view, own),
        subject=subject,
        kind="application",
        title=found.title if found is not None else own[0].application.name,
        owner=holder_of(subject),
        summary=found.model_card.summary if found is not None else None,
        claims=tuple(_of_manifest(found)) if found is not None else (),
        facts=(_services(view, own),),
    )


def _of_manifest(application: Application) -> Iterator[Claim]:
    terms, card = application.offered, application.model_card
    yield from _claims("licence", application.licence)
    yield from _claims("language", *terms.languages or ())
    yield from _claims("region", *terms.regions or ())
    yield from _claims("isolation", terms.isolation)
    for name in ("training_data", "limitations", "human_oversight"):
        yield from _claims(name, getattr(card, name))


def _of_dataset(view: View, subject: str) -> Profile:
    listing, told = find_listing(view, subject), contribution(view, subject)
    if listing is None or told is None:
        raise NotFoundError("record.not_found", subject=subject)
    found, report = view.load(listing.digest, Dataset), published_report(view, subject)
    graded = report.grade.outcome if report is not None and report.version == found.version else Outcome.NOT_MEASURED
    own = _certificates(view, lambda one: one.serial in told.certificates, True)
    return Profile(
        **_shown(view, own),
        subject=subject,
        kind="dataset",
        title=found.title,
        owner=listing.owner,
        summary=found.description,
        claims=(
            _claim("sector", text(f"sector.{found.sector}"), _Shows.of(view, own).sector(found.sector)),
            _claim("opening", text(f"opening.{found.opening}")),
            *_claims("licence", found.license),
            *_claims("language", *found.in_language),
        ),
        facts=(
            _fact("quality", text(f"outcome.{graded}")),
            _fact("uses", "–" if told.uses is None else str(told.uses)),
            _fact("scenarios", str(len(told.scenarios))),
            _services(view, own),
        ),
        links=tuple(_link(one) for one in find_listings(view, told.scenarios).values())[:MOST_SHOWN],
    )


def _certificates(view: View, about: Callable[[Certificate], object], wanted: object) -> list[Certificate]:
    """Return the certificates of which ``about`` returns what is wanted, newest first."""
    return [one for one in issued_certificates(view) if about(one) == wanted]


@dataclass(frozen=True)
class _Shows:
    """Certificates that hold and accept, each with the scenario on which it was tried where the actor sees that."""

    tried: Sequence[tuple[Certificate, Scenario]]

    @classmethod
    def of(cls, view: View, certificates: Iterable[Certificate]) -> _Shows:
        listed, now = revocations_of(view), view.store.clock()
        held = [one for one in certificates if one.accepts and _status(one, listed, now) is CertificateStatus.VALID]
        stored = view.get_all(sorted({one.scenario.digest for one in held}))
        seen = {digest: one.load(Scenario) for digest, one in stored.items() if one.kind == "scenario"}
        return cls([(one, seen[one.scenario.digest]) for one in held if one.scenario.digest in seen])

    def sector(self, value: Sector) -> tuple[str, ...]:
        return tuple(one.serial for one, scenario in self.tried if scenario.sector is value)

    def task(self, value: str) -> tuple[str, ...]:
        return tuple(one.serial for one, scenario in self.tried if scenario.task == value)


def _shown(view: View, own: Sequence[Certificate]) -> dict[str, Any]:
    """Return what certificates show, as fields of a profile."""
    listed, now = revocations_of(view), view.store.clock()
    titles = {one.subject: one.title for one in find_listings(view, {one.scenario.subject for one in own}).values()}
    shown = [
        ShownCertificate(
            serial=one.serial,
            scenario=one.scenario.subject,
            scenario_title=titles.get(one.scenario.subject, one.scenario.name),
            application=one.application.subject,
            verdict=one.verdict,
            status=_status(one, listed, now).value,
            issued_at=one.issued_at,
            expires_at=one.expires_at,
        )
        for one in own
    ]
    held = Counter(one.verdict for one in shown if one.status == "valid")
    accepted, rejected = held[Verdict.ACCEPT], held[Verdict.REJECT]
    return {
        "as_of": now,
        "certificates": tuple(shown[:MOST_SHOWN]),
        "accepted": accepted,
        "rejected": rejected,
        "withheld": len(shown) - held.total(),
        "evidence": weighed(float(accepted), float(rejected)),
    }


def _status(certificate: Certificate, listed: RevocationList | None, now: datetime) -> CertificateStatus:
    return standing_of(certificate, listed, now).status


def _services(view: View, own: Sequence[Certificate]) -> Fact:
    """Return in how many services that the actor sees an application answers under one of these certificates."""
    serials = {one.serial for one in own}
    routes = (service.routes for service, stands in services_of(view) if stands.state is not ServingState.STOPPED)
    number = sum(any(isinstance(one, CertifiedRoute) and one.serial in serials for one in some) for some in routes)
    return _fact("services", str(number))


def _claims(what: str, *values: Said | None) -> Iterator[Claim]:
    """Yield a claim for each value that is stated."""
    yield from (_claim(what, value) for value in values if value)


def _claim(what: str, value: Said, shown_by: tuple[str, ...] | None = None) -> Claim:
    return Claim(what=text(f"profile.claim.{what}"), value=value, shown_by=shown_by)


def _fact(what: str, value: Text | str) -> Fact:
    return Fact(what=text(f"profile.fact.{what}"), value=value)


def _links(view: View, *queries: Query) -> tuple[ProfileLink, ...]:
    listings = (one for query in queries for one in list_page(view, query, limit=MOST_SHOWN).items)
    return tuple(_link(one) for one in listings)[:MOST_SHOWN]


def _link(listing: Listing) -> ProfileLink:
    return filled(ProfileLink, listing)
