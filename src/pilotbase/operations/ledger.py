"""The ledger: figures, days, costs and targets, the map, the ranking, and the records behind a number; the roadmap."""

from __future__ import annotations

from typing import Annotated, Literal

import pydantic

from pilotbase.documents.api.ledger import LedgerTold, MapTold, RankingTold, RoadmapTold
from pilotbase.documents.api.records import RecordPage
from pilotbase.documents.api.shapes import MOST_LISTED, RequestModel
from pilotbase.documents.permissions import DeskAct, ReadScope
from pilotbase.documents.roadmap import Figure, Phase, Roadmap
from pilotbase.documents.vocabularies import Action, Sector, Support
from pilotbase.operations.operation import PATH, In, NoInput, Operation, Out, Repeated, With

MOST_WEIGHT, MOST_TOP = 100, 50
After = Annotated[str | None, pydantic.Field(max_length=200, pattern=r"^[a-z0-9_:/-]*$")]
Limit = Annotated[int, pydantic.Field(ge=1, le=MOST_LISTED)]


class RankingAsked(RequestModel):
    """The weights of the ranking; ``within``: the largest change of a weight, in percent, whose flips are listed."""

    potential: int = pydantic.Field(1, ge=0, le=MOST_WEIGHT)
    maturity: int = pydantic.Field(1, ge=0, le=MOST_WEIGHT)
    driving_effect: int = pydantic.Field(1, ge=0, le=MOST_WEIGHT)
    top: int = pydantic.Field(10, ge=1, le=MOST_TOP)
    within: int = pydantic.Field(10, ge=0, le=100)


class OfFigure(RequestModel):
    """The part of a figure whose records to return."""

    figure: Annotated[Figure, PATH]
    sector: Sector | Literal[""] = ""
    action: Action | Literal[""] = ""
    support: Support | Literal[""] = ""
    year: int | None = pydantic.Field(None, ge=2020, le=2100)
    phase: Phase | None = None
    after: After = None
    limit: Limit = 50


class OnStep(RequestModel):
    """Which page of a step's records."""

    step: Annotated[str, PATH]
    progress: Annotated[Literal["taken", "open", "ended"], PATH]
    after: After = None
    limit: Limit = 50


def _reads(name: str, place: str, takes: type[In], gives: type[Out]) -> Operation[In, Out]:
    """Return an operation that reads the ledger; callers without permission get 404."""
    refuses = frozenset({404})
    return Operation(name, place, takes, gives, who=ReadScope.LEDGER, refuses=refuses)


SHOW = _reads("ledger.show", "GET /ledger", NoInput, LedgerTold)
MAP = _reads("ledger.map", "GET /ledger/map", NoInput, MapTold)
RANKING = _reads("ledger.ranking", "GET /ledger/ranking", RankingAsked, RankingTold)
RECORDS = _reads("ledger.records", "GET /ledger/records/{figure}", OfFigure, RecordPage)
STEP = _reads("ledger.step", "GET /ledger/steps/{step}/{progress}", OnStep, RecordPage)
ROADMAP = _reads("ledger.roadmap", "GET /roadmap", NoInput, RoadmapTold)
SET_ROADMAP = Operation(
    "ledger.set_roadmap",
    "PUT /roadmap",
    With[Roadmap],
    RoadmapTold,
    who=DeskAct.PLAN,
    repeated=Repeated.HARMLESS,
    example={
        "document": "roadmap/1",
        "title": {"en": "To 2027", "zh": "至2027年"},
        "phases": [
            {
                "phase": "p1",
                "tasks": [{"scenario": "scenario:plant/milling", "start": "2026-03-01", "end": "2027-06-30"}],
            }
        ],
    },
)
