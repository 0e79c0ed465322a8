"""One movement of a programme's money: a transfer that sums to zero, its number, and its line of the log.

    fund ──issue──► free ──hold──► held ──settle──► used ──claim──► granted ──pay──► paid
      ▲              │ ▲            │ │              │
      └─expire,revoke┘ └────────────┘ └─► fund       └─refund─► free, or fund

The fund's account is below zero by the amount paid out of it. No other account is ever below zero, and all of them sum
to zero. What is given back goes to where it came from while the voucher is valid, and otherwise to the fund.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pilotbase.workspace.log.entries import Fact
from pilotbase.workspace.transaction import Transaction
from pilotbase_estate.documents.voucher import VoucherRules
from pilotbase_estate.vouchers import rows
from pilotbase_estate.vouchers.programmes import fund_account

Step = Literal["issue", "hold", "settle", "release", "lapse", "refund", "expire", "revoke", "claim", "pay"]
Pocket = Literal["free", "held", "used"]


@dataclass(frozen=True)
class Movement:
    """A movement's purpose; a step happens once for a voucher, or for an attempt of a job."""

    step: Step
    rules: VoucherRules
    voucher: str
    amounts: Mapping[str, int]
    """Account → how much comes in; sums to zero."""
    job: str = ""
    attempt: int = 0


def move(change: Transaction, movement: Movement) -> None:
    """Post a movement, number it, and enter it into the log, all in the transaction of ``change``.

    Raises:
        RefusedError: an account would fall below its floor, or the actor may not write for one of the parties.
        ConflictError: the step was taken before with other amounts.
    """
    amounts = {account: amount for account, amount in movement.amounts.items() if amount}
    if not amounts:
        return
    programme, fund = movement.rules.name, fund_account(movement.rules)
    transfer = transfer_name(programme, movement.step, movement.voucher, movement.job, movement.attempt)
    floors = {account: -movement.rules.total if account == fund else 0 for account in amounts}
    change.vouch_for(movement.rules.issuer)
    change.post(transfer, amounts, at_least=floors)
    amount = sum(amount for amount in amounts.values() if amount > 0)
    place = rows.last_place(change.connection, programme) + 1
    row = rows.MoveRow(
        programme,
        place,
        transfer,
        movement.step,
        movement.voucher,
        movement.job,
        movement.attempt,
        amount,
        change.now,
    )
    rows.insert_row(change.connection, row)
    facts: dict[str, Fact] = {"programme": programme, "place": place, "transfer": transfer, "amount": amount}
    posted = {f"posting {account}": posted for account, posted in amounts.items()}
    subjects = [f"voucher:{movement.voucher}", *([f"job:{movement.job}"] if movement.job else [])]
    change.record(f"voucher.{movement.step}", subjects, {**facts, **posted})


def transfer_name(programme: str, step: str, voucher: str, job: str = "", attempt: int = 0) -> str:
    """Return the name of a step's transfer: of an attempt of a job, or of the voucher itself."""
    return f"voucher:{programme}:{step}:{f'{job}:{attempt}' if job else voucher}"


def pocket(organisation: str, voucher: str, name: Pocket) -> str:
    """Return the account of what a voucher has free, on hold, or used and not claimed."""
    return f"{organisation}/voucher/{voucher}/{name}"


def claims_account(claimant: str, programme: str, name: Literal["granted", "paid"]) -> str:
    """Return the account of what an organisation was granted from a programme, or paid."""
    return f"{claimant}/voucher-claims/{programme}/{name}"


def year_counter(organisation: str, programme: str, year: int) -> str:
    """Return the counter of what vouchers hold or have paid for an organisation in a year of a programme."""
    return f"{organisation}/voucher-year/{programme}/{year}"
