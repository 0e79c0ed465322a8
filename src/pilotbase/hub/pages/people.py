"""People as pages: the directory, and one person with what operators do about them."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode

from pilotbase.documents.api.people import AccountDetails, AccountState
from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.loading import parse_request
from pilotbase.documents.permissions import DeskAct
from pilotbase.documents.texts import text
from pilotbase.documents.visible_text import make_visible
from pilotbase.documents.vocabularies import Role
from pilotbase.hub.acting import HubRequest, language, roles_of
from pilotbase.hub.forms.declared import AGAINST
from pilotbase.hub.people.directory import HubAccounts
from pilotbase.hub.presenters.addresses import crumb
from pilotbase.hub.routing import POST, page
from pilotbase.operations.people import PeopleAsked
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
    seen = HubAccounts(request.acting).show(identity)
    manages = request.acting.may(DeskAct.MANAGE)
    shown = {
        "title": seen.name,
        "crumbs": [crumb("people", text("people.title"))],
        "seen": seen,
        "manages": manages,
        "oneself": request.acting.person is not None and request.acting.person.identity == identity,
        "memberships": [_roles_offered(one) for one in seen.memberships] if manages else (),
    }
    return render(request, "hub/person.html", shown)


@page("people/<slug:identity>/block/", "person-block", DeskAct.MANAGE, POST)
def block(request: HubRequest, identity: str) -> HttpResponse:
    """Block a person, or let them in again."""
    accounts = HubAccounts(request.acting)
    if "undo" in request.POST:
        return _done(request, identity, "people.unblocked", lambda: accounts.unblock(identity))
    return _done(request, identity, "people.blocked", lambda: accounts.block(identity))


@page("people/<slug:identity>/sessions/", "person-sessions", DeskAct.MANAGE, POST)
def end_sessions(request: HubRequest, identity: str) -> HttpResponse:
    """Sign a person out everywhere."""
    return _done(request, identity, "people.signed_out", lambda: HubAccounts(request.acting).end_sessions(identity))


@page("people/<slug:identity>/tokens/<int:number>/", "person-token", DeskAct.MANAGE, POST)
def revoke(request: HubRequest, identity: str, number: int) -> HttpResponse:
    """Revoke one of a person's tokens."""
    return _done(
        request, identity, "hub.token_revoked", lambda: HubAccounts(request.acting).revoke_token(identity, number)
    )


@page("people/<slug:identity>/roles/", "person-roles", DeskAct.MANAGE, POST)
def change_roles(request: HubRequest, identity: str) -> HttpResponse:
    """Change what a person is in one of their organisations; without any role the membership ends."""
    organisation = request.POST.get("organisation", "")
    roles = [Role(one) for one in request.POST.getlist("roles") if one in list(Role)]
    accounts = HubAccounts(request.acting)
    return _done(request, identity, "people.roles_changed", lambda: accounts.set_roles(identity, organisation, roles))


def _done(request: HubRequest, identity: str, said: str, act: Callable[[], AccountDetails | None]) -> HttpResponse:
    """Do ``act`` and go back to the person, on whose page stands what was done or why not."""
    try:
        act()
    except AGAINST as error:
        if isinstance(error, NotFoundError):
            raise
        _refuse(request, error)
    else:
        messages.success(request, text(said).render(language()))
    return redirect("person", identity=identity)


def _refuse(request: HubRequest, error: PilotbaseError) -> None:
    messages.error(request, error.render(language(), make_visible))


def _roles_offered(one: object) -> dict[str, object]:
    """Return a membership with every role that its organisation has, and whether the person has it."""
    held, organisation = getattr(one, "roles", ()), getattr(one, "organisation", "")
    offered = [(role, role in held) for role in Role if role in roles_of(organisation)]
    return {"organisation": organisation, "roles": offered}
