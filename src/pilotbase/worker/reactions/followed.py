"""Notices of new matches to those who follow them, of advisories, potentials to score, and limits nearly used up.

A new match is a demand that is registered, a scenario that opens, an application that is submitted.
Each is judged as its reader would see it on the page of matches; a notice is sent if it may fit there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pilotbase.catalogue.records import both_languages, organisation_of
from pilotbase.documents.notice import Address, NoticeBody, NoticeKind
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import Record
from pilotbase.documents.subjects import kind_of, name_of
from pilotbase.documents.texts import percent, text
from pilotbase.documents.vocabularies import Role
from pilotbase.matching.index import KIND_OF
from pilotbase.notices.rows import NoticeDraft
from pilotbase.service.terms import nearly_exposed
from pilotbase.worker.advisories import of_advisories
from pilotbase.worker.base import Base
from pilotbase.worker.matching import match_subject
from pilotbase.worker.meanings import TextReader
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.followed import FollowedMatches, followed_by_anyone
from pilotbase.workspace.listings import Listing, find_listing
from pilotbase.workspace.store import Change, View

_ARRIVES = (Act.DEMAND_REGISTER, Act.SCENARIO_OPEN, Act.APPLICATION_SUBMIT)


def of_news(base: Base, changes: Sequence[Change]) -> Iterator[NoticeDraft]:
    """Yield the notices of new matches, of potentials to score and of kept advisories."""
    yield from _of_matches(base, changes)
    yield from _of_potentials(base.lab.view, changes)
    yield from of_advisories(base.lab.view, changes)


def _of_matches(base: Base, changes: Sequence[Change]) -> Iterator[NoticeDraft]:
    """Yield a notice for everyone who follows matches among which a newly opened or submitted record is."""
    view = base.lab.view
    moved = (view.load(one.digest, Record) for one in changes if one.event == "moved" and one.kind == "record")
    new = {record.subject: record for record in moved if record.history[-1].act in _ARRIVES}
    following = followed_by_anyone(view) if new else []
    if following:
        while TextReader(base).round():  # so that words are compared by meaning here too
            pass
    for one in following:
        if any(KIND_OF[record.kind] != KIND_OF[kind_of(one.subject)] for record in new.values()):
            yield from (_draft(*found, new[subject]) for found, subject in _fitting(view, one) if subject in new)


_Following = tuple[FollowedMatches, Listing]


def _fitting(view: View, one: FollowedMatches) -> list[tuple[_Following, str]]:
    """Return what may fit, each with who follows and the record followed; nothing if they no longer see that."""
    registered = organisation_of(view, one.organisation)
    roles = frozenset(registered.roles) if registered else frozenset[Role]()
    asking = view.as_actor(Actor(one.organisation, roles, person=one.person))
    listing = find_listing(asking, one.subject)
    return [((one, listing), found.subject) for found in match_subject(asking, one.subject).ranked] if listing else []


def _draft(one: FollowedMatches, listing: Listing, record: Record) -> NoticeDraft:
    step = record.history[-1]
    said = text("match.told", found=name_of(record.subject))
    body = NoticeBody(title=listing.title, record=listing.kind, organisation=step.organisation, said=said)
    address = Address(organisation=one.organisation, person=one.person)
    happening = f"{record.subject} {record.digest()} {one.subject}"
    return NoticeDraft(NoticeKind.MATCH, one.subject, address, body, happening, author=step.person or "")


def _of_potentials(view: View, changes: Sequence[Change]) -> Iterator[NoticeDraft]:
    """Yield a notice to reviewers for each scenario that opens: that its potential can be scored under seal."""
    for one in changes:
        record = view.load(one.digest, Record) if (one.event, one.kind) == ("moved", "record") else None
        if record is not None and record.history[-1].act is Act.SCENARIO_OPEN:
            body = NoticeBody(
                title=both_languages(record.title), record="scenario", said=text("roadmap.potential_told")
            )
            happening = f"potential {record.subject} {record.digest()}"
            # Without a subject: reviewers see the scenario, but not its record.
            yield NoticeDraft(NoticeKind.ASKED, "", Address(role=Role.REVIEWER), body, happening)


def of_limits(view: View) -> Iterator[NoticeDraft]:
    """Yield a notice to owner and operator for each exposure limit that is nearly used up: once for each limit."""
    for service, granted, used in nearly_exposed(view):
        cases = granted.bound[1]
        said = text("service.exposure_nearly", used=used, cases=cases, share=percent(used / cases))
        body = NoticeBody(title=both_languages(service.title), record="service", said=said)
        for address in (Address(organisation=service.organisation), Address(role=Role.OPERATOR)):
            yield NoticeDraft(NoticeKind.WATCH, service.subject, address, body, f"exposure {granted.identity}")
