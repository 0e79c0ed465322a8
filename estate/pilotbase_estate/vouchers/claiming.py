"""Claims on what vouchers have paid: every rule is checked at once, and a use is claimed once, by one side.

    ──claim──► refused
       │
       ├─────► granted ──pay──► paid
       └─────► waiting ──decide──► granted, or refused

A claim waits if its programme has a person look at the evidence. Until it is refused, a waiting claim keeps others from
the same use, and takes up its payment and the year's cap.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pilotbase.documents.api.shapes import filled
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.texts import Text, text
from pilotbase.workspace.actors import Visibility, parties
from pilotbase.workspace.failures import ConflictError, NotFoundError
from pilotbase.workspace.log.entries import Fact
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction
from pilotbase_estate.documents.voucher import (
    ClaimDecision,
    ClaimPayout,
    ReviewedEvidence,
    Settlement,
    VoucherClaim,
    VoucherHold,
    VoucherRules,
    claim_subject,
)
from pilotbase_estate.vouchers import rows
from pilotbase_estate.vouchers.ledger import require_use
from pilotbase_estate.vouchers.rows import ClaimRow, ClaimState, UseRow
from pilotbase_estate.vouchers.rules import ClaimCase, Eligibility, Failed, Ties, is_reviewed, why_refused
from pilotbase_estate.vouchers.wallet import Movement, claims_account, move, pocket


@dataclass(frozen=True)
class ClaimRuling:
    """A person's decision on a claim that waits."""

    claim: Digest
    granted: bool
    note: str = ""
    """Why; a refusal needs it."""


def claim(here: View, change: Transaction, made: VoucherClaim, ties: Ties) -> ClaimDecision:
    """Decide a claim; return whether it is granted or waits, or the rules it breaks. A repeated call returns the same.

    A granted claim moves what the voucher has paid into what its claimant is owed. A refused one may be made again once
    the reasons for its refusal are gone. ``here`` must see the use: the view of the base, or of one of its parties.

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
    case = _case(here, change, use, made, ties)
    failed = why_refused(case)
    waits = not failed and is_reviewed(case.rules, case.amount)
    decision = _decision(change, case, failed).model_copy(
        update={"granted": not failed and not waits, "waits": True if waits else None}
    )
    seen = _seen_by(made, use)
    change.set_head(claim_subject(digest), change.put(made, seen, owner=made.claimant), expected=None)
    row = filled(
        ClaimRow,
        made,
        identity=digest,
        programme=use.programme,
        state=_state(decision),
        year=use.year,
        amount=decision.amount,
        fee=decision.fee,
        payment=made.payment.evidence if made.payment is not None else "",
        decision=_keep(change, decision, seen, made.claimant),
        claimed_at=change.now,
    )
    rows.insert_row(change.connection, row)
    _tell(change, row, decision)
    if decision.granted:
        _grant(change, case, use)
    return decision


def decide(here: View, change: Transaction, verdict: ClaimRuling, ties: Ties) -> ClaimDecision:
    """Let a person grant or refuse a claim that waits, and return the decision; a repeated call returns the same.

    Every rule is checked again before it is granted: a voucher may have been revoked since, or a tie declared.

    Raises:
        NotFoundError: there is no such claim for the actor.
        RefusedError: the actor is neither operator nor regulator, or a party to the claim.
        ConflictError: it does not wait.
        InputError: a refusal without a reason.
    """
    row = _claim_of(here, change, verdict.claim)
    use = require_use(change, row.job, row.attempt)
    _require_judge(change, row, use)
    if not verdict.granted and not verdict.note.strip():
        raise InputError("voucher.no_reason", claim=row.identity)
    before, person = here.load(row.decision, ClaimDecision), change.actor.organisation
    looked_at = ReviewedEvidence(organisation=person, note=verdict.note)
    if row.state != "waiting":
        if before.looked_at == looked_at and before.granted == verdict.granted:
            return before
        raise ConflictError("voucher.claim_decided", claim=row.identity, state=Text(code=f"voucher.claim.{row.state}"))
    made = here.load(row.identity, VoucherClaim)
    case = _case(here, change, use, made, ties, row)
    refused = text("voucher.rule.person", organisation=person, reason=verdict.note)
    failed = why_refused(case) if verdict.granted else (refused,)
    decision = _decision(change, case, failed).model_copy(update={"looked_at": looked_at})
    change.vouch_for(use.organisation, made.claimant)
    decided = replace(
        row,
        state=_state(decision),
        amount=decision.amount,
        fee=decision.fee,
        decision=_keep(change, decision, _seen_by(made, use), made.claimant),
    )
    rows.decide_claim(change.connection, decided)
    _tell(change, decided, decision)
    if decision.granted:
        _grant(change, case, use)
    return decision


def pay(here: View, change: Transaction, identity: Digest, reference: str) -> bool:
    """Record that a granted claim was paid out, and the reference; returns whether that was new.

    Raises:
        RefusedError: the actor is not the operator, or the claim is not granted.
        NotFoundError: there is no such claim.
    """
    change.require_operator()
    row = _claim_of(here, change, identity)
    if row.state == "paid":
        return False
    if row.state != "granted":
        raise RefusedError(f"voucher.claim_{'waits' if row.state == 'waiting' else 'refused'}", claim=identity)
    decision, made = here.load(row.decision, ClaimDecision), here.load(identity, VoucherClaim)
    use = require_use(change, row.job, row.attempt)
    amounts = {
        claims_account(row.claimant, row.programme, "granted"): -row.amount,
        claims_account(row.claimant, row.programme, "paid"): row.amount,
    }
    rules = here.load(decision.rules, VoucherRules)
    move(change, Movement("pay", rules, use.voucher, amounts, use.job, use.attempt))
    paid = ClaimPayout(claim=identity, amount=row.amount, reference=reference, paid_at=change.now)
    change.put(paid, _seen_by(made, use), owner=row.claimant, fields={"claim": identity})
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


def _claim_of(here: View, change: Transaction, identity: Digest) -> ClaimRow:
    found = rows.find_claim(change.connection, identity)
    if found is None or here.get(identity) is None:
        raise NotFoundError("voucher.no_claim", claim=identity)
    return found


def _require_judge(change: Transaction, row: ClaimRow, use: UseRow) -> None:
    """Require that the actor may decide a claim: operator or regulator, and not a party to it."""
    own = change.actor.organisation
    if not change.actor.sees_all:
        raise RefusedError("voucher.decides_not", organisation=own)
    if own in (row.claimant, use.organisation, use.supplier):
        raise RefusedError("voucher.own_claim", organisation=own)


def _case(
    here: View, change: Transaction, use: UseRow, made: VoucherClaim, ties: Ties, kept: ClaimRow | None = None
) -> ClaimCase:
    """Return a claim with all that its rules need; ``kept``: it is already recorded, and counts as made then."""
    rules = here.load(here.load(use.hold, VoucherHold).rules, VoucherRules)
    settlement = here.load(use.settlement, Settlement)
    now = change.now if kept is None else kept.claimed_at
    return ClaimCase(rules, made, settlement, _standing(change, use, made, kept), ties, now)


def _standing(change: Transaction, use: UseRow, made: VoucherClaim, kept: ClaimRow | None) -> Eligibility:
    connection = change.connection
    before = rows.standing_claim(connection, use.job, use.attempt) if kept is None else None
    voucher = rows.find_voucher(connection, use.voucher)
    in_year = rows.claimed_in_year(connection, made.claimant, use.programme, use.year)
    fees = rows.fees_under(connection, made.payment.evidence) if made.payment is not None else 0
    return Eligibility(
        consumer=use.organisation,
        supplier=use.supplier,
        subsidy=use.subsidy,
        revoked=voucher is not None and voucher.state == "revoked",
        claimed_by=before.claimant if before is not None else "",
        claimed_in_year=in_year - (kept.amount if kept is not None else 0),
        fees_under_payment=fees - (kept.fee if kept is not None and made.payment is not None else 0),
    )


def _decision(change: Transaction, case: ClaimCase, failed: Failed) -> ClaimDecision:
    """Return that a claim is granted, or what it breaks."""
    return ClaimDecision(
        claim=case.claim.digest(),
        rules=case.rules.digest(),
        settlement=case.settlement.digest(),
        granted=not failed,
        failed=failed,
        amount=0 if failed else case.amount,
        fee=0 if failed else case.fee,
        decided_at=change.now,
    )


def _state(decision: ClaimDecision) -> ClaimState:
    if decision.waits:
        return "waiting"
    return "granted" if decision.granted else "refused"


def _keep(change: Transaction, decision: ClaimDecision, seen: Visibility, claimant: str) -> Digest:
    return change.put(decision, seen, owner=claimant, fields={"claim": decision.claim})


def _tell(change: Transaction, row: ClaimRow, decision: ClaimDecision) -> None:
    facts: dict[str, Fact] = {"programme": row.programme, "granted": decision.granted, "amount": decision.amount}
    change.record(f"voucher.claim_{row.state}", [row.identity, f"job:{row.job}"], facts)


def _grant(change: Transaction, case: ClaimCase, use: UseRow) -> None:
    """Move what the voucher has paid into what the claimant is owed."""
    claimant = case.claim.claimant
    change.vouch_for(use.organisation, claimant)
    amounts = {
        pocket(use.organisation, use.voucher, "used"): -case.amount,
        claims_account(claimant, case.rules.name, "granted"): case.amount,
    }
    move(change, Movement("claim", case.rules, use.voucher, amounts, use.job, use.attempt))


def _seen_by(made: VoucherClaim, use: UseRow) -> Visibility:
    """Return who sees a claim: its claimant, and the other party if it is one of the two."""
    two = {use.organisation, use.supplier}
    return parties(*(two - {made.claimant})) if made.claimant in two else parties()
