"""Boards."""

from __future__ import annotations

from pilotbase.documents.subjects import scenario_subject
from pilotbase.operations import board as declared
from pilotbase.worker.bound.binding import does
from pilotbase.worker.trials.boards import board_for

does(declared.SHOW)(lambda caller, asked: board_for(caller.view, scenario_subject(asked.owner, asked.name)))
