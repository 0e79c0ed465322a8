"""The board of a scenario over the API; a version is submitted by the act ``application.board``."""

from __future__ import annotations

from ninja import Router

from pilotbase.documents.board import SeenBoard
from pilotbase.documents.subjects import scenario_subject
from pilotbase.hub.acting import HubRequest
from pilotbase.hub.api.answers import answers
from pilotbase.hub.api.authentication import MEMBERS
from pilotbase.hub.api.records import Word
from pilotbase.worker.trials.boards import board_for

router = Router(tags=["board"], auth=MEMBERS)


@router.get("/scenarios/{owner}/{name}/board", response=answers(SeenBoard), summary="The board of a scenario")
def read(request: HubRequest, owner: Word, name: Word) -> SeenBoard:
    """Return the board to its owner, the base and suppliers; the standings to those only who are on it."""
    return board_for(request.acting.view, scenario_subject(owner, name))
