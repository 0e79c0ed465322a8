"""What a person hands in about a dataset: its description as a document, an agreement on its terms."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from django import forms

from pilotbase.catalogue.preconditions import act_of_new
from pilotbase.documents.agreement import Agreement
from pilotbase.documents.base import NAME_PATTERN, Part
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.errors import InputError
from pilotbase.documents.permissions import Act
from pilotbase.documents.terms import Purpose
from pilotbase.hub.forms import bringing
from pilotbase.hub.forms.bringing import Bringing, StepForm
from pilotbase.hub.presenters.records import see
from pilotbase.hub.sentences import t

MOST_CHARACTERS = 1_000_000


class DatasetForm(StepForm):
    """A dataset's description, as ``pilotbase data describe`` writes it."""

    content = forms.CharField(
        label=t("hub.dataset_document"),
        help_text=t("hub.help_dataset_document"),
        widget=forms.Textarea(attrs={"rows": 24, "spellcheck": "false"}),
        max_length=MOST_CHARACTERS,
    )

    def prepare(self) -> None:
        if "dataset" in self.bringing.record.documents:
            known: Dataset = self.bringing.document("dataset", Dataset)
            self.initial["content"] = json.dumps(known.to_json_value(), ensure_ascii=False, indent=1)

    def part(self) -> Part:
        return Dataset.model_validate_json(self.cleaned_data["content"])


class AgreementForm(StepForm):
    """An agreement: offered by the dataset's owner to whom they name, or the published offer taken up."""

    assignee = forms.RegexField(NAME_PATTERN, label=t("hub.assignee"), help_text=t("hub.help_assignee"))
    purposes = forms.CharField(
        label=t("hub.purposes"),
        help_text=t("hub.help_purposes"),
        widget=forms.Textarea(attrs={"rows": 2}),
        initial=Purpose.VERIFICATION.value,
    )
    begins = forms.DateField(
        label=t("hub.begins"),
        help_text=t("hub.help_begins"),
        widget=forms.DateInput(attrs={"type": "date"}),
        required=False,
    )
    ends = forms.DateField(
        label=t("hub.ends"),
        help_text=t("hub.help_ends"),
        widget=forms.DateInput(attrs={"type": "date"}),
        required=False,
    )

    def prepare(self) -> None:
        if self.bringing.act is not Act.AGREEMENT_OFFER:
            del self.fields["assignee"]
        dataset: Dataset = self.bringing.document("dataset", Dataset)
        if dataset.usage is not None and dataset.usage.purposes:
            self.initial["purposes"] = "\n".join(dataset.usage.purposes)

    def part(self) -> Part:
        given, record = self.cleaned_data, self.bringing.record
        dataset: Dataset = self.bringing.document("dataset", Dataset)
        if dataset.usage is None:
            raise InputError("terms.no_offer", dataset=dataset.subject)
        return Agreement(
            dataset=dataset.subject,
            dataset_version=record.documents["dataset"],
            version=dataset.version,
            assigner=dataset.owner.organisation,
            assignee=given.get("assignee", self.bringing.acting.organisation),
            offer=dataset.usage,
            purposes=tuple(given["purposes"].replace(",", " ").split()),
            begins=given["begins"].isoformat() if given["begins"] else None,
            ends=given["ends"].isoformat() if given["ends"] else None,
        )


def about_dataset(new: Bringing, dataset: str) -> Bringing:
    """Return what a new agreement on ``dataset`` hands in: its owner offers, whoever else takes up or asks.

    Raises:
        NotFoundError: the actor sees no such dataset.
    """
    seen = see(new.acting.view, dataset)
    act = act_of_new(new.acting.view, dataset)
    return replace(new, act=act, record=new.record.model_copy(update={"documents": {"dataset": seen.listing.digest}}))


FORMS: dict[str | None, Any] = {**bringing.FORMS, "dataset": DatasetForm}
"""`Transition.brings` → form, of those that are taken on the page of a record."""
