"""Vouchers by the clock: closed hours of calls are settled, and what has expired is taken back."""

from __future__ import annotations

import logging
from collections import defaultdict
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

from pilotbase.catalogue.records import declared_ties
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.permissions import ServiceAct
from pilotbase.documents.vocabularies import CallEnd
from pilotbase.service.metering import usage_of
from pilotbase.service.registry import opened
from pilotbase.worker.base import Base
from pilotbase.worker.rounds import Pace, in_rounds
from pilotbase.workspace.store import View
from pilotbase_estate.vouchers import rows
from pilotbase_estate.vouchers.calls import HOUR, HourOfCalls, job_of, let_pay, settle_calls
from pilotbase_estate.vouchers.ledger import expire_due
from pilotbase_estate.vouchers.reconciling import ReconciliationLine, lines_of, settled_of
from pilotbase_estate.vouchers.rows import Payer

PACE = Pace(idle=60.0, rest=60.0)
DAYS = 3
"""How long desks may account for the calls of an hour: after a day of silence, it is counted as it is."""
REST = timedelta(minutes=10)
"""How long after its end an hour is closed: the journals of living desks are taken in every second."""
_ANSWERED = frozenset({CallEnd.ANSWERED, CallEnd.FELL_BACK})
_log = logging.getLogger("pilotbase.worker")


def pay_calls_of(view: View, service: str, voucher: str, pool: str) -> Payer:
    """Let a voucher pay the calls of a service from this hour on; raises as `let_pay`, and `NotFoundError`."""
    found = opened(view, service, ServiceAct.BUDGET)
    return let_pay(view, service, found.organisation, voucher, pool)


def paying(base: Base) -> AbstractContextManager[None]:
    """Run a round every minute, in a thread, until the end of the block."""

    def once() -> bool:
        voucher_round(base.lab.view)
        return False

    return in_rounds("vouchers", once, PACE)


def voucher_round(view: View) -> int:
    """Settle closed hours, take back what has expired, and return how many things were done."""
    return settle_closed_hours(view) + expire_due(view)


def settle_closed_hours(view: View) -> int:
    """Settle the calls of every closed hour whose service a voucher pays; answered calls are paid, others are not.

    If the voucher does not pay, the organisation pays for the hour; the voucher is tried again while the hour is
    recent.
    """
    with view.reading() as connection:
        found = rows.payers(connection)
    ties = declared_ties(view) if found else {}
    done = 0
    for payer in found:
        for hour in _closed_hours(view, payer):
            try:
                done += settle_calls(view, payer, hour, ties) is not None
            except RefusedError as error:
                _log.info("calls of %s at %s are not paid by voucher: %s", payer.service, hour.begins, error)
    return done


def reconciled_hours(view: View) -> list[ReconciliationLine]:
    """Return the gateway's meters for each closed hour that a voucher is to pay, beside what was settled of it.

    Of the last days, oldest first; for a refused hour, the difference is the full amount.
    """
    found: list[ReconciliationLine] = []
    with view.reading() as connection:
        for payer in rows.payers(connection):
            for hour in _closed_hours(view, payer):
                job = job_of(hour.service, hour.begins)
                uses = rows.uses_of_job(connection, job)
                metered = {name: many for name, many in (("calls", hour.calls), ("tokens", hour.tokens)) if many}
                found += lines_of(job, len(uses), metered, settled_of(view, uses))
    return found


def _closed_hours(view: View, payer: Payer) -> list[HourOfCalls]:
    """Return the meters of the closed hours since a voucher started paying, oldest first."""
    last = view.store.clock() - HOUR - REST
    calls: defaultdict[datetime, int] = defaultdict(int)
    tokens: defaultdict[datetime, int] = defaultdict(int)
    for meter, usage in usage_of(view, payer.service, DAYS).items():
        if payer.since <= meter.hour <= last and meter.end in _ANSWERED:
            calls[meter.hour] += usage.calls
            tokens[meter.hour] += usage.tokens
    return [HourOfCalls(payer.service, hour, calls[hour], tokens[hour]) for hour in sorted(calls)]
