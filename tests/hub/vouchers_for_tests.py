"""A hub whose supplier has a voucher that has paid an hour, an hour on hold, and claims, one of which was refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pilotbase.documents.estimate import PriceList
from pilotbase.documents.hashes import digest_bytes
from pilotbase_estate.documents.resources import Resources
from pilotbase_estate.documents.voucher import Payment, Usage, UsageSheet, VoucherClaim, VoucherRules
from pilotbase_estate.vouchers import claiming, ledger, settling, wallet

RULES = {
    "name": "pilot",
    "title": {"en": "Programme for tests", "zh": "测试计划"},
    "issuer": "city",
    "begins": "2020-01-01",
    "ends": "2090-12-31",
    "claimed_by": ["supplier", "consumer"],
    "rate": 3000,
    "cap_voucher": 100_000,
    "cap_year": 250_000,
    "total": 1_000_000,
    "valid_days": 90,
}
HOUR = 3600


class Purse:
    """The programme, its prices at the pool, and the steps of a voucher."""

    def __init__(self, world):
        from pilotbase.hub.base import base

        self.world, self.view = world, base().lab.view
        wallet.set_rules(self.view, VoucherRules.model_validate(RULES))
        prices = {"pool": "hall", "supplier": "institute", "prices": {"cpu": 1000, "memory": 0}}
        wallet.set_prices(self.view, PriceList.model_validate(prices))

    def filled(self) -> str:
        """Issue a voucher of 500.00, use 12.00 of it, hold 12.00, claim twice; return its name."""
        voucher = ledger.issue(self.view, "pilot", "acme", 50_000).identity
        for job in ("job:41", "job:42"):
            order = ledger.VoucherOrder(job, 1, voucher, "hall", Resources({"cpu": 4}), HOUR)
            with self.view.transaction("compute.admitted") as change:
                ledger.hold(self.view.within(change), change, order, {})
        ended = datetime.now(UTC) + timedelta(hours=1)
        usage = Usage(wall_ms=HOUR * 1000, cpu_ms=4 * HOUR * 1000, source="cgroup v2", node="node")
        sheet = UsageSheet(job="job:41", attempt=1, started_at=ended - timedelta(hours=1), ended_at=ended, usage=usage)
        with self.view.transaction("compute.ended") as change:
            settling.settle(self.view.within(change), change, sheet)
        self.claim("consumer", "acme", None)
        self.claim("supplier", "institute", 2800)
        return voucher

    def used(self, voucher: str, job: str, cpu: float = 4) -> None:
        """Hold, run and settle an hour; ``cpu``: core-hours that were counted of four that were asked for."""
        order = ledger.VoucherOrder(job, 1, voucher, "hall", Resources({"cpu": 4}), HOUR)
        ended = datetime.now(UTC) + timedelta(hours=1)
        usage = Usage(wall_ms=HOUR * 1000, cpu_ms=round(cpu * HOUR * 1000), source="cgroup v2", node="node")
        sheet = UsageSheet(job=job, attempt=1, started_at=ended - timedelta(hours=1), ended_at=ended, usage=usage)
        with self.view.transaction("compute.ended") as change:
            here = self.view.within(change)
            ledger.hold(here, change, order, {})
            settling.settle(here, change, sheet)

    def rule(self, **changed: object) -> None:
        """Let vouchers that are issued from now on stand under other rules."""
        wallet.set_rules(self.view, VoucherRules.model_validate({**RULES, **changed}))

    def claim(self, side: str, claimant: str, paid: int | None) -> None:
        """Claim the hour that was used; ``paid``: what acme has paid for it, None: there is no receipt."""
        now = datetime.now(UTC)
        receipt = {"reference": "INV-7", "evidence": digest_bytes(b"a receipt"), "amount": paid}
        parties = {"paid_on": now.date().isoformat(), "payer": "acme", "payee": "institute"}
        payment = Payment.model_validate({**receipt, **parties}) if paid is not None else None
        made = VoucherClaim(job="job:41", attempt=1, claimant=claimant, side=side, payment=payment, made_at=now)
        with self.view.transaction("voucher.claimed") as change:
            claiming.claim(self.view.within(change), change, made, {})
