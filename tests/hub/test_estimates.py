"""A trial that is held for consent on the hub: who is told what on page and API, who consents, once."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from pilotbase.documents.estimate import Ceiling, PriceList, RunEstimate, Span, estimate_head
from pilotbase.workspace.actors import parties
from pilotbase_estate.vouchers.wallet import set_prices
from tests.catalogue.records_for_tests import MACHINE, NOW
from tests.hub.pools_for_tests import Hall
from tests.hub.test_uploads_in_pieces import JSON, sent, zipped

EVERYBODY = ("visitor", "stranger", "desk", "owner", "other-owner", "supplier", "other-supplier", "reviewer",
             "other-reviewer", "regulator")  # fmt: skip
PRICES = {
    "document": "price-list/1", "pool": "hall", "supplier": "centre", "prices": {"cpu": 100, "gpu/t4": 900}
}  # fmt: skip
TOLD = {"visitor": 401, "desk": 200, "owner": 200, "supplier": 200, "reviewer": 200, "regulator": 200}


@pytest.fixture(scope="module")
def held(any_world):
    """A world whose trial was held; its estimate stands as the scorer leaves it."""
    trial = any_world.trial
    trial.reach("running")
    fine = RunEstimate(
        plan=trial.plan.digest(),
        cases=trial.plan.cases,
        seen=40,
        confidence=0.9,
        wall=Span(low=10_000, expected=11_000, high=13_000),
        cpu=Span(low=9000, expected=9900, high=12_000),
        memory=Span(low=1e6, expected=1.1e6, high=1.3e6),
        money=Span(low=1000, expected=1240, high=1500),
        ceiling=Ceiling(seconds=3600),
        made_at=NOW,
    )
    with trial.store.as_actor(MACHINE).transaction("trial.estimated") as change:
        change.set_head(estimate_head(fine.plan), change.put(fine, parties(), owner="plant"), expected=None)
    trial.hold()
    return any_world


def client(world, who):
    return world.client(None if who == "visitor" else who)


def page(world, who, **options):
    return client(world, who).get("/trials/c1/", **options).content.decode()


def test_owner_and_operator_see_two_digits_and_the_supplier_steps(held):
    owner, supplier = page(held, "owner"), page(held, "supplier")
    assert "3.1 h (2.8 h – 3.6 h)" in owner
    assert "12.40 CNY (10.00 CNY – 15.00 CNY)" in owner
    assert "Waiting for consent" in owner
    assert "3.1 h" not in supplier
    assert "12.40" not in supplier
    assert "2 h – 5 h" in supplier
    assert "等待同意" in page(held, "supplier", headers={"accept-language": "zh-hans"})


def test_the_api_tells_the_same_and_strangers_nothing(held):
    found = {who: client(held, who).get("/api/trials/c1/estimate") for who in EVERYBODY}
    assert {who: one.status_code for who, one in found.items()} == {who: TOLD.get(who, 404) for who in EVERYBODY}
    fine, coarse = found["owner"].json(), found["supplier"].json()
    assert (fine["held"], fine["payer"], fine["limit"], fine["coarse"]) == (True, "supplier", "1 h", False)
    assert fine["seconds"] == {"low": 10_000, "expected": 11_000, "high": 13_000}
    assert coarse["coarse"] is True
    assert coarse["seconds"] == {"low": 7200, "expected": None, "high": 18_000}
    assert coarse["core_seconds"] is None
    assert found["reviewer"].json() == coarse
    assert found["regulator"].json() == fine == found["desk"].json()


def test_only_the_payers_page_leads_to_consent_and_what_stands_against_others_is_told(held):
    assert re.search(r'href="/trials/c1/acts/consent.give/"', page(held, "supplier"))
    assert not re.search(r'href="/trials/c1/acts/consent.give/"', page(held, "owner"))
    assert "it is paid by the supplier" in page(held, "owner")
    assert "consent.give" not in page(held, "reviewer")
    assert "Consent to the cost" in held.client("supplier").get("/work/").content.decode()
    for who in ("owner", "desk", "reviewer", "regulator", "other-supplier", "stranger"):
        refused = client(held, who).post("/api/trials/c1/acts/consent.give", {}, content_type="application/json")
        assert refused.status_code in (403, 404, 409), who
    assert held.trial.record().state == "consent"


def test_consent_by_the_api_is_taken_once_however_often_it_is_sent(held):
    sent = [
        client(held, "supplier").post(
            "/api/trials/c1/acts/consent.give",
            {"note": "Within our budget."},
            content_type="application/json",
            headers={"idempotency-key": "consent-1"},
        )
        for _ in range(2)
    ]
    assert [one.status_code for one in sent] == [200, 200]
    assert sent[0].json() == sent[1].json()
    record = held.trial.record()
    assert record.state == "queued"
    assert [step.act for step in record.history].count("consent.give") == 1
    assert client(held, "supplier").get("/api/trials/c1/estimate").json()["held"] is False


def test_a_job_above_the_limit_is_handed_in_with_consent_alone(held, monkeypatch):
    monkeypatch.setenv("PILOTBASE_ASK_ABOVE", "20 min")
    hall = Hall(held)
    refused = hall.submit("supplier")
    assert refused.status_code == 403
    assert "at most 30 min" in refused.json()["title"]
    assert "above 20 min" in refused.json()["title"]
    assert hall.live() == [], "nothing was handed in"
    job = hall.handed_in("supplier", consent=True)
    assert hall.live() == [job]
    assert hall.submit("supplier", hours=0.2).status_code == 201


def test_the_form_tells_what_a_job_takes_and_has_a_tick_for_consent(held, monkeypatch):
    monkeypatch.setenv("PILOTBASE_ASK_ABOVE", "20 min")
    hall, browser = Hall(held), held.client("supplier")
    hall.end()
    file = SimpleUploadedFile("program.zip", zipped({"main.py": "print()"}), "application/zip")
    form = {"entry": "main.py", "cpu": "0.1", "memory": "100 MiB", "hours": "0.5", "members": "1", "priority": "0"}
    page = "/pools/hall/jobs/new/"
    asked_back = browser.post(page, {**form, "folder": file})
    content = asked_back.content.decode()
    assert asked_back.status_code == 200
    assert "at most 30 min" in content
    assert re.search(r'type="checkbox" name="consent"', content)
    kept = re.search(r'name="kept" value="([0-9a-f]{32})"', content)[1]
    assert browser.post(page, {**form, "consent": "on", "kept": kept}).status_code == 302
    assert len(hall.live()) == 1
    hall.end()


def test_what_a_job_would_cost_is_told_before_there_is_a_program(held, monkeypatch):
    """Two cores for half an hour at one yuan a core-hour; then one earlier run of a program of that name."""
    monkeypatch.setenv("PILOTBASE_ASK_ABOVE", "20 min")
    hall = Hall(held)
    hall.end()
    place, asked = "/api/pools/hall/jobs/estimate", {"demand": {"cpu": 0.2, "memory": "64 MiB"}, "members": 2}

    def told(who="supplier", language="en", **more):
        given = {"entry": ["own.py"], "hours": 0.5, **asked, **more}
        return held.client(who).post(place, given, **JSON, headers={"Accept-Language": language})

    bare = told().json()
    assert (bare["most_seconds"], bare["most_money"], bare["rates"], bare["runs"]) == (1800, None, {}, 0)
    set_prices(hall.base.lab.view, PriceList.model_validate(PRICES))
    first = told().json()
    assert (first["most_money"], first["rates"], first["currency"]) == (20, {"cpu": 100}, "CNY")
    assert (first["limit"], first["needs_consent"], first["seconds"], first["money"]) == ("20 min", True, None, None)
    assert first["said"].startswith("at most 30 min; 0.20 CNY") and "至多" in told(language="zh").json()["said"]
    assert told(hours=0.2).json()["needs_consent"] is False

    upload = sent(held.client("supplier"), zipped({"own.py": "print()"}))
    job = hall.handed_in("supplier", hours=0.1, entry=["own.py"], upload=upload)
    hall.until(lambda: hall.state("supplier", job) == "done")
    after = told().json()
    assert (after["runs"], after["needs_consent"]) == (1, after["seconds"]["high"] > 1200)
    assert after["seconds"]["low"] <= after["seconds"]["expected"] <= after["seconds"]["high"] <= 1800
    assert after["money"] is not None and told(entry=["else.py"]).json()["runs"] == 0
    assert told("owner").json()["runs"] == 0, "nobody is told of another's runs"
    assert hall.live() == [], "nothing was handed in"

    assert told("reviewer").status_code == 403
    assert told(demand={"cpu": "many"}).status_code == told(entry=[]).status_code == 422
    nowhere = held.client("supplier").post(place.replace("hall", "none"), {"entry": ["own.py"], **asked}, **JSON)
    assert nowhere.status_code == 404
