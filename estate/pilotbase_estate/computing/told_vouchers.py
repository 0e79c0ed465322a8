"""Vouchers as pages and API show them: an organisation's own; everybody's to operator and regulator.

Beside a worker's jobs, closed hours of calls are settled by the clock, and what has expired is taken back.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

from pilotbase.catalogue.records import declared_ties
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.base import localized
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.permissions import ServiceAct
from pilotbase.documents.texts import Language, Text, make_visible, sentence
from pilotbase.documents.vocabularies import CallEnd
from pilotbase.service.registry import opened
from pilotbase.service.terms import usage_of
from pilotbase.worker.base import Base
from pilotbase.worker.rounds import Pace, in_rounds
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View
from pilotbase_estate.documents.api.vouchers import (
    ClaimDetail,
    ClaimFileTold,
    ClaimRuleTold,
    ClaimStepTold,
    ClaimTold,
    HoldTold,
    HourTold,
    MeteredTold,
    MovementTold,
    ProgrammeListed,
    ReconciliationTold,
    UseTold,
    VoucherTold,
    WalletListed,
    WalletTold,
)
from pilotbase_estate.documents.voucher import (
    ClaimDecision,
    ClaimPayout,
    Settlement,
    VoucherClaim,
    VoucherHold,
    VoucherRules,
)
from pilotbase_estate.vouchers import rows
from pilotbase_estate.vouchers.ledger import expire_due
from pilotbase_estate.vouchers.rows import (
    ClaimRow,
    Payer,
    UseRow,
    find_claim,
    find_use,
    seen_claims,
    seen_uses,
    vouchers_of,
)
from pilotbase_estate.vouchers.rules import outcomes
from pilotbase_estate.vouchers.settling import HOUR, HourOfCalls, job_of, let_pay, settle_calls
from pilotbase_estate.vouchers.wallet import (
    Reconciliation,
    ReconciliationLine,
    VoucherStanding,
    lines_of,
    programmes,
    reconciled,
    settled_of,
    wallet,
)

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


def wallets_listed(view: View) -> list[WalletListed]:
    """Return whose wallets the actor may see: organisations that have vouchers or have claimed, by name."""
    with view.reading() as connection:
        holders = {row.organisation for row in vouchers_of(connection, view.actor)}
        claimants = {row.claimant for row in seen_claims(connection, view.actor)}
        claimants &= claimants if view.actor.sees_all else {view.actor.organisation}
    found = [wallet(view, name, movements=0) for name in sorted(holders | claimants)]
    return [filled(WalletListed, one, vouchers=len(one.vouchers)) for one in found]


def wallet_told(view: View, language: Language, organisation: str) -> WalletTold:
    """Return an organisation's wallet; raises `NotFoundError` for those who may not see it."""
    found = wallet(view, organisation)
    currencies = {one.voucher.identity: one.currency for one in found.vouchers}
    with view.reading() as connection:
        claims = [row for row in seen_claims(connection, view.actor) if row.claimant == organisation]
    return WalletTold(
        organisation=organisation,
        balance=found.balance,
        vouchers=[_voucher(one) for one in found.vouchers],
        holds=[filled(HoldTold, one, currency=currencies[one.voucher]) for one in found.holds],
        movements=[
            filled(MovementTold, row, currency=currencies[row.voucher], at=row.moved_at) for row in found.movements
        ],
        years=list(found.years),
        claims=[claim_told(view, language, row) for row in claims],
    )


def programmes_told(view: View, language: Language) -> list[ProgrammeListed]:
    """Return the programmes as they stand today, by name."""
    return [
        filled(ProgrammeListed, rules, title=localized(rules.title, language), version=digest)
        for digest, rules in programmes(view)
    ]


def require_named(rules: VoucherRules, programme: str) -> None:
    """Require that rules are those of a programme, if one is named; raises `InputError`."""
    if programme and rules.name != programme:
        raise InputError("voucher.other_programme", found=rules.name, programme=programme)


def _voucher(one: VoucherStanding) -> VoucherTold:
    standing = {name: getattr(one, name) for name in ("state", "free", "held", "used", "currency", "pays")}
    return filled(VoucherTold, one.voucher, **standing)


def claims_told(view: View, language: Language, state: str = "") -> list[ClaimTold]:
    """Return the claims that the actor may see, newest first."""
    with view.reading() as connection:
        found = seen_claims(connection, view.actor, state=state)
    return [claim_told(view, language, row) for row in found]


def claim_told(view: View, language: Language, row: ClaimRow) -> ClaimTold:
    """Return a claim that the actor may see."""
    decision = view.load(row.decision, ClaimDecision)
    currency = view.load(decision.rules, VoucherRules).currency
    return filled(ClaimTold, row, currency=currency, failed=[_said(one, language) for one in decision.failed])


def claim_detail(view: View, language: Language, claim: Digest) -> ClaimDetail:
    """Return a claim with everything that happened to it; raises `NotFoundError` for those who may not see it."""
    with view.reading() as connection:
        row = find_claim(connection, claim)
        use = None if row is None else find_use(connection, row.job, row.attempt)
    made = view.get(claim)
    if row is None or use is None or made is None:
        raise NotFoundError("voucher.no_claim", claim=claim)
    claimed, decision = made.load(VoucherClaim), view.load(row.decision, ClaimDecision)
    rules = view.load(decision.rules, VoucherRules)
    own, payment = view.actor.organisation, claimed.payment
    judges = view.actor.sees_all and own not in (row.claimant, use.organisation, use.supplier)
    return ClaimDetail(
        **dict(claim_told(view, language, row)),
        fee=row.fee,
        organisation=use.organisation,
        supplier=use.supplier,
        reference=payment.reference if payment is not None else "",
        paid=payment.amount if payment is not None else 0,
        other_subsidies=list(claimed.other_subsidies),
        note=claimed.note,
        rules=[
            ClaimRuleTold(rule=one.rule, state=one.state, why="" if one.why is None else _said(one.why, language))
            for one in outcomes(rules, decision)
        ],
        files=[ClaimFileTold.model_validate(one) for one in claimed.files or ()],
        history=list(_history(view, row, claimed)),
        may_read_files=view.actor.sees_all or own == row.claimant,
        may_decide=judges and row.state == "waiting",
        may_pay=view.actor.is_operator and row.state == "granted",
    )


def uses_to_claim(view: View) -> list[UseTold]:
    """Return the settled uses of the actor's organisation of which a voucher has paid something, newest first."""
    own = view.actor.organisation
    with view.reading() as connection:
        uses = [use for use in seen_uses(connection, view.actor) if use.state == "settled" and use.subsidy]
        standing = {row.use: row.claimant for row in seen_claims(connection, view.actor) if row.state != "refused"}
    return [_use(view, use, standing.get((use.job, use.attempt), ""), own) for use in uses]


def reconciliation_told(view: View, language: Language) -> ReconciliationTold:
    """Return what was metered beside what was settled and posted; for operator and regulator only."""
    if not view.actor.sees_all:
        raise NotFoundError("hub.not_found")
    return ReconciliationTold(
        uses=[told for one in reconciled(view) for told in _metered(one, language)],
        hours=[filled(HourTold, line, attempts=line.attempt) for line in reconciled_hours(view)],
    )


def _history(view: View, row: ClaimRow, made: VoucherClaim) -> Iterator[ClaimStepTold]:
    yield ClaimStepTold(state="made", organisation=row.claimant, note=made.note, at=row.claimed_at)
    found = {
        stored.digest: stored.load(ClaimDecision) for stored in view.find("voucher-decision", {"claim": row.identity})
    }
    found.setdefault(row.decision, view.load(row.decision, ClaimDecision))
    for decision in sorted(found.values(), key=lambda one: one.decided_at):
        state = "waiting" if decision.waits else "granted" if decision.granted else "refused"
        by = decision.looked_at
        who, note = ("", "") if by is None else (by.organisation, by.note)
        yield ClaimStepTold(state=state, organisation=who, note=note, at=decision.decided_at)
    for stored in view.find("voucher-payout", {"claim": row.identity}):
        paid = stored.load(ClaimPayout)
        yield ClaimStepTold(state="paid", organisation="", note=paid.reference, at=paid.paid_at)


def _use(view: View, use: UseRow, claimed_by: str, own: str) -> UseTold:
    settlement = view.load(use.settlement, Settlement)
    rules = view.load(view.load(use.hold, VoucherHold).rules, VoucherRules)
    sides = {"supplier": use.supplier, "consumer": use.organisation}
    return filled(
        UseTold,
        use,
        cost=settlement.cost,
        currency=rules.currency,
        settled_at=settlement.settled_at,
        claimed_by=claimed_by,
        needs_payment=rules.paid,
        sides=[side for side in rules.claimed_by if sides[side] == own and not claimed_by],
    )


def _metered(one: Reconciliation, language: Language) -> Iterator[MeteredTold]:
    money = {"currency": one.currency, "subsidy": one.subsidy, "posted": one.posted}
    findings = [_said(finding, language) for finding in one.findings]
    for line in one.lines:
        yield filled(MeteredTold, line, **money, findings=findings)


def _said(why: Text, language: Language) -> str:
    return sentence(why, language, make_visible)
