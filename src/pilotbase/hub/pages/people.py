"""People as pages: the directory, and one person with what operators do about them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode

from pilotbase.documents.api.people import AccountState, Membership
from pilotbase.documents.loading import parse_request
from pilotbase.documents.permissions import DeskAct, ReadScope
from pilotbase.documents.texts import Text, make_visible, text
from pilotbase.documents.vocabularies import Role
from pilotbase.hub.acting import HubRequest, language, roles_of
from pilotbase.hub.forms.declared import AGAINST
from pilotbase.hub.models import RoleChange
from pilotbase.hub.people.directory import HubAccounts
from pilotbase.hub.people.invitations import may_invite
from pilotbase.hub.presenters.addresses import crumb
from pilotbase.hub.routing import POST, page
from pilotbase.operations.people import PeopleAsked, RolesWanted
from pilotbase.worker.operations.binding import there
from pilotbase.workspace.failures import NotFoundError


@page("people/", "people")
def show_all(request: HubRequest) -> HttpResponse:
    """List people: of every organisation for operator and regulator, else of the reader's own."""
    given = {name: str(value) for name, value in request.GET.items() if name in PeopleAsked.model_fields and value}
    asked = parse_request(PeopleAsked, given)
    found = HubAccounts(request.acting).find(asked)
    everybody = request.acting.actor.sees_all
    shown = {
        "title": text("people.title"),
        "lead": text("people.lead" if everybody else "people.lead_own"),
        "found": found,
        "asked": asked,
        "narrowed": bool(given),
        "everybody": everybody,
        "roles": list(Role),
        "states": list(AccountState),
        "next": urlencode({**given, "after": found.next}) if found.next else "",
        "imports": request.acting.may(DeskAct.IMPORT),
    }
    return render(request, "hub/people.html", shown)


@page("people/<slug:identity>/", "person")
def show(request: HubRequest, identity: str) -> HttpResponse:
    """Show one person: what they are in which organisation, and to operators what acts for them."""
    seen, view = HubAccounts(request.acting).show(identity), request.acting.view
    manages = request.acting.may(DeskAct.MANAGE)
    shown = {
        "title": seen.name,
        "crumbs": [crumb("people", text("people.title"))],
        "seen": seen,
        "manages": manages,
        "audits": request.acting.reads(ReadScope.AUDIT),
        "oneself": _is_oneself(request, identity),
        "memberships": [_roles_offered(one) for one in seen.memberships if may_invite(view, one.organisation)],
        "fixed": [one for one in seen.memberships if not may_invite(view, one.organisation)],
    }
    return render(request, "hub/person.html", shown)


@page("people/<slug:identity>/<str:act>/", "person-act", DeskAct.MANAGE, POST)
def do(request: HubRequest, identity: str, act: str) -> HttpResponse:
    """Block a person or let them in again, sign them out, reset their factor, revoke one of their tokens."""
    accounts, token = HubAccounts(request.acting), request.POST.get("token", "")
    acts: dict[str, Callable[[], object]] = {
        "block": lambda: accounts.block(identity),
        "unblock": lambda: accounts.unblock(identity),
        "sign_out": lambda: accounts.end_sessions(identity),
        "reset_factor": lambda: accounts.reset_factor(identity),
        "revoke": lambda: accounts.revoke_token(identity, int(token) if token.isdecimal() else 0),
    }
    there(acts.get(act))

    def done() -> Text:
        acts[act]()
        return Text(code=f"people.done.{act}")

    return _done(request, identity, done)


@page("people/<slug:identity>/roles/", "person-roles", DeskAct.STAFF, POST)
def change_roles(request: HubRequest, identity: str) -> HttpResponse:
    """Change what a person is in one of their organisations; without any role the membership ends."""
    organisation, manages = request.POST.get("organisation", ""), "manages" in request.POST
    roles = [one for one in request.POST.getlist("roles") if one in list(Role)]
    there(organisation if may_invite(request.acting.view, organisation) else None)
    with _told(request):
        said = {"person": identity, "organisation": organisation, "roles": roles, "manages": manages}
        after = HubAccounts(request.acting).set_roles(parse_request(RolesWanted, said))
        waits = any(one.organisation == organisation for one in after.proposals)
        done = text("people.proposed", email=after.email) if waits else text("people.roles_changed")
        messages.success(request, done.render(language()))
        if not (after.memberships or request.acting.actor.sees_all):
            return redirect("account" if _is_oneself(request, identity) else "people")
    return redirect("person", identity=identity)


@page("role-changes/", "role-changes", DeskAct.MANAGE)
def proposals(request: HubRequest) -> HttpResponse:
    """Show what waits for the consent of a second operator."""
    shown = {
        "title": text("people.proposals"),
        "crumbs": [crumb("people", text("people.title"))],
        "proposals": RoleChange.objects.open(),
    }
    return render(request, "hub/role_changes.html", shown)


@page("role-changes/<int:number>/", "role-change", DeskAct.MANAGE, POST)
def decide(request: HubRequest, number: int) -> HttpResponse:
    """Consent to a proposal, refuse it, or withdraw one's own."""
    accounts, consents = HubAccounts(request.acting), "consent" in request.POST
    with _told(request):
        (accounts.consent if consents else accounts.refuse)(number)
        said = text("people.consented" if consents else "people.refused")
        messages.success(request, said.render(language()))
    return redirect("role-changes")


def _is_oneself(request: HubRequest, identity: str) -> bool:
    return request.acting.person is not None and request.acting.person.identity == identity


def _done(request: HubRequest, identity: str, act: Callable[[], Text]) -> HttpResponse:
    """Do ``act`` and go back to the person, on whose page stands what was done or why not."""
    with _told(request):
        messages.success(request, act().render(language()))
    return redirect("person", identity=identity)


@contextmanager
def _told(request: HubRequest) -> Iterator[None]:
    """Say on the next page why what the block does was refused; raises `NotFoundError` on."""
    try:
        yield
    except NotFoundError:
        raise
    except AGAINST as error:
        messages.error(request, error.render(language(), make_visible))


def _roles_offered(one: Membership) -> dict[str, object]:
    """Return a membership with every role that its organisation has, and whether the person has it."""
    offered = [(role, role in one.roles) for role in Role if role in roles_of(one.organisation)]
    return {"organisation": one.organisation, "roles": offered, "manages": one.manages}
