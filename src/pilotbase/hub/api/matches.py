"""Matches over the API: for what is on the hub and for what is sent, and the map of gaps; all cut to the caller."""

from __future__ import annotations

from ninja import Router

from pilotbase.documents.matching import GapMap, Matches, OfferedApplication
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.subjects import application_subject, scenario_subject
from pilotbase.hub.acting import HubRequest
from pilotbase.hub.api.answers import answers
from pilotbase.hub.api.authentication import MEMBERS
from pilotbase.hub.api.records import Word
from pilotbase.hub.shown.matched import gaps_of
from pilotbase.worker.matching.certified import match_document, match_subject

router = Router(tags=["matches"], auth=MEMBERS)


@router.get("/matches/gaps", response=answers(GapMap), summary="Demand without supply, supply without demand")
def read_gaps(request: HubRequest) -> GapMap:
    """Return the gap map of what the caller sees, drawn up at most every minute."""
    return gaps_of(request.acting.view)


@router.get(
    "/matches/scenarios/{owner}/{name}", response=answers(Matches), summary="Applications that may fit a scenario"
)
def match_scenario(request: HubRequest, owner: Word, name: Word) -> Matches:
    """Return the applications that the caller sees, ranked, with what fits, what is missing and what was refused."""
    return match_subject(request.acting.view, scenario_subject(owner, name))


@router.get(
    "/matches/applications/{owner}/{name}", response=answers(Matches), summary="Scenarios that an application may fit"
)
def match_application(request: HubRequest, owner: Word, name: Word) -> Matches:
    """Return the open scenarios that the caller sees, ranked, with what fits, what is missing and what was refused."""
    return match_subject(request.acting.view, application_subject(owner, name))


@router.post("/matches/scenarios", response=answers(Matches), summary="Match a scenario that need not be on the hub")
def match_sent_scenario(request: HubRequest, asked: Scenario) -> Matches:
    """Return the applications that may fit; nothing that is sent is kept."""
    return match_document(request.acting.view, asked)


@router.post(
    "/matches/applications", response=answers(Matches), summary="Match an application that need not be on the hub"
)
def match_sent_application(request: HubRequest, asked: OfferedApplication) -> Matches:
    """Return the open scenarios that it may fit; nothing that is sent is kept."""
    return match_document(request.acting.view, asked)
