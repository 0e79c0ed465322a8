"""Matches, the map of gaps, and who takes which demand."""

from __future__ import annotations

from pilotbase.documents.hashes import digest_bytes, hex_of
from pilotbase.documents.matching import Assignment, FollowedRecord
from pilotbase.documents.subjects import application_subject, scenario_subject
from pilotbase.operations import matches as declared
from pilotbase.operations.matches import PlacesAsked
from pilotbase.worker.matching import (
    assignment,
    draft_of_demand,
    gap_map,
    match_document,
    match_subject,
)
from pilotbase.worker.operations.binding import Caller, does
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.followed import follow, followed, unfollow
from pilotbase.workspace.listings import find_listing, find_listings
from pilotbase.workspace.store import View

KEPT_SECONDS = 60
"""The map, and each assignment, is computed at most once a minute."""

does(declared.GAPS)(lambda caller, asked: caller.remember("gaps", KEPT_SECONDS, lambda: gap_map(caller.view)))


@does(declared.ASSIGNMENT)
def _assign(caller: Caller, asked: PlacesAsked) -> Assignment:
    said = hex_of(digest_bytes(f"{asked.capacity} {asked.places}".encode()))
    return caller.remember(
        f"assignment-{said}", KEPT_SECONDS, lambda: assignment(caller.view, asked.capacity, asked.capacities)
    )


def follow_matches(view: View, subject: str, on: bool) -> None:
    """Notify the person of ``view`` of new matches of ``subject``, or no longer; raises as `match_subject`."""
    if not on:
        unfollow(view, subject)
    elif find_listing(view, subject) is None:
        raise NotFoundError("record.not_found", subject=subject)
    else:
        follow(view, subject)


def followed_matches(view: View) -> list[FollowedRecord]:
    """Return the records whose new matches the person of ``view`` follows, those that they still see."""
    listings = find_listings(view, followed(view))
    return [FollowedRecord(subject=one.subject, title=one.title) for one in listings.values()]


does(declared.FOLLOWED)(lambda caller, asked: followed_matches(caller.view))
does(declared.FOLLOW)(lambda caller, asked: follow_matches(caller.view, asked.subject, asked.follow))
does(declared.SCENARIO)(lambda caller, asked: match_subject(caller.view, scenario_subject(asked.owner, asked.name)))
does(declared.APPLICATION)(
    lambda caller, asked: match_subject(caller.view, application_subject(asked.owner, asked.name))
)
does(declared.SENT_SCENARIO)(lambda caller, asked: match_document(caller.view, asked.sent))
does(declared.SENT_APPLICATION)(lambda caller, asked: match_document(caller.view, asked.sent))
does(declared.DEMAND)(lambda caller, asked: draft_of_demand(caller.view, asked.text))
