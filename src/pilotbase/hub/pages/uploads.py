"""Handing in a scenario or an application: files are kept, encrypted, until the function that takes them in has."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render

from pilotbase.catalogue.records import load_record
from pilotbase.catalogue.saving import SaveOptions
from pilotbase.data.drafting import DraftAnswers
from pilotbase.data.scenario_yaml import write_scenario_yaml
from pilotbase.documents.base import LONGEST_NOTE, NAME_PATTERN, Localized
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.moments import DateOrder
from pilotbase.documents.permissions import Act, permitted
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.states import ScenarioState
from pilotbase.documents.texts import Text, make_visible, text
from pilotbase.hub.acting import HubRequest, RequestActor, language, posted_files
from pilotbase.hub.base import base
from pilotbase.hub.forms.declared import refusals_in
from pilotbase.hub.forms.files import (
    KeepingForm,
    KeptTable,
    SizedForm,
    chosen_file,
    find_table,
    forget_file,
    keep_table,
    make_name,
    opened_table,
)
from pilotbase.hub.forms.mistakes import MistakesField, MistakesTable
from pilotbase.hub.pages.demands import (
    LONGEST_PROBLEM,
    demand_named,
    drafted_terms,
    forget_demand,
    known_of,
    named_choice,
    shown_demand,
    take_words,
)
from pilotbase.hub.pages.sizes import offers_remedies, shown_beside, ticked_fixes
from pilotbase.hub.presenters.addresses import address_of, record_crumbs, section_crumb, subject_of
from pilotbase.hub.presenters.records import records_offered, see
from pilotbase.hub.routing import FORM, page
from pilotbase.hub.sentences import area, asked, t
from pilotbase.worker.intake.versions import take_drafted, take_edited, take_reworded, take_uploaded_application
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.listings import Query

ANSWERS = ("problem", "target", "cost_of_miss", "cost_of_false_alarm", "contact")
COSTS = ("cost_of_miss", "cost_of_false_alarm")
RARE = ("sector", "action", "data_may_leave", "dates", "name", "dataset", "cases", "manifest")
"""Answers that few give: they are folded."""
TABLES = (".csv", ".parquet", ".xlsx")
"""What a scenario names as it is."""
_SOURCES = (*TABLES, ".tsv", ".txt", ".jsonl", ".json")
"""What a draft is made from."""


def no_table(kinds: tuple[str, ...]) -> str:
    """Return what is said of a file of another kind."""
    return str(text("hub.no_table", allowed=", ".join(kinds)).render(language()))


class DataForm(SizedForm):
    """The table of cases: the first thing that is asked for."""

    kinds: ClassVar[tuple[str, ...]] = _SOURCES
    cases = forms.FileField(**asked("hub.field_data", "hub.help_data"))

    def clean_cases(self) -> UploadedFile[Any]:
        upload: UploadedFile[Any] = self.cleaned_data["cases"]
        if upload and Path(upload.name or "").suffix.lower() not in self.kinds:
            raise ValidationError(no_table(self.kinds))
        return upload


class AnswersForm(DataForm):
    """The six answers, or a finished scenario.yaml; either way about a table that is kept."""

    kept = forms.CharField(widget=forms.HiddenInput, required=False, max_length=40)
    problem = area(t("hub.field_problem"), t("hub.help_problem"), max_length=LONGEST_PROBLEM, required=False)
    target = forms.CharField(**asked("hub.field_target", "hub.help_target"), max_length=200, required=False)
    group_or_time = forms.CharField(**asked("hub.field_group", "hub.help_group"), max_length=200, required=False)
    cost_of_miss = forms.FloatField(
        **asked("hub.field_miss", "hub.help_miss"), min_value=0, max_value=1e15, required=False
    )
    cost_of_false_alarm = forms.FloatField(
        **asked("hub.field_false_alarm", "hub.help_false_alarm"), min_value=0, max_value=1e15, required=False
    )
    mistakes = MistakesField()
    contact = forms.CharField(**asked("hub.field_contact", "hub.help_contact"), max_length=150, required=False)
    sector = named_choice("sector")
    action = named_choice("action")
    data_may_leave = forms.NullBooleanField(label=t("demand.field.conditions.data_may_leave"), required=False)
    dates = forms.ChoiceField(
        **asked("hub.field_date_order", "hub.help_date_order"),
        choices=[("", "–"), *((order, t(f"hub.date_order.{order}")) for order in DateOrder)],
        required=False,
    )
    name = forms.RegexField(
        NAME_PATTERN,
        **asked("hub.field_scenario_name", "hub.help_scenario_name"),
        error_messages={"invalid": t("hub.no_short_name")},
        max_length=63,
        required=False,
    )
    dataset = forms.ChoiceField(**asked("hub.field_dataset", "hub.help_dataset"), required=False)
    manifest = forms.FileField(**asked("hub.field_manifest", "hub.help_manifest"), required=False)

    def __init__(self, acting: RequestActor, table: KeptTable, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._file = table.upload.name
        own = records_offered(acting.view, Query("dataset", owner=acting.organisation))
        self.fields["dataset"].choices = [("", "–"), *own]  # type: ignore[attr-defined]
        self.fields["cases"].required = False
        self.fields["cases"].label = text("hub.field_other_data").render(language())
        self.order_fields([*(name for name in self.fields if name not in RARE), *RARE])
        for name in COSTS:
            self.fields[name].widget.attrs["data-slider"] = ""
        for name in ANSWERS:
            self.fields[name].widget.attrs["data-asked"] = ""  # needed, unless other answers come in their place
        columns = [("", "–"), *((name, make_visible(name)) for name in table.facts.columns)]
        for name in ("target", "group_or_time"):
            asked = self.fields[name]
            chosen = forms.ChoiceField(label=asked.label, help_text=asked.help_text, choices=columns, required=False)
            chosen.widget.attrs = asked.widget.attrs
            self.fields[name] = chosen

    @property
    def rare(self) -> str:
        """Return the first of the fields that are folded."""
        return RARE[0]

    @property
    def opened(self) -> bool:
        """Return whether one of the folded fields is answered, or wrong."""
        return any(name in self.errors or self[name].value() for name in RARE)

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if given.get("manifest") and Path(self._file).suffix.lower() not in TABLES:
            self.add_error("cases", no_table(TABLES))
        if not given.get("manifest"):
            for name in ANSWERS:
                replaced = name in COSTS and given.get("mistakes")
                if given.get(name) in (None, "") and name not in self.errors and not replaced:
                    self.add_error(name, forms.Field.default_error_messages["required"])
        return given


class EditForm(DataForm, KeepingForm):
    """A scenario as the file that it is, every part explained; new data only where it changes, and none in a world."""

    keeps, kinds = "cases", TABLES
    manifest = forms.CharField(
        label="scenario.yaml",
        help_text=t("hub.help_edit_manifest"),
        widget=forms.Textarea(attrs={"rows": 32, "class": "code", "spellcheck": "false", "wrap": "off"}),
        max_length=200_000,
    )
    note = area(t("hub.field_change"), t("hub.help_change"), rows=2, required=False, max_length=LONGEST_NOTE)
    seen = forms.CharField(widget=forms.HiddenInput, required=False, max_length=80)
    why_holds = forms.BooleanField(label=t("hub.field_why_holds"), widget=forms.HiddenInput, required=False)
    """Asked for only where a criterion was changed and its reason was not."""
    field_order = ("manifest", "why_holds", "cases", "note")

    def __init__(self, before: Scenario, head: str, data: Any = None, files: Any = None) -> None:
        super().__init__(data, files, initial={"manifest": write_scenario_yaml(before), "seen": head})
        if before.world is not None:
            del self.fields["cases"]
            return
        self.fields["cases"].required = False
        self.fields["cases"].label = text("hub.field_other_data").render(language())
        self.fields["cases"].help_text = text("hub.help_other_data").render(language())

    def add_error(self, field: str | None, error: Any) -> None:
        super().add_error(field, error)
        if field == "why_holds":
            self.fields[field].widget = forms.CheckboxInput()


class TitlesForm(forms.Form):
    """What a scenario is called and is about, in at least one language."""

    title_en = forms.CharField(label=t("describing.title_en"), max_length=200, required=False)
    title_zh = forms.CharField(label=t("describing.title_zh"), max_length=200, required=False)
    problem_en = area(t("hub.problem_en"), max_length=2000, required=False)
    problem_zh = area(t("hub.problem_zh"), max_length=2000, required=False)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        for name in ("title", "problem"):
            if not given.get(f"{name}_en") and not given.get(f"{name}_zh"):
                self.add_error(f"{name}_{language()}", forms.Field.default_error_messages["required"])
        return given

    def words(self) -> dict[str, object]:
        """Return what is said of the scenario, by its fields."""
        given = self.cleaned_data
        return {
            name: Localized(en=given[f"{name}_en"] or None, zh=given[f"{name}_zh"] or None)
            for name in ("title", "problem")
        }


class WordsForm(TitlesForm):
    """What most owners change of a scenario: its words, and what errors cost."""

    cost_of_miss = forms.FloatField(**asked("hub.field_miss", "hub.help_miss"), min_value=0, max_value=1e15)
    cost_of_false_alarm = forms.FloatField(
        **asked("hub.field_false_alarm", "hub.help_false_alarm"), min_value=0, max_value=1e15
    )
    mistakes = MistakesField()
    note = area(t("hub.field_change"), t("hub.help_change"), rows=2, required=False, max_length=LONGEST_NOTE)
    seen = forms.CharField(widget=forms.HiddenInput, required=False, max_length=80)

    @classmethod
    def of(cls, before: Scenario, head: str, data: QueryDict | None) -> WordsForm:
        """Return the form filled in with what ``before`` says."""
        said: dict[str, object] = {"seen": head}
        for name in ("title", "problem"):
            words = getattr(before, name)
            both = words if isinstance(words, Localized) else Localized(**{language(): words})
            said |= {f"{name}_en": both.en, f"{name}_zh": both.zh}
        form = cls(data, initial=said, auto_id="words_%s")
        costs = before.costs
        stays = () if costs is None else COSTS if costs.mistakes is None else ("mistakes",)
        for name in {*COSTS, "mistakes"}.difference(stays):
            del form.fields[name]
        if costs is not None:
            amounts = zip(COSTS, (costs.miss, costs.false_alarm), strict=True)
            form.initial.update({name: f"{cost:.15g}" for name, cost in amounts if cost is not None})
            form.initial["mistakes"] = costs.mistakes
        if "mistakes" in form.fields:
            form.fields["mistakes"].widget = MistakesTable(before.data.classes or ())
        return form

    def said(self, before: Scenario) -> dict[str, object]:
        """Return what the next version says."""
        given, words = self.cleaned_data, self.words()
        if before.costs is None:
            return words
        told = {"miss": "cost_of_miss", "false_alarm": "cost_of_false_alarm", "mistakes": "mistakes"}
        costs = {name: given[field] for name, field in told.items() if field in given}
        return words | {"costs": before.costs.model_copy(update=costs)}


class ApplicationForm(SizedForm, KeepingForm):
    """An application's folder as a zip, and the scenario that it is made for."""

    keeps = "folder"
    folder = forms.FileField(
        **asked("hub.field_folder", "hub.help_folder"), required=False, widget=forms.FileInput(attrs={"data-asked": ""})
    )
    scenario = forms.ChoiceField(**asked("hub.field_made_for", "hub.help_made_for"), required=False)
    note = area(t("hub.field_note"), t("hub.help_note"), rows=2, required=False, max_length=LONGEST_NOTE)

    def __init__(self, request: HubRequest, data: Any = None, files: Any = None) -> None:
        super().__init__(data, files, initial={"scenario": f"scenario:{request.GET.get('scenario', '')}"})
        opened = records_offered(request.acting.view, Query("scenario", states=(ScenarioState.OPEN,)))
        self.fields["scenario"].choices = [("", "–"), *opened]  # type: ignore[attr-defined]


@page("scenarios/new/", "scenario-new", Act.SCENARIO_REGISTER, FORM)
def scenario(request: HubRequest) -> HttpResponse:
    """Draft a scenario: the demand in words if there is no table yet, the table, the answers about its columns."""
    if "words" in request.POST or "answer" in request.POST:
        taken = take_words(request)
        return taken if isinstance(taken, HttpResponse) else _beginning(request, DataForm(), taken)
    data = DataForm(*posted_files(request))
    table = _table(request, data)
    if table is None:
        return _beginning(request, data)
    calculated = "calculate" in request.POST
    given = (_with_kept(request, table), request.FILES) if _answered(request) and not calculated else ()
    form = AnswersForm(request.acting, table, *given, initial=_known(request, table))
    if given and form.is_valid():
        with refusals_in(form):
            asked = form.cleaned_data
            said = asked["manifest"].read() if asked.get("manifest") else _answers(request, asked)
            with opened_table(request.acting.view, table.upload) as source:
                try:
                    record = take_drafted(base(), request.acting.view, source, said, language())
                except InputError as error:
                    if not offers_remedies(error):
                        raise
                    form.add_error(None, text("hub.not_drafted_yet").render(language()))
                    return _new_scenario(request, form, table)
            forget_file(request.acting.view, table.upload)
            forget_demand(request.acting)
            messages.success(request, text("hub.draft_made").render(language()))
            return redirect(address_of(record.subject))
    return _new_scenario(request, form, table)


def _beginning(request: HubRequest, data: DataForm, wrong: forms.Form | None = None) -> HttpResponse:
    """Return the first page: the demand, the draft, what resembles it, and the table."""
    title, lead = text("hub.new_scenario"), text("hub.new_scenario_lead")
    shown = {
        "title": title,
        "lead": lead,
        "form": data,
        "button": text("hub.read_table"),
        "acts": True,
        **({"made_of": named} if (named := demand_named(request)) is not None else shown_demand(request, wrong)),
    }
    return render(request, "hub/upload.html", {"crumbs": [section_crumb("scenarios")], **shown})


def _new_scenario(request: HubRequest, form: AnswersForm, table: KeptTable) -> HttpResponse:
    return _page(request, "scenarios", form, text("hub.new_scenario"), text("hub.new_scenario_lead"), table=table)


@page("scenarios/<name:name>/acts/scenario.edit/", "scenario-edit", methods=FORM)
def edit(request: HubRequest, name: str) -> HttpResponse:
    """Make a new version of a scenario: its manifest is changed here, its data stay unless others are sent."""
    view, subject = request.acting.view, subject_of("scenarios", name)
    record, head = load_record(view, subject)
    if not permitted(Act.SCENARIO_EDIT, request.acting.actor, record.stands):
        raise NotFoundError("hub.not_found")
    before = view.load(record.documents["scenario"], Scenario)
    reworded = "words" in request.POST
    words = WordsForm.of(before, head, request.POST if reworded else None)
    if reworded and words.is_valid():
        with refusals_in(words):
            remarks = SaveOptions(words.cleaned_data["note"], words.cleaned_data["seen"] or None)
            take_reworded(base(), view, before, words.said(before), remarks)
            return redirect(address_of(subject))
    sent = (None, None) if reworded else posted_files(request)
    form = EditForm(before, head, *sent)
    edited = request.method == "POST" and not reworded
    chosen = chosen_file(request, form) if edited and before.world is None else None
    if edited and form.is_valid():
        with refusals_in(form):
            given = form.cleaned_data
            remarks = SaveOptions(given["note"], given["seen"] or None, why_holds=given["why_holds"])
            with opened_table(view, chosen) if chosen is not None else nullcontext() as table:
                take_edited(base(), view, before, given["manifest"], table, remarks)
            if chosen is not None:
                forget_file(view, chosen)
            return redirect(address_of(subject))
    seen = see(view, subject)
    title = Text(code=f"act.{Act.SCENARIO_EDIT}")
    crumbs = record_crumbs(subject, seen.title)
    shown = {"title": title, "lead": text("hub.edit_scenario_lead"), "form": form, "crumbs": crumbs, "wide": True}
    shown |= {"words": words, "button": title, "back": address_of(subject), "unfolded": edited}
    shown["costs"] = before.costs is not None
    return render(request, "hub/upload.html", shown)


@page("applications/new/", "application-new", Act.APPLICATION_REGISTER, FORM)
def application(request: HubRequest) -> HttpResponse:
    """Hand in a version of an application."""
    form = ApplicationForm(request, *posted_files(request))
    chosen = chosen_file(request, form) if request.method == "POST" else None
    if request.method == "POST" and chosen is None:
        form.add_error("folder", t("hub.file_needed"))
    if chosen is not None and form.is_valid():
        made_for = (form.cleaned_data["scenario"] or None, SaveOptions(form.cleaned_data["note"]))
        most = settings.CONFIGURATION.unpacked_bytes
        with refusals_in(form):
            record = take_uploaded_application(base(), request.acting.view, chosen.identity, most, made_for)
            return redirect(address_of(record.subject))
    return _page(request, "applications", form, text("hub.new_application"), text("hub.new_application_lead"))


def _table(request: HubRequest, form: DataForm) -> KeptTable | None:
    """Return the table that came, or came before; None with the reasons in ``form`` where there is none."""
    view, before = request.acting.view, request.POST.get("kept", "")
    try:
        if request.method != "POST":
            return None
        if before and "cases" not in request.FILES:
            return find_table(view, before[:40])
        if form.is_valid():
            file = form.cleaned_data["cases"]
            return keep_table(view, file, make_name(file.name))
    except (InputError, RefusedError, NotFoundError) as error:
        form.add_error("cases", error.render(language(), make_visible).splitlines())
    return None


def _known(request: HubRequest, table: KeptTable) -> dict[str, Any]:
    """Return what is answered already: whom to ask, the demand in words, and what stands in a form to calculate."""
    person = request.acting.person
    said = {name: value for name, value in request.POST.items() if "calculate" in request.POST}
    if said:
        said["mistakes"] = MistakesTable().value_from_datadict(request.POST, None, "mistakes")
    known = {"contact": person.email if person else "", **known_of(request), **said}
    return known | {"kept": table.upload.identity}


def _with_kept(request: HubRequest, table: KeptTable) -> QueryDict:
    """Return the answers with the table that they are about: one that came with them is not asked for again."""
    answers = request.POST.copy()
    answers["kept"] = table.upload.identity
    return answers


def _answered(request: HubRequest) -> bool:
    """Return whether anything was answered besides the file."""
    answers = (name for name in AnswersForm.base_fields if name not in ("cases", "kept"))
    return any(request.POST.get(name) or name in request.FILES for name in answers)


def _answers(request: HubRequest, given: dict[str, Any]) -> DraftAnswers:
    named = demand_named(request)
    return DraftAnswers(
        problem=given["problem"],
        target=given["target"],
        group_or_time=given["group_or_time"] or None,
        cost_of_miss=given["cost_of_miss"] or 0.0,
        cost_of_false_alarm=given["cost_of_false_alarm"] or 0.0,
        mistakes=given["mistakes"],
        contact=f"{request.acting.organisation}, {given['contact']}",
        name=given["name"],
        dataset=given["dataset"],
        dates=DateOrder(given["dates"]) if given["dates"] else None,
        fixes=ticked_fixes(request.POST),
        demand=named.subject if named is not None else "",
        title=named.title if named is not None else None,
        **drafted_terms(given),
    )


def _page(
    request: HubRequest, section: str, form: forms.Form, title: Text, lead: Text, table: KeptTable | None = None
) -> HttpResponse:
    button = text("hub.read_table") if isinstance(form, DataForm) and table is None else title
    said = {one.name: one.value() for one in form}
    beside = shown_beside(request.acting.view, table, said, ticked_fixes(request.POST))
    if "outlook" in beside:
        form.fields["mistakes"].widget = MistakesTable(beside["outlook"].classes, said["target"])
    shown = {
        "title": title,
        "lead": lead,
        "form": form,
        "crumbs": [section_crumb(section)],
        "table": table,
        "button": button,
        **beside,
    }
    part = request.POST.get("calculate") == "part"
    return render(request, "hub/parts/studio.html" if part else "hub/upload.html", shown)
