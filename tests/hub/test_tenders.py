"""Tenders on the hub: who enters, who sees what, the notices, and the plan of the next attempt."""

import json
import re

import pytest

from pilotbase.documents.board import TenderPlan
from pilotbase.documents.permissions import Act
from pilotbase.worker.intake.kept_files import take_application, take_scenario
from pilotbase.worker.reactions.noticing import Noticing, Ways
from pilotbase.worker.trials.log_check import require_drawn_units
from pilotbase.worker.trials.tenders import newest_decided
from tests.catalogue.records_for_tests import DESK, OTHER_SUPPLIER, OWNER, SUPPLIER
from tests.trial.conftest import BAD, GOOD, writing_application, writing_scenario
from tests.worker.commissions_for_tests import Ordered

PLANNED = {"power": 0.9, "attempt": 1, "stop": "own", "alpha": 0.05, "prevalence": 0.5, "groups": 4, "cluster": 1}
PLANNED |= dict.fromkeys(("correlation", "double", "case_cost", "label_cost", "case_days", "label_days"), 0)


@pytest.mark.prove
def test_a_tender_from_the_hub(any_world, tmp_path):
    """Two suppliers enter; the owner sees who is better, each supplier its own place, and nobody else anything."""
    from pilotbase.hub.base import base

    ordered, subject = Ordered(base()), "scenario:plant/tender-alarm"
    folder = writing_scenario(tmp_path)(change=lambda content: content.replace("small-alarm", "tender-alarm"))
    cases = folder / "cases.csv"
    cases.write_text(re.sub(r"(\d\.\d{3}),", r"\g<1>1,", cases.read_text()))
    take_scenario(ordered.base, ordered.view(OWNER), folder)
    ordered.do(OWNER, Act.SCENARIO_SUBMIT, subject=subject)
    ordered.do(DESK, Act.SCENARIO_OPEN, subject=subject)
    entrants = {"supplier": (SUPPLIER, GOOD), "other-supplier": (OTHER_SUPPLIER, BAD)}
    for who, (acting, program) in entrants.items():
        application = writing_application(tmp_path)(program, f"tender-{who}", supplier=acting.organisation)
        take_application(ordered.base, ordered.view(acting), application, subject)
        ordered.do(acting, Act.APPLICATION_SUBMIT, subject=f"application:{acting.organisation}/tender-{who}")
    page = "/scenarios/plant/tender-alarm/tenders/"
    owner, english = any_world.client("owner"), {"accept-language": "en"}
    sized = {"scenario": "plant/tender-alarm", "hidden": 9}
    shown = owner.post("/plan-size/", sized | PLANNED, headers=english).content.decode()
    assert "more hidden cases" in shown and "<svg" in shown
    found = owner.post("/api/plan-size", sized, content_type="application/json").json()
    assert found["missing"] == found["cases"] - 9 > 0
    assert (
        any_world.client("supplier").post("/api/plan-size", sized, content_type="application/json").status_code == 404
    )
    terms = {"measure": "accuracy", "cases": 200, "margin": 0.01, "tolerance": 0.02, "alpha": 0.05}
    refused = owner.post(page, terms | {"margin": -1}, headers=english)
    assert refused.status_code == 200 and "greater than or equal to 0" in refused.content.decode()
    assert owner.post(page, terms).status_code == 302
    assert any_world.client("supplier").post(page, terms).status_code == 200, "no form for them"
    (told,) = owner.get("/api/scenarios/plant/tender-alarm/tenders").json()
    assert (told["stage"], told["entries"]) == ("open", [])
    assert (
        owner.post(f"{page}{told['identity']}/close/", follow=True, headers=english)
        .content.decode()
        .count("at least two organisations")
    )
    button = f"{told['identity']}/close/"
    assert button not in owner.get(page).content.decode(), "nobody is asked to close what has no entries"
    for who, (acting, _) in entrants.items():
        entered = {"application": f"application:{acting.organisation}/tender-{who}"}
        assert any_world.client(who).post(f"{page}{told['identity']}/enter/", entered).status_code == 302
    address = f"/api/tenders/{told['identity']}"
    assert len(owner.get(address).json()["entries"]) == 2
    assert button in owner.get(page).content.decode()
    assert [one["supplier"] for one in any_world.client("supplier").get(address).json()["entries"]] == ["acme"]
    assert any_world.client("other-owner").post(f"{address}/close").status_code == 404
    assert owner.post(f"{address}/close").json()["stage"] == "running"
    assert any_world.client("supplier").get(address).json()["place"] is None
    assert ("tender", "done") in ordered.work()
    noticing = Noticing(ordered.base, Ways())
    while noticing.tell_changes():
        pass

    def told_to_each(sentence):
        for who, told_about in (about | {"owner": subject, "other-owner": None}).items():
            items = any_world.client(who).get("/api/notices", headers=english).json()["items"]
            told = [one for one in items if one["said"] == sentence]
            assert [one["subject"] for one in told] == [told_about] * bool(told_about), who
            for one in told:
                assert any_world.client(who).get(f"/notices/{one['identity']}/").headers["Location"] == page

    about = {who: f"application:{acting.organisation}/tender-{who}" for who, (acting, _) in entrants.items()}
    told_to_each("The tender on plant/tender-alarm is decided")
    found = owner.get(address).json()
    assert [(one["better"], one["worse"]) for one in found["result"]["separated"]] == [
        ("application:acme/tender-supplier", "application:globex/tender-other-supplier")
    ]
    theirs = any_world.client("other-supplier").get(address).json()
    assert theirs["result"] is None
    assert (theirs["place"]["better_than"], theirs["place"]["worse_than"]) == (0, 1)
    assert "acme" not in json.dumps(theirs)
    shown = owner.get(page, headers=english).content.decode()
    good, bad = "acme/tender-supplier", "globex/tender-other-supplier"
    compared = owner.get(page.replace("tenders", "comparison"), headers=english).content.decode()
    for each in (shown, compared):
        assert f"<desc>{good} is better than {bad} by more than 0.01" in each
    assert owner.get("/api/scenarios/plant/tender-alarm/comparison").json()["tender"] == found["result"]
    places = newest_decided(ordered.base, ordered.view(OWNER), subject)[1]
    assert sorted(places.values()) == [1, 2]
    place = any_world.client("other-supplier").get(page, headers=english).content.decode()
    assert "0 did worse and 1 did better." in place and "cannot separate" not in place and "acme/" not in place
    late = any_world.client("supplier").post(
        f"{address}/entries", {"application": "application:acme/tender-supplier"}, content_type="application/json"
    )
    assert (late.status_code, late.json()["code"]) == (403, "tender.closed")
    sized = owner.post("/api/plan-size", {"scenario": "plant/tender-alarm"}, content_type="application/json").json()
    assert (sized["attempt"], sized["budget"]["fresh"]) == (2, sized["budget"]["cases"] - 200)
    shown = owner.post("/plan-size/", PLANNED | {"scenario": "plant/tender-alarm", "attempt": ""}, headers=english)
    assert "the next one is number 2" in shown.content.decode()
    assert owner.post(page, terms | {"cases": 9000}).status_code == 302
    failing = owner.get("/api/scenarios/plant/tender-alarm/tenders").json()[0]["identity"]
    for who, one in about.items():
        assert any_world.client(who).post(f"{page}{failing}/enter/", {"application": one}).status_code == 302
    owner.post(f"/api/tenders/{failing}/close")
    assert ordered.work() == [("tender", "failed")]
    told_to_each("The tender on plant/tender-alarm failed")
    assert [any_world.client(who).get(f"/api/tenders/{failing}").json()["reason"] for who in about] == [None] * 2
    assert owner.get(f"/api/tenders/{failing}").json()["reason"]


@pytest.mark.prove
def test_a_tender_of_whole_units_on_the_hub(any_world, tmp_path):
    """Sites of one and of ten cases are the units: whole ones are asked, each counts once, and the draw is checked."""
    from pilotbase.hub.base import base

    def by_site(content):
        return content.replace("small-alarm", "site-alarm").replace("by: case_id", "by: site")

    ordered, subject = Ordered(base()), "scenario:plant/site-alarm"
    folder = writing_scenario(tmp_path)(
        rows=1100, change=lambda content: by_site(content).replace("0.7}", "0.7, unit: site, estimand: population}")
    )
    sites = iter([*(f"one{number}" for number in range(100)), *(f"ten{number // 10}" for number in range(1000))])
    cases = re.sub("north|south", lambda _: next(sites), (folder / "cases.csv").read_text())
    (folder / "cases.csv").write_text(re.sub(r"(\d\.\d{3}),", r"\g<1>2,", cases))
    take_scenario(ordered.base, ordered.view(OWNER), folder)
    ordered.do(OWNER, Act.SCENARIO_SUBMIT, subject=subject)
    ordered.do(DESK, Act.SCENARIO_OPEN, subject=subject)
    page, owner = "/scenarios/plant/site-alarm/tenders/", any_world.client("owner")
    terms = {"measure": "accuracy", "cases": 300, "margin": 0.01, "tolerance": 0.02, "alpha": 0.05}
    assert owner.post(page, terms).status_code == 302
    (told,) = owner.get("/api/scenarios/plant/site-alarm/tenders").json()
    for who, acting, program in (("supplier", SUPPLIER, GOOD), ("other-supplier", OTHER_SUPPLIER, BAD)):
        application = writing_application(tmp_path)(program, f"site-{who}", supplier=acting.organisation)
        take_application(ordered.base, ordered.view(acting), application, subject)
        ordered.do(acting, Act.APPLICATION_SUBMIT, subject=f"application:{acting.organisation}/site-{who}")
        entered = {"application": f"application:{acting.organisation}/site-{who}"}
        assert any_world.client(who).post(f"{page}{told['identity']}/enter/", entered).status_code == 302
    owner.post(f"/api/tenders/{told['identity']}/close")
    assert ("tender", "done") in ordered.work()
    found = owner.get(f"/api/tenders/{told['identity']}").json()
    assert [(one["better"], one["worse"]) for one in found["result"]["separated"]] == [
        ("application:acme/site-supplier", "application:globex/site-other-supplier")
    ]
    (plan,) = (one for one in ordered.base.lab.view.every(TenderPlan) if one.scenario.name == "site-alarm")
    assert plan.draw.column == "site" and abs(plan.draw.average - 300) <= 10 < plan.draw.units
    require_drawn_units(ordered.base.lab)
    shown = owner.get(page, headers={"accept-language": "en"}).content.decode()
    assert "each unit then counts the same" in shown and "certifies nothing" in shown
