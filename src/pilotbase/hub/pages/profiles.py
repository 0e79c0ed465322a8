"""Profiles: the list of suppliers, service providers and experts, one page a profile, and capabilities to state."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render

from pilotbase.documents.base import localized
from pilotbase.documents.capability import Capability, CapabilityKind, NewCapability, Profile
from pilotbase.documents.matching import Matches, method_of
from pilotbase.documents.subjects import name_of
from pilotbase.documents.texts import Text, text
from pilotbase.hub.acting import HubRequest, language, posted
from pilotbase.hub.forms.declared import OperationForm, ShortNameField, derive_name, do, form_of, post_of, tell
from pilotbase.hub.presenters.addresses import Crumb, address_of, crumb
from pilotbase.hub.routing import FORM, page
from pilotbase.operations import matches, profiles
from pilotbase.worker.operations.binding import there
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.listings import find_listing
from pilotbase.workspace.store import View

_CAPABILITY = "capabilities/<slug:owner>/<slug:name>/"
_HELPED = {"scenarios": matches.PROVIDERS, "demands": matches.WORDED_PROVIDERS}
_MOST_NUMBERED = 100
_WORDS = {"tasks": "match.task.", "data": "demand.data."}


class _Named(OperationForm):
    """A capability with a short name, which stays."""

    rare = "sectors"
    name = ShortNameField()

    @property
    def opened(self) -> bool:
        """Return whether what may be left out is unfolded."""
        return self.is_bound or bool(self.initial)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if "name" in self.fields:
            derive_name(self, given, given.get("title"))
        return given

    def said(self, view: View) -> dict[str, Any]:
        said = super().said(view)
        if name := said.pop("name", ""):
            self._given = {**self._given, "name": name if self.data.get("name") else self._free(view, name)}
        return said

    def _free(self, view: View, name: str) -> str:
        """Return a name made of a title, numbered where a capability of the owner has it: none is written over."""
        numbered = (name, *(f"{name}-{number}" for number in range(2, _MOST_NUMBERED)))
        return next((one for one in numbered if not _is_known(view, self._given["owner"], one)), name)


def _is_known(view: View, owner: str, name: str) -> bool:
    try:
        do(profiles.READ, view, {"owner": owner, "name": name})
    except NotFoundError:
        return False
    return True


CapabilityForm = form_of(profiles.STATE, words=_WORDS, base=_Named)


@page("profiles/", "profiles")
def show_all(request: HubRequest) -> HttpResponse:
    """List the capabilities that are stated; those whose organisations hold certificates come first."""
    words, kind = request.GET.get("q", "")[:200], request.GET.get("kind", "")
    narrowed = {"kind": kind} if kind in list(CapabilityKind) else {}
    found = do(profiles.LIST, request.acting.view, {"q": words, **narrowed})
    shown = {
        "title": text("profile.list_title"),
        "found": found,
        "words": words,
        "kind": kind,
        "kinds": [one.value for one in CapabilityKind],
    }
    return render(request, "hub/profiles.html", shown)


@page("profiles/<slug:kind>/<name:name>/", "profile")
def show(request: HubRequest, kind: str, name: str) -> HttpResponse:
    """Show what somebody claims beside what records show."""
    found = do(profiles.SHOW, request.acting.view, {"subject": f"{kind}:{name}"})
    shown = {
        "title": found.title,
        "found": found,
        "claims": _grouped(found),
        "crumbs": [_all()],
        "record": _record(request.acting.view, kind, found.subject),
        "own": kind == "capability" and request.acting.actor.may_write_for(found.owner),
    }
    return render(request, "hub/profile.html", shown)


def _record(view: View, kind: str, subject: str) -> str:
    """Return the page of the record behind a profile, if there is one and the reader sees it."""
    hidden = kind in ("organisation", "application", "dataset") and find_listing(view, subject) is None
    return "" if hidden or kind == "capability" else address_of(subject)


def _grouped(found: Profile) -> list[tuple[Text, list[object]]]:
    """Return what is claimed → the claims, in their order."""
    groups: dict[str, tuple[Text, list[object]]] = {}
    for one in found.claims:
        groups.setdefault(one.what.code, (one.what, []))[1].append(one)
    return list(groups.values())


@page("capabilities/new/", "capability-new", methods=FORM)
def state_new(request: HubRequest) -> HttpResponse:
    """State a capability of one's own organisation."""
    return _stated(request, request.acting.organisation, None)


@page(f"{_CAPABILITY}edit/", "capability-edit", methods=FORM)
def edit(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """State a capability anew: changed, or confirmed as it is."""
    found = do(profiles.READ, request.acting.view, {"owner": owner, "name": name})
    if not request.acting.actor.may_write_for(owner):
        raise NotFoundError("hub.not_found")
    return _stated(request, owner, found)


def _stated(request: HubRequest, owner: str, found: Capability | None) -> HttpResponse:
    given = {"owner": owner} if found is None else {"owner": owner, "name": found.name}
    form = CapabilityForm(posted(request), given=given, initial=_initial(found))
    if found is not None:
        del form.fields["name"]
    if form.done(request.acting.view):
        tell(request, profiles.STATE)
        return redirect("profile", kind="capability", name=name_of(form.found.subject))
    title = text("profile.state_new") if found is None else text("profile.state_anew")
    crumbs = [_all()] if found is None else [_all(), {"url": address_of(found.subject), "label": found.title}]
    return render(request, "hub/capability.html", {"title": title, "form": form, "crumbs": crumbs})


def _initial(found: Capability | None) -> dict[str, object]:
    if found is None:
        return {}
    said = {name: getattr(found, name) for name in NewCapability.model_fields}
    return said | {name: localized(said[name], language()) for name in ("title", "summary")}


post_of(
    f"{_CAPABILITY}withdraw/", "capability-withdraw", profiles.WITHDRAW, "profiles", back=(), owner="owner", name="name"
)


@page(f"{_CAPABILITY}matches/", "capability-matches")
def of_capability(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """Show the open scenarios that a capability may serve, with reasons."""
    found = do(matches.CAPABILITY, request.acting.view, {"owner": owner, "name": name})
    return _matches(request, found, "match.scenarios_for")


@page("<public:section>/<slug:owner>/<slug:name>/providers/", "providers")
def of_demand(request: HubRequest, section: str, owner: str, name: str) -> HttpResponse:
    """Show the suppliers, service providers and experts that a scenario or a demand may use, with reasons."""
    operation = there(_HELPED.get(section))
    found = do(operation, request.acting.view, {"owner": owner, "name": name})
    return _matches(request, found, "match.providers_for")


def _matches(request: HubRequest, found: Matches, code: str) -> HttpResponse:
    shown = {
        "title": Text(code=code, params={"title": localized(found.title, language())}),
        "found": found,
        "method": method_of(found),
        "crumbs": [_all(), {"url": address_of(found.about), "label": found.title}],
    }
    return render(request, "hub/capability_matches.html", shown)


def _all() -> Crumb:
    return crumb("profiles", text("profile.list_title"))
