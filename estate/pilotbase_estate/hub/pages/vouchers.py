"""Wallets of vouchers, and programmes: rules, readable by everyone and set by the operator; evidence; metering."""

from __future__ import annotations

from typing import cast

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from pilotbase.data.scenario_yaml import dump_document
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.loading import build_document
from pilotbase.documents.texts import text
from pilotbase.documents.yaml_reader import parse_yaml
from pilotbase.hub.acting import HubRequest, language, posted
from pilotbase.hub.forms.declared import add_errors, do
from pilotbase.hub.presenters.records import title_of
from pilotbase.hub.presenters.taken import file_response
from pilotbase.hub.routing import EVERYBODY, FORM, page
from pilotbase.workspace.failures import NotFoundError
from pilotbase_estate.computing.told_vouchers import reconciliation_told, require_named, wallet_told, wallets_listed
from pilotbase_estate.documents.voucher import VoucherRules
from pilotbase_estate.hub.pages.claims import RulesForm
from pilotbase_estate.operations.vouchers import EVIDENCE
from pilotbase_estate.vouchers.wallet import programmes, rules_of, set_rules

FILE = "rules.yaml"


def rules_from(written: str, programme: str = "") -> VoucherRules:
    """Return the rules that a file states; ``programme``: the one that they must belong to.

    Raises:
        InputError: with every problem, or they are another programme's.
    """
    rules = build_document(VoucherRules, parse_yaml(written.encode(), FILE))
    require_named(rules, programme)
    return rules


@page("voucher-programmes/", "programmes", EVERYBODY)
def show_all(request: HubRequest) -> HttpResponse:
    """List the programmes as they are today."""
    shown = {
        "title": text("voucher.hub.programmes"),
        "programmes": [rules for _, rules in programmes(request.acting.view)],
        "may_set": request.acting.actor.is_operator,
        "sees_all": request.acting.actor.sees_all,
    }
    return render(request, "hub/programmes.html", shown)


@page("voucher-programmes/<slug:programme>/", "programme", EVERYBODY)
def show(request: HubRequest, programme: str) -> HttpResponse:
    """Show the rules of a programme."""
    digest, rules = rules_of(request.acting.view, programme)
    shown = {
        "title": rules.title,
        "rules": rules,
        "digest": digest,
        "may_set": request.acting.actor.is_operator,
        "sees_all": request.acting.actor.sees_all,
        "crumbs": _crumbs(),
    }
    return render(request, "hub/programme.html", shown)


@page("voucher-programmes/new/", "programme-new", methods=FORM)
@page("voucher-programmes/<slug:programme>/edit/", "programme-edit", methods=FORM)
def edit(request: HubRequest, programme: str = "") -> HttpResponse:
    """Set the rules of a programme, or of a new one; only the operator can see this page."""
    view = request.acting.view
    if not request.acting.actor.is_operator:
        raise NotFoundError("hub.not_found")
    before = rules_of(view, programme)[1] if programme else None
    form = RulesForm(
        posted(request), initial={"rules": dump_document(before.to_json_value()) if before is not None else ""}
    )
    if request.method == "POST" and form.is_valid():
        try:
            rules = rules_from(form.cleaned_data["rules"], programme)
            set_rules(view, rules)
            return redirect("programme", programme=rules.name)
        except (InputError, RefusedError) as error:
            add_errors(form, error)
    title = text("voucher.hub.set_rules" if programme else "voucher.hub.new_programme")
    back = reverse("programme", args=[programme]) if programme else reverse("programmes")
    shown = {"title": title, "lead": text("voucher.hub.rules_lead"), "form": form, "wide": True, "button": title}
    return render(request, "hub/upload.html", {**shown, "back": back, "crumbs": _crumbs()})


@page("voucher-programmes/<slug:programme>/evidence.zip", "programme-evidence")
def evidence(request: HubRequest, programme: str) -> HttpResponse:
    """Return the auditor's folder of a programme."""
    return cast(HttpResponse, file_response(do(EVIDENCE, request.acting.view, {"programme": programme})))


@page("voucher-metering/", "voucher-metering")
def metering(request: HubRequest) -> HttpResponse:
    """Show what was metered beside what was settled and posted."""
    found = reconciliation_told(request.acting.view, language())
    shown = {
        "title": text("voucher.hub.metering"),
        "uses": found.uses,
        "hours": found.hours,
        "differ": sum(bool(one.difference or one.subsidy != one.posted or one.findings) for one in found.uses),
        "open": sum(bool(one.difference) for one in found.hours),
        "crumbs": [{"url": reverse("wallet"), "label": text("voucher.hub.title")}],
    }
    return render(request, "hub/metering.html", shown)


@page("vouchers/", "wallet")
def show_wallet(request: HubRequest) -> HttpResponse:
    """Show the reader's own wallet; to operator and regulator, the list of wallets."""
    acting = request.acting
    shown = {
        "title": text("voucher.hub.title"),
        "wallets": wallets_listed(acting.view) if acting.actor.sees_all else None,
        "wallet": wallet_told(acting.view, language(), acting.organisation),
    }
    return render(request, "hub/wallet.html", shown)


@page("vouchers/<slug:organisation>/", "wallet-of")
def show_wallet_of(request: HubRequest, organisation: str) -> HttpResponse:
    """Show the wallet of an organisation."""
    shown = {
        "title": text("voucher.hub.wallet_of", organisation=title_of(organisation)),
        "wallet": wallet_told(request.acting.view, language(), organisation),
        "crumbs": [{"url": reverse("wallet"), "label": text("voucher.hub.title")}],
    }
    return render(request, "hub/wallet.html", shown)


def _crumbs() -> list[dict[str, object]]:
    return [
        {"url": reverse("wallet"), "label": text("voucher.hub.title")},
        {"url": reverse("programmes"), "label": text("voucher.hub.programmes")},
    ]
