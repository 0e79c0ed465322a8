"""What applications are built of and who uses what; whom an advisory concerns, and that they are told."""

from __future__ import annotations

from collections import Counter

from django import forms
from django.http import HttpResponse
from django.shortcuts import render

from pilotbase.charts.grids import reuse_chart
from pilotbase.documents.api.trials import ReuseLink
from pilotbase.documents.permissions import DeskAct, ReadScope
from pilotbase.documents.texts import text
from pilotbase.hub.acting import HubRequest, language, posted
from pilotbase.hub.forms.declared import do, refusals_in
from pilotbase.hub.presenters.addresses import crumb
from pilotbase.hub.presenters.drawn import drawn
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
    """List components, the most reused first; say what a pasted advisory meets, and tell those concerned."""
    view = request.acting.view
    form, met, may_tell = AdvisoryForm(posted(request)), None, request.acting.may(DeskAct.ADVISE)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            operation = operations.TELL_ADVISORY if may_tell and "tell" in request.POST else operations.ADVISORY
            met = do(operation, view, {"sent": form.cleaned_data["advisory"].encode()})
    found = do(operations.COMPONENTS, view, {})
    warned = {f"{one.name} {one.version}" for one in found if one.advisories}
    links: list[ReuseLink] = do(operations.REUSE, view, {})
    shown = {
        "may_tell": may_tell,
        "kept": do(operations.ADVISORIES, view, {}),
        "chart": drawn(reuse_chart(links, warned, language())),
        "licences": Counter(one.licence for one in found if one.kind != "data").most_common(),
        "title": text("component.title"),
        "crumbs": [crumb("ledger", text("roadmap.ledger"))],
        "form": form,
        "met": met,
        "components": found[:_SHOWN],
        "more": max(0, len(found) - _SHOWN),
    }
    return render(request, "hub/components.html", shown)
