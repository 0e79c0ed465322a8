"""The board of a scenario; a version is submitted by the act ``application.board``."""

from __future__ import annotations

from pilotbase.documents.board import SeenBoard
from pilotbase.documents.permissions import Reading
from pilotbase.operations.matches import OfRecord
from pilotbase.operations.operation import Operation

SHOW = Operation(
    "board.show", "GET /scenarios/{owner}/{name}/board", OfRecord, SeenBoard, who=Reading.BOARD, known_as="read"
)
