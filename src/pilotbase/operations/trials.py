"""Trials as they go: the queue, what hidden data still hold, candidates side by side, tenders."""

from __future__ import annotations

from typing import Annotated, Any, Generic

from pydantic import StringConstraints

from pilotbase.documents.api.shapes import RequestModel
from pilotbase.documents.api.trials import (
    Budget,
    Comparison,
    EstimateTold,
    OrderedBundle,
    QueuedWork,
    SizePlan,
    SizeTerms,
)
from pilotbase.documents.base import Name
from pilotbase.documents.board import SeenBoard, SeenTender, TenderTerms
from pilotbase.documents.files import File
from pilotbase.documents.hashes import HEX, Digest
from pilotbase.documents.permissions import ReadScope
from pilotbase.documents.subjects import Subject
from pilotbase.operations.matches import OfRecord
from pilotbase.operations.operation import PATH, NoInput, Operation, Repeated, Sent, With


class NewTender(TenderTerms, OfRecord):
    """The terms of a new tender, and its scenario."""


class OfTender(RequestModel):
    """Which tender."""

    tender: Annotated[str, StringConstraints(pattern=f"^{HEX}$"), PATH]


class NewEntry(OfTender):
    """An application that enters a tender."""

    application: Subject


class OfTrial(RequestModel):
    """Which trial."""

    name: Annotated[Name, PATH]


class OfTrialWith(OfTrial, With[Sent], Generic[Sent]):
    """A body about a trial."""


class OfBundle(OfTrial):
    """The bundle of a trial: of its newest report, or of the round whose report is named."""

    report: Digest | None = None
    again: bool = False
    """Whether to pack it anew if that failed before."""


_SCENARIO = "GET /scenarios/{owner}/{name}"
QUEUE = Operation("trials.queue", "GET /queue", NoInput, list[QueuedWork])
ESTIMATE = Operation("trials.estimate", "GET /trials/{name}/estimate", OfTrial, EstimateTold)
BUDGET = Operation("trials.budget", f"{_SCENARIO}/budget", OfRecord, Budget, who=ReadScope.BUDGET)
BOARD = Operation("trials.board", f"{_SCENARIO}/board", OfRecord, SeenBoard, who=ReadScope.BOARD)
COMPARISON = Operation("trials.comparison", f"{_SCENARIO}/comparison", OfRecord, Comparison, who=ReadScope.COMPARISON)
PLAN_SIZE = Operation(
    "trials.plan_size",
    "POST /plan-size",
    SizeTerms,
    SizePlan,
    refuses=frozenset({404}),
    repeated=Repeated.HARMLESS,
    example={"rule": "accuracy >= 0.90", "truth": [0.95], "stop": "fixed", "label_cost": 2},
)
BUNDLE: Operation[OfBundle, Any] = Operation(
    "trials.bundle",
    "GET /trials/{name}/bundle",
    OfBundle,
    File,
    who=ReadScope.BUNDLE,
    refuses=frozenset({403, 409}),
    meanwhile=OrderedBundle,
    media="application/zip",
    location="/api/trials/{asked.name}/bundle?report={given.report}",
)
_OWNER, _TENDER = "owner of the scenario", "/tenders/{tender}"
TENDERS = Operation("trials.tenders", f"{_SCENARIO}/tenders", OfRecord, list[SeenTender], who=ReadScope.BOARD)
OPEN_TENDER = Operation(
    "trials.open_tender",
    "POST /scenarios/{owner}/{name}/tenders",
    NewTender,
    SeenTender,
    only=_OWNER,
    repeated=Repeated.HARMLESS,
    location="/api/tenders/{given.identity}",
    example={"measure": "accuracy", "cases": 2000, "margin": 0.01},
)
TENDER = Operation("trials.tender", f"GET {_TENDER}", OfTender, SeenTender)
ENTER_TENDER = Operation(
    "trials.enter_tender",
    f"POST {_TENDER}/entries",
    NewEntry,
    SeenTender,
    only="suppliers, with their own applications",
    repeated=Repeated.HARMLESS,
    example={"application": "application:acme/forest"},
)
CLOSE_TENDER = Operation(
    "trials.close_tender", f"POST {_TENDER}/close", OfTender, SeenTender, only=_OWNER, repeated=Repeated.HARMLESS
)
