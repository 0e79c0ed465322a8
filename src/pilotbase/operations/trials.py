"""Trials as they go: the queue, what hidden data still hold, candidates side by side."""

from __future__ import annotations

from typing import Annotated

from pilotbase.documents.api.shapes import RequestModel
from pilotbase.documents.api.trials import Budget, Comparison, EstimateTold, QueuedWork
from pilotbase.documents.base import Name
from pilotbase.documents.board import SeenBoard
from pilotbase.documents.permissions import ReadScope
from pilotbase.operations.matches import OfRecord
from pilotbase.operations.operation import PATH, NoInput, Operation


class OfTrial(RequestModel):
    """Which trial."""

    name: Annotated[Name, PATH]


_SCENARIO = "GET /scenarios/{owner}/{name}"
QUEUE = Operation("trials.queue", "GET /queue", NoInput, list[QueuedWork])
ESTIMATE = Operation("trials.estimate", "GET /trials/{name}/estimate", OfTrial, EstimateTold)
BUDGET = Operation("trials.budget", f"{_SCENARIO}/budget", OfRecord, Budget, who=ReadScope.BUDGET)
BOARD = Operation("trials.board", f"{_SCENARIO}/board", OfRecord, SeenBoard, who=ReadScope.BOARD)
COMPARISON = Operation("trials.comparison", f"{_SCENARIO}/comparison", OfRecord, Comparison, who=ReadScope.COMPARISON)
