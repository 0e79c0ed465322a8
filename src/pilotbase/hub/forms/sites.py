"""The forms of site trials: enrol, ask for a pack, send a report, revoke."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from pilotbase.certificate.bounded_json import MAXIMUM_BYTES
from pilotbase.documents.base import Localized, localized
from pilotbase.hub.acting import language
from pilotbase.hub.sentences import t

DAYS = 7


class _JsonFile(forms.FileField):
    """A signed file, no larger than one is read."""

    def clean(self, data: Any, initial: Any = None) -> Any:
        found = super().clean(data, initial)
        if found is not None and found.size > MAXIMUM_BYTES:
            raise forms.ValidationError(t("hub.certificate_too_large"))
        return found


class EnrolForm(forms.Form):
    """What a site says of itself, and its key as the owner has told it."""

    file = _JsonFile(label=t("site.hub.file"), help_text=t("site.hub.file_help"))
    key = forms.RegexField(
        r"^(sha256:)?[0-9a-fA-F]{20,64}$", label=t("site.hub.key"), help_text=t("site.hub.key_help"), max_length=80
    )


class PackForm(forms.Form):
    """Which application a site is to try on which of its scenarios."""

    scenario = forms.ChoiceField(label=t("hub.scenario"))
    application = forms.ChoiceField(label=t("hub.application"))
    days = forms.IntegerField(
        label=t("site.hub.days"), help_text=t("site.hub.days_help"), min_value=1, max_value=365, initial=DAYS
    )

    def __init__(self, scenarios: Sequence[str], applications: Sequence[tuple[str, Localized]], *given: object) -> None:
        super().__init__(*given)  # type: ignore[arg-type]
        self.fields["scenario"].choices = [(one, one) for one in scenarios]  # type: ignore[attr-defined]
        self.fields["application"].choices = [  # type: ignore[attr-defined]
            (subject, localized(title, language())) for subject, title in applications
        ]


class ReportForm(forms.Form):
    """A report as the site has signed it."""

    file = _JsonFile(label=t("site.hub.report_file"), help_text=t("site.hub.report_help"))


class RevokeForm(forms.Form):
    """Why a site is revoked."""

    reason = forms.CharField(label=t("service.why"), widget=forms.Textarea(attrs={"rows": 2}), max_length=2000)
