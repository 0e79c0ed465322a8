"""The page on which the owner of closed data settles the budget of private statistics and what is counted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render

from pilotbase.catalogue.records import load_record
from pilotbase.data.private.grids import MOST_VALUES
from pilotbase.data.terms.templates import LEAST_CELL, StatisticsTerms, offer_for, statistics_of, with_statistics
from pilotbase.documents.base import Part
from pilotbase.documents.dataset import DataField, Dataset, FieldType, RecordSet
from pilotbase.documents.permissions import Act, permitted
from pilotbase.documents.record import Record
from pilotbase.documents.states import DatasetState
from pilotbase.documents.terms import MILLIONTHS
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Opening
from pilotbase.hub.acting import HubRequest, language, posted
from pilotbase.hub.forms.bringing import Bringing, StepForm
from pilotbase.hub.pages.acts import taken
from pilotbase.hub.presenters.addresses import address_of, record_crumbs, subject_of
from pilotbase.hub.presenters.records import see
from pilotbase.hub.routing import FORM, page
from pilotbase.hub.sentences import asked, t
from pilotbase.worker.operations.binding import there
from pilotbase.workspace.actors import Actor

MOST_COLUMNS = 200
"""On a page; those of wider tables are said in the description itself."""
_NUMBERS = (FieldType.FLOAT, FieldType.INTEGER)
_WORDS = (FieldType.TEXT, FieldType.URL)
_PLACE = re.compile(r"recordSet\[(\d+)\]\.field\[(\d+)\]\.(minimum|maximum|values)")
_ACTS = {DatasetState.DRAFT: Act.DATASET_EDIT, DatasetState.PUBLISHED: Act.DATASET_REVISE}


@dataclass(frozen=True)
class CountableColumn:
    """A column of which something may be counted, and where it stands in the description."""

    record_set: int
    index: int
    field: DataField

    @property
    def parts(self) -> tuple[str, ...]:
        """Return what is said of it: its range, or the values there may be."""
        return ("minimum", "maximum") if self.field.data_type in _NUMBERS and not self.field.values else ("values",)

    def name(self, part: str) -> str:
        """Return what the form calls a part of it."""
        return f"{part}_{self.record_set}_{self.index}"


class StatisticsTermsForm(StepForm):
    """The budget as ε with six decimals (whole millionths), the smallest group, ranges and values column by column."""

    budget = forms.DecimalField(
        **asked("statistics.terms.budget", "statistics.terms.budget_help"),
        min_value=0,
        max_value=1000,
        decimal_places=6,
    )
    cell_size = forms.IntegerField(
        **asked("statistics.terms.cell_size", "statistics.terms.cell_size_help"),
        min_value=LEAST_CELL,
        max_value=1_000_000,
    )
    version = forms.RegexField(
        r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)\Z",
        **asked("hub.version", "statistics.terms.version_help"),
        max_length=40,
    )

    def prepare(self) -> None:
        self.dataset: Dataset = self.bringing.document("dataset", Dataset)
        found = list(columns_of(self.dataset))
        self.columns, self.more = found[:MOST_COLUMNS], max(len(found) - MOST_COLUMNS, 0)
        said = statistics_of(self.dataset.usage) if self.dataset.usage is not None else StatisticsTerms()
        self.initial["budget"] = (Decimal(said.epsilon) / MILLIONTHS).normalize()
        self.initial["cell_size"] = said.cell_size
        if self.bringing.act is Act.DATASET_REVISE:
            self.initial["version"] = _next(self.dataset.version)
        else:
            del self.fields["version"]
        for column in self.columns:
            self._ask(column)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield what a page shows of each column: itself, and the inputs of its range or its values."""
        for column in self.columns:
            yield {
                "record_set": self.dataset.record_sets[column.record_set],
                "field": column.field,
                "inputs": [self[column.name(part)] for part in column.parts],
            }

    def settled(self) -> list[Any]:
        """Return the inputs that are of no column."""
        return [self[name] for name in ("budget", "cell_size", "version", "note") if name in self.fields]

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        for column in self.columns:
            low, high = (given.get(column.name(part)) for part in ("minimum", "maximum"))
            if low is not None and high is not None and low > high:
                said = text("dataset.empty_range", minimum=low, maximum=high)
                self.add_error(column.name("maximum"), said.render(language()))
        return super().clean()

    def part(self) -> Part:
        given = self.cleaned_data
        said = StatisticsTerms(int(given["budget"] * MILLIONTHS), given["cell_size"])
        usage = self.dataset.usage or offer_for(
            self.dataset.opening, self.dataset.owner.organisation, self.dataset.subject
        )
        changes = {
            "usage": with_statistics(usage, said),
            "record_sets": tuple(self._record_set(*one) for one in enumerate(self.dataset.record_sets)),
            "version": given.get("version", self.dataset.version),
        }
        return Dataset.from_json_value(self.dataset.model_copy(update=changes).to_json_value())

    def _ask(self, column: CountableColumn) -> None:
        for part in column.parts:
            known = getattr(column.field, part)
            if part == "values":
                area = forms.Textarea(attrs={"rows": min(max(len(known), 2), 4)})
                asked: forms.Field = forms.CharField(required=False, widget=area, max_length=100_000, strip=False)
                self.initial[column.name(part)] = "\n".join(known)
            else:
                asked = forms.FloatField(required=False)
                whole = known is not None and known.is_integer() and abs(known) < 2**53
                self.initial[column.name(part)] = int(known) if whole else known
            asked.label = t(f"statistics.terms.{part}")
            asked.widget.attrs["aria-label"] = f"{column.field.name}: {asked.label}"
            self.fields[column.name(part)] = asked

    def _record_set(self, number: int, record_set: RecordSet) -> RecordSet:
        fields = list(record_set.fields)
        for column in self.columns:
            if column.record_set == number:
                fields[column.index] = column.field.model_copy(update=self._said(column))
        return record_set.model_copy(update={"fields": tuple(fields)})

    def _said(self, column: CountableColumn) -> dict[str, Any]:
        said = {part: self.cleaned_data[column.name(part)] for part in column.parts}
        if "values" in said:
            lines = (line.strip("\r") for line in said["values"].split("\n"))
            said["values"] = tuple(dict.fromkeys(line for line in lines if line.strip()))
        return said

    def _field_of(self, path: str) -> str | None:
        found = _PLACE.search(path)
        name = f"{found[3]}_{found[1]}_{found[2]}" if found is not None else ""
        return name if name in self.fields else super()._field_of(path)


def settling(actor: Actor, dataset: Dataset, record: Record) -> Act | None:
    """Return the act by which ``actor`` settles statistics of a dataset; None: they may not, or it is not closed."""
    act = _ACTS.get(DatasetState(record.state))
    closed = dataset.opening is Opening.COMPUTE_TO_DATA
    return act if act is not None and closed and permitted(act, actor, record.stands) else None


@page("datasets/<name:name>/statistics/terms/", "statistics-terms", methods=FORM)
def edit(request: HubRequest, name: str) -> HttpResponse:
    """Show what the description says; save a draft, or publish a later version."""
    view, seen = request.acting.view, see(request.acting.view, subject_of("datasets", name))
    record, head = load_record(view, seen.subject)
    dataset = seen.document
    act = there(settling(request.acting.actor, dataset, record) if isinstance(dataset, Dataset) else None)
    form = StatisticsTermsForm(Bringing(request.acting, record, act), posted(request), initial={"seen": head})
    if request.method == "POST" and form.is_valid() and taken(view, seen.subject, act, form):
        return redirect(address_of(seen.subject))
    shown = {
        "title": text("statistics.terms.title"),
        "seen": seen,
        "form": form,
        "published": act is Act.DATASET_REVISE,
        "crumbs": record_crumbs(seen.subject, seen.title),
    }
    return render(request, "hub/statistics_terms.html", shown)


def columns_of(dataset: Dataset) -> Iterator[CountableColumn]:
    """Yield the columns of which a range or values can be said: keys, groups and long lists are never counted."""
    for number, record_set in enumerate(dataset.record_sets):
        for index, field in enumerate(record_set.fields):
            named = field.unique or field.name in (*record_set.key, record_set.group)
            counted = field.data_type in _NUMBERS or field.data_type in _WORDS
            if counted and not named and field.value is None and len(field.values) <= MOST_VALUES:
                yield CountableColumn(number, index, field)


def _next(version: str) -> str:
    first, second, third = version.split(".")
    return f"{first}.{second}.{int(third) + 1}"
