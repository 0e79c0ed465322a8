"""The ledger over the API: figures, days, costs and targets, the map, the ranking, and the records behind a number."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Literal

import pydantic
from ninja import Path, Query, Router

from pilotbase.catalogue.figures import Chosen, Figure, count_of, records_of
from pilotbase.catalogue.spans import STEPS, WHOLE, count_on, records_on
from pilotbase.catalogue.wording import listed
from pilotbase.documents.api.ledger import LedgerTold, MapTold, RankingTold, RoadmapTold
from pilotbase.documents.api.records import RecordPage
from pilotbase.documents.api.shapes import InAddress
from pilotbase.documents.errors import InputError
from pilotbase.documents.nearest import offer
from pilotbase.documents.roadmap import Roadmap
from pilotbase.documents.targets import Phase
from pilotbase.documents.vocabularies import Action, Sector, Support
from pilotbase.hub.acting import HubRequest
from pilotbase.hub.api.answers import answers
from pilotbase.hub.api.authentication import MEMBERS
from pilotbase.hub.shown.addresses import address_of
from pilotbase.hub.shown.counting import counted
from pilotbase.roadmap.choosing import MOST_TOP, rank_scenarios, tell_ranking
from pilotbase.roadmap.ledger import owner_of, tell_ledger, tell_map
from pilotbase.roadmap.planning import set_roadmap, tell_roadmap
from pilotbase.roadmap.ranking import MOST, Weights
from pilotbase.workspace.listings import MAXIMUM_PAGE, Page

router = Router(tags=["ledger"], auth=MEMBERS)
After = Annotated[str | None, pydantic.Field(None, max_length=200, pattern=r"^[a-z0-9_:/-]*$")]


class PartAsked(InAddress):
    """Of which part of a figure the records are asked for."""

    sector: Sector | Literal[""] = ""
    action: Action | Literal[""] = ""
    support: Support | Literal[""] = ""
    year: int | None = pydantic.Field(None, ge=2020, le=2100)
    phase: Phase | None = None
    after: After
    limit: int = pydantic.Field(50, ge=1, le=MAXIMUM_PAGE)


class RankingAsked(InAddress):
    """By which weights scenarios are ranked; ``within``: which flips are told, in percent of the weight that moves."""

    potential: int = pydantic.Field(1, ge=0, le=MOST)
    maturity: int = pydantic.Field(1, ge=0, le=MOST)
    driving_effect: int = pydantic.Field(1, ge=0, le=MOST)
    top: int = pydantic.Field(10, ge=1, le=MOST_TOP)
    within: int = pydantic.Field(10, ge=0, le=100)


class OnAsked(InAddress):
    """Which page of a step's records."""

    after: After
    limit: int = pydantic.Field(50, ge=1, le=MAXIMUM_PAGE)


@router.get("/ledger", response=answers(LedgerTold), summary="The ledger")
def read_ledger(request: HubRequest) -> LedgerTold:
    """Return the ledger of the whole base to operator and regulator, to a demand owner its own part."""
    view = request.acting.view
    found = counted(view, owner_of(view.actor))
    return tell_ledger(view, found.figures, found.at)


@router.get("/ledger/map", response=answers(MapTold), summary="Six actions × eight supports")
def read_map(request: HubRequest) -> MapTold:
    """Return every cell of the map, empty ones too."""
    view = request.acting.view
    found = counted(view, owner_of(view.actor))
    return tell_map(view, found.figures, found.at)


@router.get("/ledger/ranking", response=answers(RankingTold), summary="Scenarios ranked, and what flips")
def read_ranking(request: HubRequest, asked: Query[RankingAsked]) -> RankingTold:
    """Return the scenarios that may be chosen, ranked under the weights that are asked for."""
    view, weights = request.acting.view, Weights(asked.potential, asked.maturity, asked.driving_effect)
    ranking = rank_scenarios(view, weights, asked.top, Fraction(asked.within, 100))
    return tell_ranking(view, ranking, address_of)


@router.get("/ledger/records/{figure}", response=answers(RecordPage), summary="The records that a figure counts")
def read_records(request: HubRequest, figure: Path[Figure], asked: Query[PartAsked]) -> RecordPage:
    """Return the records behind a figure; ``total`` is the figure."""
    view = request.acting.view
    chosen = Chosen(asked.sector, asked.action, asked.year, asked.phase, asked.support, owner_of(view.actor))
    page = records_of(view, figure, chosen, asked.after or None, asked.limit)
    return _page(page, count_of(view, figure, chosen))


@router.get("/ledger/steps/{step}/{progress}", response=answers(RecordPage), summary="The records that are on a step")
def read_step(
    request: HubRequest,
    step: Path[str],
    progress: Path[Literal["taken", "open", "ended"]],
    asked: Query[OnAsked],
) -> RecordPage:
    """Return the records that took a step, are still on it, or have ended before."""
    view, steps = request.acting.view, STEPS | WHOLE
    owner = owner_of(view.actor)
    if step not in steps:
        raise InputError("roadmap.no_step", found=step, allowed=offer(step, steps))
    page = records_on(view, steps[step], progress, owner, asked.after or None, asked.limit)
    return _page(page, count_on(view, steps[step], progress, owner))


@router.get("/roadmap", response=answers(RoadmapTold), summary="The roadmap and how far it has come")
def read_roadmap(request: HubRequest) -> RoadmapTold:
    """Return the tasks, the state of each by the ledger, and what should be re-planned."""
    return tell_roadmap(request.acting.view)


@router.put("/roadmap", response=answers(RoadmapTold), summary="Set the roadmap")
def set_new(request: HubRequest, brought: Roadmap) -> RoadmapTold:
    """Let this roadmap stand in place of what was there; the operator alone may."""
    set_roadmap(request.acting.view, brought)
    return tell_roadmap(request.acting.view)


def _page(page: Page, total: int) -> RecordPage:
    return RecordPage(items=[listed(one, address_of) for one in page.items], total=total, next=page.after)
