"""What people fill in when they hand a program in to a pool."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import Any

import pydantic
from django import forms
from django.core.exceptions import ValidationError

from pilotbase.documents.errors import InputError
from pilotbase.documents.loading import issues_of
from pilotbase.documents.subjects import dataset_subject
from pilotbase.documents.texts import text
from pilotbase.documents.visible_text import make_visible
from pilotbase.hub.acting import language
from pilotbase.hub.forms.declared import add_errors
from pilotbase.hub.forms.files import KeepingForm, SizedForm
from pilotbase.hub.sentences import asked, t
from pilotbase_estate.documents.api.pools import MOST_HOURS, DataFile
from pilotbase_estate.documents.resources import Demand, Resources

_DEMAND: pydantic.TypeAdapter[Resources] = pydantic.TypeAdapter(Demand)


class JobForm(SizedForm, KeepingForm):
    """A program's folder as a zip, how it is run, and what it requests."""

    keeps = "folder"
    folder = forms.FileField(
        **asked("pool.hub.folder", "pool.hub.folder_help"),
        required=False,
        widget=forms.FileInput(attrs={"data-asked": ""}),
    )
    entry = forms.CharField(**asked("pool.hub.entry", "pool.hub.entry_help"), max_length=2000)
    cpu = forms.DecimalField(
        label=t("pool.hub.cpu"), initial=1, min_value=0, max_value=1_000_000, decimal_places=3, max_digits=10
    )
    memory = forms.CharField(**asked("pool.hub.memory", "pool.hub.memory_help"), initial="1 GiB", max_length=40)
    more = forms.CharField(**asked("pool.hub.more", "pool.hub.more_help"), required=False, max_length=400)
    hours = forms.FloatField(
        **asked("pool.hub.hours", "pool.hub.hours_help"), initial=1, min_value=0.0003, max_value=MOST_HOURS
    )
    members = forms.IntegerField(
        **asked("pool.hub.members", "pool.hub.members_help"), initial=1, min_value=1, max_value=10_000
    )
    priority = forms.IntegerField(
        **asked("pool.hub.priority", "pool.hub.priority_help"), initial=0, min_value=-100, max_value=100
    )
    reads = forms.CharField(
        **asked("pool.hub.data", "pool.hub.data_help"),
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        required=False,
        max_length=4000,
    )
    voucher = forms.ChoiceField(**asked("pool.hub.voucher", "pool.hub.voucher_help"), required=False)

    consent = forms.BooleanField(**asked("estimate.hub.consent", "estimate.hub.consent_help"), required=False)

    def __init__(self, vouchers: Iterable[tuple[str, str]], *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self.fields["voucher"].choices = [("", "–"), *vouchers]  # type: ignore[attr-defined]

    def clean_entry(self) -> tuple[str, ...]:
        try:
            return tuple(shlex.split(self.cleaned_data["entry"]))
        except ValueError:
            raise ValidationError(t("pool.hub.bad_entry")) from None

    def clean_reads(self) -> tuple[DataFile, ...]:
        return tuple(_file(line.strip()) for line in self.cleaned_data["reads"].splitlines() if line.strip())

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        asked: dict[str, Any] = {"cpu": given.get("cpu", 1), "memory": given.get("memory", "")}
        for part in given.get("more", "").split():
            name, _, amount = part.partition("=")
            asked[name] = amount
        try:
            given["demand"] = _DEMAND.validate_python(asked)
        except pydantic.ValidationError as error:
            add_errors(self, InputError.from_issues("", issues_of("", error)))
        return given

    def said(self, upload: str) -> dict[str, Any]:
        """Return the request."""
        names = ("entry", "demand", "hours", "members", "priority", "voucher", "consent")
        return {
            "upload": upload,
            "data": self.cleaned_data["reads"],
            **{name: self.cleaned_data[name] for name in names},
        }


def _file(written: str) -> DataFile:
    """Return the file that ``OWNER/DATASET:FILE`` names; raises `ValidationError`."""
    dataset, _, file = written.partition(":")
    owner, _, name = dataset.partition("/")
    try:
        return DataFile(dataset=dataset_subject(owner, name), file=file)
    except pydantic.ValidationError:
        said = text("compute.bad_data", found=written[:120]).render(language(), make_visible)
        raise ValidationError(said) from None
