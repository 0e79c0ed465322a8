"""The forms of a watch: its terms, a silence."""

from __future__ import annotations

from datetime import datetime, timedelta

from django import forms

from pilotbase.documents.quantities import format_duration
from pilotbase.documents.watch import LONGEST_DAYS, Watch, WatchTerms
from pilotbase.hub.forms.declared import bound_of
from pilotbase.hub.forms.durations import DurationField
from pilotbase.hub.sentences import t

_DAY = 86_400


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
    cohort = DurationField(
        label=t("watching.cohort"), help_text=t("watching.cohort_help"), least=1, most=LONGEST_DAYS * _DAY
    )
    labels = DurationField(
        label=t("watching.labels"), help_text=t("watching.label_help"), least=0, most=LONGEST_DAYS * _DAY
    )
    silence = DurationField(
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

    reason = forms.CharField(label=t("watching.reason"), widget=forms.Textarea(attrs={"rows": 2}), max_length=2000)
    hours = forms.FloatField(label=t("watching.hours"), initial=8, min_value=0.1, max_value=2160)

    def until(self, now: datetime) -> datetime:
        """Return when the silence ends."""
        return now + timedelta(hours=self.cleaned_data["hours"])
