"""Claims made, decided and paid out, and rules set, by requests that come again."""

from pilotbase_estate.vouchers import ledger
from tests.hub.sent_again_for_tests import Sent, ask, case, new_name
from tests.hub.test_uploads_in_pieces import sent
from tests.hub.vouchers_for_tests import RULES, Purse


def _claim(world) -> dict[str, object]:
    """Return a claim on a new use that a person is to look at."""
    purse, job = Purse(world), new_name("job:again")
    purse.rule(reviewed_from=0)
    purse.used(ledger.issue(purse.view, "pilot", "acme", 2000).identity, job)
    payment = {"reference": job, "amount": 4000, "paid_on": "2026-05-01", "payer": "acme", "payee": "institute"}
    upload = sent(world.client("supplier"), job.encode(), name="receipt.pdf")
    files = [{"upload": upload, "kind": "receipt"}]
    return {"job": job, "attempt": 1, "side": "consumer", "payment": payment, "files": files}


def _claimed(world) -> str:
    return ask(world, "supplier", "post", "/api/voucher-claims", _claim(world))["Location"]


@case("post /api/voucher-claims", "supplier")
def claim_a_use(world) -> Sent:
    yield "/api/voucher-claims", _claim(world)


@case("post /api/voucher-claims/{asked}/decision", "regulator")
def decide_a_claim(world) -> Sent:
    claim = _claimed(world)
    yield f"{claim}/decision", {"granted": True, "note": "seen"}
    ask(world, "desk", "post", f"{claim}/payout", {"reference": "bank-1"})


@case("post /api/voucher-claims/{asked}/payout", "desk")
def pay_a_claim_out(world) -> Sent:
    claim = _claimed(world)
    ask(world, "regulator", "post", f"{claim}/decision", {"granted": True})
    yield f"{claim}/payout", {"reference": "bank-2"}


@case("put /api/voucher-programmes/{programme}", "desk")
def set_rules(world) -> Sent:
    rules = {**RULES, "document": "voucher-rules/1", "name": new_name("programme")}
    path = f"/api/voucher-programmes/{rules['name']}"
    yield path, rules
    ask(world, "desk", "put", path, {**rules, "rate": 1})
