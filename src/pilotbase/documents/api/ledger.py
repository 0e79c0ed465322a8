"""The ledger 台账 of a base as its API, command line and pages show it: figures, spans, costs, targets, map."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pilotbase.documents.api.records import ListedRecord
from pilotbase.documents.api.shapes import ResponseModel
from pilotbase.documents.base import Localized, Name
from pilotbase.documents.planning import GoalReached, ProposedTask, ResourceUse, ScenarioLeftOut
from pilotbase.documents.roadmap import Phase, TaskState
from pilotbase.documents.subjects import Subject
from pilotbase.documents.texts import Text
from pilotbase.documents.vocabularies import Action, Ownership, Role, Sector, Support


class QuartilesTold(ResponseModel):
    """Quartiles: a quarter, half and three quarters of ``count`` values are at most this much."""

    low: float
    middle: float
    high: float
    count: int


class StepSpanTold(ResponseModel):
    """A step with everyone who has begun it: ``taken + open + ended`` in all; nobody is left out."""

    step: str
    taken: int
    open: int
    """Still at this step: their days so far are a lower bound."""
    ended: int
    """They have dropped out and won't take this step."""
    days: QuartilesTold | None
    """Days of those that took it; on their own they look too quick."""
    half_after: float | None
    """Days until half of all that began it had taken it; open ones count as censored (Kaplan and Meier)."""
    longest_open: float | None


class CostTold(ResponseModel):
    """What is known about the cost of a step; ``kind`` unknown: nothing is metered or agreed there."""

    step: str
    kind: Literal["price", "cpu", "unknown"]
    unit: str
    """A currency, or ``s`` of CPU time; empty if unknown."""
    known: int
    unknown: int
    """Trials that passed the step and whose cost is unknown."""
    amount: QuartilesTold | None


class AimTold(ResponseModel):
    """A target of a year or a phase, with what was reached of it."""

    year: int | None
    phase: str | None
    figure: str
    sector: Sector | None
    action: Action | None
    number: int
    reached: int
    share: float
    """``reached`` as a share of ``number``; more than 1 if the target is exceeded."""


class LedgerTold(ResponseModel):
    """The ledger of what the caller sees: of the whole base, or (``owner``) of what belongs to one organisation."""

    at: datetime
    year: int
    owner: str
    counts: dict[str, int]
    this_year: dict[str, int]
    spans: list[StepSpanTold]
    costs: list[CostTold]
    targets: list[AimTold]
    phases: list[AimTold]


FunnelStage = Literal["seen", "opened", "contacted", "room", "kit", "rehearsal", "trial", "certificate", "service"]
"""From a first look to use, in order; names: text ``funnel.<value>``."""


class StageReached(ResponseModel):
    """How many pairs of a demand and a supplier have come to a stage."""

    stage: FunnelStage
    recorded: int
    """With a record of this very stage: one may be passed over."""
    reached: int
    """With a record of it or of a later one."""
    sites: int
    """Of the demands of these: each counts its owner and those who have joined it."""


class FunnelPart(ResponseModel):
    """The stages of one sector, or of the pairs that met first in one quarter (``2026-3``)."""

    name: str
    stages: list[StageReached]


class FunnelTold(ResponseModel):
    """Pairs of a demand and a supplier, from a first look to use: in all, by sector, by the quarter they met in."""

    at: datetime
    stages: list[StageReached]
    by_sector: list[FunnelPart]
    """The largest first."""
    by_cohort: list[FunnelPart]
    """The newest first."""


class CellTold(ResponseModel):
    """One cell of the map; an empty action or support means scenarios that name none."""

    action: Action | Literal[""]
    support: Support | Literal[""]
    opened: int
    """Scenarios that were ever opened."""
    certified: int
    """Trials that led to a certificate."""
    in_use: int
    """Services that answer now."""


class MapTold(ResponseModel):
    """Six actions × eight supports, row by row; a scenario with two supports is in two cells of its row."""

    at: datetime
    owner: str
    cells: list[CellTold]


class RungTold(ResponseModel):
    """Scenarios of equal worth: they tie under all weights."""

    rank: int
    score: float
    potential: int
    maturity: int
    driving_effect: int
    scenarios: int
    passed_after: float | None
    """Smallest share of the weight that must move before a lower rung passes it; None: no weights do that."""
    crosses_after: float | None
    """Smallest share of the weight that must move before it leaves or enters the top."""
    in_top: float
    """Share of all weights under which it is in the top."""


class DrivenTold(ResponseModel):
    """What a scenario supplies to another one; without shared things it does so through others."""

    scenario: str
    title: Localized | str
    amount: float
    shared: list[Text]


class DrivingTold(ResponseModel):
    """The driving effect of a scenario: as its owner stated it, and as what it shares with others shows it."""

    scenario: str
    stated: int
    shown: int
    effect: float
    """In grades of potential that others still have to gain."""
    largest: list[DrivenTold]


class PotentialRanked(ResponseModel):
    """The potential of a ranked scenario: as its owner stated it, and between which grades reviewers scored it."""

    scenario: str
    stated: int
    lowest: int
    median: int
    highest: int
    best: int
    """Its rank with the highest score, all else being equal."""
    worst: int
    """Its rank with the lowest score."""


class ScoreOfPotential(ResponseModel):
    """An opened score, without its reviewer."""

    potential: int
    words: str


class PotentialTold(ResponseModel):
    """What reviewers make of a scenario's potential; scores are sealed until the last one is in."""

    scenario: str
    received: int
    """Scores of the present version."""
    needed: int
    own: int | None
    """The caller's own score of the present version."""
    scores: list[ScoreOfPotential]
    """Opened, in ascending order; of the newest version of which all scores are in."""
    is_present: bool | None
    """Whether the opened scores are of the present version; None: none are opened."""


class FlipTold(ResponseModel):
    """Two rungs, each as potential, maturity, driving effect, and what each criterion gains or loses until they tie."""

    above: tuple[int, int, int]
    below: tuple[int, int, int]
    shift: float
    moved: tuple[float, float, float]


class RankingTold(ResponseModel):
    """Scenarios that are under review or open, ranked; those without a stated worth have no rank."""

    weights: tuple[int, int, int]
    """Potential, maturity, driving effect: parts of their sum."""
    top: int
    top_holds_for: float | None
    """Share of the weight that can move before the top changes; None: no weights change it."""
    unrated: int
    by_records: int
    """Scenarios whose records say another maturity than their owner stated."""
    rungs: list[RungTold]
    scenarios: list[ListedRecord]
    """Scenarios of the rungs that reach into the top, the newest of a rung first."""
    driving: list[DrivingTold]
    """Of the same scenarios, in their order."""
    potentials: list[PotentialRanked]
    """Of those of them that reviewers have scored."""
    within: float
    flips: list[FlipTold]


class TaskTold(ResponseModel):
    """A task of the roadmap, how far its scenario has come by the ledger, and the suggested change."""

    phase: Phase
    scenario: str
    start: str
    end: str
    resources: Localized | str | None
    state: TaskState
    is_late: bool
    suggested_end: str | None
    """A later day; if there is a reason but no day, the suggestion is to remove the task."""
    suggested_phase: Phase | None
    reason: Text | None
    """Why a change is suggested; None: no change is."""


class RoadmapTold(ResponseModel):
    """The roadmap as the caller sees it: all of it, or the tasks of one demand owner."""

    at: datetime
    title: Localized | str
    tasks: list[TaskTold]


class NeedTold(ResponseModel):
    """What a task uses of a resource."""

    title: Localized | str
    amount: float
    unit: str


class NextTold(ResponseModel):
    """What waits to be done for a task, and for whom; an empty organisation means any with the role."""

    act: str
    role: str
    organisation: str
    due: datetime | None


class TaskSheetTold(TaskTold):
    """A task with what it needs, gives and waits for, and what is to be done next by whom."""

    title: Localized | str
    owner: str
    needs: list[NeedTold]
    gives: dict[str, float]
    """Quantity → what it adds to the goals of the plan."""
    after: list[str]
    """Scenarios that come before it or in the same phase, as far as the caller sees them."""
    next: list[NextTold]


class TaskSheetsTold(ResponseModel):
    """Task sheets of the roadmap that stands, in its order."""

    at: datetime
    title: Localized | str
    sheets: list[TaskSheetTold]


class PlanTold(ResponseModel):
    """A plan that the planner proposes, beside the roadmap in force."""

    digest: str
    """What an adoption names: the proposal that was looked at."""
    at: datetime
    outcome: Literal["proposed", "unchanged", "infeasible"]
    can_adopt: bool
    """False: there is no plan, or another roadmap stands by now."""
    moved: int
    """Tasks of the roadmap in force that change their phase or are dropped."""
    fresh: int
    """Scenarios that the roadmap in force does not have."""
    value: float
    """In scenarios of mean value, less what missed goals and changes cost."""
    present: float | None
    """The same of the roadmap in force, by today's records."""
    bound: float
    """No plan is worth more."""
    gap: float
    solver: str
    unrated: int
    tasks: list[ProposedTask]
    left_out: list[ScenarioLeftOut]
    resources: list[ResourceUse]
    goals: list[GoalReached]
    relaxations: list[Text]
    because: list[Text]
    """What has happened since the proposal before."""


ClauseStatus = Literal["shown", "partly", "not", "not_applicable", "no_record"]
"""How far the records of a base show a clause; names: text ``clause.status.<value>``."""


class ClauseEvidence(ResponseModel):
    """A count that shows a clause."""

    name: str
    count: int
    is_figure: bool
    """Whether it is a figure of the ledger, which leads to its records."""


class ClauseTold(ResponseModel):
    """A clause of a policy, with what the base has done of it."""

    clause: str
    source: str
    place: str
    words: Localized
    duty: Role
    since: str | None
    status: ClauseStatus
    once: str | None
    evidence: list[ClauseEvidence]


class PeriodClosed(ResponseModel):
    """A closed period and the digest of its report, by which anybody knows the file they were given."""

    period: str
    digest: str
    closed_at: datetime
    signed_at: datetime | None = None
    """When a second person has signed it."""


class PeriodCompared(ResponseModel):
    """That a report recounts, and that its records are those of this base."""

    period: str
    digest: str
    figures: int
    records: int
    is_closed_report: bool | None
    """Whether this base closed the period with this very report; None: no base was asked."""


class MedianTold(ResponseModel):
    """The middle of some values, and how many there are."""

    value: float
    count: int


class PublicFigures(ResponseModel):
    """What anyone may know about a base."""

    open_scenarios: int
    certificates: dict[str, int]
    """Status (valid, suspended, expired, revoked) → certificates with the verdict accept."""
    days: dict[str, MedianTold]
    """Step from demand to use → days, for certified trials; a step with too few trials is left out."""
    days_in_all: MedianTold | None
    prices: dict[str, MedianTold]
    """Currency → price of a trial."""
    fewest_trials: int
    """A median is shown from this many trials …"""
    fewest_parties: int
    """… by this many demand owners and this many suppliers."""


class TargetTold(ResponseModel):
    """A target of the year, with what was reached of it."""

    figure: str
    sector: str | None
    action: str | None
    number: int
    reached: int


class OverviewTold(ResponseModel):
    """Counts of everything that the caller can see; targets for operator and regulator only."""

    at: datetime
    year: int
    counts: dict[str, int]
    """Figure → so far, or now."""
    this_year: dict[str, int]
    by_sector: dict[str, dict[str, int]]
    by_action: dict[str, dict[str, int]]
    days: dict[str, MedianTold]
    days_in_all: MedianTold | None
    prices: dict[str, MedianTold]
    late: int
    queued: int
    targets: list[TargetTold]


OpennessFactName = Literal["data", "terms", "answer", "outside", "verdicts", "second", "open_days"]
"""Names: text ``openness.name.<value>``; how to raise it: ``openness.raise.<value>``."""


class OpennessFact(ResponseModel):
    """One fact on how open a scenario is, with its points."""

    name: OpennessFactName
    points: float
    most: int
    fact: Text
    known: bool = True
    """What is not known gives no points."""


class OpennessTold(ResponseModel):
    """How open a scenario is, by facts."""

    scenario: Subject
    title: Localized | str
    owner: Name
    score: int | None
    """0 to 100; None: too early, with fewer than three proposals."""
    facts: tuple[OpennessFact, ...]
    next: OpennessFactName | None
    """The fact that would add most; None: all points are earned."""
    proposals: int
    """All of them, those given up too."""
    unanswered: int


class OwnerOpenness(ResponseModel):
    """How open the open scenarios of one owner are."""

    owner: Name
    ownership: Ownership | None
    """None: not stated."""
    scenarios: int
    score: float | None
    """Median of the scenarios that have a score."""
    trials: int
    outside: int
    """Trials with suppliers that have no tie to the owner."""
    outside_lower: float
    """Lower bound of their share (95 %, Wilson)."""
    unanswered: int


class OpennessTable(ResponseModel):
    """Open scenarios and their owners, the most open first."""

    scenarios: tuple[OpennessTold, ...]
    owners: tuple[OwnerOpenness, ...]
