"""Benchmark applications: how certified applications spread, each with its evidence, and the kit by which they do."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import mark_safe

from pilotbase.charts.criterion import group_chart
from pilotbase.documents.permissions import DeskAct, ExchangeAct, SubjectRelation, permitted
from pilotbase.documents.replication import LONGEST_PART, STATED, Replication, SiteResult
from pilotbase.documents.report import GroupScore
from pilotbase.documents.subjects import name_of
from pilotbase.documents.texts import Text, text
from pilotbase.hub.acting import HubRequest, language, posted
from pilotbase.hub.forms.declared import OperationForm, do, post_of, tell
from pilotbase.hub.presenters.addresses import crumb
from pilotbase.hub.presenters.records import title_of
from pilotbase.hub.routing import EVERYBODY, FORM, page
from pilotbase.hub.sentences import t
from pilotbase.operations import replication
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View

_ONE = "replications/<slug:owner>/<slug:name>/"


class KitForm(OperationForm):
    """What the supplier states of each part: its words, or why there is none."""

    operation = replication.STATE

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        for part in STATED:
            label = t(f"replication.part.{part}")
            words = forms.Textarea(attrs={"rows": 3})
            self.fields[part] = forms.CharField(label=label, required=False, max_length=LONGEST_PART, widget=words)
            self.fields[f"no_{part}"] = forms.BooleanField(label=t("replication.is_none"), required=False)

    def said(self, view: View) -> dict[str, Any]:
        said = self.cleaned_data
        parts = [{"name": one, "words": said[one], "none": said[f"no_{one}"]} for one in STATED if said[one]]
        return {"parts": parts}


@page("replications/", "replications", EVERYBODY)
def show_all(request: HubRequest) -> HttpResponse:
    """List the applications on their way to other sites, benchmarks first."""
    found = do(replication.LIST, request.acting.view, {})
    shown = {"title": text("replication.title"), "found": [(one, name_of(one.application)) for one in found]}
    return render(request, "hub/replications.html", shown)


@page(_ONE, "replication", EVERYBODY)
def show(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """Tell an application's story, each sentence from records: requirements, sites, kit."""
    found = do(replication.SHOW, request.acting.view, {"owner": owner, "name": name})
    actor = request.acting.actor
    of_owner = SubjectRelation(demand_owner=found.kit.owner if found.kit is not None else None)
    shown = {
        "title": found.title,
        "found": found,
        "owner": owner,
        "name": name,
        "regions": _by_region(found),
        "chart": _chart(found),
        "may_state": permitted(ExchangeAct.KIT_STATE, actor, SubjectRelation(supplier=owner)),
        "may_agree": found.state == "stated" and permitted(ExchangeAct.KIT_AGREE, actor, of_owner),
        "may_admit": found.state == "agreed" and permitted(DeskAct.KITS, actor),
        "crumbs": [crumb("replications", text("replication.title"))],
    }
    return render(request, "hub/replication.html", shown)


def _by_region(found: Replication) -> list[tuple[str, list[SiteResult]]]:
    """Return region → its sites; last those whose region is not known."""
    regions = defaultdict[str, list[SiteResult]](list)
    for one in found.sites:
        regions[one.region or ""].append(one)
    return sorted(regions.items(), key=lambda each: (not each[0], each[0]))


def _chart(found: Replication) -> str | None:
    """Return the sites' scores with their intervals, one below the other, where the reader may see two of them."""
    measured = [one for one in found.sites if one.estimate is not None]
    alike = [one for one in measured if one.rule == measured[0].rule]
    if len(alike) < 2:
        return None
    column = Text(code="replication.site").render(language())
    scores = [
        GroupScore(
            column=column,
            group=title_of(one.site),
            measure=one.rule,
            cases=one.scored,
            score=one.estimate,
            lower=one.lower,
            upper=one.upper,
        )
        for one in alike
    ]
    return mark_safe(group_chart(scores, language()))  # noqa: S308 - drawn here, every text escaped


@page(f"{_ONE}kit/", "replication-kit", ExchangeAct.KIT_STATE, FORM)
def state_kit(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """State the kit of one's own application."""
    if request.acting.organisation != owner:
        raise NotFoundError("hub.not_found")
    found = do(replication.SHOW, request.acting.view, {"owner": owner, "name": name})
    said = {str(one.name): one for one in found.kit.parts} if found.kit is not None else {}
    initial: dict[str, Any] = {name: one.words for name, one in said.items()}
    initial |= {f"no_{name}": bool(one.words) and one.digest is None for name, one in said.items()}
    form = KitForm(posted(request), given={"owner": owner, "name": name}, initial=initial)
    if form.done(request.acting.view):
        tell(request, replication.STATE)
        return redirect("replication", owner=owner, name=name)
    crumbs = [
        crumb("replications", text("replication.title")),
        crumb("replication", found.title, owner=owner, name=name),
    ]
    shown = {"title": text("replication.state_title"), "lead": text("replication.state_lead"), "form": form}
    return render(request, "hub/said.html", {**shown, "crumbs": crumbs})


for _act, _operation in (("agree", replication.AGREE), ("admit", replication.ADMIT)):
    post_of(
        f"{_ONE}{_act}/", f"replication-{_act}", _operation, "replication", back=("owner", "name"),
        owner="owner", name="name",
    )  # fmt: skip
