"""Private statistics of a closed dataset: budgets, a question with its price, and the answers."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render

from pilotbase.charts.columns import Bin, RankedBar, histogram_chart, ranked_chart
from pilotbase.charts.scales import format_number
from pilotbase.data.private.grids import read_date_range
from pilotbase.data.private.synthetic import LEAST_ROWS
from pilotbase.data.terms.evaluating import budgets
from pilotbase.documents.api.datasets import BudgetTold, NewStatistics
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.private import MOST_CONTRIBUTIONS, PrivateField, PrivateProfile
from pilotbase.documents.terms import MILLIONTHS
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Opening
from pilotbase.hub.acting import HubRequest, posted
from pilotbase.hub.base import base
from pilotbase.hub.forms.declared import refusals_in
from pilotbase.hub.presenters.addresses import crumb, record_crumbs, subject_of
from pilotbase.hub.presenters.drawn import drawn, render_live
from pilotbase.hub.presenters.records import RecordView, see
from pilotbase.hub.routing import FORM, page
from pilotbase.hub.sentences import area, asked, t
from pilotbase.worker.datasets.kept_tables import offered
from pilotbase.worker.datasets.statistics import (
    QuestionPrice,
    asked_of,
    find_asked,
    order_statistics,
    price_of,
)
from pilotbase.worker.progress import told
from pilotbase.workspace.failures import NotFoundError

MOST_ROWS = 100_000
"""Of a sample that is asked for on a page."""
_TENTHS = 10


class StatisticsForm(forms.Form):
    """What is asked, and how much of ε it may spend."""

    what = forms.ChoiceField(label=t("statistics.what"), widget=forms.RadioSelect, initial="profile")
    record_set = forms.ChoiceField(label=t("statistics.record_set"))
    epsilon = forms.DecimalField(
        **asked("statistics.epsilon", "statistics.epsilon_help"),
        min_value=Decimal("0.000001"),
        max_value=100,
        decimal_places=6,
        initial=Decimal("0.5"),
    )
    rows = forms.IntegerField(
        **asked("statistics.rows", "statistics.rows_help"),
        min_value=LEAST_ROWS,
        max_value=MOST_ROWS,
        initial=1000,
        required=False,
    )
    at_most = forms.IntegerField(
        **asked("statistics.at_most", "statistics.at_most_help"),
        min_value=1,
        max_value=MOST_CONTRIBUTIONS,
        initial=1,
        required=False,
    )
    dates = area(t("statistics.dates"), t("statistics.dates_help"), rows=2, max_length=5000, required=False)
    name = forms.CharField(**asked("statistics.again", "statistics.again_help"), max_length=100, required=False)

    def __init__(self, record_sets: Sequence[str], *given: object, **options: object) -> None:
        super().__init__(*given, **options)  # type: ignore[arg-type]
        words = [(one, t(f"statistics.{one}")) for one in ("profile", "sample")]
        self.fields["what"].choices = words  # type: ignore[attr-defined]
        self.fields["record_set"].choices = [(one, one) for one in record_sets]  # type: ignore[attr-defined]

    def wanted(self) -> NewStatistics:
        """Return what is asked for."""
        given = self.cleaned_data
        sample = given["what"] == "sample"
        return NewStatistics(
            record_set=given["record_set"],
            epsilon=int(given["epsilon"] * MILLIONTHS),
            rows=(given["rows"] or 1000) if sample else 0,
            at_most=given["at_most"] or 1,
            dates=[read_date_range(line.strip()) for line in given["dates"].splitlines() if line.strip()],
            name=given["name"],
        )


@page("datasets/<name:name>/statistics/", "statistics", methods=FORM)
def ask(request: HubRequest, name: str) -> HttpResponse:
    """Show budgets, questions and answers; a question that is sent is priced first, and ordered when confirmed."""
    view, seen = request.acting.view, _closed(request, name)
    record_sets = offered(base(), view, seen.subject)
    form = StatisticsForm(record_sets, posted(request)) if record_sets else None
    price: QuestionPrice | None = None
    if form is not None and request.method == "POST" and form.is_valid():
        with refusals_in(form):
            if "confirmed" in request.POST:
                found = order_statistics(base(), view, seen.subject, form.wanted())
                return redirect("statistics-answer", name=name, identity=found.order.identity)
            price = price_of(base(), view, seen.subject, form.wanted())
    shown = {
        "title": text("statistics.title"),
        "seen": seen,
        "name": name,
        "form": form,
        "price": price,
        "cost": _cost(price) if price is not None else None,
        "given": {one: request.POST.get(one, "") for one in form.fields} if form is not None and price else {},
        "bars": [bar_of(one) for one in budgets(view, seen.subject)],
        "asked": [
            {"asked": one, "epsilon": decimal(one.order.question.epsilon), "work": told(one.job)}
            for one in asked_of(view, seen.subject)
        ],
        "crumbs": record_crumbs(seen.subject, seen.title),
    }
    return render(request, "hub/statistics.html", shown)


@page("datasets/<name:name>/statistics/<digits:identity>/", "statistics-answer")
def show(request: HubRequest, name: str, identity: str) -> HttpResponse:
    """Show a question and its answer: every figure with its noise, the sample with its privacy test."""
    seen = _closed(request, name)
    asked = find_asked(request.acting.view, seen.subject, identity)
    job, profile = told(asked.job), asked.profile
    shown = {
        "title": text("statistics.sample" if asked.order.rows else "statistics.profile"),
        "seen": seen,
        "name": name,
        "asked": asked,
        "epsilon": decimal(asked.order.question.epsilon),
        "job": job,
        "live": job.live,
        "profile": profile,
        "unit": unit_of(profile) if profile is not None else None,
        "rows": rows_of(profile) if profile is not None else "",
        "fields": charts_of(profile) if profile is not None else [],
        "crumbs": [
            *record_crumbs(seen.subject, seen.title),
            crumb("statistics", text("statistics.title"), name=name),
        ],
    }
    return render_live(request, "statistics_answer", "statistics_answer", shown)


def _closed(request: HubRequest, name: str) -> RecordView:
    """Return a closed dataset that the reader sees; raises `NotFoundError`: of others there are no such pages."""
    seen = see(request.acting.view, subject_of("datasets", name))
    if not isinstance(seen.document, Dataset) or seen.document.opening is not Opening.COMPUTE_TO_DATA:
        raise NotFoundError("hub.not_found")
    return seen


def _cost(price: QuestionPrice) -> dict[str, Any]:
    after = price.left_after
    return {
        "epsilon": decimal(price.question.epsilon),
        "bar": bar_of(price.budget),
        "after": None if after is None else decimal(after),
        "may": price.decision.permitted,
    }


def decimal(millionths: int) -> str:
    """Return ε as people write it: 0.5 of 500000."""
    return f"{Decimal(millionths) / MILLIONTHS:f}"


def bar_of(budget: BudgetTold) -> dict[str, object]:
    """Return what a page shows of a budget: whose, spent, left, whether any is set, its spent tenths, rounded up."""
    limit = budget.limit or 0
    tenths = -(-_TENTHS * budget.spent // limit) if limit else (_TENTHS if budget.spent else 0)
    return {
        "organisation": budget.organisation,
        "spent": decimal(budget.spent),
        "limit": None if budget.limit is None else decimal(budget.limit),
        "left": None if budget.left is None else decimal(budget.left),
        "set": budget.limit != 0,
        "tenths": 0 if budget.limit is None else min(tenths, _TENTHS),
    }


def charts_of(profile: PrivateProfile) -> list[dict[str, object]]:
    """Return of each field its chart and what is told beside it: its error, what lies outside, what is missing."""
    return [_chart(profile, one) for one in profile.fields]


def _chart(profile: PrivateProfile, field: PrivateField) -> dict[str, object]:
    least = profile.question.cell_size
    if field.cells and field.cells[0].value is not None:
        bars = [RankedBar(cell.value or "", cell.count or 0, _spelled(cell.count, least)) for cell in field.cells]
        svg = ranked_chart(bars, field.field)
    else:
        bins = [Bin(cell.low or 0.0, cell.high or 0.0, cell.count) for cell in field.cells]
        svg = histogram_chart(bins, field.field)
    mean = field.mean if field.mean is not None and field.mean.value is not None else None
    return {
        "name": field.field,
        "svg": drawn(svg),
        "error": field.noise.error,
        "epsilon": decimal(field.noise.epsilon),
        "outside": _spelled(field.outside, least),
        "missing": _spelled(field.missing, least),
        "mean": None if mean is None else format_number(mean.value or 0.0),
        "mean_error": None if mean is None else format_number(mean.error or 0.0),
    }


def unit_of(profile: PrivateProfile) -> Text:
    """Return whom the noise protects."""
    unit = profile.unit
    return text(f"private.unit.{unit.kind}", column=unit.column, at_most=unit.at_most)


def rows_of(profile: PrivateProfile) -> str:
    """Return the number of rows as it is told."""
    return _spelled(profile.rows, profile.question.cell_size)


def _spelled(count: int | None, least: int) -> str:
    return f"<{least}" if count is None else f"{count:,}"
