"""Watch 监测: what is watched of a service and with which promise; risk warnings, incidents, runbooks.

Warning colour (before), event grade (after) and response level (what we do) are three different fields.
Source of the four colours: 突发事件应对法; of the four grades: 国家网络安全事件报告管理办法.
"""

from __future__ import annotations

from typing import Annotated, Literal

import pydantic
from pydantic import StringConstraints

from pilotbase.documents.base import Document, Moment, Name, Part
from pilotbase.documents.hashes import Digest
from pilotbase.documents.texts import Text
from pilotbase.documents.vocabularies import Colour, Countermeasure, EventGrade, ResponseLevel, Signal

Sentence = Annotated[str, StringConstraints(min_length=1, max_length=4000)]


class WatchedRisk(Part):
    """A criterion of the certificate as a loss in [0, 1]; P(ever red while its conditional mean stays ≤ r0) ≤ alpha."""

    criterion: Sentence
    """The rule as it stands on the certificate."""
    r0: float = pydantic.Field(gt=0, lt=1)
    """Accepted threshold plus tolerance, as a loss."""
    alpha: float = pydantic.Field(default=0.05, gt=0, lt=0.5)
    early: float = pydantic.Field(default=10_000, ge=100)
    """The early stage warns when e-SR reaches this: the mean number of labels to a false one is at least as large."""


class Watch(Document):
    """What is watched of a service. Armed only after a replay over its history."""

    document: Literal["watch/1"] = "watch/1"
    service: Name
    risks: tuple[WatchedRisk, ...] = ()
    unpromised: dict[str, Text] = pydantic.Field(default_factory=dict)
    """Criteria that are not watched with a promise, and why."""
    tolerance: float = pydantic.Field(default=0.02, ge=0, lt=0.5)
    profile: Digest | None = None
    """Reference profile of the inputs; without one there is no drift signal."""
    drift_alarms: float = pydantic.Field(default=1.0, gt=0)
    """Expected false drift alarms in `drift_chunks` quiet chunks, over all columns together."""
    drift_chunks: int = pydantic.Field(default=200, ge=1)
    chunk: int = pydantic.Field(default=1000, ge=100, le=100_000)
    """Cases in a chunk of the input drift."""
    cohort_seconds: int = pydantic.Field(default=86_400, ge=1)
    """Cases of one span of this length are a cohort; it enters whole, when its window for labels has closed."""
    label_seconds: int = pydantic.Field(default=7 * 86_400, ge=0)
    """How long after its end a cohort waits for labels."""
    latency_ms: float | None = pydantic.Field(default=None, gt=0)
    """Latency that the certificate's criterion allows."""
    latency_quantile: float = pydantic.Field(default=0.95, gt=0, lt=1)
    silence_seconds: int = pydantic.Field(default=3600, ge=1)
    armed_at: Moment | None = None


class RiskWarning(Document):
    """Risk warning 风险预警: which signal, how serious, why, and what that promises."""

    document: Literal["risk-warning/1"] = "risk-warning/1"
    service: Name
    signal: Signal
    detector: Sentence
    """Which of the service's detectors: ``risk:<criterion>``, ``drift:<column>``, ``silence``."""
    colour: Colour
    reason: Text
    promise: Text
    """How often a false one of this kind may come, or that nothing is promised."""
    seen_to: int = pydantic.Field(ge=0)
    """How many cases (labels, chunks) the detector had seen."""
    began: Moment
    """Time of the case at which it rose."""
    at: Moment


class RunbookRule(Part):
    """What is done when a signal reaches a colour, and how long that may take."""

    signal: Signal | None = None
    """None: any."""
    colour: Colour
    measures: tuple[Countermeasure, ...] = pydantic.Field(min_length=1)
    within_seconds: int = pydantic.Field(default=60, ge=1)
    incident: bool = False
    grade: EventGrade = EventGrade.GENERAL
    response: ResponseLevel = ResponseLevel.IV
    suspend_certificate: bool = False
    ask_retrial: bool = False


class Runbook(Document):
    """Runbook 预案 of a service: its rules, most serious first; the first that fits is followed."""

    document: Literal["runbook/1"] = "runbook/1"
    name: Name
    rules: tuple[RunbookRule, ...] = pydantic.Field(min_length=1, max_length=50)


class TimelineEntry(Part):
    """One line of an incident's timeline."""

    at: Moment
    what: Text
    person: str | None = None
    """Opaque identifier of who did it; None: the base's own process."""
    document: Digest | None = None


class ReportingClock(Part):
    """Until when somebody must be told: from when it runs, under which rule."""

    clock: Name
    """Name of the clock in its rule book, such as ``operator_to_province``."""
    to: Text
    due: Moment
    done_at: Moment | None = None


class Incident(Document):
    """Incident 事件: what happened, what was done when, who was told; each change is a new version."""

    document: Literal["incident/1"] = "incident/1"
    number: int = pydantic.Field(ge=1)
    service: Name
    warning: Digest
    title: Text
    grade: EventGrade
    response: ResponseLevel
    state: Literal["open", "mitigated", "closed"] = "open"
    timeline: tuple[TimelineEntry, ...] = ()
    clocks: tuple[ReportingClock, ...] = ()
    unknown: tuple[Sentence, ...] = ()
    """What is not known yet: cause, extent, harm."""
    summary: Sentence | None = None
