"""The forms of site trials: enrol, ask for a pack, send a report, revoke."""

from __future__ import annotations

from typing import Any

from django import forms

from pilotbase.certificate.bounded_json import MAXIMUM_BYTES
from pilotbase.hub.forms.declared import form_of
from pilotbase.hub.sentences import t
from pilotbase.operations import sites


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


class ReportForm(forms.Form):
    """A report as the site has signed it."""

    file = _JsonFile(label=t("site.hub.report_file"), help_text=t("site.hub.report_help"))


PackForm = form_of(sites.ASK, "scenario", "application", "days")
RevokeForm = form_of(sites.REVOKE, "reason")
