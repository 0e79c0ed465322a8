"""Watch 监测: what is watched about a service and with which promise; risk warnings, incidents, runbooks; reference.

Warning colour (before), event grade (after) and response level (what we do) are three different fields.
Source of the four colours: 突发事件应对法; of the four grades: 国家网络安全事件报告管理办法.

A reference profile 参考画像 says how the inputs were distributed when the application was proven, column by column.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

import pydantic
from pydantic import ConfigDict, StringConstraints, model_validator

from pilotbase.documents.base import Document, Localized, Moment, Name, Note, Part, Sentence
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.texts import Text
from pilotbase.documents.vocabularies import Colour, Countermeasure, EventGrade, RedBy, ResponseLevel, Signal

LONGEST_DAYS = 3660
Count = Annotated[int, pydantic.Field(ge=0)]
Factor = Annotated[float, pydantic.Field(gt=0, le=12, strict=False)]
Season = Annotated[tuple[Factor, ...], pydantic.Field(max_length=12)]
"""How much the accepted risk is multiplied by: seven factors, Monday first, or twelve, January first; none: always 1.

Their mean is at most 1, so that over the season no more than the accepted risk is allowed.
"""
_SEASONS = (0, 7, 12)


def check_season(season: tuple[float, ...]) -> tuple[float, ...]:
    """Return ``season`` if it is one; raises `InputError`."""
    if len(season) not in _SEASONS or sum(season) > len(season) + 1e-9:
        mean = sum(season) / max(len(season), 1)
        raise InputError("watching.no_season", count=len(season), mean=f"{mean:.4g}")
    return season


class WatchedRisk(Part):
    """A criterion of the certificate as a loss in [0, 1]; P(ever red while its conditional mean stays ≤ r0) ≤ alpha."""

    criterion: Sentence
    """The rule as written on the certificate."""
    r0: float = pydantic.Field(gt=0, lt=1)
    """Accepted threshold plus tolerance, as a loss."""
    alpha: float = pydantic.Field(default=0.05, gt=0, lt=0.5)
    early: float = pydantic.Field(default=10_000, ge=100)
    """The early stage warns when e-SR reaches this: the mean number of labels to a false one is at least this large."""
    red_by: RedBy = RedBy.CASE
    periods: int = pydantic.Field(default=365, ge=1)
    """How many periods the certificate had left when the watch was prepared: red by period is spread over them."""


class Watch(Document, published=True):
    """What is watched about a service. Armed only after a replay over its history."""

    document: Literal["watch/1"] = "watch/1"
    service: Name
    certificate: Digest | None = None
    """The issued certificate whose promise is watched; None: for an endpoint without one, nothing is promised."""
    version: Digest | None = None
    """The watched application: answers of others are no evidence about its risk."""
    risks: tuple[WatchedRisk, ...] = ()
    unpromised: dict[str, Text] = pydantic.Field(default_factory=dict)
    """Criteria watched without a promise, and why."""
    tolerance: float = pydantic.Field(default=0.02, ge=0, lt=0.5)
    profile: Digest | None = None
    """Reference profile of the inputs; without one there is no drift signal."""
    drift_alarms: float = pydantic.Field(default=1.0, gt=0)
    """Expected false drift alarms in `drift_chunks` quiet chunks, over all columns together."""
    drift_chunks: int = pydantic.Field(default=200, ge=1)
    chunk: int = pydantic.Field(default=1000, ge=100, le=100_000)
    """Cases in a chunk of the input drift."""
    cohort_seconds: int = pydantic.Field(default=86_400, ge=1)
    """Cases within one span of this length form a cohort; it enters whole once its window for labels has closed."""
    unit: Sentence | None = None
    """The input whose values are the units; the losses of a unit within a span then count as one, their mean."""
    season: Annotated[Season, pydantic.AfterValidator(check_season)] = ()
    audit_labels: int | None = pydantic.Field(default=None, ge=1)
    """How many cases of each cohort are drawn to be labelled, the only ones that red reads; None: it reads all."""
    label_seconds: int = pydantic.Field(default=7 * 86_400, ge=0)
    """How long after its end a cohort waits for labels."""
    latency_ms: float | None = pydantic.Field(default=None, gt=0)
    """Latency allowed by the certificate's criterion."""
    latency_quantile: float = pydantic.Field(default=0.95, gt=0, lt=1)
    contract_share: float = pydantic.Field(default=0.01, gt=0, lt=1)
    """The share of cases that may break the data contract before there is a warning."""
    silence_seconds: int = pydantic.Field(default=3600, ge=1)
    availability: float | None = pydantic.Field(default=None, gt=0, lt=1)
    """Promised share of a day's calls answered in time; None: no promise. Outages are reported in any case."""
    error_share: float | None = pydantic.Field(default=None, gt=0, lt=1)
    """Promised: at most this share of a day's calls fail."""
    hand_over_share: float | None = pydantic.Field(default=None, gt=0, lt=1)
    """Promised: at most this share of a day's calls are handed over to a person."""
    keep_days: int = pydantic.Field(default=365, ge=1, le=3660)
    """How long observations and labels are kept: they may be personal."""
    armed_at: Moment | None = None
    """None: in preparation, or disarmed."""


class WatchTerms(Part):
    """What an operator may choose for a watch; the certificate determines the rest."""

    model_config = ConfigDict(strict=True)  # yes is no number

    tolerance: float = pydantic.Field(default=0.02, ge=0, lt=0.5)
    """How much worse than accepted is tolerated without an alarm."""
    alpha: float = pydantic.Field(default=0.05, gt=0, lt=0.5)
    """P(ever a false red warning), over all criteria together."""
    early: float = pydantic.Field(default=10_000, ge=100, le=1e9)
    """Mean number of labels to a false early warning, over all criteria together."""
    drift_alarms: float = pydantic.Field(default=1.0, gt=0, le=1000)
    drift_chunks: int = pydantic.Field(default=200, ge=1, le=1_000_000)
    chunk: int = pydantic.Field(default=1000, ge=100, le=100_000)
    cohort_seconds: int = pydantic.Field(default=86_400, ge=1, le=LONGEST_DAYS * 86_400)
    red_by: RedBy = pydantic.Field(default=RedBy.PERIOD, strict=False)
    """What counts as one piece of evidence for red."""
    unit: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    """An input whose values are the units (patient, machine); their cases belong together."""
    season: Annotated[Season, pydantic.Field(strict=False), pydantic.AfterValidator(check_season)] = ()
    audit_labels: int | None = pydantic.Field(default=None, ge=1, le=10_000)
    """None: red reads every case, and those without a label count as correct."""
    label_seconds: int = pydantic.Field(default=7 * 86_400, ge=0, le=LONGEST_DAYS * 86_400)
    latency_ms: float | None = pydantic.Field(default=None, gt=0, le=1e9)
    """None: as in the certificate's criterion, if it has one."""
    latency_quantile: float = pydantic.Field(default=0.95, ge=0.01, le=0.9999)
    contract_share: float = pydantic.Field(default=0.01, gt=0, lt=1)
    silence_seconds: int = pydantic.Field(default=3600, ge=1, le=LONGEST_DAYS * 86_400)
    availability: float | None = pydantic.Field(default=None, ge=0.01, le=0.99999)
    error_share: float | None = pydantic.Field(default=None, ge=0.0001, le=0.99)
    hand_over_share: float | None = pydantic.Field(default=None, ge=0.0001, le=0.99)
    keep_days: int = pydantic.Field(default=365, ge=1, le=LONGEST_DAYS)


class ReplayedTurn(Part):
    """A colour that a detector would have taken."""

    detector: Sentence
    signal: Signal
    colour: Colour
    reason: Text
    seen: int = pydantic.Field(ge=0)
    began: Moment


class Dependence(Part):
    """How strongly losses of one period, or of one unit, depend on each other in the history that a replay has read."""

    criterion: Sentence
    of: RedBy
    """Whether within a period or within a unit."""
    blocks: int = pydantic.Field(ge=2)
    cases: int = pydantic.Field(ge=2)
    factor: float = pydantic.Field(ge=0)
    """Variance of the blocks' means over that of independent cases; 1: they are independent."""
    beyond_chance: bool
    """Whether independent cases would reach it in fewer than one replay in a thousand."""


class AuditDelay(Part):
    """About how long red takes with so many labels a period if the loss is so many times what is accepted."""

    labels: int = pydantic.Field(ge=1)
    times: float = pydantic.Field(gt=1)
    periods: int | None = None
    """None: longer than the certificate has left."""


class Replay(Document, published=True):
    """What a watch would have reported on the data the base already has: a watch can only be armed on this."""

    document: Literal["watch-replay/1"] = "watch-replay/1"
    service: Name
    watch: Digest
    source: Literal["history", "public_sample", "nothing"]
    cases: int = pydantic.Field(ge=0)
    cohorts: int = pydantic.Field(ge=0)
    entered: int = pydantic.Field(default=0, ge=0)
    """Answered cases of those cohorts."""
    labelled: int = pydantic.Field(default=0, ge=0)
    """How many of them have a readable label."""
    turns: Annotated[tuple[ReplayedTurn, ...], pydantic.Field(max_length=1000)] = ()
    turned: int = pydantic.Field(default=0, ge=0)
    """Total number of colour changes; the first are shown."""
    cautions: tuple[Text, ...] = ()
    dependence: tuple[Dependence, ...] = ()
    delays: tuple[AuditDelay, ...] = ()
    at: Moment


class RiskWarning(Document, published=True):
    """Risk warning 风险预警: which signal, how serious, why, and with which promise."""

    document: Literal["risk-warning/1"] = "risk-warning/1"
    service: Name
    signal: Signal
    detector: Sentence
    """The service's detector: ``risk:<criterion>``, ``drift:<column>``, ``silence``, ``availability``."""
    colour: Colour
    reason: Text
    promise: Text
    """How often false warnings of this kind may occur, or that nothing is promised."""
    seen_to: int = pydantic.Field(ge=0)
    """How many cases (labels, chunks) the detector had seen."""
    excess: float | None = pydantic.Field(default=None, ge=0)
    """Of a risk: about how many more wrong answers a day than accepted; None: not known."""
    began: Moment
    """Time of the case at which it rose."""
    at: Moment


class Acknowledgement(Document, published=True):
    """A person has seen a risk warning and is handling it."""

    document: Literal["acknowledgement/1"] = "acknowledgement/1"
    service: Name
    warning: Digest
    person: str | None = None
    """Opaque identifier; None: on the base's own command line."""
    note: Annotated[str, StringConstraints(max_length=2000)] = ""
    at: Moment


class Silence(Document, published=True):
    """A detector's notices are not sent for a time. Only notices are muted: detectors continue, warnings remain."""

    document: Literal["silence/1"] = "silence/1"
    service: Name
    detector: Sentence | None = None
    """None: all detectors of the service."""
    reason: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    until: Moment
    person: str | None = None
    at: Moment


class RunbookRule(Part):
    """What is done when a signal reaches a colour, and within which time."""

    signal: Signal | None = None
    """None: any."""
    colour: Colour
    """The least serious colour that it applies to."""
    measures: tuple[Countermeasure, ...] = pydantic.Field(min_length=1)
    within_seconds: int = pydantic.Field(default=60, ge=1)
    """Time from the warning to the last measure."""
    incident: bool = False
    grade: EventGrade = EventGrade.GENERAL
    """Proposed for the incident until a person sets it."""
    response: ResponseLevel = ResponseLevel.IV
    suspend_certificate: bool = False
    confirm_below: float = pydantic.Field(default=0, ge=0)
    """If a warning is about fewer more wrong answers a day than this, a person confirms before the suspension."""
    ask_retrial: bool = False


class Runbook(Document, published=True):
    """Runbook 预案 of a service: its rules, most serious first; the first that matches applies."""

    document: Literal["runbook/1"] = "runbook/1"
    service: Name
    rules: tuple[RunbookRule, ...] = pydantic.Field(min_length=1, max_length=50)
    book: Name = "cn-network-security-2025"
    """The rules for reporting incidents (`ClockBook`)."""
    reporter: Name = "other_operator"
    """Which of the book's kinds of reporter the service's operator is."""


class TimelineEntry(Part):
    """One line of an incident's timeline."""

    at: Moment
    what: Text
    said: Note = ""
    """In the words of the person who did it."""
    organisation: Name
    person: str | None = None
    """Opaque identifier of the person who did it; None: the base's own process, or the command line."""
    document: Digest | None = None
    clock: Name | None = None
    """The reporting clock that it is about."""
    corrects: int | None = pydantic.Field(default=None, ge=1)
    """Number of the line that this one corrects; the corrected line stays."""
    request: Digest | None = None
    """Identifies the request that added it, if the sender may send it again."""


class ReportingClock(Part):
    """A reporting deadline: when its clock started, and under which rule."""

    clock: Name
    """Name of the clock in its rule book, such as ``operator_to_province``."""
    book: Name
    to: Localized
    began: Moment
    due: Moment
    done_at: Moment | None = None
    done_by: str | None = None
    """Opaque identifier of the person who has marked it as reported; None: the command line."""


class Incident(Document, published=True):
    """Incident 事件: what happened, what was done when, who was informed; each change is a new version."""

    document: Literal["incident/1"] = "incident/1"
    number: int = pydantic.Field(ge=1)
    service: Name
    owner: Name
    """Owner of the service."""
    warning: Digest
    title: Text
    colour: Colour
    """Colour of the risk warning it was opened for, regardless of the warning's outcome."""
    grade: EventGrade
    response: ResponseLevel
    graded_at: Moment | None = None
    """When a person set grade and response level; None: they are the runbook's proposal."""
    state: Literal["open", "mitigated", "closed"] = "open"
    known_at: Moment
    """When the base learnt of it, that is, when its warning was raised."""
    opened_at: Moment
    handled_at: Moment | None = None
    """When it was mitigated, or otherwise closed."""
    book: Name
    reporter: Name
    timeline: tuple[TimelineEntry, ...] = ()
    clocks: tuple[ReportingClock, ...] = ()
    unknown: tuple[Sentence, ...] = ()
    """What is not known yet: cause, extent, harm."""
    summary: Sentence | None = None
    drill: bool = False
    """Whether it was an exercise."""

    @property
    def documents(self) -> frozenset[Digest]:
        """Return its warning, and what its timeline names."""
        return frozenset([self.warning, *(line.document for line in self.timeline if line.document is not None)])


class Drill(Document, published=True):
    """A drill of a service: its runbook's steps for a red risk warning are decided and timed."""

    document: Literal["drill/1"] = "drill/1"
    service: Name
    for_real: bool = False
    """Whether the service's standing really changes, which a person must undo; else the steps are only reported."""
    at: Moment


class Reporter(Part):
    """A kind of operator that the rule distinguishes."""

    name: Name
    title: Localized


class ClockRule(Part):
    """One time limit."""

    clock: Name
    reporters: tuple[Name, ...] = pydantic.Field(min_length=1)
    """Whom it binds."""
    to: Localized
    minutes: int = pydantic.Field(ge=1)
    least: EventGrade
    """The lowest grade that must be reported."""
    runs_from: Literal["discovery", "report", "handling"]
    """Start of the clock: when the incident was known, another report was made, or it was handled."""
    after: Name | None = None
    """The clock whose report starts this one; it comes earlier in the book."""

    @model_validator(mode="after")
    def _names_what_it_follows(self) -> Self:
        if (self.runs_from == "report") != (self.after is not None):
            raise InputError("incident.clock_after", clock=self.clock)
        return self


class ClockBook(Document, published=True):
    """The time limits of one rule of one country."""

    document: Literal["clock-book/1"] = "clock-book/1"
    name: Name
    title: Localized
    source: Localized
    """Where it is published, and what of it was not seen in the original."""
    reporters: tuple[Reporter, ...] = pydantic.Field(min_length=1)
    clocks: tuple[ClockRule, ...] = pydantic.Field(min_length=1)

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        reporters = {reporter.name for reporter in self.reporters}
        earlier: set[str | None] = {None}
        for rule in self.clocks:
            unknown = [*({*rule.reporters} - reporters), *({rule.after} - earlier)]
            if unknown:
                raise InputError("incident.clock_unknown_name", clock=rule.clock, names=sorted(map(str, unknown)))
            earlier.add(rule.clock)
        return self


class NumericColumn(Part):
    """Counts of numbers between fixed edges: cell j holds edges[j-1] < x ≤ edges[j], the outer two take the rest."""

    kind: Literal["numeric"] = "numeric"
    edges: tuple[float, ...] = pydantic.Field(max_length=100)
    counts: tuple[Count, ...]
    missing: Count = 0
    unreadable: Count = 0
    """Entries that aren't numbers."""

    @model_validator(mode="after")
    def _edges_rise(self) -> Self:
        rising = all(low < high for low, high in zip(self.edges, self.edges[1:], strict=False))
        if not rising or len(self.counts) != len(self.edges) + 1:
            raise InputError("detector.profile_edges", edges=len(self.edges), counts=len(self.counts))
        return self

    @property
    def rows(self) -> int:
        return sum(self.counts) + self.missing + self.unreadable


class CategoryColumn(Part):
    """Counts of words; if there are many different ones, only the most frequent are named."""

    kind: Literal["category"] = "category"
    counts: dict[str, Count] = pydantic.Field(max_length=10_000)
    other: Count = 0
    """Rows of categories that are not named; if there are any, a new category can't be distinguished from them."""
    missing: Count = 0

    @property
    def rows(self) -> int:
        return sum(self.counts.values()) + self.other + self.missing


ProfiledColumn = Annotated[NumericColumn | CategoryColumn, pydantic.Field(discriminator="kind")]


class ReferenceProfile(Document, published=True):
    """What drift is measured against; made from a public sample, so it may be shown under that sample's terms."""

    document: Literal["reference-profile/1"] = "reference-profile/1"
    rows: int = pydantic.Field(ge=1)
    columns: dict[str, ProfiledColumn] = pydantic.Field(min_length=1, max_length=10_000)
    source: Digest | None = None
    """The dataset it was made from."""

    @model_validator(mode="after")
    def _every_row_in_every_column(self) -> Self:
        for name, column in self.columns.items():
            if column.rows != self.rows:
                raise InputError("detector.profile_rows", column=name, found=column.rows, rows=self.rows)
        return self
