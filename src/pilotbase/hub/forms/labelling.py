"""The forms of a labelling round: open it, give a label, decide, take an export in."""

from __future__ import annotations

from collections.abc import Sequence

from django import forms

from pilotbase.documents.api.labelling import NewRound, RoundParticipant
from pilotbase.documents.base import NAME_PATTERN
from pilotbase.documents.labelling import LONGEST_GUIDELINE, MOST_ITEMS
from pilotbase.hub.forms.chosen_files import KeepingForm
from pilotbase.hub.models import Membership
from pilotbase.hub.sentences import t

_SCALES = ("nominal", "ordinal")


class RoundForm(forms.Form):
    """Who labels what by which text."""

    name = forms.RegexField(NAME_PATTERN, label=t("labelling.hub.name"), max_length=63)
    record_set = forms.ChoiceField(label=t("statistics.record_set"))
    items = forms.IntegerField(
        label=t("labelling.hub.items"),
        min_value=1,
        max_value=MOST_ITEMS,
        initial=200,
        help_text=t("labelling.hub.drawn"),
    )
    guideline_version = forms.CharField(label=t("labelling.hub.version"), max_length=100)
    guideline = forms.CharField(
        label=t("labelling.hub.guideline"), max_length=LONGEST_GUIDELINE, widget=forms.Textarea(attrs={"rows": 6})
    )
    scale = forms.ChoiceField(label=t("labelling.hub.scale"))
    classes = forms.CharField(
        label=t("labelling.hub.classes"),
        help_text=t("labelling.hub.classes_help"),
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    first = forms.ChoiceField(label=t("labelling.hub.first"))
    second = forms.ChoiceField(label=t("labelling.hub.second"))
    judge = forms.ChoiceField(label=t("labelling.hub.judge"), help_text=t("labelling.hub.judge_help"))
    first_account = forms.CharField(
        label=t("labelling.hub.first_account"),
        help_text=t("labelling.hub.account_help"),
        max_length=100,
        required=False,
    )
    second_account = forms.CharField(label=t("labelling.hub.second_account"), max_length=100, required=False)

    def __init__(self, record_sets: Sequence[str], organisation: str, *given: object) -> None:
        super().__init__(*given)  # type: ignore[arg-type]
        self.organisation = organisation
        members = Membership.objects.filter(organisation=organisation).select_related("person").order_by("person__name")
        people = [(one.person.identity, f"{one.person.name} ({one.person.email})") for one in members]
        self.fields["record_set"].choices = [(one, one) for one in record_sets]  # type: ignore[attr-defined]
        self.fields["scale"].choices = [(one, t(f"labelling.scale.{one}")) for one in _SCALES]  # type: ignore[attr-defined]
        for name in ("first", "second", "judge"):
            self.fields[name].choices = people  # type: ignore[attr-defined]

    def wanted(self) -> NewRound:
        """Return what was filled in."""
        given = self.cleaned_data
        own = self.organisation
        return NewRound(
            name=given["name"],
            guideline_version=given["guideline_version"],
            guideline=given["guideline"].replace("\r\n", "\n"),
            scale=given["scale"],
            classes=[line.strip() for line in given["classes"].splitlines() if line.strip()],
            record_set=given["record_set"],
            items=given["items"],
            annotators=[
                RoundParticipant(organisation=own, person=given["first"], account=given["first_account"]),
                RoundParticipant(organisation=own, person=given["second"], account=given["second_account"]),
            ],
            adjudicator=RoundParticipant(organisation=own, person=given["judge"]),
        )


class LabelForm(forms.Form):
    """A label of the item that is shown, or a decision with its reason."""

    item = forms.CharField(widget=forms.HiddenInput, max_length=500)
    label = forms.CharField(max_length=500)
    reason = forms.CharField(
        label=t("labelling.hub.reason"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )


class ExportForm(KeepingForm):
    """An export of Label Studio."""

    keeps = "file"
    file = forms.FileField(label=t("labelling.hub.export"), help_text=t("labelling.hub.export_help"), max_length=200)
