"""The account of a base: closed periods, a report down to its records, and what policies ask for."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render

from pilotbase.documents.base import localized
from pilotbase.documents.period import PeriodReport, format_edge
from pilotbase.documents.permissions import DeskAct, ReadScope
from pilotbase.documents.texts import Text, text
from pilotbase.hub.acting import HubRequest, language, posted
from pilotbase.hub.forms.declared import do, form_of, post_of, tell
from pilotbase.hub.presenters import taken
from pilotbase.hub.presenters.addresses import crumb
from pilotbase.hub.presenters.records import titles_of
from pilotbase.hub.routing import FORM, page
from pilotbase.operations import ledger as operations
from pilotbase.roadmap.periods import DEFINITIONS, records_behind
from pilotbase.roadmap.tables import PeriodWording, period_page, period_workbook, spell_number
from pilotbase.workspace.failures import NotFoundError

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_PAGE = 50
_CloseForm = form_of(operations.CLOSE_PERIOD)


@page("ledger/periods/", "periods", ReadScope.OVERVIEW, FORM)
def show_all(request: HubRequest) -> HttpResponse:
    """List the closed periods; the operator closes another."""
    acting = request.acting
    form = _CloseForm(posted(request)) if acting.may(DeskAct.PLAN) else None
    if request.method == "POST":
        if form is None:
            raise NotFoundError("hub.not_found")
        if form.done(acting.view):
            tell(request, operations.CLOSE_PERIOD)
            return redirect("period", period=form.found.period)
    shown = {
        "title": text("period.title"),
        "crumbs": [crumb("ledger", text("roadmap.ledger"))],
        "closed": do(operations.PERIODS, acting.view, {}),
        "form": form,
    }
    return render(request, "hub/periods.html", shown)


@page("ledger/clauses/", "clauses", ReadScope.OVERVIEW)
def clauses(request: HubRequest) -> HttpResponse:
    """Show what policies ask of a base, and which records show it."""
    shown = {
        "title": text("clause.title"),
        "crumbs": [crumb("ledger", text("roadmap.ledger"))],
        "clauses": do(operations.CLAUSES, request.acting.view, {}),
    }
    return render(request, "hub/clauses.html", shown)


@page("ledger/periods/<str:period>/", "period", ReadScope.OVERVIEW)
def show(request: HubRequest, period: str) -> HttpResponse:
    """Show the report of a closed period; every figure leads to its records."""
    report, view = _read(request, period), request.acting.view
    shown = {
        "title": text("period.of", period=period),
        "crumbs": [crumb("ledger", text("roadmap.ledger")), crumb("periods", text("period.title"))],
        "report": report,
        "forms": ("json", "xlsx", "html"),
        "words": PeriodWording(language(), report),
        "figures": [
            (one, name, means, spell_number(one.in_period), spell_number(one.so_far))
            for one, name, means in PeriodWording(language(), report).figures
        ],
        "command": f"pilotbase report verify {period}.json",
        "signed_at": next(one.signed_at for one in do(operations.PERIODS, view, {}) if one.period == period),
        "may_sign": request.acting.may(DeskAct.PLAN),
    }
    return render(request, "hub/period.html", shown)


@page("ledger/periods/<str:period>/figures/<str:figure>/", "period-records", ReadScope.OVERVIEW)
def records(request: HubRequest, period: str, figure: str) -> HttpResponse:
    """List the records that a figure counts, in the period or so far, as they stood at its end."""
    report = _read(request, period)
    so_far = "so_far" in request.GET
    found = records_behind(report, figure, so_far)
    asked = request.GET.get("page", "")[:6]
    start = max(int(asked) - 1, 0) * _PAGE if asked.isascii() and asked.isdigit() else 0
    rows = found[start : start + _PAGE]
    titles = titles_of(request.acting.view, (one.subject for one in rows))
    span = text("period.so_far") if so_far or not DEFINITIONS[figure].is_flow else text("period.in_period")
    shown = {
        "title": Text(code=f"figure.{figure}"),
        "crumbs": [
            crumb("periods", text("period.title")),
            crumb("period", text("period.of", period=period), period=period),
        ],
        "means": Text(code=f"period.means.{figure}"),
        "span": span,
        "ends": format_edge(report.end, report.offset),
        "rows": [
            (one, localized(titles.get(one.subject), language()) or one.subject, one.reached_in_order) for one in rows
        ],
        "total": len(found),
        "next": start // _PAGE + 2 if len(found) > start + _PAGE else None,
        "so_far": so_far,
    }
    return render(request, "hub/period_records.html", shown)


@page("ledger/periods/<str:period>/report.<str:form>", "period-file", ReadScope.OVERVIEW)
def download(request: HubRequest, period: str, form: str) -> HttpResponse:
    """Give a report as JSON, which anybody can recount, as XLSX or as HTML."""
    report = _read(request, period)
    if form == "json":
        return taken.download(report.canonical(), "application/json", f"{period}.json")
    if form == "xlsx":
        return taken.download(period_workbook(report, language()), _XLSX, f"{period}.xlsx")
    if form == "html":
        return taken.download(period_page(report, language()).encode(), "text/html; charset=utf-8", f"{period}.html")
    raise NotFoundError("hub.not_found")


post_of(
    "ledger/periods/<str:period>/sign/",
    "period-sign",
    operations.SIGN_PERIOD,
    "period",
    back=("period",),
    period="period",
)


def _read(request: HubRequest, period: str) -> PeriodReport:
    return do(operations.PERIOD, request.acting.view, {"period": period})
