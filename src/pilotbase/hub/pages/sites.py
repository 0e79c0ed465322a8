"""Sites: machines of owners at which applications are tried, their packs and what came back."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from pilotbase.certificate.bounded_json import MAXIMUM_BYTES
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Role
from pilotbase.hub.acting import HubRequest, language, posted, posted_files
from pilotbase.hub.base import base
from pilotbase.hub.forms.declared import Choices, OperationForm, do, form_of, refusals_in, tell
from pilotbase.hub.forms.files import private_folder, save
from pilotbase.hub.presenters.addresses import crumb
from pilotbase.hub.presenters.records import records_offered
from pilotbase.hub.routing import FORM, POST, page
from pilotbase.hub.sentences import asked, t
from pilotbase.operations import sites
from pilotbase.worker.sites.enrolling import KnownSite, enrol_site, known_sites, require_site
from pilotbase.worker.sites.orders import packs_of, send_report
from pilotbase.workspace.listings import MAXIMUM_PAGE, Query

_AT_WORK = frozenset({"queued", "running"})


class _JsonFile(forms.FileField):
    """A signed file, no larger than one is read."""

    def clean(self, data: Any, initial: Any = None) -> Any:
        found = super().clean(data, initial)
        if found is not None and found.size > MAXIMUM_BYTES:
            raise forms.ValidationError(t("hub.certificate_too_large"))
        return found


class EnrolForm(forms.Form):
    """What a site says of itself, and its key as the owner has told it."""

    file = _JsonFile(**asked("site.hub.file", "site.hub.file_help"))
    key = forms.RegexField(
        r"^(sha256:)?[0-9a-fA-F]{20,64}$", **asked("site.hub.key", "site.hub.key_help"), max_length=80
    )


class ReportForm(forms.Form):
    """A report as the site has signed it."""

    file = _JsonFile(**asked("site.hub.report_file", "site.hub.report_help"))


PackForm = form_of(sites.ASK, "scenario", "application", "days")
RevokeForm = form_of(sites.REVOKE, "reason")


@page("sites/", "sites", methods=FORM)
def show_all(request: HubRequest) -> HttpResponse:
    """Show the sites that the reader sees and the packs that wait for them; take in a site."""
    acting = request.acting
    enrols = acting.has(Role.OPERATOR, Role.DEMAND_OWNER)
    form = EnrolForm(*posted_files(request)) if enrols else None
    if form is not None and request.method == "POST" and form.is_valid():
        with refusals_in(form):
            with private_folder() as folder:
                file = save(form.cleaned_data["file"], folder / "site-enrolment.json")
                site = enrol_site(base(), acting.view, file, form.cleaned_data["key"])
            messages.success(request, text("site.enrolled", site=site.site, owner=site.owner).render(language()))
            return redirect("site", site=site.site)
    shown = {
        "title": text("site.hub.title"),
        "sites": known_sites(acting.view),
        "packs": [one for one in packs_of(acting.view) if one.asked.supplier == acting.organisation],
        "form": form,
    }
    return render(request, "hub/sites.html", shown)


@page("sites/<slug:site>/", "site", methods=FORM)
def show(request: HubRequest, site: str) -> HttpResponse:
    """Show a site; ask for a pack, send a report or revoke it, by the button that was pressed."""
    view, known = request.acting.view, require_site(request.acting.view, site)
    own = view.actor.may_write_for(known.standing.owner)
    does = request.POST.get("does", "") if own else ""
    asked = {name: _form(request, known, name, does) for name in ("pack", "report", "revoke")} if own else {}
    form = asked.get(does)
    if form is not None and _done(request, form):
        return redirect("site", site=site)
    detail = do(sites.SHOW, view, {"site": site})
    live = not _AT_WORK.isdisjoint([*(one.state for one in detail.packs), *(one.state for one in detail.sent)])
    shown = {
        "title": text("site.hub.one", site=site),
        "site": detail,
        "in_force": known.standing.revoked_at is None,
        "forms": asked,
        "live": live,
        "crumbs": [crumb("sites", text("site.hub.title"))],
    }
    return render(request, "hub/site.html", shown)


@page("sites/packs/<digits:identity>/agree/", "site-pack-agree", methods=POST)
def agree(request: HubRequest, identity: str) -> HttpResponse:
    """Agree, for the supplier, that its application goes to a site."""
    try:
        do(sites.AGREE, request.acting.view, {"asked": identity})
        messages.success(request, text("site.hub.agreed").render(language()))
    except RefusedError as error:
        messages.error(request, error.render(language()))
    return redirect("sites")


def _form(request: HubRequest, known: KnownSite, name: str, does: str) -> forms.Form:
    given = name == does and request.method == "POST"
    if name == "report":
        return ReportForm(*(posted_files(request) if given else (None, None)))
    kind: type[OperationForm] = PackForm if name == "pack" else RevokeForm
    choices: dict[str, Choices] = {}
    if name == "pack":
        choices["scenario"] = [(one.scenario.name, one.scenario.name) for one in known.enrolment.offers]
        choices["application"] = records_offered(request.acting.view, Query("application"), MAXIMUM_PAGE)
    return kind(posted(request) if given else None, given={"site": known.standing.site}, choices=choices)


def _done(request: HubRequest, form: forms.Form) -> bool:
    """Do what a form of a site asks for, and tell whether it was done; what is against it stands in the form."""
    if isinstance(form, OperationForm):
        if done := form.done(request.acting.view):
            tell(request, form.operation)
        return done
    if form.is_valid():
        with refusals_in(form):
            send_report(request.acting.view, form.cleaned_data["file"].read())
    return form.is_valid()
