"""What people fill in to replay a pool's record under other rules."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.http import QueryDict

from pilotbase.documents.loading import build_document
from pilotbase.documents.yaml_reader import MAXIMUM_BYTES, parse_yaml
from pilotbase.hub.forms.files import SizedForm
from pilotbase.hub.sentences import asked, t
from pilotbase_estate.documents.pool import Pool
from pilotbase_estate.documents.pool_replay import Policy
from pilotbase_estate.hub.presenters.what_ifs import format_pool

USUAL = (Policy.SHARED, Policy.FIFO, Policy.DRF)
_DAYS = 7
_ISO = "%Y-%m-%d"
"""The format in which browsers send the day of a date field, in every language."""


class WhatIfForm(SizedForm):
    """Days to replay, policies, and the pool's document to change."""

    since = forms.DateField(label=t("what_if.since"), widget=forms.DateInput(format=_ISO, attrs={"type": "date"}))
    until = forms.DateField(
        **asked("what_if.until", "what_if.until_help"),
        widget=forms.DateInput(format=_ISO, attrs={"type": "date"}),
        required=False,
    )
    policies = forms.MultipleChoiceField(
        **asked("what_if.policies", "what_if.policies_help"), widget=forms.CheckboxSelectMultiple
    )
    considered = forms.CharField(
        **asked("what_if.considered", "what_if.considered_help"),
        widget=forms.Textarea(attrs={"rows": 20, "spellcheck": "false", "class": "code"}),
        required=False,
        max_length=MAXIMUM_BYTES,
    )
    file = forms.FileField(**asked("what_if.document", "what_if.document_help"), required=False)

    def __init__(self, pool: Pool, today: date, data: QueryDict | None, files: Any) -> None:
        since = today - timedelta(days=_DAYS - 1)
        first = {"since": since, "policies": [one.value for one in USUAL], "considered": format_pool(pool)}
        super().__init__(data, files, initial=first)
        names = [(one.value, t(f"replay.policy.{one.value}")) for one in dict.fromkeys((*USUAL, *Policy))]
        self.fields["policies"].choices = names  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Show a chosen file in the text field, where it can be corrected."""
        given = super().clean()
        if given.get("file") is not None and "file" not in self.errors:
            given["considered"] = given["file"].read(MAXIMUM_BYTES + 1).decode("utf-8", "replace")
            self.data = self.data.copy()  # type: ignore[attr-defined]
            self.data["considered"] = given["considered"]  # type: ignore[index]
        return given

    def said(self) -> dict[str, Any]:
        """Return the request; raises `InputError` with every problem of the proposed pool."""
        given = self.cleaned_data
        written = given["considered"]
        considered = build_document(Pool, parse_yaml(written.encode(), "pool.yaml")) if written.strip() else None
        until = _midnight(given["until"] + timedelta(days=1)) if given["until"] is not None else None
        since = _midnight(given["since"])
        return {"since": since, "until": until, "policies": given["policies"], "considered": considered}


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
