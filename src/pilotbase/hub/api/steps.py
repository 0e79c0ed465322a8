"""The steps that move records: one operation an act of the permission table, its body what the act brings."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse

from pilotbase.catalogue.advancing import Move, advance
from pilotbase.catalogue.agreeing import act_of_new
from pilotbase.catalogue.subjects import new_agreement, new_commission
from pilotbase.documents.agreement import Agreement
from pilotbase.documents.api.records import Noted
from pilotbase.documents.lifecycles import LIFECYCLES, Transition
from pilotbase.documents.permissions import PERMISSIONS, Act, Relation
from pilotbase.documents.record import BROUGHT, Commission, Record
from pilotbase.documents.states import NEW
from pilotbase.documents.subjects import name_of
from pilotbase.documents.texts import text
from pilotbase.hub.acting import HubRequest
from pilotbase.hub.api.answers import answers, document, once, seen
from pilotbase.hub.api.authentication import MEMBERS
from pilotbase.hub.api.records import TWO_NAMES, Word, router
from pilotbase.hub.base import base, operator_view
from pilotbase.hub.people.invitations import cut_memberships
from pilotbase.hub.shown.addresses import SECTIONS, address_of
from pilotbase.worker.trials.acts import take as take_step
from pilotbase.workspace.store import View


@router.post(
    "/trials", tags=["steps"], auth=MEMBERS, response=answers(Record, 201), by_alias=True, summary="Propose a trial"
)
def propose(request: HubRequest, terms: Commission) -> HttpResponse:
    """Propose a commission; its address is in the header Location."""

    def act(view: View) -> HttpResponse:
        subject = new_commission(view.request)
        record = advance(view, subject, Act.COMMISSION_PROPOSE, Move(terms, key=view.request))
        response = document(request, record, 201)
        response["Location"] = f"/api{address_of(subject).rstrip('/')}"
        return response

    return once(request, act)


@router.post(
    "/agreements",
    tags=["steps"],
    auth=MEMBERS,
    response=answers(Record, 201),
    by_alias=True,
    summary="Make an agreement on a dataset",
)
def make_agreement(request: HubRequest, terms: Agreement) -> HttpResponse:
    """Offer an agreement on a dataset of one's own, or take up a published offer; its address is in Location.

    Where an agreement was revoked before, it is ``asked`` and waits for the owner.
    """

    def act(view: View) -> HttpResponse:
        subject, chosen = new_agreement(view.request), act_of_new(view, terms.dataset)
        response = document(request, advance(view, subject, chosen, Move(terms, key=view.request)), 201)
        response["Location"] = f"/api{address_of(subject).rstrip('/')}"
        return response

    return once(request, act)


def _take(request: HubRequest, subject: str, act: Act, content: Any) -> HttpResponse:
    version = seen(request)

    def take(view: View) -> HttpResponse:
        noted = isinstance(content, Noted)
        move = Move(None if noted else content, content.note if noted else "", version, key=view.request)
        record = take_step(base(), view, subject, act, move)
        if act is Act.ORGANISATION_EDIT:
            cut_memberships(operator_view(), name_of(subject))
        return document(request, record)

    return once(request, take)


def _operation(kind: str, row: Transition) -> Any:
    """Return the function of one act: ninja reads path and body from its annotations."""
    body = BROUGHT[row.brings] if row.brings else Noted
    two = SECTIONS[kind] in TWO_NAMES

    def take_two(request: HubRequest, content: Any, owner: Word, name: Word) -> HttpResponse:
        return _take(request, f"{kind}:{owner}/{name}", row.act, content)

    def take_one(request: HubRequest, content: Any, name: Word) -> HttpResponse:
        return _take(request, f"{kind}:{name}", row.act, content)

    take = take_two if two else take_one
    take.__annotations__ |= {"content": body, "request": HubRequest, "owner": Word, "name": Word}
    return take


def _by_people(row: Transition) -> bool:
    """Tell whether people take the step: not the base's own process, and not what is saved as content."""
    only_machine = all(grant.relation is Relation.MACHINE for grant in PERMISSIONS[row.act])
    return (
        NEW not in row.sources and not only_machine and row.brings not in ("scenario", "application-version", "dataset")
    )


for _kind, _rows in LIFECYCLES.items():
    _names = "{owner}/{name}" if SECTIONS[_kind] in TWO_NAMES else "{name}"
    for _row in filter(_by_people, _rows):
        router.post(
            f"/{SECTIONS[_kind]}/{_names}/acts/{_row.act.value}",
            auth=MEMBERS,
            tags=["steps"],
            response=answers(Record),
            by_alias=True,
            summary=text(f"act.{_row.act}").render("en"),
            operation_id=_row.act.value.replace(".", "_"),
        )(_operation(_kind, _row))
