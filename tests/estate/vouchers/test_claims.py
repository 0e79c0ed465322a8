"""Claims: each rule refuses what breaks it, all of them at once, and nothing that meets them; one side claims a use."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from vouchers_for_tests import HOUR, RULES, Books, codes, payment

from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.hashes import digest_bytes
from pilotbase.workspace.actors import Role, actor
from pilotbase.workspace.failures import ConflictError, NotFoundError
from pilotbase_estate.documents.resources import Resources
from pilotbase_estate.documents.voucher import ClaimDecision, Settlement, Usage, VoucherClaim
from pilotbase_estate.vouchers import ledger, rows
from pilotbase_estate.vouchers.claiming import claim
from pilotbase_estate.vouchers.rules import ClaimCase, Eligibility, outcomes, why_refused
from pilotbase_estate.vouchers.wallet import set_rules

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def settled(here: Books) -> Books:
    """An hour of use, settled: 1,400 of cost, of which 420 are paid by the voucher and 980 by acme."""
    here.used(here.issue())
    return here


def change_rules(books: Books, **changed) -> None:
    """Let the next voucher stand under other rules."""
    set_rules(books.operator, RULES.model_copy(update=changed))


def test_a_claim_that_meets_every_rule_is_granted_and_paid_out(books):
    voucher = books.issue()
    books.used(voucher)
    made = books.claim_of()
    decision = books.claim(made)
    assert (decision.granted, decision.failed, decision.amount, decision.fee) == (True, (), 420, 980)
    assert books.claim(made) == decision
    assert books.balances()["centre/voucher-claims/pilot/granted"] == 420
    books.require_balanced()
    assert books.pay(made.digest()) and not books.pay(made.digest())
    assert books.balances() == {
        "city/voucher-fund/pilot": -50_000,
        f"acme/voucher/{voucher}/free": 49_580,
        "centre/voucher-claims/pilot/paid": 420,
    }
    books.require_balanced()


def test_a_consumer_claims_what_it_paid_in_full(settled):
    short = settled.claim(settled.claim_of(claimant="acme", side="consumer", payment=payment(amount=1399)))
    assert codes(short.failed) == ["paid_short"]
    assert "payment INV-7 has only 13.99 CNY left for this fee of 14.00 CNY" in short.failed[0].render("en")
    full = settled.claim(settled.claim_of(claimant="acme", side="consumer", payment=payment(amount=1400)))
    assert full.granted and full.fee == 1400
    settled.require_balanced()


PLANTED = [
    ("paid", {"payment": None}, {}, "unpaid"),
    ("payer", {"payment": payment(payer="someone")}, {}, "paid_by_others"),
    ("payee", {"payment": payment(payee="someone")}, {}, "paid_by_others"),
    ("not yet", {"payment": payment(paid_on="2026-05-03")}, {}, "paid_later"),
    ("short", {"payment": payment(amount=979)}, {}, "paid_short"),
    ("declared", {"other_subsidies": ("province",)}, {}, "twice"),
    ("related", {}, {"holding": {"acme", "centre"}}, "related"),
    ("stranger", {"claimant": "stranger"}, {}, "party"),
    ("wrong side", {"side": "consumer", "payment": payment(amount=1400)}, {}, "party"),
]


@pytest.mark.one_in(3)
@pytest.mark.parametrize(("changed", "ties", "rule"), [row[1:] for row in PLANTED], ids=[row[0] for row in PLANTED])
def test_a_planted_violation_is_refused_under_its_own_rule(settled, changed, ties, rule):
    refused = settled.claim(settled.claim_of(**changed), ties)
    assert codes(refused.failed) == [rule] and not refused.granted and refused.amount == 0
    assert all(one.render("zh") for one in refused.failed)
    settled.require_balanced()
    settled.clock.step(1)
    assert settled.claim(settled.claim_of()).granted, "a refused claim may be made again when its ground is there"
    settled.require_balanced()


SINGLE = {
    "unpaid": ({"payment": None}, {}),
    "twice": ({"other_subsidies": ("province",)}, {}),
    "related": ({}, {"holding": {"acme", "centre"}}),
    "party": ({"claimant": "stranger"}, {}),
}
OTHERS = ("side", "claimed", "cap_year", "late", "revoked", "uncounted", "minimum", "nothing")
SHEET = Usage(source="cgroup", node="n1", wall_ms=1)


@given(st.sets(st.sampled_from([*SINGLE, *OTHERS])))
def test_exactly_the_rules_that_are_broken_are_told(broken: set[str]) -> None:
    """Whatever is broken together with whatever: none is left out, and none told that is met."""
    counted = 0 if "uncounted" in broken else 50 if "minimum" in broken else 1400
    broken = broken | ({"minimum"} if counted < RULES.minimum else set())
    amount = 0 if "nothing" in broken or counted < RULES.minimum else 420
    broken = broken - ({"nothing"} if counted < RULES.minimum else set())
    changed = {name: value for code in broken & SINGLE.keys() for name, value in SINGLE[code][0].items()}
    ties = {name: value for code in broken & SINGLE.keys() for name, value in SINGLE[code][1].items()}
    fields = {"claimant": "centre", "side": "supplier", "payment": payment(amount=1400), "made_at": NOW}
    made = VoucherClaim(job="job:1", attempt=1, **(fields | changed | {"side": "supplier"}))
    rules = RULES.model_copy(update={"claimed_by": ("consumer",) if "side" in broken else ("supplier", "consumer")})
    times = {"started_at": NOW, "ended_at": NOW, "settled_at": NOW}
    settled = Settlement(
        job="job:1",
        attempt=1,
        voucher="0" * 32,
        hold=digest_bytes(b""),
        organisation="acme",
        supplier="centre",
        usage=SHEET,
        settled={},
        lines=(),
        cost=1400,
        counted=counted,
        subsidy=amount,
        **times,
    )
    in_year = RULES.cap_year - (419 if "cap_year" in broken else 420)
    revoked, before = "revoked" in broken, "acme" if "claimed" in broken else ""
    standing = Eligibility("acme", "centre", amount, revoked, before, in_year, 0)
    now = NOW + timedelta(days=31 if "late" in broken else 29)
    failed = codes(why_refused(ClaimCase(rules, made, settled, standing, ties, now)))
    expected = broken - ({"cap_year"} if not amount else set())
    assert set(failed) == expected and len(failed) == len(expected)


def test_a_side_that_the_programme_does_not_know_is_refused(here):
    change_rules(here, claimed_by=("consumer",))
    here.used(here.issue())
    refused = here.claim(here.claim_of())
    assert codes(refused.failed) == ["side"]
    assert "does not accept claims by a supplier" in refused.failed[0].render("en")
    assert "供给方" in refused.failed[0].render("zh")


def test_of_one_use_supplier_and_consumer_do_not_both_claim(settled):
    assert settled.claim(settled.claim_of()).granted
    consumer = {"claimant": "acme", "side": "consumer", "payment": payment(evidence=digest_bytes(b"other"))}
    assert codes(settled.claim(settled.claim_of(**consumer)).failed) == ["claimed"]
    settled.clock.step(1)
    again = settled.claim_of(payment=payment(evidence=digest_bytes(b"third")))
    assert codes(settled.claim(again).failed) == ["claimed"]
    settled.require_balanced()


def test_a_payment_covers_the_fees_that_it_is_large_enough_for(settled):
    voucher = settled.issue("acme")
    settled.used(voucher, "job:2")
    one = payment(amount=1959)
    assert settled.claim(settled.claim_of(payment=one)).granted
    short = settled.claim(settled.claim_of("job:2", payment=one))
    assert codes(short.failed) == ["paid_short"] and "9.79 CNY left" in short.failed[0].render("en")
    enough = payment(amount=1960, evidence=one.evidence)
    assert settled.claim(settled.claim_of("job:2", payment=enough)).granted


def test_a_claim_comes_in_time(settled):
    settled.clock.step(30 * 24 * HOUR + 1)
    late = settled.claim(settled.claim_of())
    assert codes(late.failed) == ["late"]
    assert "2026-05-31" in late.failed[0].render("en")
    settled.clock.step(-2)
    assert settled.claim(settled.claim_of()).granted


def test_the_cap_of_a_year_bounds_a_supplier_too(here):
    change_rules(here, cap_year=900)
    for number, organisation in enumerate(("acme", "other", "third")):
        here.used(here.issue(organisation), f"job:{number}")
    for number, organisation in enumerate(("acme", "other")):
        paid = payment(payer=organisation, evidence=digest_bytes(organisation.encode()))
        assert here.claim(here.claim_of(f"job:{number}", payment=paid)).granted
    refused = here.claim(here.claim_of("job:2", payment=payment(payer="third", evidence=digest_bytes(b"3"))))
    assert codes(refused.failed) == ["cap_year"]
    assert "only 0.60 CNY of the yearly cap of 9.00 CNY" in refused.failed[0].render("en")
    here.require_balanced()


def test_use_of_what_does_not_count_or_too_little_of_it_is_refused(here):
    voucher = here.issue()
    mixed = Resources({"cpu": 1, "disk": "100 GiB"})
    here.hold(voucher, demand=mixed)
    here.clock.step(HOUR)
    wall = HOUR * 1000
    here.settle(cpu_ms=0, gpu_ms={}, disk_mib_ms=100 * 1024 * wall)
    assert codes(here.claim(here.claim_of()).failed) == ["uncounted", "minimum"]
    here.hold(voucher, "job:2", demand=mixed)
    here.clock.step(HOUR)
    here.settle("job:2", cpu_ms=wall // 2, gpu_ms={}, disk_mib_ms=0)
    refused = here.claim(here.claim_of("job:2"))
    assert codes(refused.failed) == ["minimum"]
    assert "0.50 CNY, below the minimum of 1.00 CNY" in refused.failed[0].render("en")
    here.require_balanced()


def test_what_was_refunded_or_revoked_is_not_claimed(here):
    voucher = here.issue()
    here.used(voucher)
    here.refund()
    assert codes(here.claim(here.claim_of()).failed) == ["nothing"]
    here.used(voucher, "job:2")
    ledger.revoke(here.operator, voucher, "false declaration")
    assert codes(here.claim(here.claim_of("job:2")).failed) == ["revoked"]
    here.require_balanced()


def test_all_rules_that_a_claim_does_not_meet_are_told_at_once(settled):
    made = settled.claim_of(claimant="stranger", payment=None, other_subsidies=("province",))
    refused = settled.claim(made, {"acme": {"centre"}})
    assert codes(refused.failed) == ["party", "related", "unpaid", "twice"]
    assert "province" in refused.failed[-1].render("en")


def test_rules_that_a_programme_does_not_have_refuse_nobody(here):
    change_rules(here, unrelated=False, paid=False, once=False)
    ties = {"acme": {"centre"}}
    here.hold(here.issue(), ties=ties)
    here.clock.step(HOUR)
    here.settle()
    made = here.claim_of(payment=None, other_subsidies=("province",))
    assert here.claim(made, ties).granted


def test_nothing_is_claimed_before_it_is_settled_nor_refunded_once_it_is_claimed(here):
    here.hold(here.issue())
    with pytest.raises(ConflictError) as caught:
        here.claim(here.claim_of())
    assert caught.value.code == "voucher.not_claimable" and "is on hold" in caught.value.render("en")
    here.clock.step(HOUR)
    here.settle()
    made = here.claim_of()
    here.claim(made)
    with pytest.raises(RefusedError) as refused:
        here.refund()
    assert refused.value.code == "voucher.claimed_already"
    with pytest.raises(NotFoundError):
        here.claim(here.claim_of("job:none"))


def test_only_granted_claims_are_paid_out(settled):
    made = settled.claim_of(payment=None)
    settled.claim(made)
    for identity, code in ((made.digest(), "voucher.claim_refused"), (digest_bytes(b""), "voucher.no_claim")):
        with pytest.raises((RefusedError, NotFoundError)) as caught:
            settled.pay(identity)
        assert caught.value.code == code


def test_a_claim_is_seen_by_its_parties_and_those_who_see_all(settled):
    made = settled.claim_of()
    centre, acme, other = (settled.as_organisation(name) for name in ("centre", "acme", "other"))
    assert settled.claim(made, by=centre).granted
    for view, sees in ((centre, True), (acme, True), (other, False), (settled.operator, True)):
        assert (view.get(made.digest()) is not None) == sees
    with pytest.raises(NotFoundError):
        settled.claim(settled.claim_of(claimant="other"), by=other)
    with pytest.raises(RefusedError):
        settled.claim(settled.claim_of(claimant="centre", note="forged"), by=acme)
    with settled.store.database.read() as connection:
        for view, seen in ((centre, 1), (acme, 1), (other, 0), (settled.operator, 1)):
            assert len(rows.seen_claims(connection, view.actor)) == seen
    stranger = settled.claim_of(claimant="other", note="of a use of others")
    assert codes(settled.claim(stranger).failed) == ["party", "claimed", "paid_short"]
    with settled.store.database.read() as connection:
        assert len(rows.seen_claims(connection, acme.actor)) == 1, "what a stranger claims is told to no party"
        assert len(rows.seen_claims(connection, other.actor)) == 1


def test_both_sides_race_and_one_is_granted(books):
    books.used(books.issue())
    made = [
        books.claim_of(note=str(number))
        if number % 2
        else books.claim_of(claimant="acme", side="consumer", payment=payment(amount=1400), note=str(number))
        for number in range(8)
    ]
    with ThreadPoolExecutor(8) as pool:
        decided = list(pool.map(books.claim, made))
    assert sum(one.granted for one in decided) == 1
    assert all("claimed" in codes(one.failed) for one in decided if not one.granted)
    books.require_balanced()


@pytest.fixture
def reviewed(here: Books) -> Books:
    """Two hours of use, settled, under rules that let a person look at each claim."""
    change_rules(here, reviewed_from=0, cap_year=500)
    voucher = here.issue()
    here.used(voucher)
    other = here.issue("other")
    here.used(other, "job:2")
    return here


def test_a_claim_that_a_person_looks_at_waits_and_keeps_others_from_its_use(reviewed):
    made = reviewed.claim_of()
    first = reviewed.claim(made)
    assert (first.granted, first.waits, first.amount, first.fee) == (False, True, 420, 980)
    assert "centre/voucher-claims/pilot/granted" not in reviewed.balances(), "nothing moves before it is granted"
    consumer = {"claimant": "acme", "side": "consumer", "payment": payment(evidence=digest_bytes(b"other"))}
    assert codes(reviewed.claim(reviewed.claim_of(**consumer)).failed) == ["claimed"]
    of_other = payment(payer="other", evidence=digest_bytes(b"third"))
    assert codes(reviewed.claim(reviewed.claim_of("job:2", payment=of_other)).failed) == ["cap_year"]
    with pytest.raises(RefusedError) as caught:
        reviewed.pay(made.digest())
    assert caught.value.code == "voucher.claim_waits"
    with pytest.raises(RefusedError) as caught:
        reviewed.refund()
    assert caught.value.code == "voucher.claimed_already"
    reviewed.require_balanced()
    reviewed.clock.step(HOUR)
    decided = reviewed.decide(made, note="seen")
    assert decided.granted and decided.looked_at.organisation == "ministry" and decided.amount == 420
    assert reviewed.decide(made, note="seen") == decided
    assert reviewed.balances()["centre/voucher-claims/pilot/granted"] == 420
    assert reviewed.pay(made.digest())
    reviewed.require_balanced()


def test_what_a_person_refuses_says_why_and_frees_the_use(reviewed):
    made = reviewed.claim_of()
    reviewed.claim(made)
    with pytest.raises(InputError) as caught:
        reviewed.decide(made, granted=False, note=" ")
    assert caught.value.code == "voucher.no_reason"
    refused = reviewed.decide(made, granted=False, note="the receipt is of another invoice")
    assert codes(refused.failed) == ["person"] and refused.amount == 0
    assert "another invoice" in refused.failed[0].render("zh")
    with pytest.raises(ConflictError) as caught:
        reviewed.decide(made)
    assert caught.value.code == "voucher.claim_decided" and "already refused" in caught.value.render("en")
    reviewed.require_balanced()
    reviewed.clock.step(1)
    assert reviewed.claim(reviewed.claim_of()).waits
    reviewed.require_balanced()


def test_who_decides_a_claim_is_no_party_to_it_and_sees_all(reviewed):
    made = reviewed.claim_of()
    reviewed.claim(made)
    party = reviewed.store.as_actor(actor("acme", Role.OPERATOR))
    for view, code in (
        (reviewed.as_organisation("centre"), "voucher.decides_not"),
        (party, "voucher.own_claim"),
        (reviewed.as_organisation("stranger"), "voucher.no_claim"),
    ):
        with pytest.raises((RefusedError, NotFoundError)) as caught:
            reviewed.decide(made, by=view)
        assert caught.value.code == code
    assert reviewed.decide(made, by=reviewed.operator).granted


def test_rules_are_asked_again_before_a_person_grants(reviewed):
    made = reviewed.claim_of()
    reviewed.claim(made)
    reviewed.clock.step(40 * 24 * HOUR)
    late_and_tied = reviewed.decide(made, ties={"acme": {"centre"}})
    assert codes(late_and_tied.failed) == ["related"], "in time is a claim that was made in time"
    reviewed.require_balanced()


def test_only_claims_of_an_amount_wait_for_a_person(here):
    change_rules(here, reviewed_from=421)
    here.used(here.issue())
    assert here.claim(here.claim_of()).granted
    change_rules(here, reviewed_from=420)
    here.used(here.issue(), "job:2")
    assert here.claim(here.claim_of("job:2", payment=payment(evidence=digest_bytes(b"2")))).waits


def test_each_rule_says_how_it_stands(settled):
    refused = settled.claim(settled.claim_of(payment=payment(amount=1), other_subsidies=("province",)))
    told = {one.rule: one for one in outcomes(RULES, refused)}
    assert {rule for rule, one in told.items() if one.state == "broken"} == {"paid", "twice"}
    assert told["paid"].why == refused.failed[0] and told["related"].state == "met"
    assert told["person"].state == "not_asked"
    free = RULES.model_copy(update={"unrelated": False, "once": False, "paid": False})
    stood = {one.rule: one.state for one in outcomes(free, settled.claim(settled.claim_of()))}
    assert {rule for rule, state in stood.items() if state == "not_asked"} == {"related", "twice", "paid", "person"}


def test_two_claims_that_reach_the_cap_of_a_year_at_once_do_not_pass_it(books):
    change_rules(books, cap_year=500)
    for number in range(4):
        books.used(books.issue(f"org-{number}"), f"job:{number}")
    paid = [payment(payer=f"org-{number}", evidence=digest_bytes(bytes([number]))) for number in range(4)]
    made = [books.claim_of(f"job:{number}", payment=one) for number, one in enumerate(paid)]
    with ThreadPoolExecutor(4) as pool:
        decided = list(pool.map(books.claim, made))
    assert [sum(one.granted for one in decided), sum(one.amount for one in decided)] == [1, 420]
    assert all(codes(one.failed) == ["cap_year"] for one in decided if not one.granted)
    books.require_balanced()


def test_two_claims_in_one_transaction_do_not_pass_the_cap(here):
    change_rules(here, cap_year=500)
    for number in range(2):
        here.used(here.issue(f"org-{number}"), f"job:{number}")
    paid = [payment(payer=f"org-{number}", evidence=digest_bytes(bytes([number]))) for number in range(2)]
    with here.operator.transaction("voucher.claimed") as change:
        view = here.operator.within(change)
        decided = [
            claim(view, change, here.claim_of(f"job:{number}", payment=one), {}) for number, one in enumerate(paid)
        ]
    assert [one.granted for one in decided] == [True, False] and codes(decided[1].failed) == ["cap_year"]
    here.require_balanced()


def test_a_person_and_a_rule_race_and_the_claim_is_decided_once(books):
    change_rules(books, reviewed_from=0)
    books.used(books.issue())
    made = books.claim_of()
    books.claim(made)

    def decide(granted: bool) -> bool | None:
        try:
            return books.decide(made, granted, "looked at").granted
        except ConflictError:
            return None

    with ThreadPoolExecutor(6) as pool:
        said = [one for one in pool.map(decide, [True, False] * 3) if one is not None]
    assert len(set(said)) == 1
    books.require_balanced()


@pytest.mark.parametrize("field", ["amount", "fee"])
def test_money_is_never_below_nothing(field):
    with pytest.raises(ValidationError):
        payment(amount=-1)
    with pytest.raises(ValidationError):
        ClaimDecision(claim=digest_bytes(b""), rules=digest_bytes(b""), granted=True, decided_at=NOW, **{field: -1})
