"""The ledger: figures, days, costs and targets, the map, the ranking, and the records behind a number; the roadmap."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

import pydantic

from pilotbase.documents.api.ledger import (
    ClauseTold,
    LedgerTold,
    MapTold,
    OpennessTable,
    OpennessTold,
    PeriodClosed,
    PeriodCompared,
    PlanTold,
    PotentialTold,
    RankingTold,
    RoadmapTold,
    TaskSheetsTold,
)
from pilotbase.documents.api.records import RecordPage
from pilotbase.documents.api.shapes import MOST_LISTED, RequestModel
from pilotbase.documents.base import Name, Note, Sentence
from pilotbase.documents.hashes import Digest
from pilotbase.documents.period import CHINA, Offset, PeriodName, PeriodReport, StatedFigure
from pilotbase.documents.permissions import DeskAct, ReadScope
from pilotbase.documents.planning import MOST_WEIGHT, PlanningSheet, Title, Weight
from pilotbase.documents.roadmap import Driving, Figure, Grade, Phase, PotentialBy, Roadmap
from pilotbase.documents.subjects import Subject
from pilotbase.documents.vocabularies import Action, Sector, Support
from pilotbase.operations.matches import OfRecord
from pilotbase.operations.operation import PATH, Callers, In, NoInput, Operation, Out, Repeated, With

MOST_TOP = 50
After = Annotated[str | None, pydantic.Field(max_length=200, pattern=r"^[a-z0-9_:/-]*$")]
Percent = Annotated[float, pydantic.Field(ge=0, le=10_000)]
Stated = Annotated[float | None, pydantic.Field(ge=0, le=10**12)]
Limit = Annotated[int, pydantic.Field(ge=1, le=MOST_LISTED)]


class RankingAsked(RequestModel):
    """The weights of the ranking; ``within``: the largest change of a weight, in percent, whose flips are listed."""

    potential: int = pydantic.Field(1, ge=0, le=MOST_WEIGHT)
    maturity: int = pydantic.Field(1, ge=0, le=MOST_WEIGHT)
    driving_effect: int = pydantic.Field(1, ge=0, le=MOST_WEIGHT)
    driving: Driving = "stated"
    potential_by: PotentialBy = "stated"
    top: int = pydantic.Field(10, ge=1, le=MOST_TOP)
    within: int = pydantic.Field(10, ge=0, le=100)


class NewPotentialScore(OfRecord):
    """A reviewer's score of a scenario's potential, and the reasons."""

    potential: Grade
    words: Sentence


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


class TasksAsked(RequestModel):
    """Whose task sheets to return; without a phase and a scenario all."""

    phase: Phase | None = None
    scenario: Subject | Literal[""] = ""


class PlanWhatIf(RequestModel):
    """What to change of the sheet; what is left out stays as it is."""

    potential: Weight | None = None
    maturity: Weight | None = None
    driving_effect: Weight | None = None
    driving: Driving | None = None
    keep: float | None = pydantic.Field(None, ge=0, le=100)
    limits: dict[Name, Percent] = pydantic.Field(default_factory=dict, max_length=20)
    """Resource → its limits in percent of those of the sheet."""


class Adoption(RequestModel):
    """The proposal to adopt as the roadmap."""

    title: Title
    seen: Digest
    """The proposal that was looked at."""


class PeriodToClose(RequestModel):
    """The period to close, the zone in which its days end, and what no record shows."""

    period: PeriodName
    offset: Offset = CHINA
    income: Stated = None
    cost: Stated = None
    staff: Stated = None
    accidents: Stated = None
    equipment_hours: Stated = None
    note: Note = ""

    @property
    def stated(self) -> dict[StatedFigure, float]:
        """Return what is stated."""
        said = {name: getattr(self, name) for name in get_args(StatedFigure)}
        return {name: value for name, value in said.items() if value is not None}


class OfPeriod(RequestModel):
    """Which period's report."""

    period: Annotated[PeriodName, PATH]


def _reads(name: str, place: str, takes: type[In], gives: type[Out]) -> Operation[In, Out]:
    """Return an operation that reads the ledger; callers without permission get 404."""
    return Operation(name, place, takes, gives, who=ReadScope.LEDGER)


SHOW = _reads("ledger.show", "GET /ledger", NoInput, LedgerTold)
MAP = _reads("ledger.map", "GET /ledger/map", NoInput, MapTold)
RANKING = _reads("ledger.ranking", "GET /ledger/ranking", RankingAsked, RankingTold)
_POTENTIAL = "/scenarios/{owner}/{name}/potential"
POTENTIAL = Operation(
    "ledger.potential",
    f"GET {_POTENTIAL}",
    OfRecord,
    PotentialTold,
    who=ReadScope.POTENTIAL,
)
SCORE_POTENTIAL = Operation(
    "ledger.score_potential",
    f"POST {_POTENTIAL}",
    NewPotentialScore,
    PotentialTold,
    who=DeskAct.SCORE,
    repeated=Repeated.HARMLESS,
    example={"potential": 4, "words": "Forty lines in the region do the same work, and downtime is costly."},
)
OPENNESS = Operation("ledger.openness", "GET /openness", NoInput, OpennessTable, callers=Callers.UNASKED, shared=True)
OPENNESS_OF = Operation(
    "ledger.openness_of", "GET /scenarios/{owner}/{name}/openness", OfRecord, OpennessTold, callers=Callers.UNASKED
)
RECORDS = _reads("ledger.records", "GET /ledger/records/{figure}", OfFigure, RecordPage)
STEP = _reads("ledger.step", "GET /ledger/steps/{step}/{progress}", OnStep, RecordPage)
ROADMAP = _reads("ledger.roadmap", "GET /roadmap", NoInput, RoadmapTold)
TASKS = _reads("ledger.tasks", "GET /roadmap/tasks", TasksAsked, TaskSheetsTold)
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
SHEET = _reads("ledger.sheet", "GET /roadmap/sheet", NoInput, PlanningSheet)
SET_SHEET = Operation(
    "ledger.set_sheet",
    "PUT /roadmap/sheet",
    With[PlanningSheet],
    PlanningSheet,
    who=DeskAct.PLAN,
    repeated=Repeated.HARMLESS,
    example={
        "document": "planning/1",
        "resources": [{"name": "money", "title": "Funds", "unit": "CNY", "limits": {"p1": 2000000, "p2": 5000000}}],
        "usual": {"money": 400000},
        "candidates": [{"scenario": "scenario:plant/milling", "gives": {"sites": 12}, "must": True}],
        "goals": [
            {"title": {"en": "Sites that use AI", "zh": "应用AI的场点"}, "by": "p1", "of": "sites", "share": 0.7}
        ],
    },
)
WHAT_IF = Operation(
    "ledger.what_if",
    "POST /roadmap/what-if",
    PlanWhatIf,
    PlanTold,
    who=ReadScope.LEDGER,
    repeated=Repeated.HARMLESS,
    example={"potential": 2, "limits": {"money": 120}},
)
PROPOSAL = _reads("ledger.proposal", "GET /roadmap/proposal", NoInput, PlanTold)
PROPOSE = Operation(
    "ledger.propose",
    "POST /roadmap/proposal",
    NoInput,
    PlanTold,
    who=DeskAct.PLAN,
    refuses=frozenset({422}),
    repeated=Repeated.HARMLESS,
)
ADOPT = Operation(
    "ledger.adopt",
    "POST /roadmap/proposal/adopt",
    Adoption,
    RoadmapTold,
    who=DeskAct.PLAN,
    refuses=frozenset({409}),
    repeated=Repeated.HARMLESS,
    example={"title": {"en": "To 2027", "zh": "至2027年"}, "seen": f"sha256:{64 * '0'}"},
)
CLAUSES = Operation("ledger.clauses", "GET /ledger/clauses", NoInput, list[ClauseTold], who=ReadScope.OVERVIEW)
PERIODS = Operation("ledger.periods", "GET /periods", NoInput, list[PeriodClosed], callers=Callers.UNASKED)
PERIOD = Operation("ledger.period", "GET /periods/{period}", OfPeriod, PeriodReport, who=ReadScope.OVERVIEW)
CLOSE_PERIOD = Operation(
    "ledger.close_period",
    "POST /periods",
    PeriodToClose,
    PeriodReport,
    who=DeskAct.PLAN,
    refuses=frozenset({409}),
    repeated=Repeated.HARMLESS,
    location="/api/periods/{given.period}",
    example={"period": "2026-Q3", "income": 1200000, "staff": 38},
)
SIGN_PERIOD = Operation(
    "ledger.sign_period",
    "POST /periods/{period}/signature",
    OfPeriod,
    PeriodClosed,
    who=DeskAct.PLAN,
    repeated=Repeated.HARMLESS,
)
COMPARE_PERIOD = Operation(
    "ledger.compare_period",
    "POST /period-comparisons",
    With[PeriodReport],
    PeriodCompared,
    who=ReadScope.OVERVIEW,
    refuses=frozenset({422}),
    repeated=Repeated.HARMLESS,
    example={
        "document": "period-report/1",
        "base": "pilotbase/0123456789abcdef",
        "period": "2026-Q3",
        "offset": "+08:00",
        "start": "2026-06-30T16:00:00Z",
        "end": "2026-09-30T16:00:00Z",
        "log_size": 0,
        "log_root": "",
        "figures": [],
    },
)
