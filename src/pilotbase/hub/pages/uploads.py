"""Handing in a scenario or an application: files go to a private folder, then to the function that takes them in."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from pilotbase.catalogue.records import head_of
from pilotbase.data.drafting import DraftAnswers
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.record import Record
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.steps import Step
from pilotbase.documents.texts import Text, text
from pilotbase.documents.visible_text import make_visible
from pilotbase.documents.vocabularies import Role
from pilotbase.hub.acting import HubRequest, language, posted_files
from pilotbase.hub.addresses import address_of
from pilotbase.hub.base import base
from pilotbase.hub.guards import role_only
from pilotbase.hub.sentences import t
from pilotbase.trial.sealing import MANIFEST, load_scenario
from pilotbase.worker.drafting import new_scenario
from pilotbase.worker.handing_in import own_names, unpacked
from pilotbase.worker.intake import take_application, take_scenario
from pilotbase.workspace.failures import ConflictError
from pilotbase.workspace.listings import Query, list_page

ANSWERS = ("problem", "target", "cost_of_miss", "cost_of_false_alarm", "contact")
TABLES = (".csv", ".parquet", ".xlsx")


class SizedForm(forms.Form):
    """A form whose files are bounded by the settings."""

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        for name, value in given.items():
            if isinstance(value, UploadedFile) and (value.size or 0) > settings.CONFIGURATION.upload_bytes:
                limit = text("hub.upload_too_large", allowed=settings.CONFIGURATION.upload_bytes)
                self.add_error(name, limit.render(language()))
        return given


class AnswersForm(SizedForm):
    """The six answers, or a finished scenario.yaml; either way with the data."""

    cases = forms.FileField(label=t("hub.field_data"), help_text=t("hub.help_data"))
    problem = forms.CharField(
        label=t("hub.field_problem"),
        help_text=t("hub.help_problem"),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=2000,
        required=False,
    )
    target = forms.CharField(
        label=t("hub.field_target"), help_text=t("hub.help_target"), max_length=200, required=False
    )
    group_or_time = forms.CharField(
        label=t("hub.field_group"), help_text=t("hub.help_group"), max_length=200, required=False
    )
    cost_of_miss = forms.FloatField(
        label=t("hub.field_miss"), help_text=t("hub.help_miss"), min_value=0, max_value=1e15, required=False
    )
    cost_of_false_alarm = forms.FloatField(
        label=t("hub.field_false_alarm"),
        help_text=t("hub.help_false_alarm"),
        min_value=0,
        max_value=1e15,
        required=False,
    )
    contact = forms.CharField(
        label=t("hub.field_contact"), help_text=t("hub.help_contact"), max_length=150, required=False
    )

    manifest = forms.FileField(label=t("hub.field_manifest"), help_text=t("hub.help_manifest"), required=False)

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        for name in ANSWERS:
            self.fields[name].widget.attrs["data-asked"] = ""  # needed, unless a finished manifest comes in their place

    def clean_cases(self) -> UploadedFile[Any]:
        upload: UploadedFile[Any] = self.cleaned_data["cases"]
        if Path(upload.name or "").suffix.lower() not in TABLES:
            raise ValidationError(t("hub.no_table"))
        return upload

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if not given.get("manifest"):
            for name in ANSWERS:
                if given.get(name) in (None, "") and name not in self.errors:
                    self.add_error(name, self.fields["cases"].error_messages["required"])
        return given


class ApplicationForm(SizedForm):
    """An application's folder as a zip, and the scenario that it is made for."""

    folder = forms.FileField(label=t("hub.field_folder"), help_text=t("hub.help_folder"))
    scenario = forms.ChoiceField(label=t("hub.field_made_for"), required=False)
    note = forms.CharField(
        label=t("hub.field_note"), widget=forms.Textarea(attrs={"rows": 2}), required=False, max_length=4000
    )

    def __init__(self, request: HubRequest, *arguments: Any) -> None:
        super().__init__(*arguments)
        opened = list_page(request.acting.view, Query("scenario", states=("open",)), limit=200).items
        names = [(one.subject, make_visible(one.subject.partition(":")[2])) for one in opened]
        self.fields["scenario"].choices = [("", "–"), *names]  # type: ignore[attr-defined]


@require_http_methods(["GET", "HEAD", "POST"])
@role_only(Role.DEMAND_OWNER, Role.OPERATOR)
def scenario(request: HubRequest) -> HttpResponse:
    """Draft a scenario from six answers and a file, or hand in a finished one."""
    form = AnswersForm(*posted_files(request))
    if request.method == "POST" and form.is_valid():
        try:
            return redirect(address_of(_take_scenario(request, form.cleaned_data).subject))
        except (InputError, RefusedError, ConflictError) as error:
            form.add_error(None, error.render(language()).splitlines())
    return _page(request, "scenarios", form, text("hub.new_scenario"), text("hub.new_scenario_lead"))


@require_http_methods(["GET", "HEAD", "POST"])
@role_only(Role.SUPPLIER)
def application(request: HubRequest) -> HttpResponse:
    """Hand in a version of an application."""
    form = ApplicationForm(request, *posted_files(request))
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            with unpacked(base(), given["folder"].chunks(), settings.CONFIGURATION.upload_bytes) as folder:
                record = take_application(base(), request.acting.view, folder, given["scenario"] or None)
            return redirect(address_of(record.subject))
        except (InputError, RefusedError, ConflictError) as error:
            form.add_error(None, error.render(language()).splitlines())
    return _page(request, "applications", form, text("hub.new_application"), text("hub.new_application_lead"))


def _take_scenario(request: HubRequest, given: dict[str, Any]) -> Record:
    upload, manifest = given["cases"], given.get("manifest")
    with private_folder() as folder:
        source, written = _save(upload, folder / make_name(upload.name)), folder / "scenario"
        if manifest:
            written.mkdir()
            _save(manifest, written / MANIFEST)
            source.rename(written / source.name)
        else:
            new_scenario(source, _answers(request, given), written)
        _require_new_name(request, load_scenario(written, Step.DRAFT)[0])
        return take_scenario(base(), request.acting.view, written)


def _require_new_name(request: HubRequest, handed_in: Scenario) -> None:
    """Return unless a new scenario would become a version of one that is there: that is done from its own page."""
    subject = f"scenario:{handed_in.owner.organisation}/{handed_in.name}"
    edited = f"scenario:{request.GET.get('record', '')}"
    if subject != edited and request.acting.view.head(head_of(subject)) is not None:
        raise InputError("hub.name_taken", name=handed_in.name)


def _answers(request: HubRequest, given: dict[str, Any]) -> DraftAnswers:
    return DraftAnswers(
        problem=given["problem"],
        target=given["target"],
        group_or_time=given["group_or_time"] or None,
        cost_of_miss=given["cost_of_miss"],
        cost_of_false_alarm=given["cost_of_false_alarm"],
        contact=f"{request.acting.organisation}, {given['contact']}",
    )


def make_name(name: str) -> str:
    """Return the last part of an uploaded file's name, which is never a path."""
    last = Path(name.replace("\\", "/")).name
    return last if last not in ("", ".", "..", MANIFEST) else "cases.csv"


@contextmanager
def private_folder() -> Iterator[Path]:
    """Yield a private folder in the home's scratch, gone at the end of the block."""
    with tempfile.TemporaryDirectory(dir=base().home.scratch) as name, own_names(Path(name)):
        yield Path(name)


def _save(upload: UploadedFile[Any], path: Path) -> Path:
    with path.open("xb") as copy:
        for chunk in upload.chunks():
            copy.write(chunk)
    return path


def _page(request: HubRequest, section: str, form: forms.Form, title: Text, lead: Text) -> HttpResponse:
    crumbs = [{"url": f"/{section}/", "label": text(f"hub.nav_{section}")}]
    shown = {"title": title, "lead": lead, "form": form, "crumbs": crumbs}
    return render(request, "hub/upload.html", shown)
