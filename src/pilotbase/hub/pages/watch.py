"""The watch of a service as a page: detectors with their pictures, warnings, what was replayed; and all warnings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_POST, require_safe

from pilotbase.charts.watch import DriftStrip, Spell, WatchedPath, WatchedPoint, drift_chart, watch_path_chart
from pilotbase.documents.api.watch import DetectorReading, RaisedWarning, WatchStatus
from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.hashes import digest_of
from pilotbase.documents.permissions import ReadScope, SubjectRelation, WatchAct, permitted
from pilotbase.documents.profile import ReferenceProfile
from pilotbase.documents.quantities import format_duration, read_duration
from pilotbase.documents.texts import Text, text
from pilotbase.documents.visible_text import make_visible
from pilotbase.documents.vocabularies import Colour, Signal
from pilotbase.documents.watch import LONGEST_DAYS, Watch, WatchTerms
from pilotbase.hub.acting import HubRequest, language, posted
from pilotbase.hub.forms.declared import AGAINST, add_errors, bound_of, do, post_of
from pilotbase.hub.guards import for_act, member_only
from pilotbase.hub.presenters.drawn import drawn
from pilotbase.hub.sentences import area, t
from pilotbase.operations.watch import ACKNOWLEDGE, ARM, DISARM, END_SILENCE, REPLAY, SILENCE
from pilotbase.watch import status
from pilotbase.watch.arming import last_replay
from pilotbase.watch.detectors import LossDetector, LossWatch
from pilotbase.watch.following import risk_detector
from pilotbase.watch.incidents import list_incidents
from pilotbase.watch.status import drift_spells, earlier_armings
from pilotbase.watch.subjects import service_of
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View

_DAY = 86_400


class _DurationField(forms.CharField):
    """A length of time of ``least`` to ``most`` seconds, spelled with its unit; cleaned it is a number of seconds."""

    def __init__(self, *, least: int, most: int, label: object, help_text: object = "") -> None:
        super().__init__(label=label, help_text=help_text, max_length=40)  # type: ignore[arg-type]
        self.least, self.most = least, most

    def clean(self, value: object) -> int:
        """Return the seconds; raises `ValidationError`: no length of time, or out of bounds."""
        seconds = read_duration(super().clean(value))
        if seconds is None:
            raise ValidationError(t("watching.no_duration"))
        if not self.least <= seconds <= self.most:
            bounds = {"least": format_duration(self.least), "most": format_duration(self.most)}
            raise ValidationError(text("watching.duration_bounds", **bounds).render(language()))
        return seconds


def _share(name: str, terms: type[WatchTerms]) -> forms.FloatField:
    """Return the field of a promise that may be left out, with the bounds of the terms."""
    marks = terms.model_fields[name].metadata
    return forms.FloatField(
        label=t(f"watching.{name}"),
        help_text=t(f"watching.{name}_help"),
        required=False,
        min_value=bound_of(marks, "ge"),
        max_value=bound_of(marks, "le"),
    )


class TermsForm(forms.Form):
    """On which terms a watch is replayed; what the certificate says cannot be chosen."""

    tolerance = forms.FloatField(
        label=t("watching.tolerance"), help_text=t("watching.tolerance_help"), min_value=0, max_value=0.49
    )
    alpha = forms.FloatField(
        label=t("watching.alpha"), help_text=t("watching.alpha_help"), min_value=0.0001, max_value=0.49
    )
    cohort = _DurationField(
        label=t("watching.cohort"), help_text=t("watching.cohort_help"), least=1, most=LONGEST_DAYS * _DAY
    )
    labels = _DurationField(
        label=t("watching.labels"), help_text=t("watching.label_help"), least=0, most=LONGEST_DAYS * _DAY
    )
    silence = _DurationField(
        label=t("watching.silence"), help_text=t("watching.silence_help"), least=1, most=LONGEST_DAYS * _DAY
    )
    availability = _share("availability", WatchTerms)
    error_share = _share("error_share", WatchTerms)
    hand_over_share = _share("hand_over_share", WatchTerms)
    keep_days = forms.IntegerField(label=t("watching.keep_days"), min_value=1, max_value=3660)

    @classmethod
    def beginning(cls, watch: Watch | None) -> dict[str, object]:
        """Return what stands in the form at first: the terms of the watch that is there, or the usual ones."""
        terms = watch or WatchTerms()
        alpha = sum(risk.alpha for risk in watch.risks) if watch is not None and watch.risks else WatchTerms().alpha
        return {
            "tolerance": float(f"{terms.tolerance:.6g}"),
            "alpha": float(f"{alpha:.6g}"),
            "cohort": format_duration(terms.cohort_seconds),
            "labels": format_duration(terms.label_seconds),
            "silence": format_duration(terms.silence_seconds),
            "availability": terms.availability,
            "error_share": terms.error_share,
            "hand_over_share": terms.hand_over_share,
            "keep_days": terms.keep_days,
        }

    @classmethod
    def told(cls, watch: Watch) -> list[tuple[object, object]]:
        """Return the terms of a watch as they stand in the form: what each is called, and its value."""
        said = {name: value for name, value in cls.beginning(watch).items() if value is not None}
        return [(cls.base_fields[name].label, value) for name, value in said.items()]

    def wanted(self) -> WatchTerms:
        """Return what was asked for."""
        asked = self.cleaned_data
        return WatchTerms(
            tolerance=asked["tolerance"],
            alpha=asked["alpha"],
            cohort_seconds=asked["cohort"],
            label_seconds=asked["labels"],
            silence_seconds=asked["silence"],
            availability=asked["availability"],
            error_share=asked["error_share"],
            hand_over_share=asked["hand_over_share"],
            keep_days=asked["keep_days"],
        )


class SilenceForm(forms.Form):
    """Why and how long notices rest."""

    reason = area(t("watching.reason"), rows=2, max_length=2000)
    hours = forms.FloatField(label=t("watching.hours"), initial=8, min_value=0.1, max_value=2160)

    def until(self, now: datetime) -> datetime:
        """Return when the silence ends."""
        return now + timedelta(hours=self.cleaned_data["hours"])


_DRAWN = (Signal.RISK, Signal.LATENCY, Signal.CONTRACT)
_STRIPS, _WARNINGS, _LISTED, _INCIDENTS = 24, 1000, 50, 10


@require_safe
@member_only
def show(request: HubRequest, name: str) -> HttpResponse:
    """Show how the watch of a service stands."""
    return _page(request, name)


@require_safe
@member_only
def warnings(request: HubRequest) -> HttpResponse:
    """List the warnings of all services that the reader sees, newest first."""
    shown = {"title": text("watching.warnings"), "warnings": status.list_warnings(request.acting.view)}
    return render(request, "hub/warnings.html", shown)


@require_POST
@for_act(WatchAct.REPLAY)
def replay(request: HubRequest, name: str) -> HttpResponse:
    """Replay a watch on the terms that were asked for."""
    form = TermsForm(posted(request))
    if form.is_valid():
        try:
            do(REPLAY, request.acting.view, {"service": name, "terms": form.wanted()})
        except AGAINST as error:
            _pass_on_missing(error)
            add_errors(form, error)
        else:
            return redirect(f"{reverse('watch', kwargs={'name': name})}#replay")
    return _page(request, name, terms_form=form)


@require_POST
@for_act(WatchAct.SILENCE)
def create_silence(request: HubRequest, name: str) -> HttpResponse:
    """Let notices rest."""
    form = SilenceForm(posted(request))
    if not form.is_valid():
        return _page(request, name, silence_form=form)
    until = form.until(request.acting.view.store.clock())
    try:
        do(SILENCE, request.acting.view, {"service": name, "reason": form.cleaned_data["reason"], "until": until})
    except AGAINST as error:
        _pass_on_missing(error)
        messages.error(request, error.render(language(), make_visible))
    return redirect("watch", name=name)


@require_POST
@member_only
def acknowledge(request: HubRequest, digest: str) -> HttpResponse:
    """Acknowledge a warning."""
    wanted = {"digest": digest_of(digest), "note": request.POST.get("note", "")[:2000]}
    said = do(ACKNOWLEDGE, request.acting.view, wanted)
    return redirect("watch", name=said.service)


def _pass_on_missing(error: PilotbaseError) -> None:
    if isinstance(error, NotFoundError):
        raise error


def _page(request: HubRequest, name: str, **forms: Form) -> HttpResponse:
    view, operates = request.acting.view, request.acting.may(WatchAct.ARM)
    service, found = service_of(view, name), status.status_of(view, name)
    replayed = last_replay(view, name) if operates else None
    entered = {one.detector for one in found.detectors}
    raised = status.list_warnings(view, name, _WARNINGS)
    shown = {
        "title": service.title,
        "service": service,
        "found": found,
        "armed": found.watch is not None and found.watch.armed_at is not None,
        "awaited": [one for one in _promises(found.watch) if one.detector not in entered],
        "pictures": [(one, drawn(_path_chart(view, name, one))) for one in _in_order(found.detectors)],
        "drift": drawn(_drift_chart(view, found, raised)),
        "counts": [(Text(code=f"counted.{what}"), count) for what, count in found.counts.items()],
        "warnings": raised[:_LISTED],
        "earlier": earlier_armings(view, service, found.watch, raised),
        "incidents": list_incidents(view, name, limit=_INCIDENTS) if request.acting.reads(ReadScope.DESK) else [],
        "may_care": permitted(WatchAct.CARE, view.actor, SubjectRelation(demand_owner=service.organisation)),
        "replayed": replayed,
        "replay_digest": replayed.digest() if replayed else "",
        **(_replayed(view.load(replayed.watch, Watch)) if replayed else {}),
        "crumbs": [
            {"url": reverse("services"), "label": text("service.nav")},
            {"url": reverse("service", kwargs={"name": name}), "label": service.title},
        ],
    }
    beginning = TermsForm.beginning(found.watch)
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
    return {"terms": TermsForm.told(watch), "promised": _promises(watch), "unpromised": watch.unpromised.items()}


def _in_order(detectors: Sequence[DetectorReading]) -> list[DetectorReading]:
    """Return detectors in the order of signals: what measures harm before what hints at it."""
    return sorted(detectors, key=lambda one: list(Signal).index(one.signal))


def _path_chart(view: View, name: str, one: DetectorReading) -> str:
    """Return the path of a detector, "" for those that have none worth a picture."""
    if one.signal not in _DRAWN:
        return ""
    points = [
        WatchedPoint(point.at, point.seen, point.value, point.colour) for point in status.path(view, name, one.detector)
    ]
    high = Colour.RED if one.signal is Signal.RISK else Colour.ORANGE
    return watch_path_chart(WatchedPath(one.detector, points, high, one.level), language())


def _drift_chart(view: View, found: WatchStatus, raised: Sequence[RaisedWarning]) -> str:
    """Return when each column had which colour since the watch was armed, those that had one first.

    Who may not see the profile, which holds values of a sample, sees the columns that had one.
    """
    watch = found.watch
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


urlpatterns = [
    path("warnings/", warnings, name="warnings"),
    path("warnings/<digits:digest>/care/", acknowledge, name="warning-care"),
    path("services/<slug:name>/watch/", show, name="watch"),
    path("services/<slug:name>/watch/replay/", replay, name="watch-replay"),
    path("services/<slug:name>/watch/arm/", post_of(ARM, "watch", service="name"), name="watch-arm"),
    path("services/<slug:name>/watch/disarm/", post_of(DISARM, "watch", service="name"), name="watch-disarm"),
    path("services/<slug:name>/watch/silence/", create_silence, name="watch-silence"),
    path("services/<slug:name>/watch/speak/", post_of(END_SILENCE, "watch", service="name"), name="watch-speak"),
]
