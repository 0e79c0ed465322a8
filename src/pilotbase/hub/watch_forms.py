"""The forms of a watch: its terms, a silence."""

from __future__ import annotations

from datetime import datetime, timedelta

from django import forms

from pilotbase.documents.watch import Watch, WatchTerms
from pilotbase.hub.sentences import t

_DAY, _HOUR, _MINUTE = 86_400, 3_600, 60


class TermsForm(forms.Form):
    """On which terms a watch is replayed; what the certificate says cannot be chosen."""

    tolerance = forms.FloatField(
        label=t("watching.tolerance"), help_text=t("watching.tolerance_help"), min_value=0, max_value=0.49
    )
    alpha = forms.FloatField(
        label=t("watching.alpha"), help_text=t("watching.alpha_help"), min_value=0.0001, max_value=0.49
    )
    cohort_hours = forms.FloatField(
        label=t("watching.cohort_hours"), help_text=t("watching.cohort_help"), min_value=0.001, max_value=8784
    )
    label_days = forms.FloatField(
        label=t("watching.label_days"), help_text=t("watching.label_help"), min_value=0, max_value=3660
    )
    silence_minutes = forms.FloatField(label=t("watching.silence_minutes"), min_value=0.1, max_value=525_600)
    keep_days = forms.IntegerField(label=t("watching.keep_days"), min_value=1, max_value=3660)

    @classmethod
    def beginning(cls, watch: Watch | None) -> dict[str, float]:
        """Return what stands in the form at first: the terms of the watch that is there, or the usual ones."""
        terms = watch or WatchTerms()
        alpha = sum(risk.alpha for risk in watch.risks) if watch is not None and watch.risks else WatchTerms().alpha
        shown = {
            "tolerance": terms.tolerance,
            "alpha": alpha,
            "cohort_hours": terms.cohort_seconds / _HOUR,
            "label_days": terms.label_seconds / _DAY,
            "silence_minutes": terms.silence_seconds / _MINUTE,
        }
        return {**{name: float(f"{value:.6g}") for name, value in shown.items()}, "keep_days": terms.keep_days}

    def wanted(self) -> WatchTerms:
        """Return what was asked for."""
        asked = self.cleaned_data
        return WatchTerms(
            tolerance=asked["tolerance"],
            alpha=asked["alpha"],
            cohort_seconds=max(round(asked["cohort_hours"] * _HOUR), 1),
            label_seconds=round(asked["label_days"] * _DAY),
            silence_seconds=max(round(asked["silence_minutes"] * _MINUTE), 1),
            keep_days=asked["keep_days"],
        )


class SilenceForm(forms.Form):
    """Why and how long notices rest."""

    reason = forms.CharField(label=t("watching.reason"), widget=forms.Textarea(attrs={"rows": 2}), max_length=2000)
    hours = forms.FloatField(label=t("watching.hours"), initial=8, min_value=0.1, max_value=2160)

    def until(self, now: datetime) -> datetime:
        """Return when the silence ends."""
        return now + timedelta(hours=self.cleaned_data["hours"])
