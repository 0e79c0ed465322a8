"""What must hold of a programme's figures: the log confirms them, sums are correct, payments follow the rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from pilotbase.documents.base import Document
from pilotbase.documents.prices import PriceList
from pilotbase.documents.texts import Text, text
from pilotbase.workspace.log.entries import LogEntry
from pilotbase_estate.documents.voucher import (
    ClaimDecision,
    Settlement,
    UsageSheet,
    Voucher,
    VoucherClaim,
    VoucherHold,
    VoucherRules,
)
from pilotbase_estate.vouchers.evidence_files import Ledger
from pilotbase_estate.vouchers.moving import claims_account, pocket, transfer_name
from pilotbase_estate.vouchers.programmes import fund_account
from pilotbase_estate.vouchers.rows import GRANTED, ClaimRow, MoveRow, UseRow, VoucherRow
from pilotbase_estate.vouchers.rules import ClaimCase, Eligibility, is_reviewed, why_refused
from pilotbase_estate.vouchers.settling import settlement_of

D = TypeVar("D", bound=Document)
_STEPS = {
    "held": {"hold"},
    "settled": {"hold", "settle"},
    "released": {"hold", "release"},
    "lapsed": {"hold", "lapse"},
    "refunded": {"hold", "settle", "refund"},
}
"""State of a use → the steps that lead there."""
_POSTING = "posting "


@dataclass(frozen=True)
class Audited:
    """An export as read: rows, documents by digest, proven lines of the log."""

    ledger: Ledger
    documents: Mapping[str, Document]
    entries: Sequence[LogEntry]
    exported: LogEntry
    """The line that records the making of the folder."""

    @property
    def programme(self) -> str:
        return str(self.exported.facts.get("programme", ""))

    @cached_property
    def posted(self) -> Mapping[str, Mapping[str, int]]:
        """Transfer → account → amount."""
        found: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for row in self.ledger.postings:
            found[row.transfer][row.account] = row.amount
        return found

    def of(self, model: type[D]) -> list[D]:
        """Return the documents of a kind."""
        return [one for one in self.documents.values() if isinstance(one, model)]

    def get(self, digest: str, model: type[D]) -> D | None:
        """Return a document by its digest, if it exists and is of that kind."""
        found = self.documents.get(digest)
        return found if isinstance(found, model) else None


def ledger_problems(audited: Audited) -> Iterator[Text]:
    """Yield every problem."""
    yield from _of_moves(audited)
    yield from _of_accounts(audited)
    for row in audited.ledger.vouchers:
        if not _voucher_holds(audited, row):
            yield text("voucher.audit.voucher", voucher=row.identity)
    for use in audited.ledger.uses:
        if not _use_holds(audited, use):
            yield text("voucher.audit.use", job=use.job, attempt=use.attempt)
    yield from _of_claims(audited)


def _of_moves(audited: Audited) -> Iterator[Text]:
    """Yield movements that differ from the log, and missing numbers."""
    told = {str(entry.facts["transfer"]): entry for entry in audited.entries if "place" in entry.facts}
    for move in audited.ledger.moves:
        entry = told.get(move.transfer)
        amounts = audited.posted.get(move.transfer, {})
        if entry is None or not _is_told(entry, move, amounts) or sum(amounts.values()) != 0:
            yield text("voucher.audit.move", transfer=move.transfer)
    moved = {move.transfer for move in audited.ledger.moves}
    for transfer in sorted((audited.posted.keys() | told.keys()) - moved):
        yield text("voucher.audit.move", transfer=transfer)
    places = {move.place for move in audited.ledger.moves}
    for place in sorted(set(range(1, int(audited.exported.facts.get("moves", 0)) + 1)) ^ places):
        yield text("voucher.audit.gap", place=place)


def _is_told(entry: LogEntry, move: MoveRow, amounts: Mapping[str, int]) -> bool:
    facts = {name: value for name, value in entry.facts.items() if not name.startswith(_POSTING)}
    said = {name.removeprefix(_POSTING): value for name, value in entry.facts.items() if name.startswith(_POSTING)}
    expected = {"programme": move.programme, "place": move.place, "transfer": move.transfer, "amount": move.amount}
    subjects = (f"voucher:{move.voucher}", *([f"job:{move.job}"] if move.job else []))
    return (
        facts == expected
        and said == amounts
        and entry.time == move.moved_at
        and entry.action == f"voucher.{move.step}"
        and entry.subjects == subjects
        and move.transfer == transfer_name(move.programme, move.step, move.voucher, move.job, move.attempt)
    )


def _of_accounts(audited: Audited) -> Iterator[Text]:
    """Yield accounts that are not the sum of their postings, or are below their floor."""
    sums: defaultdict[str, int] = defaultdict(int)
    for row in audited.ledger.postings:
        sums[row.account] += row.amount
    said = {row.account: row.balance for row in audited.ledger.accounts}
    rules = audited.of(VoucherRules)
    floors = {fund_account(one): -max(each.total for each in rules) for one in rules}
    for account in sorted(sums.keys() | said.keys()):
        if sums.get(account) != said.get(account):
            yield text("voucher.audit.account", account=account, said=said.get(account, 0), found=sums.get(account, 0))
        if sums.get(account, 0) < floors.get(account, 0):
            yield text("voucher.audit.below", account=account, balance=sums[account])
    if sum(said.values()):
        yield text("voucher.audit.unbalanced", sum=sum(said.values()))


def _voucher_holds(audited: Audited, row: VoucherRow) -> bool:
    """Return whether a voucher matches its document, and was issued under its rules."""
    made, rules = audited.get(row.digest, Voucher), audited.get(row.rules, VoucherRules)
    if made is None or rules is None:
        return False
    said = (made.identity, made.programme, made.organisation, made.amount, made.rules, made.issued_at, made.expires_at)
    rowed = (row.identity, row.programme, row.organisation, row.amount, row.rules, row.issued_at, row.expires_at)
    free = pocket(row.organisation, row.identity, "free")
    issued = audited.posted.get(transfer_name(row.programme, "issue", row.identity), {})
    amounts = {fund_account(rules): -row.amount, free: row.amount}
    return said == rowed and issued == amounts and row.amount <= rules.cap_voucher


def _use_holds(audited: Audited, use: UseRow) -> bool:
    """Return whether a use matches its hold, took the steps to its state, and is settled by its rules."""
    hold = audited.get(use.hold, VoucherHold)
    if hold is None or use.programme != audited.programme:
        return False
    said = (hold.job, hold.attempt, hold.voucher, hold.organisation, hold.supplier, hold.held_at, hold.lapses_at)
    rowed = (use.job, use.attempt, use.voucher, use.organisation, use.supplier, use.held_at, use.lapses_at)
    here = (use.job, use.attempt)
    taken = {move.step for move in audited.ledger.moves if (move.job, move.attempt) == here} - {"claim", "pay"}
    if said != rowed or use.held != hold.held or taken != _STEPS[use.state]:
        return False
    pockets = {name: pocket(use.organisation, use.voucher, name) for name in ("free", "held", "used")}
    if _posted(audited, "hold", use) != {pockets["free"]: -use.held, pockets["held"]: use.held}:
        return False
    if use.state in ("held", "released"):
        return not use.settlement and use.subsidy == 0
    return (not use.settlement and use.state == "lapsed") or _is_settled(audited, use, hold, pockets["used"])


def _is_settled(audited: Audited, use: UseRow, hold: VoucherHold, used: str) -> bool:
    settled = audited.get(use.settlement, Settlement)
    rules, prices = audited.get(hold.rules, VoucherRules), audited.get(hold.prices, PriceList)
    if settled is None or rules is None or prices is None:
        return False
    part = ("job", "attempt", "started_at", "ended_at", "usage", "capacity")
    sheet = UsageSheet(**{name: getattr(settled, name) for name in part})
    anew = settlement_of(hold, rules, prices, sheet, use.state != "lapsed")
    paid = _posted(audited, "settle", use).get(used, 0)
    standing = settled.subsidy if use.state == "settled" else 0
    same = anew.model_copy(update={"settled_at": settled.settled_at}) == settled
    return same and paid == settled.subsidy and use.subsidy == standing


def _of_claims(audited: Audited) -> Iterator[Text]:
    """Yield claims that were not decided by the rules, as far as a folder shows."""
    in_year: defaultdict[tuple[str, int], int] = defaultdict(int)
    fees: defaultdict[str, int] = defaultdict(int)
    once: set[tuple[str, int]] = set()
    uses = {(use.job, use.attempt): use for use in audited.ledger.uses}
    for row in audited.ledger.claims:
        use = uses.get((row.job, row.attempt))
        before = (in_year[row.claimant, row.year], fees[row.payment])
        granted = row.state in GRANTED
        twice = granted and (row.job, row.attempt) in once
        if use is None or twice or not _claim_holds(audited, row, use, before):
            yield text("voucher.audit.claim", claim=row.identity)
        if granted:
            once.add((row.job, row.attempt))
            in_year[row.claimant, row.year] += row.amount
            fees[row.payment] += row.fee


def _claim_holds(audited: Audited, row: ClaimRow, use: UseRow, before: tuple[int, int]) -> bool:
    made, decision = audited.get(row.identity, VoucherClaim), audited.get(row.decision, ClaimDecision)
    if made is None or decision is None or decision.claim != row.identity:
        return False
    payment = made.payment.evidence if made.payment is not None else ""
    said = (made.job, made.attempt, made.claimant, made.side, payment, decision.amount, decision.fee)
    if said != (row.job, row.attempt, row.claimant, row.side, row.payment, row.amount, row.fee):
        return False
    if row.year != use.year or decision.granted != (row.state in GRANTED):
        return False
    if bool(decision.waits) != (row.state == "waiting") or not _decided_in_turn(row, decision):
        return False
    return not decision.granted or _grant_holds(audited, row, use, before)


def _decided_in_turn(row: ClaimRow, decision: ClaimDecision) -> bool:
    """Return whether rules decided at once, and a person after that."""
    at_once = decision.decided_at == row.claimed_at
    return at_once if decision.looked_at is None else decision.decided_at >= row.claimed_at


def _grant_holds(audited: Audited, row: ClaimRow, use: UseRow, before: tuple[int, int]) -> bool:
    settled, hold = audited.get(use.settlement, Settlement), audited.get(use.hold, VoucherHold)
    made = audited.get(row.identity, VoucherClaim)
    rules = None if hold is None else audited.get(hold.rules, VoucherRules)
    decision = audited.get(row.decision, ClaimDecision)
    if settled is None or made is None or rules is None or decision is None:
        return False
    if is_reviewed(rules, row.amount) and decision.looked_at is None:
        return False
    standing = Eligibility(use.organisation, use.supplier, use.subsidy, False, "", *before)
    case = ClaimCase(rules, made, settled, standing, {}, row.claimed_at)
    moved = _posted(audited, "claim", use).get(claims_account(row.claimant, row.programme, "granted")) == row.amount
    if row.state == "paid":
        account = claims_account(row.claimant, row.programme, "paid")
        moved = moved and _posted(audited, "pay", use).get(account) == row.amount
    return not why_refused(case) and (row.amount, row.fee) == (case.amount, case.fee) and moved


def _posted(audited: Audited, step: str, use: UseRow) -> Mapping[str, int]:
    return audited.posted.get(transfer_name(use.programme, step, use.voucher, use.job, use.attempt), {})
