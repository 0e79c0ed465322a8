"""Claims on a hub: with evidence, every rule told, decided by a person, paid out; for strangers there are none."""

from __future__ import annotations

import io
import re
import zipfile

import pytest

from pilotbase_estate.vouchers import ledger
from pilotbase_estate.vouchers.auditing import audit
from tests.hub.fields_for_tests import fields_of
from tests.hub.test_notices import rounds
from tests.hub.test_uploads_in_pieces import JSON, sent
from tests.hub.vouchers_for_tests import Purse

SCAN = b"%PDF-1.7 a bank receipt"
FIELDS = {"side": "consumer", "reference": "INV-9", "amount": "40.00", "paid_on": "2026-05-01", "payer": "acme",
          "payee": "institute", "others": "", "note": ""}  # fmt: skip
NEW = "/voucher-claims/new/?attempt=1&job="
MAY_NOT_KNOW = ("owner", "other-supplier", "other-reviewer")


@pytest.fixture(scope="module")
def purse(one_world):
    made = Purse(one_world)
    made.rule(reviewed_from=0)
    made.voucher = ledger.issue(made.view, "pilot", "acme", 90_000).identity
    return made


def get(purse, who, address, language="en"):
    return purse.world.client(None if who == "visitor" else who).get(address, headers={"Accept-Language": language})


def scan(name="receipt.pdf", content=SCAN):
    file = io.BytesIO(content)
    file.name = name
    return file


def claimed(purse, job, **changed) -> str:
    """Claim a new use by the form, and return the claim's digits."""
    purse.used(purse.voucher, job)
    client = purse.world.client("supplier")
    given = {**FIELDS, "receipt-file": scan(content=SCAN + job.encode()), **changed}
    answer = client.post(NEW + job, {name: value for name, value in given.items() if value is not None})
    assert answer.status_code == 302, answer.content.decode()
    return answer["Location"].rstrip("/").rpartition("/")[2]


def statuses(purse, address, people):
    return {who: get(purse, who, address).status_code for who in people}


def test_a_claim_goes_from_the_form_over_a_person_to_the_payout(purse):
    purse.used(purse.voucher, "job:walk")
    supplier = purse.world.client("supplier")
    assert "job=job%3Awalk" in get(purse, "supplier", "/voucher-claims/").content.decode()
    wrong = supplier.post(NEW + "job:walk", {**FIELDS, "amount": "-4", "receipt-file": scan()})
    shown = wrong.content.decode()
    assert wrong.status_code == 200 and "-4 is no amount of money" in shown and "receipt.pdf" in shown
    kept = re.search(r'name="receipt-kept" value="([0-9a-f]{32})"', shown)[1]
    assert (
        "40 EUR is no amount of money"
        in supplier.post(NEW + "job:walk", {**FIELDS, "amount": "40 EUR", "receipt-kept": kept}).content.decode()
    )
    made = supplier.post(
        NEW + "job:walk", {**FIELDS, "receipt-kept": kept, "invoice-file": scan("invoice.pdf", b"bill")}
    )
    assert made.status_code == 302, made.content.decode()
    assert supplier.get("/api/uploads").json() == []
    page = made["Location"]
    claim = page.rstrip("/").rpartition("/")[2]
    waits = get(purse, "supplier", page, "zh").content.decode()
    assert "等待人工审核" in waits and "双方无关联关系" in waits and "receipt.pdf" in waits
    told = get(purse, "supplier", f"/api/voucher-claims/{claim}").json()
    assert (told["state"], told["amount"], told["fee"]) == ("waiting", 1200, 4000)
    assert {one["state"] for one in told["rules"]} == {"met", "waiting"}
    assert supplier.post(NEW + "job:walk", FIELDS)["Location"] == "/voucher-claims/", "it is claimed once"

    assert "No reason" not in get(purse, "regulator", page).content.decode()
    judge, decide = purse.world.client("regulator"), f"{page}decide/"
    assert "needs a reason" in judge.post(decide, {"does": "refuse", "note": ""}).content.decode()
    assert judge.post(decide, {"does": "grant", "note": "The receipt is whole."}).status_code == 302
    assert purse.world.client("desk").post(f"{page}pay/", {"reference": "bank-77"}).status_code == 302
    told = get(purse, "supplier", f"/api/voucher-claims/{claim}").json()
    assert [one["state"] for one in told["history"]] == ["made", "waiting", "granted", "paid"]
    assert [one["note"] for one in told["history"]][2:] == ["The receipt is whole.", "bank-77"]
    assert [one["organisation"] for one in told["history"]] == ["acme", "", "ministry", ""]
    wallet = get(purse, "supplier", "/api/vouchers/acme").json()
    assert wallet["years"][0]["paid"] == 1200


def test_what_a_rule_refuses_is_told_rule_by_rule_in_the_readers_language(purse):
    claim = claimed(purse, "job:short", amount="39.99", others="province")
    told = {one["rule"]: one for one in get(purse, "supplier", f"/api/voucher-claims/{claim}").json()["rules"]}
    assert {rule for rule, one in told.items() if one["state"] == "broken"} == {"paid", "twice"}
    assert "39.99 CNY left for this fee of 40.00 CNY" in told["paid"]["why"]
    page = get(purse, "supplier", f"/voucher-claims/{claim}/", "zh").content.decode()
    assert "不符合" in page and "province" in page and "双方之间已全额支付费用" in page
    assert 'name="does"' not in get(purse, "desk", f"/voucher-claims/{claim}/").content.decode()


@pytest.mark.prove
def test_both_sides_and_who_decides_see_a_claim_and_the_other_side_not_its_files(purse):
    claim = claimed(purse, "job:seen")
    page, told = f"/voucher-claims/{claim}/", f"/api/voucher-claims/{claim}"
    file = get(purse, "supplier", told).json()["files"][0]["digest"]
    for address in (page, told):
        assert statuses(purse, address, ("supplier", "reviewer", "desk", "regulator")) == dict.fromkeys(
            ("supplier", "reviewer", "desk", "regulator"), 200
        )
        assert statuses(purse, address, MAY_NOT_KNOW) == dict.fromkeys(MAY_NOT_KNOW, 404)
    for address in (f"{page}{file.removeprefix('sha256:')}/", f"{told}/files/{file}"):
        answer = get(purse, "supplier", address)
        assert b"".join(answer) == SCAN + b"job:seen" and answer["Content-Disposition"].startswith("attachment")
        assert statuses(purse, address, ("desk", "regulator")) == {"desk": 200, "regulator": 200}
        assert statuses(purse, address, ("reviewer", *MAY_NOT_KNOW)) == dict.fromkeys(("reviewer", *MAY_NOT_KNOW), 404)
    for who in MAY_NOT_KNOW:
        for address in ("/voucher-claims/", "/api/voucher-claims", "/api/voucher-uses"):
            assert "job:seen" not in get(purse, who, address).content.decode()
        assert purse.world.client(who).get(f"{NEW}job:seen").status_code == 404
        client = purse.world.client(who)
        assert client.post(f"{page}decide/", {"does": "grant"}).status_code == 404
        assert client.post(f"{told}/decision", {"granted": True}, **JSON).status_code == 403
    reviewer = purse.world.client("reviewer")
    assert reviewer.post(f"{told}/decision", {"granted": True}, **JSON).json()["code"] == "hub.role_missing"
    assert get(purse, "supplier", told).json()["state"] == "waiting"


def test_both_sides_are_told_and_who_decides_is_asked(purse):
    rounds(purse.world)
    claim = claimed(purse, "job:told")
    rounds(purse.world)
    for who, sees in (
        ("supplier", True), ("reviewer", True), ("desk", True), ("regulator", True), ("other-supplier", False)
    ):  # fmt: skip
        page = get(purse, who, "/notices/").content.decode()
        assert ("acme claims job:told: waiting for review." in page) is sees, who
    notice = re.search(r"/notices/([0-9a-f]{32})/", get(purse, "reviewer", "/notices/").content.decode())[0]
    assert get(purse, "reviewer", notice)["Location"] == f"/voucher-claims/{claim}/"
    told = f"/api/voucher-claims/{claim}/decision"
    assert purse.world.client("regulator").post(told, {"granted": False, "note": "blurred"}, **JSON).status_code == 200
    rounds(purse.world)
    assert "acme 对 job:told 的申领：" in get(purse, "supplier", "/notices/", "zh").content.decode()


def test_over_the_api_a_claim_is_made_once_however_often_it_is_sent(purse):
    purse.used(purse.voucher, "job:api")
    supplier = purse.world.client("supplier")
    upload = sent(supplier, SCAN + b"api", name="receipt.pdf")
    body = {
        "job": "job:api", "attempt": 1, "side": "consumer", "files": [{"upload": upload, "kind": "receipt"}],
        "payment": {"reference": "INV-8", "amount": 4000, "paid_on": "2026-05-01", "payer": "acme",
                    "payee": "institute"},
    }  # fmt: skip
    for changed, status in (({"payment": {**body["payment"], "amount": -1}}, 422), ({"files": []}, 422)):
        assert supplier.post("/api/voucher-claims", {**body, **changed}, **JSON).status_code == status, changed
    headers = {"Idempotency-Key": "claim-1"}
    first, again = (supplier.post("/api/voucher-claims", body, headers=headers, **JSON) for _ in range(2))
    assert (first.status_code, first.content) == (201, again.content)
    mine = [one for one in supplier.get("/api/voucher-claims").json() if one["job"] == "job:api"]
    assert [one["state"] for one in mine] == ["waiting"]


def test_rules_are_read_by_everybody_and_set_by_the_operator(purse):
    for who in ("visitor", "owner", "desk"):
        page = get(purse, who, "/voucher-programmes/pilot/")
        assert page.status_code == 200 and "30\u00a0%" in page.content.decode()
        assert get(purse, who, "/api/voucher-programmes").json()[0]["name"] == "pilot"
    assert get(purse, "owner", "/voucher-programmes/none/").status_code == 404
    rules = get(purse, "owner", "/api/voucher-programmes/pilot").json()
    put = "/api/voucher-programmes/pilot"
    assert purse.world.client("owner").put(put, {**rules, "rate": 1}, **JSON).status_code == 403
    assert get(purse, "owner", "/voucher-programmes/pilot/edit/").status_code == 404
    desk = purse.world.client("desk")
    assert desk.put("/api/voucher-programmes/other", rules, **JSON).json()["code"] == "voucher.other_programme"
    edit = "/voucher-programmes/pilot/edit/"
    said = fields_of(desk.get(edit).content.decode())
    assert (said["rate"], said["cap_voucher"][-3:]) == ("30.00", ".00"), "as people write them"
    page = desk.post(edit, {**said, "rate": "300.01", "valid_days": ""}).content.decode()
    assert page.count("wrong-why") == 1 and 'value="300.01"' in page, "nothing typed is lost"
    page = desk.post(edit, {**said, "rate": "300.01"}).content.decode()
    assert re.search(r'id="id_rate_error">', page)
    changed = desk.post(edit, {**said, "rate": "25"})
    assert changed.status_code == 302, changed.content.decode()
    assert "25%" in get(purse, "owner", "/voucher-programmes/pilot/", "zh").content.decode()
    late = desk.post(edit, {**said, "rate": "26"}).content.decode()
    assert 'role="alert"' in late and 'value="26"' in late, "somebody else has changed them since"
    again = fields_of(desk.get(edit).content.decode())
    wrong = desk.post(edit, {**again, "yaml": again["yaml"].replace("rate: 2500", "rate: 30001")}).content.decode()
    assert "rate" in wrong and "30001" in wrong
    assert desk.post(edit, {**again, "yaml": again["yaml"].replace("rate: 2500", "rate: 2600")}).status_code == 302
    assert desk.get(put).json() == {**rules, "rate": 2600}, "the rest stays as it was"
    purse.rule(reviewed_from=0)


@pytest.mark.prove
def test_the_evidence_is_given_to_operator_and_regulator_and_holds_offline(purse, tmp_path):
    claimed(purse, "job:audit")
    for address in ("/voucher-programmes/pilot/evidence.zip", "/api/voucher-programmes/pilot/evidence"):
        refused = ("supplier", "reviewer", *MAY_NOT_KNOW)
        assert statuses(purse, address, refused) == dict.fromkeys(refused, 404)
        answer = get(purse, "regulator", address)
        assert answer.status_code == 200
    content = b"".join(answer.streaming_content)
    zipfile.ZipFile(io.BytesIO(content)).extractall(tmp_path)
    folder = tmp_path / "pilot"
    files = sorted((folder / "files").iterdir())
    assert SCAN + b"job:audit" in [file.read_bytes() for file in files]
    assert audit(folder).problems == ()
    files[0].write_bytes(b"another receipt")
    assert [one.code for one in audit(folder).problems] == ["voucher.audit.claim_file"]


def test_what_was_metered_stands_beside_what_was_posted_for_operator_and_regulator(purse):
    purse.used(purse.voucher, "job:metered", cpu=5)
    for address in ("/voucher-metering/", "/api/voucher-metering"):
        refused = ("supplier", "reviewer", *MAY_NOT_KNOW)
        assert statuses(purse, address, refused) == dict.fromkeys(refused, 404)
    [told] = [
        one for one in get(purse, "regulator", "/api/voucher-metering").json()["uses"] if one["job"] == "job:metered"
    ]
    assert (told["metered"], told["settled"], told["difference"]) == (18_000_000, 14_400_000, 3_600_000)
    assert (told["subsidy"], told["posted"]) == (1200, 1200) and "node reports" in told["findings"][0].lower()
    page = get(purse, "desk", "/voucher-metering/").content.decode()
    assert "3,600,000" in page and "job:metered" in page
