"""Employment 就业: what an owner states of occupations, tasks and posts; tables of occupations and sectors; sums.

A base has no table of its own. The operator loads one with its source, and what no table and no statement says is
unknown, never zero. Exposure says how many of an occupation's tasks an application can touch: it is no number of jobs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Annotated, ClassVar, Literal, Self

import pydantic
from pydantic import StringConstraints, model_validator

from pilotbase.documents.api.shapes import ResponseModel
from pilotbase.documents.base import Day, Document, Localized, Note, Part, Sentence
from pilotbase.documents.errors import InputError
from pilotbase.documents.scenario import Region
from pilotbase.documents.subjects import Subject
from pilotbase.documents.texts import Text, text

OccupationCode = Annotated[str, StringConstraints(pattern=r"^(isco-08|soc|cn):[0-9][0-9A-Z.-]{0,14}$")]
"""``isco-08:4132``, ``soc:43-9021.00`` (also O*NET-SOC), or ``cn:4-01-02-03`` of 职业分类大典."""
SectorCode = Annotated[str, StringConstraints(min_length=1, max_length=20)]
Label = Literal["E0", "E1", "E2"] | Annotated[float, pydantic.Field(ge=0, le=1)]
"""Not exposed, directly exposed, exposed with further software; or a score from 0 to 1."""
TaskName = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Rater = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]
Flows = Annotated[tuple[Annotated[float, pydantic.Field(ge=0, le=1e15)], ...], pydantic.Field(max_length=500)]
MOST_REPORTS = 120


class StatedRange(Part):
    """From ``low`` to ``high``, both included."""

    low: float = pydantic.Field(ge=0, le=1e12)
    high: float = pydantic.Field(ge=0, le=1e12)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.low > self.high:
            raise InputError("workforce.bounds", low=f"{self.low:g}", high=f"{self.high:g}")
        return self


class Assumption(StatedRange):
    """A quantity that others are computed from, and where it comes from; without a source it counts as unknown."""

    source: Annotated[str, StringConstraints(max_length=500)] = ""


class WorkAssumptions(Part):
    """What hours and posts are computed from."""

    minutes_per_case: Assumption | None = None
    """Minutes of work that the application saves per case."""
    cases_per_year: Assumption | None = None
    hours_per_year: Assumption | None = None
    """Hours that one person works in a year."""
    share_redeployed: Assumption | None = None
    """Share of the freed hours that goes into other work of the same people, 0 to 1."""

    @model_validator(mode="after")
    def _share_is_one(self) -> Self:
        if self.share_redeployed is not None and self.share_redeployed.high > 1:
            raise InputError("workforce.share", found=f"{self.share_redeployed.high:g}")
        return self


class CreatedPosts(StatedRange):
    """New posts, and who pays for them."""

    payer: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class TouchedOccupation(Part):
    """An occupation whose tasks the application touches; people in ranges, where nothing is said unknown."""

    code: OccupationCode
    people: int | None = pydantic.Field(default=None, ge=0, le=10**10)
    tasks: Annotated[tuple[TaskName, ...], pydantic.Field(max_length=100)] = ()
    """Numbers of tasks in the base's table, or tasks in the owner's words."""
    displaced: StatedRange | None = None
    augmented: StatedRange | None = None
    created: CreatedPosts | None = None


class SectorDemand(Part):
    """What the scenario spends per year on a sector's products, in the unit of the base's table."""

    sector: SectorCode
    amount: StatedRange


class WorkforceStatement(Part):
    """What a scenario's owner states of its effect on employment."""

    region: Region | None = None
    stated_on: Day
    language_model: bool | None = None
    """Whether the application is a language model: most published exposures are about these alone."""
    occupations: Annotated[tuple[TouchedOccupation, ...], pydantic.Field(max_length=100)] = ()
    assumptions: WorkAssumptions = WorkAssumptions.model_construct()
    demand: Annotated[tuple[SectorDemand, ...], pydantic.Field(max_length=200)] = ()
    heard: Annotated[str, StringConstraints(max_length=500)] = ""
    """Who of the people concerned, or of their representatives, saw this before it was stated, and when."""
    note: Note = ""

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        for codes in ([one.code for one in self.occupations], [one.sector for one in self.demand]):
            for code in _twice(codes):
                raise InputError("workforce.twice", found=code)
        return self


class WorkforceEffect(Document, published=True):
    """What is stated of a scenario."""

    document: Literal["workforce-effect/1"] = "workforce-effect/1"
    scenario: Subject
    stated: WorkforceStatement


class StaffingReport(Part):
    """How many people do the work of the stated occupations on a day."""

    day: Day
    people: int = pydantic.Field(ge=0, le=10**10)
    note: Note = ""


class Staffing(Document, published=True):
    """All reports of a scenario's staffing, by day."""

    document: Literal["staffing/1"] = "staffing/1"
    scenario: Subject
    reports: Annotated[tuple[StaffingReport, ...], pydantic.Field(max_length=MOST_REPORTS)] = ()


class OccupationTask(Part):
    """A task of an occupation, as its raters labelled it, in their order."""

    number: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    title: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    core: bool
    """A core task weighs 1; a supplemental one, or one of which this is not known, a half."""
    labels: Annotated[tuple[Label, ...], pydantic.Field(max_length=10)]


class Occupation(Part):
    """An occupation with its tasks."""

    code: OccupationCode
    title: Annotated[str, StringConstraints(min_length=1, max_length=200)] | Localized
    zone: int | None = pydantic.Field(default=None, ge=1, le=5)
    """How much preparation it needs, such as the job zone of O*NET."""
    tasks: Annotated[tuple[OccupationTask, ...], pydantic.Field(min_length=1, max_length=500)]
    published: dict[str, float] = pydantic.Field(default_factory=dict, max_length=30)
    """``rater.measure`` → the exposure that the source itself publishes."""


class OccupationTable(Document, published=True):
    """Occupations and tasks with published labels of exposure, and where they come from."""

    document: Literal["occupations/1"] = "occupations/1"
    times_larger: ClassVar[int] = 16  # tens of thousands of tasks
    source: Sentence
    licence: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    raters: Annotated[tuple[Rater, ...], pydantic.Field(min_length=1, max_length=10)]
    language_models: bool = True
    """Whether the labels are about language models alone."""
    occupations: Annotated[tuple[Occupation, ...], pydantic.Field(min_length=1, max_length=20_000)]

    def _problems(self) -> Iterator[tuple[str, Text]]:
        for code in _twice(one.code for one in self.occupations):
            yield "occupations", text("workforce.twice", found=code)
        for place, one in enumerate(self.occupations):
            for row, task in enumerate(one.tasks):
                if len(task.labels) != len(self.raters):
                    found = {"found": len(task.labels), "needed": len(self.raters)}
                    yield f"occupations[{place}].tasks[{row}].labels", text("workforce.labels", **found)


class IndustrySector(Part):
    """A sector of an input-output table, in the unit of the table."""

    code: SectorCode
    title: Annotated[str, StringConstraints(min_length=1, max_length=200)] | Localized
    output: float = pydantic.Field(gt=0, le=1e15)
    people: float | None = pydantic.Field(default=None, ge=0, le=1e12)
    """How many it employs."""


class SectorTable(Document, published=True):
    """An input-output table of a country or region: what each sector takes from each other."""

    document: Literal["sectors/1"] = "sectors/1"
    times_larger: ClassVar[int] = 4
    source: Sentence
    licence: Annotated[str, StringConstraints(max_length=500)] = ""
    region: Region
    year: int = pydantic.Field(ge=1950, le=2100)
    unit: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    """Such as ``million CNY``."""
    sectors: Annotated[tuple[IndustrySector, ...], pydantic.Field(min_length=1, max_length=500)]
    flows: Annotated[tuple[Flows, ...], pydantic.Field(max_length=500)]
    """Row by row: what the sector of the row delivers to each sector."""

    def _problems(self) -> Iterator[tuple[str, Text]]:
        for code in _twice(one.code for one in self.sectors):
            yield "sectors", text("workforce.twice", found=code)
        if len(self.flows) != len(self.sectors):
            yield "flows", text("workforce.rows", found=len(self.flows), needed=len(self.sectors))
        for place, row in enumerate(self.flows):
            if len(row) != len(self.sectors):
                yield f"flows[{place}]", text("workforce.rows", found=len(row), needed=len(self.sectors))


def _twice(codes: Iterable[str]) -> list[str]:
    return [code for code, times in Counter(codes).items() if times > 1]


class ExposureShare(ResponseModel):
    """One measure of exposure by one rater, over all occupations of the table, unweighted."""

    rater: str
    measure: Literal["alpha", "beta", "gamma"]
    occupations: float
    """Mean over occupations."""
    tasks: float
    """Mean over tasks."""
    tenth: float
    """Share of occupations of which at least a tenth is exposed."""
    half: float


class OccupationsTold(ResponseModel):
    """The table of occupations, its published shares computed again before anything is shown by it."""

    source: str
    licence: str
    language_models: bool
    occupations: int
    tasks: int
    reproduced: int
    """Published values of the source that the same formula gives again; a table with one that differs is refused."""
    shares: list[ExposureShare]
    agree: float | None
    """Share of tasks that the first two raters label alike; None: there is one rater."""
    kappa: float | None


class SectorsTold(ResponseModel):
    """The input-output table."""

    source: str
    region: str
    year: int
    unit: str
    sectors: int


class SharedTask(ResponseModel):
    """A task of one occupation that resembles a task of another."""

    here: str
    there: str
    likeness: float


class RetrainingPath(ResponseModel):
    """Another occupation with tasks like these; a person has to confirm it."""

    code: str
    title: Localized | str
    overlap: float
    """Share of the tasks' weight that has a task like it there."""
    exposure: StatedRange
    shared: list[SharedTask]


class LabelledTask(ResponseModel):
    """A task with its labels, in the order of the raters."""

    number: str
    title: str
    core: bool
    labels: list[str]


class OccupationTold(ResponseModel):
    """An occupation: its tasks, its exposure by rater and measure, and occupations with similar tasks."""

    code: str
    title: Localized | str
    raters: list[str]
    exposure: StatedRange
    """From the least to the most of all raters and measures: their disagreement, no sampling error."""
    by_rater: dict[str, float]
    tasks: list[LabelledTask]
    paths: list[RetrainingPath]
    """Less exposed ones of like preparation, the nearest first; mostly there is none."""


class OccupationEffect(ResponseModel):
    """What is stated of one occupation, and how exposed it is by the base's table."""

    code: str
    title: Localized | str
    people: int | None
    tasks: list[str]
    displaced: StatedRange | None
    augmented: StatedRange | None
    created: StatedRange | None
    exposure: StatedRange | None
    why: Text | None
    """Why no exposure is shown."""


class StaffingTold(ResponseModel):
    """A report of staffing against what was stated."""

    day: str
    people: int | None
    outside: bool | None
    """Whether it lies outside of what was stated; None: nothing to compare with was stated."""


class SectorActivity(ResponseModel):
    """Activity linked upstream to what scenarios spend: gross, at fixed prices and shares; no jobs created."""

    code: str
    title: Localized | str
    output: StatedRange
    people: StatedRange | None
    """Whom this output occupies at today's output per head."""


class EffectTold(ResponseModel):
    """A scenario's effect on employment: what is stated, what follows from it, what was reported since."""

    scenario: str
    title: Localized | str
    owner: str
    region: str | None
    stated_on: str
    heard: str
    people: int | None
    displaced: StatedRange | None
    augmented: StatedRange | None
    created: StatedRange | None
    hours: StatedRange | None
    """Hours of work that the application saves per year, by the assumptions."""
    posts: StatedRange | None
    """The same as full-time posts."""
    displaced_at_most: float | None
    """Posts that are left without hours if all the rest of the freed time is taken away."""
    unknown: list[Text]
    """What is unknown, and which assumption or source is missing."""
    occupations: list[OccupationEffect]
    expected: StatedRange | None
    """Headcount by what was stated."""
    staffing: list[StaffingTold]
    departs: bool
    """Two reports in a row lie outside of what was stated."""


class WorkforceSum(ResponseModel):
    """Sums over scenarios, of what is known; ``unknown`` counts the scenarios that are in no sum."""

    region: str
    """Empty: of all regions, or (of a scenario that states none) unknown."""
    whole: bool
    scenarios: int
    people: int | None
    displaced: StatedRange | None
    augmented: StatedRange | None
    created: StatedRange | None
    posts: StatedRange | None
    unknown: dict[str, int]


class WorkforceTold(ResponseModel):
    """The effect on employment of the scenarios that the caller sees."""

    at: datetime
    occupations: OccupationsTold | None
    sectors: SectorsTold | None
    unstated: int
    """Scenarios under review or open that state nothing."""
    effects: list[EffectTold]
    sums: list[WorkforceSum]
    """All scenarios first, then by region."""
    activity: list[SectorActivity]
    """By sector; empty without an input-output table or without spending."""
