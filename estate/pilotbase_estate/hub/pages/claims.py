"""Claims on vouchers: made with evidence, shown with every rule, decided by a person, paid out."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from pilotbase.documents.base import LONGEST_NOTE
from pilotbase.documents.errors import InputError
from pilotbase.documents.estimate import format_plain, read_money
from pilotbase.documents.files import File
from pilotbase.documents.hashes import digest_of
from pilotbase.documents.texts import Text, make_visible, text
from pilotbase.hub.acting import HubRequest, language, posted, posted_files
from pilotbase.hub.base import base
from pilotbase.hub.forms.declared import AGAINST, add_errors, do, form_of, tell
from pilotbase.hub.forms.files import KeepingForm, SizedForm, chosen_file
from pilotbase.hub.presenters.taken import file_response
from pilotbase.hub.routing import FORM, POST, page
from pilotbase.hub.sentences import asked, t
from pilotbase.workspace.failures import NotFoundError
from pilotbase_estate.computing.claims import take_claim_file
from pilotbase_estate.computing.told_vouchers import claim_detail, claims_told, uses_to_claim
from pilotbase_estate.documents.api.vouchers import UseTold
from pilotbase_estate.operations import vouchers

_NOTE = forms.Textarea(attrs={"rows": 2})
_OF_PAYMENT = ("reference", "amount", "paid_on", "payer", "payee")
VerdictForm, PayoutForm = form_of(vouchers.DECIDE, "note"), form_of(vouchers.PAY, "reference")
_STATES = ("waiting", "granted", "refused", "paid")


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


def _mark(form: forms.Form, needed: bool, *names: str) -> None:
    """Mark some or all fields as required where the rules need them."""
    for name in names or form.fields:
        if needed:
            form.fields[name].widget.attrs["data-asked"] = ""


@page("voucher-claims/", "claims")
def show_all(request: HubRequest) -> HttpResponse:
    """List the claims that the reader sees, and what their organisation may claim."""
    asked = request.GET.get("state", "")
    state = asked if asked in _STATES else ""
    shown = {
        "title": text("voucher.hub.claims"),
        "claims": claims_told(request.acting.view, language(), state),
        "state": state,
        "states": _STATES,
        "uses": uses_to_claim(request.acting.view),
        "crumbs": _crumbs()[:1],
    }
    return render(request, "hub/claims.html", shown)


@page("vouchers/claims/", "wallet-claims")
def beside_wallets(request: HubRequest) -> HttpResponse:
    """Redirect readers who look for claims among the wallets to their list: no organisation is called ``claims``."""
    return redirect("claims")


@page("voucher-claims/new/", "claim-new", methods=FORM)
def make(request: HubRequest) -> HttpResponse:
    """Claim what a voucher has paid of a settled use; the page that follows shows the result of every rule."""
    use = _use(request)
    if use.claimed_by:
        return redirect("claims")
    form = ClaimForm(use, posted(request), initial=_offered(request, use))
    needed = {"invoice": False, "receipt": use.needs_payment}
    evidence = {kind: EvidenceForm(kind, asked, *posted_files(request)) for kind, asked in needed.items()}
    if request.method == "POST":
        chosen = {kind: chosen_file(request, one) for kind, one in evidence.items()}
        files = {kind: one.identity for kind, one in chosen.items() if one is not None}
        if all([form.is_valid(), *(one.is_valid() for one in evidence.values())]):
            try:
                made = do(vouchers.MAKE_CLAIM, request.acting.view, form.said(use.job, use.attempt, files))
                return redirect("claim", claim=made.number)
            except AGAINST as error:
                add_errors(form, error)
    shown = {
        "title": text("voucher.hub.claim"),
        "use": use,
        "form": form,
        "evidence": list(evidence.values()),
        "crumbs": _crumbs(),
    }
    return render(request, "hub/claim_new.html", shown)


@page("voucher-claims/<digits:claim>/", "claim")
def show(request: HubRequest, claim: str) -> HttpResponse:
    """Show a claim with every rule, its files and its history."""
    return _page(request, claim, VerdictForm(), PayoutForm())


@page("voucher-claims/<digits:claim>/decide/", "claim-decide", methods=POST)
def decide(request: HubRequest, claim: str) -> HttpResponse:
    """Grant or refuse a claim that waits, by the button that was pressed."""
    form = VerdictForm(request.POST, given={"asked": claim, "granted": request.POST.get("does") == "grant"})
    if form.done(request.acting.view):
        tell(request, form.operation)
        return redirect("claim", claim=claim)
    return _page(request, claim, form, PayoutForm())


@page("voucher-claims/<digits:claim>/pay/", "claim-pay", methods=POST)
def pay(request: HubRequest, claim: str) -> HttpResponse:
    """Record that a granted claim was paid out."""
    form = PayoutForm(request.POST, given={"asked": claim})
    if form.done(request.acting.view):
        messages.success(request, Text(code="voucher.hub.paid_out").render(language()))
        return redirect("claim", claim=claim)
    return _page(request, claim, VerdictForm(), form)


@page("voucher-claims/<digits:claim>/<digits:digest>/", "claim-file")
def file(request: HubRequest, claim: str, digest: str) -> StreamingHttpResponse:
    """Return a file of a claim, as a download, to its claimant and to those who decide."""
    found, content = take_claim_file(base(), request.acting.view, digest_of(claim), digest_of(digest))
    return file_response(File.of(found.name, content))


def _page(request: HubRequest, claim: str, verdict: forms.Form, payout: forms.Form) -> HttpResponse:
    found = claim_detail(request.acting.view, language(), digest_of(claim))
    shown = {
        "title": text("voucher.hub.claim_on", job=found.job),
        "claim": found,
        "verdict": verdict if found.may_decide else None,
        "payout": payout if found.may_pay else None,
        "crumbs": _crumbs(),
    }
    return render(request, "hub/claim.html", shown)


def _use(request: HubRequest) -> UseTold:
    """Return the use that the URL names; raises `NotFoundError` if it is not one of the reader's organisation."""
    job, attempt = request.GET.get("job", ""), request.GET.get("attempt", "")
    for use in uses_to_claim(request.acting.view):
        if (use.job, str(use.attempt)) == (job, attempt) and (use.sides or use.claimed_by):
            return use
    raise NotFoundError("hub.not_found")


def _offered(request: HubRequest, use: UseTold) -> dict[str, object]:
    """Return the usual content of a claim: that the consumer has paid the supplier its fee today."""
    fee = use.cost if use.sides[0] == "consumer" else use.cost - use.subsidy
    parties = {"payer": use.organisation, "payee": use.supplier}
    return {"amount": format_plain(fee), "paid_on": timezone.localdate(), **parties}


def _crumbs() -> list[dict[str, object]]:
    return [
        {"url": reverse("wallet"), "label": text("voucher.hub.title")},
        {"url": reverse("claims"), "label": text("voucher.hub.claims")},
    ]
