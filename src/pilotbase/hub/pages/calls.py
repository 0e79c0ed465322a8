"""Calls for a task: the public list, a call with what each reader may do, claims, scores, the standing."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from pilotbase.catalogue.records import records_of
from pilotbase.certificate.status import issued_certificates
from pilotbase.documents.api.calls import CallDetail
from pilotbase.documents.base import localized
from pilotbase.documents.call import CallStage, ExpertScore, JudgedCall, ScoredCriterion
from pilotbase.documents.states import ApplicationState, ScenarioState
from pilotbase.documents.subjects import name_of, scenario_subject
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Role
from pilotbase.hub.acting import HubRequest, RequestActor, language, posted
from pilotbase.hub.base import base
from pilotbase.hub.forms.calls import CallForm, ClaimForm, ExpertsForm, ScoreForm, claim_initial, own_scenario
from pilotbase.hub.forms.declared import do, post_of, tell
from pilotbase.hub.models import Person
from pilotbase.hub.presenters.addresses import Crumb, crumb
from pilotbase.hub.presenters.drawn import drawn_order, shade
from pilotbase.hub.presenters.records import title_of, title_shown
from pilotbase.hub.presenters.states import RecordStage
from pilotbase.hub.routing import EVERYBODY, FORM, page
from pilotbase.operations import calls, trials
from pilotbase.operations.operation import Operation
from pilotbase.trial.call_standing import expert_points
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.listings import Query, find_listing, list_page

_WAY = ("draft", "published", "closed", "opened", "judged", "standing", "objection", "awarded", "finished")
_CALL = "calls/<slug:owner>/<slug:name>/"
_LISTED, _WON = 200, 3


@page("calls/", "calls", EVERYBODY)
def show_all(request: HubRequest) -> HttpResponse:
    """Show the published calls to everybody, and to an owner its drafts."""
    acting = request.acting
    shown = {
        "title": text("calls.hub.title"),
        "calls": do(calls.LIST, acting.view, {}),
        "may_draft": acting.has(Role.DEMAND_OWNER),
    }
    return render(request, "hub/calls.html", shown)


@page("calls/new/", "call-new", methods=FORM)
def start(request: HubRequest) -> HttpResponse:
    """Draft a call on one's own open scenario, which is chosen first."""
    acting, name = request.acting, request.GET.get("scenario", "")
    if not acting.has(Role.DEMAND_OWNER):
        raise NotFoundError("hub.not_found")
    crumbs = [_all()]
    if not name:
        query = Query("scenario", states=[ScenarioState.OPEN], owner=acting.organisation)
        own = list_page(acting.view, query, limit=_LISTED).items
        return render(request, "hub/call_new.html", {"title": text("calls.hub.new"), "own": own, "crumbs": crumbs})
    return _edited(request, scenario_subject(*name.partition("/")[::2]), None, crumbs)


@page(f"{_CALL}edit/", "call-edit", methods=FORM)
def edit(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """Change the draft of one's own call."""
    found = _found(request, owner, name)
    if found.stage is not CallStage.DRAFT or request.acting.organisation != owner:
        raise NotFoundError("hub.not_found")
    return _edited(request, found.scenario, found, [_all(), _crumb(found)])


def _edited(request: HubRequest, scenario: str, found: CallDetail | None, crumbs: list[Crumb]) -> HttpResponse:
    view, organisation = request.acting.view, request.acting.organisation
    place = {"owner": organisation} | ({"name": found.name} if found is not None else {})
    terms = found.terms if found is not None else None
    form = CallForm(view, own_scenario(view, scenario), place, terms, posted(request))
    if form.done(view):
        tell(request, form.operation)
        return redirect("call", owner=organisation, name=form.found.name)
    title = text("calls.hub.edit") if found is not None else text("calls.hub.new")
    shown = {"title": title, "form": form, "scenario": scenario, "crumbs": crumbs}
    return render(request, "hub/call_new.html", shown)


@page(_CALL, "call", EVERYBODY)
def show(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """Show a call as far as the reader may see it, and what they may do."""
    found, acting = _found(request, owner, name), request.acting
    shown = {
        "title": found.title,
        "call": found,
        "way": _way(found.stage),
        "crumbs": [_all()],
        "people": _people(found),
        "milestones": _milestones(found),
        "may": _may(acting, found),
        "teams": [one for one in found.standing.lines if one.place] if found.standing is not None else [],
        "won": _won(acting, found),
        "tried": _tried(acting, found),
        "outcomes": ("dismissed", "award_again", "score_again", "void"),
        "now": base().lab.store.clock(),
    }
    return render(request, "hub/call.html", shown)


@page(f"{_CALL}claim/", "call-claim", methods=FORM)
def claim(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """Hand in the claim of one's own team, or replace it."""
    found, acting = _found(request, owner, name), request.acting
    if not _may(acting, found)["claim"]:
        raise NotFoundError("hub.not_found")
    query = Query(
        "application", states=[ApplicationState.SUBMITTED], scenario=found.scenario, owner=acting.organisation
    )
    offered = [
        (one.subject, f"{localized(one.title, language())} · {name_of(one.subject)}")
        for one in list_page(acting.view, query, limit=_LISTED).items
    ]
    initial = claim_initial(found.own.terms) if found.own is not None else None
    form = ClaimForm(
        posted(request), given={"owner": owner, "name": name}, choices={"application": offered}, initial=initial
    )
    if form.done(acting.view):
        tell(request, form.operation)
        return redirect("call", owner=owner, name=name)
    shown = {"title": text("calls.hub.claim"), "call": found, "form": form, "offered": offered}
    return render(request, "hub/call_claim.html", shown | {"crumbs": [_all(), _crumb(found)]})


@page(f"{_CALL}experts/", "call-experts", methods=FORM)
def name_experts(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """Name the experts from among whom the panel is drawn."""
    found = _found(request, owner, name)
    if not _may(request.acting, found)["reviewers"]:
        raise NotFoundError("hub.not_found")
    form = ExpertsForm({"owner": owner, "name": name}, found, posted(request))
    if form.done(request.acting.view):
        tell(request, form.operation)
        return redirect("call", owner=owner, name=name)
    shown = {"title": text("calls.hub.experts"), "call": found, "form": form, "crumbs": [_all(), _crumb(found)]}
    return render(request, "hub/call_experts.html", shown)


@page(f"{_CALL}score/", "call-score", methods=FORM)
def score(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """Show the claims to an expert of the panel, one at a time, and take the points."""
    found, acting = _found(request, owner, name), request.acting
    if not _may(acting, found)["score"]:
        raise NotFoundError("hub.not_found")
    given = {one.claim: one for one in found.scored}
    open_one = next((one for one in found.claims if one.digest() not in given), found.claims[0])
    leader = request.GET.get("team", open_one.leader)
    one = next((each for each in found.claims if each.leader == leader), open_one)
    mine = given.get(one.digest())
    before = {f"points_{at}": value for at, value in enumerate(mine.points)} | {"words": mine.words} if mine else {}
    where = {"owner": owner, "name": name}
    form = ScoreForm({**where, "claim": one.digest()}, found.terms, before, posted(request))
    if form.done(acting.view):
        tell(request, form.operation)
        done = len(given) + (mine is None) == len(found.claims)
        return redirect("call" if done else "call-score", owner=owner, name=name)
    teams = [(each.leader, each.digest() in given, each is one) for each in found.claims]
    shown = {"title": text("calls.hub.score"), "call": found, "claim": one, "form": form, "teams": teams}
    return render(request, "hub/call_score.html", shown | {"crumbs": [_all(), _crumb(found)]})


@page(f"{_CALL}standing/", "call-standing")
def show_standing(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """Show the standing to whom it is for; to owner, base and panel the scores as well, once they are opened."""
    found, view = _found(request, owner, name), request.acting.view
    judged = [do(calls.SCORES, view, {"owner": owner, "name": name})] if found.claims and found.judged_at else []
    rounds = [*judged, *reversed(found.earlier)]
    if found.standing is None and not rounds:
        raise NotFoundError("hub.not_found")
    result = do(trials.TENDER, view, {"tender": found.tender}).result if found.tender else None
    shown = {
        "title": text("calls.hub.standing"),
        "call": found,
        "standing": found.standing,
        "judged": judged,
        "rounds": [(one, _heat(found, one), _scores(found, one)) for one in rounds],
        "leaders": {one.digest(): one.leader for one in found.claims},
        "order": drawn_order(result),
        "result": result,
        "people": _people(found),
        "crumbs": [_all(), _crumb(found)],
    }
    return render(request, "hub/call_standing.html", shown)


_BUTTONS: dict[str, Operation[Any, Any]] = {
    "publish": calls.PUBLISH,
    "open": calls.OPEN,
    "release": calls.RELEASE,
    "talk": calls.TALK,
    "tender": calls.TENDER,
    "rank": calls.RANK,
    "award": calls.AWARD,
    "appeal": calls.APPEAL,
}
for _part, _operation in _BUTTONS.items():
    post_of(f"{_CALL}{_part}/", f"call-{_part}", _operation, "call", back=("owner", "name"), owner="owner", name="name")
for _part, _name, _operation in (
    ("appeals", "decide", calls.DECIDE),
    ("milestones", "reached", calls.REACHED),
    ("payments", "paid", calls.PAID),
):
    _numbered = f"{_CALL}{_part}/<int:number>/"
    _fields = {"owner": "owner", "name": "name", "number": "number"}
    post_of(_numbered, f"call-{_name}", _operation, "call", back=("owner", "name"), **_fields)


def _found(request: HubRequest, owner: str, name: str) -> CallDetail:
    return do(calls.SHOW, request.acting.view, {"owner": owner, "name": name})


def _won(acting: RequestActor, found: CallDetail) -> list[tuple[Text, str, str]]:
    """Return what the reader may see of the winner's application and its certificates: kind, subject and title."""
    if found.award is None:
        return []
    view, won = acting.view, found.award.application
    listing = find_listing(view, won)
    shown = [(text("hub.application"), listing.subject, title_shown(listing))] if listing is not None else []
    issued = [
        (text("hub.certificate"), one.serial.replace("sha256:", "certificate:"), one.application.name)
        for one in issued_certificates(view)
        if (one.application.subject, one.scenario.subject) == (won, found.scenario)
    ]
    return [*shown, *issued[:_WON]]


def _tried(acting: RequestActor, found: CallDetail) -> str:
    """Return the winner's trial that opened the gate to it, if the reader may see it."""
    if found.award is None:
        return ""
    query = Query("commission", scenario=found.scenario, application=found.award.application)
    records = records_of(acting.view, [one.subject for one in list_page(acting.view, query).items])
    shown = (subject for subject, one in records.items() if one.documents.get("report") == found.award.report)
    return next(shown, "")


def _may(acting: RequestActor, found: CallDetail) -> dict[str, bool]:
    """Return what the reader may do now; the operations check it again."""
    stage, owns, runs = found.stage, acting.organisation == found.owner, acting.has(Role.OPERATOR)
    judges = next((one for one in found.panel if one.reviewer.person == acting.actor.person), None)
    team = found.own is not None
    turned = any(one.person == acting.actor.person for one in found.keys)
    in_time = found.objection_ends is None or base().lab.store.clock() <= found.objection_ends
    return {
        "edit": owns and stage is CallStage.DRAFT,
        "claim": acting.has(Role.SUPPLIER) and not owns and stage is CallStage.PUBLISHED,
        "reviewers": runs and stage in (CallStage.PUBLISHED, CallStage.CLOSED),
        "open": stage is CallStage.CLOSED and (runs or owns or acting.has(Role.REGULATOR)) and not turned,
        "score": judges is not None and stage is CallStage.OPENED,
        "release": runs and stage is CallStage.OPENED,
        "talk": runs and found.must_talk,
        "tender": owns and len(found.claims) > 1 and found.tender is None and found.terms.weight_tender > 0,
        "rank": (owns or runs) and stage in (CallStage.JUDGED, CallStage.STANDING),
        "award": owns and stage is CallStage.STANDING and not found.must_talk,
        "appeal": team and stage in (CallStage.STANDING, CallStage.OBJECTION) and in_time,
        "decide": runs,
        "reached": owns and stage is CallStage.AWARDED,
        "paid": owns,
    }


def _way(stage: CallStage) -> list[RecordStage]:
    if stage not in _WAY:
        return []
    here = _WAY.index(stage)
    places = ["done"] * here + ["now"] + ["later"] * len(_WAY)
    return [RecordStage(Text(code=f"calls.way.{name}"), place) for name, place in zip(_WAY, places, strict=False)]


def _milestones(found: CallDetail) -> list[tuple[int, Any, Any, Any]]:
    """Return number, terms, acceptance and payment of each milestone."""
    reached, paid = ({one.number: one for one in each} for each in (found.reached, found.payments))
    return [
        (number, one, reached.get(number), paid.get(number)) for number, one in enumerate(found.terms.milestones, 1)
    ]


def _people(found: CallDetail) -> dict[str, str]:
    """Return identifier → name of the experts that the reader may see."""
    wanted = {one.reviewer.person for one in found.panel} | {one.person for one in found.pool}
    return dict(Person.objects.filter(identity__in=wanted).values_list("identity", "name"))


def _heat(found: CallDetail, judged: JudgedCall) -> list[tuple[str, list[tuple[float, int]]]]:
    """Return name of an expert → the points for each claim, with how dark their cell is."""
    experts = sorted({(one.reviewer.organisation, one.reviewer.person) for one in judged.scores})
    names, points = _people(found), expert_points(found.terms, found.claims, judged.scores)
    return [
        (names.get(person, "") or title_of(organisation), [(value, shade(value, 100)) for value in line])
        for (organisation, person), line in zip(experts, points.tolist(), strict=True)
    ]


def _scores(found: CallDetail, judged: JudgedCall) -> list[tuple[ExpertScore, list[tuple[ScoredCriterion, int]]]]:
    return [(one, list(zip(found.terms.criteria, one.points, strict=True))) for one in judged.scores]


def _all() -> Crumb:
    return crumb("calls", text("calls.hub.title"))


def _crumb(found: CallDetail) -> Crumb:
    return {"url": reverse("call", kwargs={"owner": found.owner, "name": found.name}), "label": found.title}
