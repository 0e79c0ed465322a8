"""Wallets of vouchers, and programmes: rules, readable by everyone and set by the operator; evidence; metering."""

from __future__ import annotations

from typing import cast

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse

from pilotbase.data.scenario_yaml import dump_document
from pilotbase.documents.loading import parse_request
from pilotbase.documents.subjects import name_of
from pilotbase.documents.texts import text
from pilotbase.hub.acting import HubRequest, language, posted
from pilotbase.hub.forms.declared import AGAINST, do, tell
from pilotbase.hub.forms.parts import Asking, Editor
from pilotbase.hub.presenters.records import records_offered, title_of
from pilotbase.hub.presenters.taken import file_response
from pilotbase.hub.routing import EVERYBODY, FORM, page
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.listings import Query
from pilotbase.workspace.store import View
from pilotbase_estate.computing.told_vouchers import reconciliation_told, wallet_told, wallets_listed
from pilotbase_estate.documents.voucher import VoucherRules
from pilotbase_estate.operations.vouchers import EVIDENCE, SET_RULES
from pilotbase_estate.vouchers.wallet import programmes, rules_of

_WORDS = {"claimed_by": "voucher.side.", "rounding": "voucher.rounding.", "uncounted": "voucher.category."}


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
    digest, before = rules_of(view, programme) if programme else (None, None)
    editor = _editor(view, before, posted(request))
    if request.method == "POST" and editor.is_valid():
        try:
            rules = parse_request(VoucherRules, editor.said())
            do(SET_RULES, view, {"programme": programme or rules.name, "rules": rules}, digest)
            tell(request, SET_RULES)
            return redirect("programme", programme=rules.name)
        except AGAINST as error:
            editor.refuse(error)
    title = text("voucher.hub.set_rules" if programme else "voucher.hub.new_programme")
    back = reverse("programme", args=[programme]) if programme else reverse("programmes")
    shown = {"title": title, "editor": editor, "back": back, "crumbs": _crumbs()}
    return render(request, "hub/programme_edit.html", shown)


def _editor(view: View, before: VoucherRules | None, sent: QueryDict | None) -> Editor:
    """Return the form of rules; whose fund it is does not change."""
    fixed = frozenset({"document"}) if before is None else frozenset({"document", "name", "issuer", "currency"})
    issuers = [(name_of(subject), title) for subject, title in records_offered(view, Query("organisation"))]
    asking = Asking(SET_RULES, _WORDS, {} if before is not None else {"issuer": issuers}, fixed)
    known = before.to_json_value() if before is not None else {}
    return Editor(asking, VoucherRules, known, dump_document(known), sent)


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
