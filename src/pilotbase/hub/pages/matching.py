"""Matching: what may fit a scenario or an application, with the reasons, the map of gaps, and who takes what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode

from pilotbase.charts.grids import gap_chart
from pilotbase.documents.base import localized
from pilotbase.documents.hashes import hex_of
from pilotbase.documents.matching import Gap, GapCell, GapMap, Match, Matches, Side, method_of
from pilotbase.documents.permissions import Act, ExchangeAct, ReadScope, SubjectRelation, permitted
from pilotbase.documents.subjects import holder_of, name_of
from pilotbase.documents.texts import Text, percent, text
from pilotbase.documents.vocabularies import Role
from pilotbase.hub.acting import HubRequest, RequestActor, language
from pilotbase.hub.forms.declared import do
from pilotbase.hub.presenters.addresses import address_of, crumb, subject_of
from pilotbase.hub.presenters.drawn import capitalised, drawn
from pilotbase.hub.presenters.records import titles_of, with_titles
from pilotbase.hub.routing import POST, page
from pilotbase.matching.judging import least_evidence
from pilotbase.operations.matches import ASSIGNMENT, FOLLOW, FOLLOWED, GAPS
from pilotbase.worker.demands import count_sites
from pilotbase.worker.matching import Withheld, match_subject, providers_of, withheld_proofs
from pilotbase.workspace.journeys import note_looks
from pilotbase.workspace.listings import Listing, Query, list_page

_OWN = 20
_COUNTED = ("demand", "unmet", "supply", "unused")
_MOST_ASSIGNED = 200
_PLACES = "places."
_TRIALS = 10
_PROVIDERS = 5


@dataclass(frozen=True)
class MatchStep:
    """What the reader may do about a match."""

    label: Text
    url: str


@dataclass(frozen=True)
class MatchRow:
    """One match as the page shows it."""

    match: Match
    address: str
    """Empty where the reader sees no record: it is known by its certificate only."""
    share: str
    step: MatchStep | None
    room: str
    """Address at which the reader opens a room with the other side; empty: the reader is neither of the two."""
    withheld: tuple[Withheld, ...] = ()
    """Certificates of this very pair that count for nothing now."""
    sites: int = 1
    """Sites of the demand."""


@page("matching/", "matching")
def show(request: HubRequest) -> HttpResponse:
    """Show the map of gaps, and the reader's own scenarios and applications to be matched."""
    acting, found = request.acting, do(GAPS, request.acting.view, {})
    shown = {
        "title": text("match.page_title"),
        "found": found,
        "method": method_of(found),
        "least": percent(found.least_share),
        "chart": drawn(gap_chart(_squares(found), language())),
        "exposure": found.exposure if acting.reads(ReadScope.OVERVIEW) else (),
        "followed": do(FOLLOWED, acting.view, {}),
        "own_demands": _own(acting, "demand", Role.DEMAND_OWNER),
        "own_scenarios": _own(acting, "scenario", Role.DEMAND_OWNER),
        "own_applications": _own(acting, "application", Role.SUPPLIER),
        "gaps": (
            (text("match.unmet_demand"), _gaps(acting, found.unmet), sum(cell.unmet for cell in found.cells)),
            (text("match.unused_supply"), _gaps(acting, found.unused), sum(cell.unused for cell in found.cells)),
        ),
    }
    return render(request, "hub/matching.html", shown)


@page("matching/assignment/", "assignment")
def assignment(request: HubRequest) -> HttpResponse:
    """Show who takes which open scenario, in the most valuable and in the stable way, under the places asked for."""
    given = {key.removeprefix(_PLACES): number for key, number in request.GET.items() if key.startswith(_PLACES)}
    places = ",".join(f"{supplier}={number}" for supplier, number in given.items() if number)
    asked = {"capacity": request.GET.get("capacity") or "1", "places": places}
    found = do(ASSIGNMENT, request.acting.view, asked)
    shown = {
        "title": text("match.assignment"),
        "found": found,
        "method": method_of(found),
        "both": (("best", found.best, found.stable), ("stable", found.stable, found.best)),
        "demands": found.demands[:_MOST_ASSIGNED],
        "more": max(len(found.demands) - _MOST_ASSIGNED, 0),
        "given": given,
        "crumbs": [crumb("matching", text("match.page_title"))],
    }
    return render(request, "hub/assignment.html", shown)


@page("<public:section>/<name:name>/matches/", "record-matches")
def of_record(request: HubRequest, section: str, name: str) -> HttpResponse:
    """Show what may fit a scenario or an application, in what the reader sees."""
    subject = subject_of(section, name)
    view = request.acting.view
    found, withheld, sites = match_subject(view, subject), withheld_proofs(view), count_sites(view)
    code = "match.scenarios_for" if found.side == "application" else "match.applications_for"
    note_looks(request.acting.view, "seen", _met(request.acting, found))
    rows = [_row(request.acting, found, one, withheld) for one in found.ranked]
    shown = {
        "title": Text(code=code, params={"title": localized(found.title, language())}),
        "found": found,
        "method": method_of(found),
        "rows": [replace(one, sites=sites.get(one.match.subject, 1)) for one in rows],
        "sites": sites.get(subject, 1),
        "distant": [_row(request.acting, found, one, withheld) for one in found.distant],
        "refused": [_row(request.acting, found, one, withheld) for one in found.refused],
        "least_evidence": least_evidence(found.method),
        "providers": providers_of(view, subject).ranked[:_PROVIDERS] if found.side in ("scenario", "demand") else (),
        "trials": _trials(request.acting, found.side, subject),
        "follows": subject in {one.subject for one in do(FOLLOWED, request.acting.view, {})},
        "crumbs": [
            crumb("matching", text("match.page_title")),
            {"url": address_of(subject), "label": found.title},
        ],
    }
    return render(request, "hub/matches.html", shown)


@page("<public:section>/<name:name>/matches/follow/", "matches-follow", methods=POST)
def follow(request: HubRequest, section: str, name: str) -> HttpResponse:
    """Notify the reader of new matches, or no longer, and go back to them."""
    asked = {"subject": subject_of(section, name), "follow": request.POST.get("follow") == "yes"}
    do(FOLLOW, request.acting.view, asked)
    return redirect("record-matches", section=section, name=name)


def _met(acting: RequestActor, found: Matches) -> list[tuple[str, str]]:
    """Return demand and supplier of each match that may fit, of which the reader is one side."""
    pairs = ((demand, holder_of(application)) for demand, application in (_pair(found, one) for one in found.ranked))
    own = acting.organisation
    return [(demand, supplier) for demand, supplier in pairs if (holder_of(demand) == own) != (supplier == own)]


def _trials(acting: RequestActor, side: Side, subject: str) -> tuple[Listing, ...]:
    if side == "demand":
        return ()
    return list_page(acting.view, Query("commission", **{side: subject}), limit=_TRIALS).items


def _own(acting: RequestActor, kind: str, role: Role) -> tuple[Listing, ...]:
    if not acting.has(role):
        return ()
    return list_page(acting.view, Query(kind, owner=acting.organisation), limit=_OWN).items


def _gaps(acting: RequestActor, gaps: Sequence[Gap]) -> list[tuple[Gap, str]]:
    """Return gaps whose reasons name records by their titles, each with its matches' address if the reader sees it."""
    seen = titles_of(acting.view, (gap.subject for gap in gaps))
    reasons = with_titles(acting.view, (gap.why for gap in gaps))
    told = (gap.model_copy(update={"why": why}) for gap, why in zip(gaps, reasons, strict=True))
    return [(gap, f"{address_of(gap.subject)}matches/" if gap.subject in seen else "") for gap in told]


def _squares(found: GapMap) -> tuple[GapCell, ...]:
    """Return the cells by sector and action, in the reader's words: numbers of all tasks together."""
    counts: dict[tuple[str, str], Counter[str]] = {}
    for cell in found.cells:
        named = _name("sector", cell.sector), _name("action", cell.action)
        counts.setdefault(named, Counter()).update({one: getattr(cell, one) for one in _COUNTED})
    return tuple(
        GapCell(sector=sector, action=action, **{one: told[one] for one in _COUNTED})
        for (sector, action), told in counts.items()
    )


def _name(vocabulary: str, value: str) -> str:
    return capitalised(vocabulary, value) if value else capitalised("match", "not_said")


def _row(acting: RequestActor, found: Matches, one: Match, withheld: Sequence[Withheld]) -> MatchRow:
    share = percent(one.contract.share).render(language()) if one.contract else "–"
    address = "" if one.known_by == "certificate" else address_of(one.subject)
    scenario, application = _pair(found, one)
    lost = tuple(each for each in withheld if (each.scenario, each.application) == (scenario, application))
    return MatchRow(one, address, share, _step(acting, found, one), _room(acting, scenario, application), lost)


def _room(acting: RequestActor, demand: str, application: str) -> str:
    stands = SubjectRelation(demand_owner=holder_of(demand), supplier=holder_of(application))
    own = holder_of(demand) == holder_of(application)
    if own or not permitted(ExchangeAct.ROOM_OPEN, acting.actor, stands):
        return ""
    return f"{reverse('room-new')}?{urlencode({'demand': demand, 'application': application})}"


def _pair(found: Matches, one: Match) -> tuple[str, str]:
    """Return scenario and application of a match."""
    return (one.subject, found.about) if found.side == "application" else (found.about, one.subject)


def _step(acting: RequestActor, found: Matches, one: Match) -> MatchStep | None:
    """Return the first step from a match: a supplier proposes a trial, others ask, or look at the certificate."""
    scenario, application = _pair(found, one)
    has_data = "demand" not in (found.side, one.known_by)
    if has_data and permitted(Act.COMMISSION_PROPOSE, acting.actor, SubjectRelation(supplier=holder_of(application))):
        asked = urlencode({"scenario": name_of(scenario), "application": name_of(application)})
        return MatchStep(text("match.propose"), f"{reverse('commission-new')}?{asked}")
    if one.known_by == "manifest":
        url = reverse("thread-new", kwargs={"section": "applications", "name": name_of(application)})
        return MatchStep(text("match.ask_supplier"), url)
    if one.known_by == "certificate" and one.proofs:
        serial = hex_of(one.proofs[0].serial)
        return MatchStep(text("match.see_certificate"), reverse("certificate", kwargs={"serial": serial}))
    return None
