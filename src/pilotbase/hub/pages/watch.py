"""The watch of a service as a page: detectors with their pictures, warnings, what was replayed; and all warnings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby
from secrets import token_hex
from typing import Any, NamedTuple

from django import forms
from django.contrib import messages
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import SafeString

from pilotbase.charts.watch import DriftStrip, Spell, WatchedPath, WatchedPoint, drift_chart, watch_path_chart
from pilotbase.documents.api.watch import DetectorReading, RaisedWarning
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import digest_of
from pilotbase.documents.permissions import ReadScope, SubjectRelation, WatchAct, permitted
from pilotbase.documents.service import Service
from pilotbase.documents.texts import Text, make_visible, text
from pilotbase.documents.vocabularies import Colour, RedBy, Signal
from pilotbase.documents.watch import ReferenceProfile, Replay, RiskWarning, Watch, WatchTerms
from pilotbase.hub.acting import HubRequest, language
from pilotbase.hub.forms.declared import OperationForm, do, form_of, form_post, label_of, post_of, tell
from pilotbase.hub.presenters.addresses import crumb
from pilotbase.hub.presenters.drawn import drawn, drawn_alarm
from pilotbase.hub.routing import FORM, POST, page
from pilotbase.hub.sentences import t
from pilotbase.operations.watch import ACKNOWLEDGE, ARM, AUDIT, DISARM, END_SILENCE, LABEL, REPLAY, SILENCE
from pilotbase.watch import status
from pilotbase.watch.arming import last_replay
from pilotbase.watch.detectors.loss import LossDetector, LossWatch
from pilotbase.watch.following import risk_detector
from pilotbase.watch.incidents import list_incidents
from pilotbase.watch.standings import service_of, watch_of
from pilotbase.watch.status import drift_spells, earlier_armings
from pilotbase.workspace.store import View

_DAY = 86_400


_TERMS = (
    *("tolerance", "alpha", "red_by", "unit", "season", "cohort_seconds", "audit_labels", "label_seconds"),
    *("silence_seconds", "availability", "error_share", "hand_over_share", "keep_days"),
)
"""Terms on which a watch is replayed; what the certificate says cannot be chosen."""
TermsForm = form_of(REPLAY, *_TERMS)


class _InHours(OperationForm):
    """How long notices rest."""

    hours = forms.FloatField(label=t("watching.hours"), initial=8, min_value=0.1, max_value=2160)

    def said(self, view: View) -> dict[str, Any]:
        said = super().said(view)
        return said | {"until": view.store.clock() + timedelta(hours=said.pop("hours"))}


SilenceForm = form_of(SILENCE, "reason", base=_InHours)


def _beginning(watch: Watch | None) -> dict[str, Any]:
    """Return what stands in the form at first: the terms of the watch that is there, or the usual ones."""
    terms = watch or WatchTerms()
    risks, usual = watch.risks if watch is not None else (), WatchTerms()
    alpha = sum(risk.alpha for risk in risks) if risks else usual.alpha
    given = {name: getattr(terms, name) for name in _TERMS if name not in ("alpha", "red_by")}
    chosen = {"alpha": float(f"{alpha:.6g}"), "red_by": risks[0].red_by if risks else usual.red_by}
    return given | {"tolerance": float(f"{terms.tolerance:.6g}"), **chosen}


def _told(watch: Watch) -> list[tuple[object, object]]:
    """Return the terms of a watch as they stand in the form: what each is called, and its value."""
    said = {name: value for name, value in _beginning(watch).items() if value not in (None, ())}
    return [(label_of(REPLAY, name), _shown(name, value)) for name, value in said.items()]


def _shown(name: str, value: Any) -> object:
    if isinstance(value, RedBy):
        return t(f"red_by.{value}")
    return TermsForm.base_fields[name].prepare_value(value)


_DRAWN = (Signal.RISK, Signal.LATENCY, Signal.CONTRACT)
_STRIPS, _WARNINGS, _LISTED, _INCIDENTS = 24, 1000, 50, 10


@page("services/<slug:name>/watch/", "watch")
def show(request: HubRequest, name: str) -> HttpResponse:
    """Show how the watch of a service stands."""
    return _page(request, name)


@page("warnings/", "warnings")
def warnings(request: HubRequest) -> HttpResponse:
    """List the warnings of all services that the reader sees, newest first."""
    shown = {"title": text("watching.warnings"), "warnings": status.list_warnings(request.acting.view)}
    return render(request, "hub/warnings.html", shown)


@page("warnings/<digits:digest>/", "warning")
def warning(request: HubRequest, digest: str) -> HttpResponse:
    """Show one warning: what it says, why, how sure it is, what led to it, what was done, and what comes next."""
    view = request.acting.view
    found = status.warning_of(view, digest_of(digest))
    service = service_of(view, found.warning.service)
    acts = request.acting.reads(ReadScope.DESK)
    relation = SubjectRelation(demand_owner=service.organisation)
    shown = {
        "title": text("hub.within", section=text("watching.warning"), what=service.title),
        "one": found,
        "service": service,
        "picture": _picture_of(view, service, found.warning, acts),
        "done": status.done_about(view, found.digest) if acts else (),
        "incidents": [one for one in list_incidents(view, service.name) if found.digest in one.documents]
        if acts
        else (),
        "may_care": permitted(WatchAct.CARE, view.actor, relation),
        "crumbs": [crumb("warnings", text("watching.warnings")), crumb("watch", service.title, name=service.name)],
    }
    return render(request, "hub/warning.html", shown)


def _picture_of(view: View, service: Service, warned: RiskWarning, acts: bool) -> SafeString:
    """Return the picture of what led to a warning; nothing where there is none to draw."""
    if warned.signal is Signal.RISK:
        return drawn_alarm(view, service, warned.detector, acts)
    if warned.signal is Signal.DRIFT:
        raised = status.list_warnings(view, service.name, _WARNINGS)
        return drawn(_drift_chart(view, watch_of(view, service.name), raised))
    return drawn(_path_chart(view, service.name, warned.detector, warned.signal))


@page("warnings/<digits:digest>/care/", "warning-care", methods=POST)
def acknowledge(request: HubRequest, digest: str) -> HttpResponse:
    """Acknowledge a warning."""
    wanted = {"digest": digest_of(digest), "note": request.POST.get("note", "")[:2000]}
    do(ACKNOWLEDGE, request.acting.view, wanted)
    tell(request, ACKNOWLEDGE)
    return redirect("warning", digest=digest)


@page("services/<slug:name>/watch/audit/", "watch-audit", WatchAct.HAND_IN, methods=FORM)
def audit(request: HubRequest, name: str) -> HttpResponse:
    """Show which cases wait for labels, and take those that are handed in."""
    view = request.acting.view
    work, service = do(AUDIT, view, {"service": name}), service_of(view, name)
    given = {one.case: request.POST.get(f"label:{one.case}", "").strip() for one in work.items}
    labels = {case: label for case, label in given.items() if label}
    if labels:
        batch = f"audit-{request.POST.get('batch', '')}"
        sent = {"document": "label-batch/1", "service": name, "batch": batch, "labels": labels}
        try:
            do(LABEL, view, {"service": name, "sent": sent})
        except InputError as error:
            messages.error(request, error.render(language(), make_visible))
        else:
            messages.success(request, text("watching.audit_handed_in", labels=len(labels)).render(language()))
            return redirect("watch-audit", name=name)
    crumbs = [crumb("services", text("service.nav")), crumb("service", service.title, name=name)]
    shown = {
        "title": text("watching.audit"),
        "service": service,
        "work": work,
        "rows": [(one, given[one.case]) for one in work.items],
    }
    watch = crumb("watch", text("watching.watch"), name=name)
    return render(request, "hub/watch_audit.html", {**shown, "batch": token_hex(8), "crumbs": [*crumbs, watch]})


def _page(request: HubRequest, name: str, **forms: Form) -> HttpResponse:
    view, operates = request.acting.view, request.acting.may(WatchAct.ARM)
    service, found = service_of(view, name), status.status_of(view, name)
    replayed = last_replay(view, name) if operates else None
    relation = SubjectRelation(demand_owner=service.organisation)
    entered = {one.detector for one in found.detectors}
    raised = status.list_warnings(view, name, _WARNINGS)
    shown = {
        "title": service.title,
        "service": service,
        "found": found,
        "armed": found.watch is not None and found.watch.armed_at is not None,
        "awaited": [one for one in _promises(found.watch) if one.detector not in entered],
        "pictures": [(one, _picture(request, service, one)) for one in _in_order(found.detectors)],
        "drift": drawn(_drift_chart(view, found.watch, raised)),
        "counts": [(Text(code=f"counted.{what}"), count) for what, count in found.counts.items()],
        "warnings": raised[:_LISTED],
        "earlier": earlier_armings(view, service, found.watch, raised),
        "incidents": list_incidents(view, name, limit=_INCIDENTS) if request.acting.reads(ReadScope.DESK) else [],
        "may_care": permitted(WatchAct.CARE, view.actor, relation),
        "may_label": found.watch is not None
        and found.watch.audit_labels is not None
        and permitted(WatchAct.HAND_IN, view.actor, relation),
        "replayed": replayed,
        "replay_digest": replayed.digest() if replayed else "",
        **(_replayed(view.load(replayed.watch, Watch)) if replayed else {}),
        "delays": _delays(replayed) if replayed else {},
        "crumbs": [
            crumb("services", text("service.nav")),
            crumb("service", service.title, name=name),
        ],
    }
    beginning = _beginning(found.watch)
    operated = {"terms_form": TermsForm(initial=beginning), "silence_form": SilenceForm()} if operates else {}
    return render(request, "hub/watch.html", {**shown, **operated, **forms})


class _Promise(NamedTuple):
    """What is promised of a criterion, and the detector that judges it."""

    detector: str
    criterion: str
    promise: Text


def _promises(watch: Watch | None) -> list[_Promise]:
    """Return the promise of each criterion that ``watch`` watches with one."""
    risks = watch.risks if watch is not None else ()
    return [
        _Promise(risk_detector(risk), risk.criterion, LossDetector(LossWatch.of_risk(risk)).promise) for risk in risks
    ]


def _replayed(watch: Watch) -> dict[str, object]:
    """Return on which terms a watch was replayed, and what it would promise."""
    return {"terms": _told(watch), "promised": _promises(watch), "unpromised": watch.unpromised.items()}


def _delays(replayed: Replay) -> dict[str, object]:
    """Return the table of labels and delays: how many times the accepted loss, and a row for each number of labels."""
    times = sorted({one.times for one in replayed.delays})
    rows = [(labels, [one.periods for one in of]) for labels, of in groupby(replayed.delays, lambda one: one.labels)]
    return {"times": [f"{one:g}" for one in times], "rows": rows} if rows else {}


def _in_order(detectors: Sequence[DetectorReading]) -> list[DetectorReading]:
    """Return detectors in the order of signals: what measures harm before what hints at it."""
    return sorted(detectors, key=lambda one: list(Signal).index(one.signal))


def _picture(request: HubRequest, service: Service, one: DetectorReading) -> SafeString:
    """Return the picture of a detector: of a risk all that led to its colour, else the path of its evidence."""
    view = request.acting.view
    acts = request.acting.reads(ReadScope.DESK)
    alarm = drawn_alarm(view, service, one.detector, acts) if one.signal is Signal.RISK else None
    return alarm or drawn(_path_chart(view, service.name, one.detector, one.signal, one.level))


def _path_chart(view: View, name: str, detector: str, signal: Signal, level: float | None = None) -> str:
    """Return the path of a detector, "" for those that have none worth a picture."""
    if signal not in _DRAWN:
        return ""
    points = [
        WatchedPoint(point.at, point.seen, point.value, point.colour) for point in status.path(view, name, detector)
    ]
    high = Colour.RED if signal is Signal.RISK else Colour.ORANGE
    return watch_path_chart(WatchedPath(detector, points, high, level), language())


def _drift_chart(view: View, watch: Watch | None, raised: Sequence[RaisedWarning]) -> str:
    """Return when each column had which colour since the watch was armed, those that had one first.

    Who may not see the profile, which holds values of a sample, sees the columns that had one.
    """
    if watch is None or watch.armed_at is None or watch.profile is None:
        return ""
    begins, ends = watch.armed_at, view.store.clock()
    spells = drift_spells(raised, begins, ends)
    profile = view.get(watch.profile)
    columns = sorted(spells) if profile is None else list(profile.load(ReferenceProfile).columns)
    order = sorted(columns, key=lambda column: (column not in spells, columns.index(column)))[:_STRIPS]
    strips = [
        DriftStrip(column, [Spell(one.begins, one.ends, one.colour) for one in spells[column]]) for column in order
    ]
    return drift_chart(strips, begins, ends, language())


_PLACE = "services/<slug:name>/watch/"
form_post(f"{_PLACE}replay/", "watch-replay", TermsForm, (_page, "terms_form"), "watch#replay", service="name")
form_post(f"{_PLACE}silence/", "watch-silence", SilenceForm, (_page, "silence_form"), "watch", service="name")
post_of(f"{_PLACE}arm/", "watch-arm", ARM, "watch", service="name")
post_of(f"{_PLACE}disarm/", "watch-disarm", DISARM, "watch", service="name")
post_of(f"{_PLACE}speak/", "watch-speak", END_SILENCE, "watch", service="name")
