"""Matches, the map of gaps, and who takes which demand."""

from __future__ import annotations

from pilotbase.catalogue.wording import listed
from pilotbase.documents.api.records import ListedRecord
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.hashes import digest_bytes, hex_of
from pilotbase.documents.matching import Assignment, FollowedRecord
from pilotbase.documents.subjects import (
    Subject,
    application_subject,
    capability_subject,
    demand_subject,
    scenario_subject,
)
from pilotbase.operations import matches as declared
from pilotbase.operations.matches import PlacesAsked
from pilotbase.worker.demands import draft_by, register_demand, sites_of
from pilotbase.worker.matching import (
    assignment,
    gap_map,
    match_document,
    match_subject,
    providers_of,
)
from pilotbase.worker.operations.binding import Caller, does
from pilotbase.workspace.followed import follow, followed, unfollow
from pilotbase.workspace.listings import require_listing

KEPT_SECONDS = 60
"""The map, and each assignment, is computed at most once a minute."""

does(declared.GAPS)(lambda caller, asked: caller.remember("gaps", KEPT_SECONDS, lambda: gap_map(caller.view)))


@does(declared.ASSIGNMENT)
def _assign(caller: Caller, asked: PlacesAsked) -> Assignment:
    said = hex_of(digest_bytes(f"{asked.capacity} {asked.places}".encode()))
    return caller.remember(
        f"assignment-{said}", KEPT_SECONDS, lambda: assignment(caller.view, asked.capacity, asked.capacities)
    )


does(declared.FOLLOWED)(lambda caller, asked: [filled(FollowedRecord, one) for one in followed(caller.view)])
does(declared.FOLLOW)(lambda caller, asked: (follow if asked.follow else unfollow)(caller.view, asked.subject))
does(declared.SCENARIO)(lambda caller, asked: match_subject(caller.view, scenario_subject(asked.owner, asked.name)))
does(declared.REGISTER)(lambda caller, asked: register_demand(caller.view, asked.owner, asked.name, asked.sent))
does(declared.SITES)(lambda caller, asked: _sites(caller, demand_subject(asked.owner, asked.name)))
does(declared.SCENARIO_SITES)(lambda caller, asked: _sites(caller, scenario_subject(asked.owner, asked.name)))


def _sites(caller: Caller, subject: Subject) -> list[ListedRecord]:
    require_listing(caller.view, subject)
    return [listed(one, caller.address_of) for one in sites_of(caller.view, subject)]


does(declared.IN_WORDS)(lambda caller, asked: match_subject(caller.view, demand_subject(asked.owner, asked.name)))
does(declared.APPLICATION)(
    lambda caller, asked: match_subject(caller.view, application_subject(asked.owner, asked.name))
)
does(declared.PROVIDERS)(lambda caller, asked: providers_of(caller.view, scenario_subject(asked.owner, asked.name)))
does(declared.WORDED_PROVIDERS)(
    lambda caller, asked: providers_of(caller.view, demand_subject(asked.owner, asked.name))
)
does(declared.CAPABILITY)(lambda caller, asked: match_subject(caller.view, capability_subject(asked.owner, asked.name)))
does(declared.SENT_SCENARIO)(lambda caller, asked: match_document(caller.view, asked.sent))
does(declared.SENT_APPLICATION)(lambda caller, asked: match_document(caller.view, asked.sent))
does(declared.DEMAND)(lambda caller, asked: draft_by(caller.view, asked.text, asked.by))
