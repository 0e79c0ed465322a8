"""Vouchers over the API: wallets with their movements and claims."""

from __future__ import annotations

from ninja import Path, Router

from pilotbase.documents.api.vouchers import WalletListed, WalletTold
from pilotbase.documents.base import Name
from pilotbase.hub.acting import HubRequest
from pilotbase.hub.api.answers import answers
from pilotbase.hub.api.authentication import MEMBERS
from pilotbase.hub.shown.vouchers import wallet_told, wallets_listed

router = Router(tags=["vouchers"], auth=MEMBERS)


@router.get("/vouchers", response=answers(list[WalletListed]), summary="Whose wallets I see")
def read_all(request: HubRequest) -> list[WalletListed]:
    """Return who has vouchers or has claimed: oneself; everybody for operator and regulator."""
    return wallets_listed(request.acting.view)


@router.get("/vouchers/{organisation}", response=answers(WalletTold), summary="A wallet")
def read(request: HubRequest, organisation: Path[Name]) -> WalletTold:
    """Return vouchers, holds, movements, caps of the year, and claims with every rule that refused them."""
    return wallet_told(request.acting.view, organisation)
