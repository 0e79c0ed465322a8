"""The size of an attempt, planned for a rule or a scenario, with the power at other sizes."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render

from pilotbase.charts.power import power_chart
from pilotbase.documents.api.trials import PlannedCriterion, SizePlan
from pilotbase.documents.texts import text
from pilotbase.hub.acting import HubRequest, language, posted
from pilotbase.hub.forms.declared import form_of
from pilotbase.hub.presenters.drawn import drawn
from pilotbase.hub.routing import FORM, page
from pilotbase.operations import trials
from pilotbase.worker.intake.sizes import total_lines

SizeForm = form_of(trials.PLAN_SIZE, words={"stop": "trial.size.stop."})


@page("plan-size/", "plan-size", methods=FORM)
def show_size(request: HubRequest) -> HttpResponse:
    """Plan how many cases and labels a rule or a scenario needs."""
    form = SizeForm(posted(request), initial={"scenario": request.GET.get("scenario", "")})
    plan: SizePlan | None = form.found if form.done(request.acting.view) else None
    shown = {
        "title": text("trial.size.title"),
        "form": form,
        "plan": plan,
        "lines": list(total_lines(plan)) if plan is not None else [],
        "criteria": [(one, drawn(_power(one))) for one in plan.criteria] if plan is not None else [],
    }
    return render(request, "hub/plan_size.html", shown)


def _power(one: PlannedCriterion) -> str:
    points = [(point.cases, point.power) for point in one.curve]
    return power_chart(one.rule, points, one.cases, one.power, language())
