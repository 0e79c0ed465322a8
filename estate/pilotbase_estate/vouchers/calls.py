"""Calls of services, paid by voucher: a closed hour is held and settled in one step, from its meters.

The job is the hour (``service:NAME@2027-03-01T09``). Calls that a desk accounts for after their hour are an attempt of
their own. However often an hour is settled, each call is paid once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from pilotbase.documents.errors import RefusedError
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction
from pilotbase_estate.documents.voucher import Settlement, Usage, UsageSheet, VoucherRules
from pilotbase_estate.vouchers import rows
from pilotbase_estate.vouchers.ledger import VoucherOrder, hold, require_valid, require_voucher
from pilotbase_estate.vouchers.programmes import prices_of
from pilotbase_estate.vouchers.relations import Ties
from pilotbase_estate.vouchers.rows import Payer
from pilotbase_estate.vouchers.settling import settle

HOUR = timedelta(hours=1)
GATEWAY = "gateway"


@dataclass(frozen=True)
class HourOfCalls:
    """All that a service's meters show for one hour by now."""

    service: str
    begins: datetime
    calls: int
    tokens: int


def let_pay(view: View, service: str, organisation: str, voucher: str, pool: str) -> Payer:
    """Let a voucher pay the calls of a service of ``organisation`` from this hour on, at the prices of a pool.

    The actor is the organisation, or the operator; the caller must know that the service is the organisation's.

    Raises:
        NotFoundError: there is no such voucher for this actor, or the pool has no prices.
        RefusedError: the voucher is another organisation's, or over.
    """
    with view.transaction("voucher.calls_paid") as change:
        here = view.within(change)
        row = require_voucher(here, change, voucher)
        if row.organisation != organisation or not change.actor.may_write_for(organisation):
            raise RefusedError("voucher.foreign_service", voucher=voucher, service=service, organisation=organisation)
        require_valid(row, here.load(row.rules, VoucherRules), change.now)
        prices_of(here, pool)
        payer = Payer(service, voucher, pool, hour_of(change.now))
        rows.set_payer(change.connection, payer)
        change.record("voucher.pays_calls", [f"service:{service}", f"voucher:{voucher}"], {"pool": pool})
    return payer


def settle_calls(view: View, payer: Payer, hour: HourOfCalls, ties: Ties) -> Settlement | None:
    """Settle the part of a closed hour's calls that is not settled yet, and return it; None: nothing is left.

    Raises:
        RefusedError: the actor is not the operator, or the voucher does not pay.
    """
    with view.transaction("voucher.calls_settled") as change:
        return _settle(view.within(change), change, payer, hour, ties)


def job_of(service: str, begins: datetime) -> str:
    """Return the job name of an hour of a service's calls."""
    return f"service:{service}@{begins:%Y-%m-%dT%H}"


def hour_of(moment: datetime) -> datetime:
    """Return the start of a moment's hour."""
    return moment.replace(minute=0, second=0, microsecond=0)


def _settle(here: View, change: Transaction, payer: Payer, hour: HourOfCalls, ties: Ties) -> Settlement | None:
    job = job_of(hour.service, hour.begins)
    before = rows.uses_of_job(change.connection, job)
    settled = [here.load(use.settlement, Settlement).usage for use in before if use.settlement]
    calls = hour.calls - sum(one.calls for one in settled)
    tokens = hour.tokens - sum(one.tokens for one in settled)
    if calls <= 0 and tokens <= 0:
        return None
    order = VoucherOrder(job, len(before), payer.voucher, payer.pool, calls=max(calls, 0), tokens=max(tokens, 0))
    hold(here, change, order, ties)
    usage = Usage(
        source=GATEWAY, node=GATEWAY, wall_ms=HOUR // timedelta(milliseconds=1), calls=order.calls, tokens=order.tokens
    )
    sheet = UsageSheet(job=job, attempt=order.attempt, started_at=hour.begins, ended_at=hour.begins + HOUR, usage=usage)
    return settle(here, change, sheet)
