"""Claims on what vouchers have paid: every rule is asked at once, and a use is claimed once, by one side."""

from __future__ import annotations

from pilotbase.compute.vouchers import rows
from pilotbase.compute.vouchers.ledger import require_use
from pilotbase.compute.vouchers.moving import Movement, claims_account, move, pocket
from pilotbase.compute.vouchers.rows import ClaimRow, UseRow
from pilotbase.compute.vouchers.rules import Case, Facts, Standing, why_refused
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.texts import Text
from pilotbase.documents.voucher import ClaimDecision, Settlement, VoucherClaim, VoucherHold, VoucherRules
from pilotbase.workspace.actors import Visibility, parties
from pilotbase.workspace.failures import ConflictError, NotFoundError
from pilotbase.workspace.log.entries import Fact
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction


def claim(here: View, change: Transaction, made: VoucherClaim, facts: Facts) -> ClaimDecision:
    """Decide a claim, and return whether it is granted or every rule that it does not meet; taken again, the same.

    A granted claim moves what the voucher has paid into what its claimant is owed. A refused one may be made again when
    its grounds are there. ``here`` must see the use: that of the base, whoever claims.

    Raises:
        NotFoundError: no voucher pays this attempt, as far as the claimant may know.
        ConflictError: it is not settled.
        RefusedError: the actor may not act for the claimant.
    """
    digest = made.digest()
    kept = rows.find_claim(change.connection, digest)
    if kept is not None:
        return here.load(kept.decision, ClaimDecision)
    use = _required(change, made)
    hold = here.load(use.hold, VoucherHold)
    rules = here.load(hold.rules, VoucherRules)
    settlement = here.load(use.settlement, Settlement)
    case = Case(rules, made, settlement, _standing(change, use, made), facts, change.now)
    failed = why_refused(case)
    decision = ClaimDecision(
        claim=digest,
        rules=hold.rules,
        settlement=use.settlement,
        granted=not failed,
        failed=failed,
        amount=0 if failed else case.amount,
        fee=0 if failed else case.fee,
        decided_at=change.now,
    )
    _keep(change, made, decision, use)
    if decision.granted:
        change.vouch_for(use.organisation, made.claimant)
        amounts = {
            pocket(use.organisation, use.voucher, "used"): -case.amount,
            claims_account(made.claimant, rules.name, "granted"): case.amount,
        }
        move(change, Movement("claim", rules, use.voucher, amounts, use.job, use.attempt))
    return decision


def pay(here: View, change: Transaction, identity: Digest, reference: str) -> bool:
    """Say that a granted claim was paid out, under which reference; returns whether that was new.

    Raises:
        RefusedError: the actor is not the operator, or the claim was refused.
        NotFoundError: there is no such claim.
    """
    change.require_operator()
    found = rows.find_claim(change.connection, identity)
    if found is None:
        raise NotFoundError("voucher.no_claim", claim=identity)
    if found.state == "refused":
        raise RefusedError("voucher.claim_refused", claim=identity)
    if found.state == "paid":
        return False
    decision = here.load(found.decision, ClaimDecision)
    use = require_use(change, found.job, found.attempt)
    amounts = {
        claims_account(found.claimant, found.programme, "granted"): -found.amount,
        claims_account(found.claimant, found.programme, "paid"): found.amount,
    }
    rules = here.load(decision.rules, VoucherRules)
    move(change, Movement("pay", rules, use.voucher, amounts, use.job, use.attempt))
    change.record("voucher.payout", [identity], {"reference": reference})
    rows.pay_claim(change.connection, identity)
    return True


def _required(change: Transaction, made: VoucherClaim) -> UseRow:
    use = rows.find_use(change.connection, made.job, made.attempt)
    if use is None or (not change.actor.sees_all and change.actor.organisation not in (use.organisation, use.supplier)):
        raise NotFoundError("voucher.no_hold", job=made.job, attempt=made.attempt)
    if not use.settlement:
        state = Text(code=f"voucher.use.{use.state}")
        raise ConflictError("voucher.not_claimable", job=use.job, attempt=use.attempt, state=state)
    return use


def _standing(change: Transaction, use: UseRow, made: VoucherClaim) -> Standing:
    connection = change.connection
    before = rows.standing_claim(connection, use.job, use.attempt)
    voucher = rows.find_voucher(connection, use.voucher)
    return Standing(
        consumer=use.organisation,
        supplier=use.supplier,
        subsidy=use.subsidy,
        revoked=voucher is not None and voucher.state == "revoked",
        claimed_by=before.claimant if before is not None else "",
        claimed_in_year=rows.claimed_in_year(connection, made.claimant, use.programme, use.year),
        fees_under_payment=rows.fees_under(connection, made.payment.evidence) if made.payment is not None else 0,
    )


def _keep(change: Transaction, made: VoucherClaim, decision: ClaimDecision, use: UseRow) -> None:
    seen = _seen_by(made, use)
    digest = change.put(made, seen, owner=made.claimant)
    row = ClaimRow(
        identity=digest,
        job=made.job,
        attempt=made.attempt,
        programme=use.programme,
        claimant=made.claimant,
        side=made.side,
        state="granted" if decision.granted else "refused",
        year=use.year,
        amount=decision.amount,
        fee=decision.fee,
        payment=made.payment.evidence if made.payment is not None else "",
        decision=change.put(decision, seen, owner=made.claimant),
        claimed_at=change.now,
    )
    rows.insert_claim(change.connection, row)
    facts: dict[str, Fact] = {"programme": use.programme, "granted": decision.granted, "amount": decision.amount}
    change.record("voucher.claim_decided", [digest, f"job:{use.job}"], facts)


def _seen_by(made: VoucherClaim, use: UseRow) -> Visibility:
    """Return who sees a claim: its claimant, and the other party when it is one of the two."""
    two = {use.organisation, use.supplier}
    return parties(*(two - {made.claimant})) if made.claimant in two else parties()
