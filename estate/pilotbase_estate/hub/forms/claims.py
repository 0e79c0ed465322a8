"""What people fill in to claim what a voucher has paid, and to set the rules of a programme."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from pilotbase.documents.base import LONGEST_NOTE
from pilotbase.documents.errors import InputError
from pilotbase.documents.prices import read_money
from pilotbase.documents.texts import Text
from pilotbase.documents.visible_text import make_visible
from pilotbase.hub.acting import language
from pilotbase.hub.forms.files import KeepingForm, SizedForm
from pilotbase.hub.sentences import asked, t
from pilotbase_estate.documents.api.vouchers import UseTold

_NOTE = forms.Textarea(attrs={"rows": 2})
_OF_PAYMENT = ("reference", "amount", "paid_on", "payer", "payee")


class EvidenceForm(SizedForm, KeepingForm):
    """One file of a claim; its prefix says what it is."""

    keeps = "file"
    file = forms.FileField(required=False)

    def __init__(self, kind: str, needed: bool, data: Any = None, files: Any = None) -> None:
        super().__init__(data, files, prefix=kind)
        _mark(self, needed)
        self.fields["file"].label = Text(code=f"voucher.file.{kind}").render(language())
        self.fields["file"].help_text = Text(code=f"voucher.file.{kind}_help").render(language())


class ClaimForm(forms.Form):
    """On which side somebody claims, and that the fee was paid."""

    side = forms.ChoiceField(label=t("voucher.hub.as"))
    reference = forms.CharField(label=t("voucher.hub.reference"), required=False, max_length=200)
    amount = forms.CharField(**asked("voucher.hub.paid_amount", "voucher.hub.paid_help"), required=False, max_length=20)
    paid_on = forms.DateField(
        label=t("voucher.hub.paid_on"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    payer = forms.CharField(label=t("voucher.hub.payer"), required=False, max_length=63)
    payee = forms.CharField(label=t("voucher.hub.payee"), required=False, max_length=63)
    others = forms.CharField(**asked("voucher.hub.others", "voucher.hub.others_help"), required=False, max_length=2000)
    note = forms.CharField(label=t("voucher.hub.note"), widget=_NOTE, required=False, max_length=LONGEST_NOTE)

    def __init__(self, use: UseTold, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        _mark(self, use.needs_payment, *_OF_PAYMENT)
        words = [(side, Text(code=f"voucher.side.{side}").render(language())) for side in use.sides]
        self.fields["side"].choices = words  # type: ignore[attr-defined]

    def clean_amount(self) -> int | None:
        written = self.cleaned_data["amount"]
        try:
            return read_money(written) if written else None
        except InputError as error:
            raise ValidationError(error.render(language(), make_visible).splitlines()) from None

    def said(self, job: str, attempt: int, files: dict[str, str]) -> dict[str, Any]:
        """Return the claim; ``files``: kind → upload."""
        given, payment = self.cleaned_data, None
        if given["reference"] or "receipt" in files:
            day = given["paid_on"].isoformat() if given["paid_on"] else ""
            payment = {"paid_on": day, **{name: given[name] for name in ("reference", "amount", "payer", "payee")}}
        others = (one.strip() for one in given["others"].split(","))
        return {
            "job": job,
            "attempt": attempt,
            "side": given["side"],
            "payment": payment,
            "files": [{"upload": upload, "kind": kind} for kind, upload in files.items()],
            "other_subsidies": [one for one in others if one],
            "note": given["note"],
        }


class RulesForm(forms.Form):
    """The rules of a programme, as their file."""

    rules = forms.CharField(
        **asked("voucher.hub.rules_file", "voucher.hub.rules_help"),
        widget=forms.Textarea(attrs={"rows": 28, "class": "code", "spellcheck": "false", "wrap": "off"}),
        max_length=100_000,
    )


def _mark(form: forms.Form, needed: bool, *names: str) -> None:
    """Mark some or all fields as required where the rules need them."""
    for name in names or form.fields:
        if needed:
            form.fields[name].widget.attrs["data-asked"] = ""
