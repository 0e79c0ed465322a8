"""Requests that are on no record: packs for sites, items to label, experts to name, consents, calls, rooms, plans."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pilotbase.catalogue.records import load_record
from pilotbase.documents.labelling import JUDGE
from pilotbase.documents.permissions import DeskAct, permitted
from pilotbase.documents.states import CommissionState
from pilotbase.documents.subjects import Subject, name_of
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Role
from pilotbase.roadmap.proposals import waiting_proposal
from pilotbase.service.consents import waiting_consents
from pilotbase.service.registry import load_service
from pilotbase.worker.base import Base
from pilotbase.worker.datasets.label_rounds import part_of, rounds_of
from pilotbase.worker.datasets.labelling import is_judged, sheet_of, stage_of
from pilotbase.worker.rooms import room_subject, room_told, rooms_waiting
from pilotbase.worker.sites.orders import packs_to_agree
from pilotbase.worker.trials.call_judging import calls_waiting
from pilotbase.workspace.listings import Query, list_page
from pilotbase.workspace.store import View


@dataclass(frozen=True)
class InboxItem:
    """One thing that the actor's organisation, or the person in particular, is expected to do."""

    kind: Literal["site-pack", "labelling-round", "panel-open", "act-consent", "role-change", "call", "room", "plan"]
    identity: str
    subject: Subject | Literal[""]
    """The application, the dataset, the trial, the service or the call; empty for a plan."""
    said: Text
    since: datetime


def asked_of(base: Base, view: View) -> list[InboxItem]:
    """Return what waits for the actor of ``view``, oldest first."""
    asked = (*_packs(view), *_rounds(base, view), *_panels(base, view), *_consents(view), *_calls(base, view))
    return sorted((*asked, *_rooms(view), *_plans(view)), key=lambda one: one.since)


def _packs(view: View) -> Iterator[InboxItem]:
    for one in packs_to_agree(view):
        said = text("site.told_pack", organisation=one.owner, site=one.site, scenario=one.scenario)
        yield InboxItem("site-pack", one.identity, one.application, said, one.asked_at)


def _panels(base: Base, view: View) -> Iterator[InboxItem]:
    """Yield the trials of one's own scenarios that wait until experts are named, or until their round goes on."""
    waiting = Query("commission", states=[CommissionState.JUDGING]) if Role.DEMAND_OWNER in view.actor.roles else None
    for one in list_page(view, waiting).items if waiting is not None else ():
        record = load_record(view, one.subject)[0]
        round_of = next((each for each in rounds_of(view) if each.trial == one.subject), None)
        done = round_of is None or stage_of(base, round_of).name == "decided" or is_judged(base, round_of)
        if record.demand_owner == view.actor.organisation and done:
            said = text("labelling.told_panel", name=name_of(one.subject))
            yield InboxItem("panel-open", name_of(one.subject), one.subject, said, record.since)


def _rounds(base: Base, view: View) -> Iterator[InboxItem]:
    for of in rounds_of(view):
        part = part_of(view, of)
        if part is None:
            continue
        turn = "deciding" if part.name == JUDGE else "open"
        if stage_of(base, of).name == turn and sheet_of(base, view, of.identity).next_item is not None:
            said = text("labelling.told_items", name=of.campaign.name)
            yield InboxItem("labelling-round", of.identity, of.dataset, said, of.opened_at)


def _consents(view: View) -> Iterator[InboxItem]:
    for one in waiting_consents(view):
        service = load_service(view, one.service)
        said = text("service.told_consent", service=one.service, tool=one.tool)
        yield InboxItem("act-consent", one.consent, service.subject, said, one.asked_at)


def _calls(base: Base, view: View) -> Iterator[InboxItem]:
    for subject, code, title, since in calls_waiting(base, view):
        yield InboxItem("call", f"{code} {name_of(subject)}", subject, text(f"calls.told.{code}", title=title), since)


def _rooms(view: View) -> Iterator[InboxItem]:
    for room, act, since in rooms_waiting(view):
        said = room_told(room, act, room.other(view.actor.organisation))
        yield InboxItem("room", f"{room.identity} {act} {since.isoformat()}", room_subject(room), said, since)


def _plans(view: View) -> Iterator[InboxItem]:
    found = waiting_proposal(view) if permitted(DeskAct.PLAN, view.actor) else None
    if found is not None and found.told is not None:
        yield InboxItem("plan", found.digest(), "", found.told, found.at)
