"""What the estate adds to the navigation of the hub."""

from __future__ import annotations

from pilotbase.documents.texts import text
from pilotbase.hub.presenters.navigation import NavigationItem

FLOW = (
    NavigationItem(text("pool.hub.title"), "pools", members_only=True, place="computing"),
    NavigationItem(text("voucher.hub.title"), "wallet", members_only=True, also="/voucher-", place="computing"),
)
HELP = {
    "share-computing-power": "pools",
    "pay-with-vouchers": "vouchers voucher-claims voucher-metering voucher-programmes",
}
