"""What was metered beside what was settled and posted, use by use, with the reason where the two differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pilotbase.documents.errors import RefusedError
from pilotbase.documents.texts import Text
from pilotbase.workspace.store import View
from pilotbase_estate.documents.voucher import Settlement, VoucherHold, VoucherRules
from pilotbase_estate.vouchers import rows
from pilotbase_estate.vouchers.moving import pocket, transfer_name
from pilotbase_estate.vouchers.rows import UseRow


@dataclass(frozen=True)
class ReconciliationLine:
    """One dimension of one use."""

    job: str
    attempt: int
    dimension: str
    metered: int
    """By the backend's own counters."""
    settled: int

    @property
    def difference(self) -> int:
        return self.metered - self.settled


@dataclass(frozen=True)
class Reconciliation:
    """A settled use: its counters, and its money."""

    use: UseRow
    currency: str
    lines: tuple[ReconciliationLine, ...]
    subsidy: int
    """What the voucher pays according to its settlement."""
    posted: int
    """What was posted for it when it was settled."""
    findings: tuple[Text, ...]


def reconciled(view: View, most: int = 500) -> list[Reconciliation]:
    """Return the settled uses of the base beside their counters and postings, the newest ``most`` of them.

    Raises:
        RefusedError: the actor is neither operator nor regulator.
    """
    if not view.actor.sees_all:
        raise RefusedError("voucher.reconciles_not", organisation=view.actor.organisation)
    with view.reading() as connection:
        uses = [use for use in rows.seen_uses(connection, view.actor) if use.settlement][:most]
        posted = [rows.posted_by(connection, _settling(use)) for use in uses]
    return [_of_use(view, use, amounts) for use, amounts in zip(uses, posted, strict=True)]


def lines_of(
    job: str, attempt: int, metered: Mapping[str, int], settled: Mapping[str, int]
) -> Iterator[ReconciliationLine]:
    """Yield what was metered beside what was settled, in each dimension that either knows."""
    for name in sorted(metered.keys() | settled.keys()):
        yield ReconciliationLine(job, attempt, name, metered.get(name, 0), settled.get(name, 0))


def settled_of(here: View, uses: Iterable[UseRow]) -> dict[str, int]:
    """Return what settlements bill, dimension by dimension, together."""
    found: dict[str, int] = {}
    for use in uses:
        for name, amount in here.load(use.settlement, Settlement).settled.items() if use.settlement else ():
            found[name] = found.get(name, 0) + amount
    return found


def _settling(use: UseRow) -> str:
    return transfer_name(use.programme, "settle", use.voucher, use.job, use.attempt)


def _of_use(view: View, use: UseRow, posted: Mapping[str, int]) -> Reconciliation:
    settlement = view.load(use.settlement, Settlement)
    rules = view.load(view.load(use.hold, VoucherHold).rules, VoucherRules)
    return Reconciliation(
        use=use,
        currency=rules.currency,
        lines=tuple(lines_of(use.job, use.attempt, settlement.usage.counted, settlement.settled)),
        subsidy=settlement.subsidy,
        posted=posted.get(pocket(use.organisation, use.voucher, "used"), 0),
        findings=settlement.findings,
    )
