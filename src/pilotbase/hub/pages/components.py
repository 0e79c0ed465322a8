"""What applications are built of, and which certificates and services an advisory meets."""

from __future__ import annotations

from django import forms
from django.http import HttpResponse
from django.shortcuts import render

from pilotbase.documents.permissions import ReadScope
from pilotbase.documents.texts import text
from pilotbase.hub.acting import HubRequest, posted
from pilotbase.hub.forms.declared import do, refusals_in
from pilotbase.hub.presenters.addresses import crumb
from pilotbase.hub.routing import FORM, page
from pilotbase.hub.sentences import t
from pilotbase.operations import certificates as operations

_SHOWN = 200
_LONGEST = 1_000_000


class AdvisoryForm(forms.Form):
    """An advisory, pasted."""

    advisory = forms.CharField(
        label=t("component.advisory"),
        help_text=t("component.advisory_help"),
        max_length=_LONGEST,
        widget=forms.Textarea(attrs={"rows": 8}),
    )


@page("components/", "components", ReadScope.OVERVIEW, FORM)
def show(request: HubRequest) -> HttpResponse:
    """List components, the most reused first; say what a pasted advisory meets."""
    view = request.acting.view
    form, met = AdvisoryForm(posted(request)), None
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            met = do(operations.ADVISORY, view, {"sent": form.cleaned_data["advisory"].encode()})
    found = do(operations.COMPONENTS, view, {})
    shown = {
        "title": text("component.title"),
        "crumbs": [crumb("ledger", text("roadmap.ledger"))],
        "form": form,
        "met": met,
        "components": found[:_SHOWN],
        "more": max(0, len(found) - _SHOWN),
    }
    return render(request, "hub/components.html", shown)
