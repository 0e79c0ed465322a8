"""The effect on employment: tables, statements, reports of staffing, and sums."""

from __future__ import annotations

from pilotbase.documents.subjects import scenario_subject
from pilotbase.operations import workforce as declared
from pilotbase.roadmap.workforce import (
    report_staffing,
    set_occupations,
    set_sectors,
    state_effect,
    tell_occupation,
    tell_workforce,
)
from pilotbase.worker.operations.binding import does

does(declared.SHOW)(lambda caller, asked: tell_workforce(caller.view, asked))
does(declared.OCCUPATION)(lambda caller, asked: tell_occupation(caller.view, asked.code))
does(declared.SET_OCCUPATIONS)(lambda caller, asked: set_occupations(caller.view, asked.sent))
does(declared.SET_SECTORS)(lambda caller, asked: set_sectors(caller.view, asked.sent))
does(declared.STATE)(
    lambda caller, asked: state_effect(caller.view, scenario_subject(asked.owner, asked.name), asked.sent)
)
does(declared.REPORT)(
    lambda caller, asked: report_staffing(caller.view, scenario_subject(asked.owner, asked.name), asked.sent)
)
