"""Matches, and the map of gaps."""

from __future__ import annotations

from pilotbase.documents.subjects import application_subject, scenario_subject
from pilotbase.operations import matches as declared
from pilotbase.worker.matching import draft_of_demand, gap_map, match_document, match_subject
from pilotbase.worker.operations.binding import does

KEPT_SECONDS = 60
"""The map is computed at most once a minute."""

does(declared.GAPS)(lambda caller, asked: caller.remember("gaps", KEPT_SECONDS, lambda: gap_map(caller.view)))
does(declared.SCENARIO)(lambda caller, asked: match_subject(caller.view, scenario_subject(asked.owner, asked.name)))
does(declared.APPLICATION)(
    lambda caller, asked: match_subject(caller.view, application_subject(asked.owner, asked.name))
)
does(declared.SENT_SCENARIO)(lambda caller, asked: match_document(caller.view, asked.sent))
does(declared.SENT_APPLICATION)(lambda caller, asked: match_document(caller.view, asked.sent))
does(declared.DEMAND)(lambda caller, asked: draft_of_demand(caller.view, asked.text))
