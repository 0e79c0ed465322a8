"""What people fill in when they hand in a scenario or an application."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

from pilotbase.documents.base import LONGEST_NOTE, NAME_PATTERN
from pilotbase.documents.moments import DateOrder
from pilotbase.documents.quantities import format_mebibytes
from pilotbase.documents.states import ScenarioState
from pilotbase.documents.texts import text
from pilotbase.documents.visible_text import make_visible
from pilotbase.hub.acting import HubRequest, RequestActor, language
from pilotbase.hub.forms.chosen_files import KeepingForm
from pilotbase.hub.forms.kept_tables import KeptTable
from pilotbase.hub.sentences import t
from pilotbase.workspace.listings import Query, list_page

ANSWERS = ("problem", "target", "cost_of_miss", "cost_of_false_alarm", "contact")
TABLES = (".csv", ".parquet", ".xlsx")
"""What a scenario names as it is."""
SOURCES = (*TABLES, ".tsv", ".txt", ".jsonl", ".json")
"""What a draft is made from."""


class FileLimits(NamedTuple):
    """How large a file may be: ``form`` bytes at once, and spelled; and all that is taken, in pieces."""

    form: int
    at_once: str
    in_pieces: str


class SizedForm(forms.Form):
    """A form whose files are bounded by the settings; a template says how, with `limits`."""

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        most = settings.CONFIGURATION.form_bytes
        for name, value in list(given.items()):  # an error takes its field out of what was given
            if isinstance(value, UploadedFile) and (value.size or 0) > most:
                self.add_error(name, text("hub.upload_too_large", allowed=format_mebibytes(most)).render(language()))
        return given

    @property
    def limits(self) -> FileLimits:
        """Return how large a file may be: in the form itself, and sent in pieces."""
        configuration = settings.CONFIGURATION
        most, whole = configuration.form_bytes, configuration.upload_bytes
        return FileLimits(most, format_mebibytes(most), format_mebibytes(whole))


def no_table(kinds: tuple[str, ...]) -> str:
    """Return what is said of a file of another kind."""
    return str(text("hub.no_table", allowed=", ".join(kinds)).render(language()))


class DataForm(SizedForm):
    """The table of cases: the first thing that is asked for."""

    kinds: ClassVar[tuple[str, ...]] = SOURCES
    cases = forms.FileField(label=t("hub.field_data"), help_text=t("hub.help_data"))

    def clean_cases(self) -> UploadedFile[Any]:
        upload: UploadedFile[Any] = self.cleaned_data["cases"]
        if upload and Path(upload.name or "").suffix.lower() not in self.kinds:
            raise ValidationError(no_table(self.kinds))
        return upload


class AnswersForm(DataForm):
    """The six answers, or a finished scenario.yaml; either way about a table that is kept."""

    kept = forms.CharField(widget=forms.HiddenInput, required=False, max_length=40)
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
    dates = forms.ChoiceField(
        label=t("hub.field_date_order"),
        help_text=t("hub.help_date_order"),
        choices=[("", "–"), *((order, t(f"hub.date_order.{order}")) for order in DateOrder)],
        required=False,
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
    name = forms.RegexField(
        NAME_PATTERN,
        label=t("hub.field_scenario_name"),
        help_text=t("hub.help_scenario_name"),
        error_messages={"invalid": t("hub.no_short_name")},
        max_length=63,
        required=False,
    )
    dataset = forms.ChoiceField(label=t("hub.field_dataset"), help_text=t("hub.help_dataset"), required=False)
    manifest = forms.FileField(label=t("hub.field_manifest"), help_text=t("hub.help_manifest"), required=False)

    def __init__(self, acting: RequestActor, table: KeptTable, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._file = table.upload.name
        own = list_page(acting.view, Query("dataset", owner=acting.organisation), limit=200).items
        names = [(one.subject, make_visible(one.title.render(language()))) for one in own]
        self.fields["dataset"].choices = [("", "–"), *names]  # type: ignore[attr-defined]
        self.fields["cases"].required = False
        self.fields["cases"].label = text("hub.field_other_data").render(language())
        for name in ANSWERS:
            self.fields[name].widget.attrs["data-asked"] = ""  # needed, unless a finished manifest comes in their place
        columns = [("", "–"), *((name, make_visible(name)) for name in table.columns)]
        for name in ("target", "group_or_time"):
            asked = self.fields[name]
            chosen = forms.ChoiceField(label=asked.label, help_text=asked.help_text, choices=columns, required=False)
            chosen.widget.attrs = asked.widget.attrs
            self.fields[name] = chosen

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if given.get("manifest") and Path(self._file).suffix.lower() not in TABLES:
            self.add_error("cases", no_table(TABLES))
        if not given.get("manifest"):
            for name in ANSWERS:
                if given.get(name) in (None, "") and name not in self.errors:
                    self.add_error(name, forms.Field.default_error_messages["required"])
        return given


class EditForm(DataForm, KeepingForm):
    """A scenario as the file that it is, every part explained; new data only where it changes."""

    keeps, kinds = "cases", TABLES
    manifest = forms.CharField(
        label="scenario.yaml",
        help_text=t("hub.help_edit_manifest"),
        widget=forms.Textarea(attrs={"rows": 32, "class": "code", "spellcheck": "false", "wrap": "off"}),
        max_length=200_000,
    )
    note = forms.CharField(
        label=t("hub.field_change"),
        help_text=t("hub.help_change"),
        widget=forms.Textarea(attrs={"rows": 2}),
        required=False,
        max_length=LONGEST_NOTE,
    )
    seen = forms.CharField(widget=forms.HiddenInput, required=False, max_length=80)
    why_holds = forms.BooleanField(label=t("hub.field_why_holds"), widget=forms.HiddenInput, required=False)
    """Asked for only where a criterion was changed and its reason was not."""
    field_order = ("manifest", "why_holds", "cases", "note")

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.fields["cases"].required = False
        self.fields["cases"].label = text("hub.field_other_data").render(language())
        self.fields["cases"].help_text = text("hub.help_other_data").render(language())

    def add_error(self, field: str | None, error: Any) -> None:
        super().add_error(field, error)
        if field == "why_holds":
            self.fields[field].widget = forms.CheckboxInput()


class ApplicationForm(SizedForm, KeepingForm):
    """An application's folder as a zip, and the scenario that it is made for."""

    keeps = "folder"
    folder = forms.FileField(
        label=t("hub.field_folder"),
        help_text=t("hub.help_folder"),
        required=False,
        widget=forms.FileInput(attrs={"data-asked": ""}),
    )
    scenario = forms.ChoiceField(label=t("hub.field_made_for"), help_text=t("hub.help_made_for"), required=False)
    note = forms.CharField(
        label=t("hub.field_note"),
        help_text=t("hub.help_note"),
        widget=forms.Textarea(attrs={"rows": 2}),
        required=False,
        max_length=LONGEST_NOTE,
    )

    def __init__(self, request: HubRequest, data: Any = None, files: Any = None) -> None:
        super().__init__(data, files, initial={"scenario": f"scenario:{request.GET.get('scenario', '')}"})
        opened = list_page(request.acting.view, Query("scenario", states=(ScenarioState.OPEN,)), limit=200).items
        names = [(one.subject, make_visible(one.title.render(language()))) for one in opened]
        self.fields["scenario"].choices = [("", "–"), *names]  # type: ignore[attr-defined]
