"""Wallets of vouchers: an organisation's own; all of them for operator and regulator."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from pilotbase.documents.texts import text
from pilotbase.hub.acting import HubRequest, language
from pilotbase.hub.presenters.names import title_of
from pilotbase.hub.routing import page
from pilotbase_estate.computing.told_vouchers import wallet_told, wallets_listed


@page("vouchers/", "wallet")
def show(request: HubRequest) -> HttpResponse:
    """Show the reader's own wallet; to operator and regulator, the list of wallets."""
    acting = request.acting
    shown = {
        "title": text("voucher.hub.title"),
        "wallets": wallets_listed(acting.view) if acting.actor.sees_all else None,
        "wallet": wallet_told(acting.view, language(), acting.organisation),
    }
    return render(request, "hub/wallet.html", shown)


@page("vouchers/<slug:organisation>/", "wallet-of")
def show_one(request: HubRequest, organisation: str) -> HttpResponse:
    """Show the wallet of an organisation."""
    shown = {
        "title": text("voucher.hub.wallet_of", organisation=title_of(organisation)),
        "wallet": wallet_told(request.acting.view, language(), organisation),
        "crumbs": [{"url": reverse("wallet"), "label": text("voucher.hub.title")}],
    }
    return render(request, "hub/wallet.html", shown)
