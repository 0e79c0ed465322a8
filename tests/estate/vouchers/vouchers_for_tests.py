"""What the tests of vouchers share: rules and prices with round figures, steps in one line, and books that balance."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from pilotbase.documents.estimate import PriceList
from pilotbase.documents.hashes import digest_bytes
from pilotbase.worker.providers import MilestoneBill
from pilotbase.workspace.actors import Role, actor
from pilotbase.workspace.store import Store, View
from pilotbase.workspace.tables import accounts
from pilotbase_estate.documents.resources import Resources
from pilotbase_estate.documents.voucher import Payment, Usage, UsageSheet, VoucherClaim, VoucherRules
from pilotbase_estate.vouchers import claiming, ledger, settling, wallet
from pilotbase_estate.workspace import tables

HOUR = 3600
RULES = VoucherRules(
    name="pilot",
    title="For tests",
    issuer="city",
    begins="2026-01-01",
    ends="2026-12-31",
    claimed_by=("supplier", "consumer"),
    rate=3000,
    cap_voucher=100_000,
    cap_year=250_000,
    total=1_000_000,
    minimum=100,
    uncounted=("disk",),
    valid_days=90,
    hold_hours=48,
    settle_hours=24,
    claim_days=30,
)
PRICES = PriceList(
    pool="hall",
    supplier="centre",
    prices={"cpu": 100, "memory": 10, "disk": 5, "gpu/t4": 1000, "licence/halcon": 500, "calls": 200, "tokens": 400},
)
DEMAND = Resources({"cpu": 4, "gpu/t4": 1})
"""1,400 an hour, of which the voucher pays 420."""


@dataclass
class Books:
    """A store with a programme `RULES` and a pool at `PRICES`, and who acts."""

    store: Store
    clock: object
    rules: VoucherRules = RULES

    def __post_init__(self):
        wallet.set_rules(self.operator, self.rules)
        wallet.set_prices(self.operator, PRICES)

    @property
    def operator(self) -> View:
        return self.store.as_actor(actor("base", Role.OPERATOR))

    def as_organisation(self, name: str, role: Role = Role.SUPPLIER) -> View:
        return self.store.as_actor(actor(name, role))

    def issue(self, organisation: str = "acme", amount: int = 50_000) -> str:
        return ledger.issue(self.operator, self.rules.name, organisation, amount).identity

    def hold(self, voucher: str, job: str = "job:1", attempt: int = 1, *, ties=None, by: View | None = None, **asked):
        order = ledger.VoucherOrder(
            job, attempt, voucher, "hall", asked.pop("demand", DEMAND), asked.pop("seconds", HOUR), **asked
        )
        view = by or self.operator
        with view.transaction("compute.admitted") as change:
            return ledger.hold(view.within(change), change, order, ties or {})

    def finished(self, job: str = "job:1", attempt: int = 1, hours: float = 1, **counted) -> UsageSheet:
        """Return an attempt that ends now."""
        ended = self.clock.now
        wall = int(hours * HOUR * 1000)
        usage = {"wall_ms": wall, "cpu_ms": 4 * wall, "gpu_ms": {"t4": wall}, "source": "cgroup v2", "node": "n1"}
        started = ended - timedelta(milliseconds=wall)
        return UsageSheet(
            job=job, attempt=attempt, started_at=started, ended_at=ended, usage=Usage(**(usage | counted))
        )

    def settle(self, job: str = "job:1", attempt: int = 1, hours: float = 1, **counted):
        return self.settle_as(self.finished(job, attempt, hours, **counted))

    def settle_as(self, finished: UsageSheet):
        with self.operator.transaction("compute.ended") as change:
            return settling.settle(self.operator.within(change), change, finished)

    def used(self, voucher: str, job: str = "job:1", hours: float = 1):
        """Hold, run and settle, and return the settlement."""
        self.hold(voucher, job, seconds=int(hours * HOUR))
        self.clock.step(hours * HOUR)
        return self.settle(job, hours=hours)

    def milestone(self, voucher: str, call: str = "call:plant/spindles", amount: int = 1_000):
        bill = MilestoneBill(voucher, call, 1, "plant", ["acme"], amount, "CNY")
        with self.operator.transaction("call.milestone_paid") as change:
            ledger.pay_milestone(self.operator.within(change), change, bill, {})

    def release(self, job: str = "job:1", attempt: int = 1) -> bool:
        with self.operator.transaction("compute.cancelled") as change:
            return ledger.release(self.operator.within(change), change, job, attempt)

    def refund(self, job: str = "job:1", attempt: int = 1) -> bool:
        with self.operator.transaction("compute.failed") as change:
            return ledger.refund(self.operator.within(change), change, job, attempt, "node lost")

    def claim(self, made: VoucherClaim, ties: dict | None = None, by: View | None = None):
        view = by or self.operator
        with view.transaction("voucher.claimed") as change:
            return claiming.claim(view.within(change), change, made, ties or {})

    def claim_of(self, job: str = "job:1", **changed) -> VoucherClaim:
        """Return a claim of the supplier that meets every rule, on an hour of `DEMAND`."""
        fields = {
            "job": job,
            "attempt": 1,
            "claimant": "centre",
            "side": "supplier",
            "payment": payment(amount=980),
            "made_at": self.clock.now,
        }
        return VoucherClaim(**(fields | changed))

    def decide(self, made: VoucherClaim, granted: bool = True, note: str = "", *, by: View | None = None, ties=None):
        """Let a person decide a claim that waits; by default the regulator."""
        view = by or self.store.as_actor(actor("ministry", Role.REGULATOR))
        with view.transaction("voucher.decided") as change:
            verdict = claiming.ClaimRuling(made.digest(), granted, note)
            return claiming.decide(view.within(change), change, verdict, ties or {})

    def pay(self, identity: str) -> bool:
        with self.operator.transaction("voucher.paid") as change:
            return claiming.pay(self.operator.within(change), change, identity, "bank-1")

    def balances(self) -> dict[str, int]:
        """Return every account that is not empty."""
        with self.store.database.read() as connection:
            return {name: held for name, held in connection.execute(select(accounts)).all() if held}

    def require_balanced(self) -> None:
        """Return if all sums to nothing, only the fund is below it, and the rows say what the accounts say."""
        found = self.balances()
        fund = f"city/voucher-fund/{self.rules.name}"
        assert sum(found.values()) == 0
        assert all(held > 0 for name, held in found.items() if name != fund), found
        assert -self.rules.total <= found.get(fund, 0) <= 0
        with self.store.database.read() as connection:
            uses = connection.execute(select(tables.voucher_uses)).all()
            claims = connection.execute(select(tables.voucher_claims)).all()
            places = list(connection.scalars(select(tables.voucher_moves.c.place).order_by("place")))
        of = {name: sum(held for account, held in found.items() if account.endswith(name)) for name in POCKETS}
        claimed = sum(row.amount for row in claims if row.state in ("granted", "paid"))
        standing = [(row.job, row.attempt) for row in claims if row.state in ("waiting", "granted", "paid")]
        assert len(standing) == len(set(standing)), "a use is claimed twice"
        assert of["/held"] == sum(row.held for row in uses if row.state == "held")
        assert of["/used"] == sum(row.subsidy for row in uses if row.state == "settled") - claimed
        assert of["/granted"] + of["/paid"] == claimed
        assert places == list(range(1, len(places) + 1))
        in_year = sum(row.held if row.state == "held" else row.subsidy for row in uses)
        counters = [f"{name}/voucher-year/{self.rules.name}/2026" for name in {row.organisation for row in uses}]
        assert in_year == sum(map(self.operator.counter, counters))


POCKETS = ("/free", "/held", "/used", "/granted", "/paid")


def payment(**changed) -> Payment:
    fields = {
        "reference": "INV-7",
        "evidence": digest_bytes(b"a receipt"),
        "amount": 5_000,
        "paid_on": "2026-05-01",
        "payer": "acme",
        "payee": "centre",
    }
    return Payment(**(fields | changed))


def codes(texts) -> list[str]:
    """Return the last word of each code."""
    return [one.code.rpartition(".")[2] for one in texts]
