"""Private statistics on a hub: priced, confirmed, spent once, answered by a worker, and nobody's but who may know."""

import io
import zipfile

import pytest

from pilotbase.catalogue.saving import save
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.permissions import Act
from pilotbase.worker.datasets.synthetic_kits import synthetic_kit
from pilotbase.worker.intake.drafting import starter_kit
from tests.catalogue.agreements_for_tests import AGREEMENT
from tests.catalogue.records_for_tests import DESK, OWNER, scenario
from tests.hub.closed_for_tests import ADDRESS, BUDGET, PAGE, TABLE, keep_closed, work


@pytest.fixture(scope="module")
def closed(one_world, tmp_path_factory):
    keep_closed(one_world, tmp_path_factory.mktemp("closed"))
    return one_world


def ask(world, who="supplier", address=ADDRESS, **asked):
    return world.client(who).post(address, {"epsilon": 500_000, **asked}, content_type="application/json")


def told(world, who="supplier", address=ADDRESS):
    return world.client(who).get(address).json()


def spent(world, who="supplier"):
    return {one["organisation"]: one["spent"] for one in told(world, who)["budgets"]}


def test_the_price_is_shown_before_it_is_paid_and_nothing_is_spent_until_it_is_confirmed(closed):
    browser = closed.client("supplier", headers={"Accept-Language": "en"})
    given = {"what": "profile", "record_set": "runs", "epsilon": "0.5", "rows": "1000", "at_most": "1", "name": ""}
    page = browser.post(PAGE, given).content.decode()
    assert "Spend ε = 0.5" in page and "ε = 3" in page and "ε = 2.5" in page
    assert "Spend ε" not in browser.post(PAGE, {**given, "dates": "taken"}).content.decode(), "no months are spelled so"
    by_month = [{"field": "taken", "first": "2025-01", "last": "2025-12"}]
    assert "taken" in ask(closed, address=f"{ADDRESS}/price", dates=by_month).json()["fields"]
    assert spent(closed) == {"acme": 0} and told(closed)["items"] == []
    placed = browser.post(PAGE, {**given, "confirmed": "yes"})
    assert spent(closed) == {"acme": 0}, "the hub itself opens and spends nothing"
    assert work() == [("statistics", "done")]
    assert spent(closed) == {"acme": 500_000}
    answer = browser.get(placed["Location"]).content.decode()
    assert "<svg" in answer and "Counts ±" in answer and "discrete Laplace" in answer
    assert "secret" not in answer and "M0000" not in answer
    chinese = closed.client("supplier", headers={"Accept-Language": "zh"}).get(PAGE).content.decode()
    assert "隐私预算" in chinese and "已用" in chinese


def test_the_same_question_is_one_order_and_is_paid_for_once(closed):
    before = spent(closed)["acme"]
    first = ask(closed, epsilon=200_000)
    assert first.status_code == 202 and first["Location"].endswith(first.json()["identity"])
    assert ask(closed, epsilon=200_000).json()["identity"] == first.json()["identity"]
    assert work() == [("statistics", "done")]
    assert ask(closed, epsilon=200_000).json()["state"] == "done" and work() == []
    assert spent(closed)["acme"] == before + 200_000
    assert ask(closed, address=f"{ADDRESS}/price", epsilon=200_000).json()["paid"] is True
    answer = told(closed, address=first["Location"])
    assert answer["document"]["rows"] is not None
    assert abs(answer["document"]["rows"] - TABLE.height) < 20 * answer["document"]["rowsNoise"]["error"]


def test_who_asked_and_the_owner_see_an_answer_and_nobody_else(closed):
    place = f"{ADDRESS}/{told(closed)['items'][-1]['identity']}"
    page = PAGE + told(closed)["items"][-1]["identity"] + "/"
    for who, status in (("supplier", 200), ("owner", 200), ("desk", 200), ("regulator", 200), ("reviewer", 404)):
        assert closed.client(who).get(place).status_code == status, who
        assert closed.client(who).get(page).status_code == status, who
    for who in ("other-supplier", "other-owner"):
        assert closed.client(who).get(place).status_code == 404, who
        assert told(closed, who)["items"] == [] and told(closed, who)["budgets"] == []
    assert "acme" in spent(closed, "owner") and spent(closed, "owner")["plant"] == 0


def test_who_has_no_budget_is_refused_before_anything_is_queued(closed):
    for who in ("other-supplier", "other-owner", "desk", "reviewer"):
        assert ask(closed, who).status_code == 403, who
    over = ask(closed, epsilon=BUDGET)
    assert over.status_code == 403 and "left" in over.json()["title"]
    assert work() == []


@pytest.mark.prove
def test_a_sample_says_that_it_is_synthetic_and_its_figures_are_the_owners(closed):
    asked = ask(closed, epsilon=1_500_000, rows=300, name="sample")
    assert work() == [("statistics", "done")]
    place = asked["Location"]
    answer = told(closed, address=place)
    assert (answer["rows"], answer["privacy_test"]) == (300, None)
    assert told(closed, "owner", place)["privacy_test"]["rows"] == 300
    got = closed.client("supplier").get(f"{place}/sample")
    archive = zipfile.ZipFile(io.BytesIO(b"".join(got.streaming_content)))
    names = {name.rpartition("/")[2] for name in archive.namelist()}
    assert names == {"logs-synthetic.csv", "logs-synthetic.croissant.json", "logs-synthetic.tc609.jsonl"}
    records = archive.read("logs-synthetic/logs-synthetic.tc609.jsonl").decode()
    assert "generated_data_indicator" in records and "secret" not in records
    assert closed.client("other-supplier").get(f"{place}/sample").status_code == 404
    page = closed.client("supplier").get(PAGE + answer["identity"] + "/").content.decode()
    assert f"{place}/sample" in page and "contain no noise" not in page
    assert "contain no noise" in closed.client("owner").get(PAGE + answer["identity"] + "/").content.decode()


@pytest.mark.prove
def test_a_starter_kit_of_closed_data_holds_the_synthetic_sample_that_its_supplier_was_given(closed):
    from pilotbase.hub.base import base

    told = scenario()
    named = told.model_copy(update={"data": told.data.model_copy(update={"dataset": "dataset:plant/logs"})})
    ask(closed, epsilon=1_500_000, rows=300, name="sample")
    work()
    kit = zipfile.ZipFile(io.BytesIO(synthetic_kit(base(), named, "acme")))
    names = {name.rpartition("/")[2] for name in kit.namelist()}
    assert {"app.py", "application.yaml", "logs-synthetic.csv", "logs-synthetic.croissant.json"} <= names
    readme = kit.read(next(name for name in kit.namelist() if name.endswith("README.md"))).decode()
    assert "`logs-synthetic.csv`" in readme and "a synthetic sample" in readme and "合成样本" in readme
    assert "public sample" not in readme and "公开样本" not in readme
    assert len(kit.read("logs-synthetic.csv").splitlines()) == 301
    assert synthetic_kit(base(), named, "globex") is None, "who was given none"
    assert synthetic_kit(base(), told, "acme") is None, "of no dataset"
    with pytest.raises(RefusedError):
        starter_kit(base(), named, "globex")
    save(closed.trial.store.as_actor(OWNER), named.model_copy(update={"name": "wear"}))
    for who, act in ((OWNER, Act.SCENARIO_SUBMIT), (DESK, Act.SCENARIO_OPEN)):
        closed.trial.do(who, "scenario:plant/wear", act)
    offered = closed.client("supplier").get("/scenarios/plant/wear/").content.decode()
    assert "starter-kit.zip" in offered and "without an agreement" not in offered
    for language, said in (("en", "without an agreement"), ("zh", "未达成协议")):
        page = closed.client("other-supplier").get("/scenarios/plant/wear/", headers={"Accept-Language": language})
        told_why = page.content.decode()
        assert "starter-kit.zip" not in told_why and said in told_why and "/datasets/plant/logs/" in told_why


@pytest.mark.prove
def test_two_that_ask_for_more_than_is_left_together_never_go_below_nothing(closed):
    left = BUDGET - spent(closed)["acme"]
    asked = [ask(closed, epsilon=left - 1000, name=name) for name in ("one", "two")]
    assert [one.status_code for one in asked] == [202, 202]
    assert sorted(work()) == [("statistics", "done"), ("statistics", "failed")]
    assert spent(closed)["acme"] == BUDGET - 1000
    states = {told(closed, address=one["Location"])["state"] for one in asked}
    assert states == {"done", "failed"}


def test_what_was_paid_before_a_crash_is_not_paid_again_and_does_not_come_back(closed, monkeypatch):
    from pilotbase.worker.datasets import statistics

    before = spent(closed, "owner")["plant"]

    def crashed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(statistics, "opened_table", crashed)
        asked = ask(closed, "owner", epsilon=300_000, name="crash")
        with pytest.raises(KeyboardInterrupt):
            work()
    assert spent(closed, "owner")["plant"] == before + 300_000
    assert told(closed, "owner", asked["Location"])["document"] is None
    assert work() == [("statistics", "done")]
    assert spent(closed, "owner")["plant"] == before + 300_000
    assert told(closed, "owner", asked["Location"])["document"] is not None


def test_a_revocation_ends_asking_and_what_was_told_stays_told(closed):
    if not spent(closed)["acme"]:  # the tests above ran elsewhere
        ask(closed, epsilon=1000, name="earlier")
        assert work() == [("statistics", "done")]
    before = spent(closed)["acme"]
    pending = ask(closed, epsilon=1000, name="pending")
    assert pending.status_code == 202
    closed.trial.do(OWNER, AGREEMENT, Act.AGREEMENT_REVOKE)
    assert work() == [("statistics", "failed")]
    assert ask(closed, epsilon=500, name="later").status_code == 403
    assert spent(closed)["acme"] == before
    page = closed.client("supplier", headers={"Accept-Language": "en"}).get(PAGE).content.decode()
    assert "Statistics are not available here" in page and "Private statistics" in page
    assert "No budget is set" in page and " of 0<" not in page, "spent is told beside, of a budget that is no more"
