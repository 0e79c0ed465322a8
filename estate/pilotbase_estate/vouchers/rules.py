"""Every rule that a payment or a claim must meet; a refusal names all the rules that are not met, at once.

Pure: ties of ownership, payments and others' subsidies are passed in. Each rule is one function that returns why it is
not met, or None.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from typing import Literal

from pilotbase.documents.estimate import PriceList, category_of, costs_of
from pilotbase.documents.quantities import SIZES
from pilotbase.documents.texts import Text, text
from pilotbase.worker.providers import MilestoneBill
from pilotbase_estate.documents.resources import MILLI, Vector
from pilotbase_estate.documents.voucher import ClaimDecision, CostLine, Payment, Settlement, VoucherClaim, VoucherRules

Failed = tuple[Text, ...]


@dataclass(frozen=True)
class Payable:
    """A job that a voucher is to pay, with what the rules need."""

    organisation: str
    supplier: str
    quoted: Bill
    wanted: int
    """The voucher's share of it."""
    left: int
    """What the voucher still has."""
    left_in_year: int


@dataclass(frozen=True)
class Eligibility:
    """What the base knows of a claim's use, beside its settlement."""

    consumer: str
    supplier: str
    subsidy: int
    revoked: bool
    claimed_by: str
    """Who was granted an earlier claim on the use; '': nobody."""
    claimed_in_year: int
    fees_under_payment: int
    """Fees of other granted claims that name the same payment."""


@dataclass(frozen=True)
class RuleOutcome:
    """The result of one rule for a claim."""

    rule: str
    """Text ``voucher.asks.<rule>``."""
    state: Literal["met", "broken", "waiting", "not_asked"]
    why: Text | None = None
    """Why it is broken."""


@dataclass(frozen=True)
class ClaimCase:
    """A claim with all that its rules need."""

    rules: VoucherRules
    claim: VoucherClaim
    settlement: Settlement
    standing: Eligibility
    ties: Ties
    now: datetime

    @property
    def fee(self) -> int:
        """What must have been paid: the whole cost if the consumer claims, otherwise the cost less the deduction."""
        return self.settlement.cost if self.claim.side == "consumer" else self.settlement.own

    @property
    def amount(self) -> int:
        return self.standing.subsidy


def why_not_payable(rules: VoucherRules, asked: Payable, ties: Ties) -> Failed:
    """Return every rule that keeps a voucher from paying a job; empty: it may pay."""
    found = [
        _related(rules, asked.organisation, asked.supplier, ties),
        uncounted(rules, asked.quoted.cost, asked.quoted.counted),
        below_minimum(rules, asked.quoted.counted),
        text("voucher.rule.nothing") if asked.quoted.counted >= rules.minimum and not asked.wanted else None,
        None if asked.left > 0 else text("voucher.rule.spent"),
        None if asked.left_in_year > 0 else _year_full(rules, 0),
    ]
    return tuple(one for one in found if one is not None)


def why_not_milestone(
    rules: VoucherRules, asked: MilestoneBill, organisation: str, left: tuple[int, int], ties: Ties
) -> Failed:
    """Return every rule that keeps a voucher of an organisation from paying a milestone; empty: it may pay.

    ``left``: in the voucher, and of the year's cap.
    """
    free, in_year = left
    currencies = {"found": rules.currency, "asked": asked.currency}
    found = [
        text("voucher.rule.currency", **currencies) if rules.currency != asked.currency else None,
        _related(rules, asked.owner, organisation, ties),
        text("voucher.rule.short", amount=rules.spell(asked.amount)) if free < asked.amount else None,
        _year_full(rules, max(in_year, 0)) if in_year < asked.amount else None,
    ]
    return tuple(one for one in found if one is not None)


def why_refused(case: ClaimCase) -> Failed:
    """Return every rule that a claim does not meet; empty: it is granted."""
    return tuple(found for rule in _OF_CLAIMS for found in [rule(case)] if found is not None)


def outcomes(rules: VoucherRules, decision: ClaimDecision) -> tuple[RuleOutcome, ...]:
    """Return the result of each rule when a claim was decided, in the order of checking."""
    broken = {one.code.rpartition(".")[2]: one for one in decision.failed}
    not_asked = {
        rule for rule, asked in (("related", rules.unrelated), ("paid", rules.paid), ("twice", rules.once)) if not asked
    }
    found = []
    for rule in (*_ASKED, "person"):
        why = next((broken[code] for code in _ASKED.get(rule, (rule,)) if code in broken), None)
        found.append(RuleOutcome(rule, "broken" if why else "not_asked" if rule in not_asked else "met", why))
    return (*found[:-1], _of_person(decision, found[-1]))


def is_reviewed(rules: VoucherRules, amount: int) -> bool:
    """Return whether a claim of ``amount`` waits for a person to look at its evidence."""
    return rules.reviewed_from is not None and amount >= rules.reviewed_from


def joined(failed: Sequence[Text]) -> Text:
    """Return several reasons as one text."""
    return reduce(lambda said, further: text("voucher.rule.and", said=said, further=further), failed)


def uncounted(rules: VoucherRules, cost: int, counted: int) -> Text | None:
    """Return a reason if nothing of a cost is subsidised."""
    if counted or not cost:
        return None
    return text("voucher.rule.uncounted", categories=rules.uncounted)


def below_minimum(rules: VoucherRules, counted: int) -> Text | None:
    """Return a reason if a counted fee is too small to be subsidised."""
    if counted >= rules.minimum:
        return None
    return text("voucher.rule.minimum", minimum=rules.spell(rules.minimum), counted=rules.spell(counted))


def _side(case: ClaimCase) -> Text | None:
    if case.claim.side in case.rules.claimed_by:
        return None
    return text("voucher.rule.side", side=text(f"voucher.side.{case.claim.side}"))


def _party(case: ClaimCase) -> Text | None:
    party = case.standing.consumer if case.claim.side == "consumer" else case.standing.supplier
    if case.claim.claimant == party:
        return None
    side = text(f"voucher.side.{case.claim.side}")
    return text("voucher.rule.party", claimant=case.claim.claimant, side=side, party=party)


def _claimed(case: ClaimCase) -> Text | None:
    before = case.standing.claimed_by
    return text("voucher.rule.claimed", claimant=before) if before else None


def _unrelated(case: ClaimCase) -> Text | None:
    return _related(case.rules, case.standing.consumer, case.standing.supplier, case.ties)


def _paid(case: ClaimCase) -> Text | None:
    payment = case.claim.payment
    if not case.rules.paid or case.fee == 0:
        return None
    if payment is None:
        return text("voucher.rule.unpaid", fee=case.rules.spell(case.fee))
    return _between_the_parties(case, payment) or _paid_in_time(case, payment) or _paid_in_full(case, payment)


def _between_the_parties(case: ClaimCase, payment: Payment) -> Text | None:
    parties = (case.standing.consumer, case.standing.supplier)
    if (payment.payer, payment.payee) == parties:
        return None
    of = {"payer": payment.payer, "payee": payment.payee}
    return text("voucher.rule.paid_by_others", **of, consumer=parties[0], supplier=parties[1])


def _paid_in_time(case: ClaimCase, payment: Payment) -> Text | None:
    today = case.rules.day(case.now)
    if payment.paid_on <= today:
        return None
    return text("voucher.rule.paid_later", paid=payment.paid_on, today=today)


def _paid_in_full(case: ClaimCase, payment: Payment) -> Text | None:
    left = payment.amount - case.standing.fees_under_payment
    if left >= case.fee:
        return None
    spelled = {"left": case.rules.spell(max(left, 0)), "fee": case.rules.spell(case.fee)}
    return text("voucher.rule.paid_short", reference=payment.reference, **spelled)


def _once(case: ClaimCase) -> Text | None:
    others = sorted(set(case.claim.other_subsidies))
    return text("voucher.rule.twice", programmes=others) if case.rules.once and others else None


def _counted(case: ClaimCase) -> Text | None:
    return uncounted(case.rules, case.settlement.cost, case.settlement.counted)


def _large_enough(case: ClaimCase) -> Text | None:
    return below_minimum(case.rules, case.settlement.counted)


def _something(case: ClaimCase) -> Text | None:
    explained = _counted(case) or _large_enough(case)
    return None if case.amount or explained else text("voucher.rule.nothing")


def _within_the_year(case: ClaimCase) -> Text | None:
    left = case.rules.cap_year - case.standing.claimed_in_year
    if case.amount <= left:
        return None
    return _year_full(case.rules, max(left, 0))


def _in_time(case: ClaimCase) -> Text | None:
    last = case.settlement.settled_at + timedelta(days=case.rules.claim_days)
    if case.now <= last:
        return None
    return text("voucher.rule.late", last=case.rules.day(last), days=case.rules.claim_days)


def _not_revoked(case: ClaimCase) -> Text | None:
    return text("voucher.rule.revoked") if case.standing.revoked else None


def _of_person(decision: ClaimDecision, found: RuleOutcome) -> RuleOutcome:
    if decision.waits:
        return RuleOutcome("person", "waiting")
    return found if decision.looked_at is not None else RuleOutcome("person", "not_asked")


def _related(rules: VoucherRules, consumer: str, supplier: str, ties: Ties) -> Text | None:
    way = way_between(ties, consumer, supplier) if rules.unrelated else ()
    if not way:
        return None
    return text("voucher.rule.related", consumer=consumer, supplier=supplier, way=" – ".join(dict.fromkeys(way)))


def _year_full(rules: VoucherRules, left: int) -> Text:
    return text("voucher.rule.cap_year", cap=rules.spell(rules.cap_year), left=rules.spell(left))


_OF_CLAIMS: tuple[Callable[[ClaimCase], Text | None], ...] = (
    _side,
    _party,
    _claimed,
    _unrelated,
    _paid,
    _once,
    _counted,
    _large_enough,
    _something,
    _within_the_year,
    _in_time,
    _not_revoked,
)

_ASKED: Mapping[str, tuple[str, ...]] = {
    "side": ("side",),
    "party": ("party",),
    "claimed": ("claimed",),
    "related": ("related",),
    "paid": ("unpaid", "paid_by_others", "paid_later", "paid_short"),
    "twice": ("twice",),
    "uncounted": ("uncounted",),
    "minimum": ("minimum",),
    "nothing": ("nothing",),
    "cap_year": ("cap_year",),
    "late": ("late",),
    "revoked": ("revoked",),
}
"""Rule → the codes with which it refuses."""


@dataclass(frozen=True)
class Bill:
    """The cost of amounts, line by line; ``counted`` is the cost of the lines that are subsidised."""

    lines: tuple[CostLine, ...]

    @property
    def cost(self) -> int:
        return sum(line.cost for line in self.lines)

    @property
    def counted(self) -> int:
        return sum(line.cost for line in self.lines if line.counts)


def amounts_over(demand: Vector, wall_ms: int) -> dict[str, int]:
    """Return the amounts of ``demand`` over ``wall_ms``: core-ms, MiB-ms, GPU-ms, licence-ms; fractions are cut off."""
    return {name: amount * wall_ms // _unit(name) for name, amount in sorted(demand.items())}


def bill(prices: PriceList, amounts: Mapping[str, int], rules: VoucherRules) -> Bill:
    """Return the cost of ``amounts``; what has no price, or was not used, has no line.

    Raises:
        InputError: the amount is too large to be counted or paid.
    """
    costs = costs_of(prices, amounts)
    return Bill(
        tuple(
            CostLine(of=name, amount=amounts[name], price=prices.prices[name], cost=cost, counts=rules.counts(name))
            for name, cost in costs.items()
        )
    )


def _unit(dimension: str) -> int:
    category = category_of(dimension)
    if category in ("memory", "disk"):
        return SIZES["MiB"]
    return MILLI if category in ("cpu", "gpu") else 1


Ties = Mapping[str, Set[str]]
"""Organisation → those to which it has declared a tie of ownership; one that is not named has declared none."""


def way_between(ties: Ties, one: str, other: str) -> tuple[str, ...]:
    """Return the shortest path from one to the other over ties that either end has declared; empty: they are unrelated.

    Two subsidiaries of one parent are related although neither has named the other; an organisation is related to
    itself.
    """
    beside: defaultdict[str, set[str]] = defaultdict(set)
    for organisation, declared in ties.items():
        for tied in declared:
            beside[organisation].add(tied)
            beside[tied].add(organisation)
    came_from: dict[str, str] = {one: ""}
    queue = deque([one])
    while queue and other not in came_from:
        here = queue.popleft()
        for there in sorted(beside[here] - came_from.keys()):
            came_from[there] = here
            queue.append(there)
    way, step = [], other if other in came_from else ""
    while step:
        way.append(step)
        step = came_from[step]
    return tuple(reversed(way))
