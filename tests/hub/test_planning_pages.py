"""The planner on the hub: limits are set, a plan is proposed, asked what if, adopted; who sees it; both languages."""

import json
import re

import pytest
import yaml

from pilotbase.catalogue.saving import save
from pilotbase.documents.permissions import Act
from pilotbase.documents.roadmap import Roadmap
from pilotbase.roadmap.planning import read_roadmap, set_roadmap
from pilotbase.roadmap.proposals import adopt, propose, review
from pilotbase.worker.reactions.noticing import Noticing, Ways
from tests.catalogue.records_for_tests import DESK, OWNER, scenario
from tests.hub.fields_for_tests import fields_of
from tests.hub.worlds_for_tests import world

WORTHS = {"pumps": (5, 2, 2), "beds": (2, 5, 2), "wards": (1, 1, 1)}
SHEET = {
    "document": "planning/1",
    "resources": [
        {
            "name": "money",
            "title": {"en": "Funds", "zh": "资金"},
            "unit": "CNY",
            "limits": {"p1": 0, "p2": 10, "p3": 10},
        }
    ],
    "usual": {"money": 10},
    "goals": [{"title": {"en": "Scenarios", "zh": "场景数"}, "by": "p3", "number": 3}],
}


@pytest.fixture
def planned(tmp_path):
    """Three rated scenarios that are open, and a sheet with money for two of them."""
    with world(tmp_path) as made:
        for name, (potential, maturity, driving_effect) in WORTHS.items():
            value = {"potential": potential, "maturity": maturity, "driving_effect": driving_effect}
            save(made.trial.store.as_actor(OWNER), scenario((), name=name, title=f"Plan {name}", value=value))
            made.trial.do(OWNER, f"scenario:plant/{name}", Act.SCENARIO_SUBMIT)
            made.trial.do(DESK, f"scenario:plant/{name}", Act.SCENARIO_OPEN)
        answer = made.client("desk").post("/ledger/plan/sheet/", {"yaml": yaml.safe_dump(SHEET, allow_unicode=True)})
        assert answer.status_code == 302, answer.content.decode()
        yield made


def shown(made, path, who="desk", language="en"):
    answer = made.client(who, HTTP_ACCEPT_LANGUAGE=language).get(path)
    assert answer.status_code == 200, path
    return answer.content.decode()


def phases(page):
    """Return scenario → the day it begins, as the bars are described."""
    described = re.search(r"<desc>(.*?)</desc>", page)
    assert described, page[page.index("<main") :]
    return dict(re.findall(r"Plan (\w+): ([\d-]+)", described[1]))


def test_a_plan_is_proposed_changed_by_a_question_and_adopted(planned):
    desk = planned.client("desk")
    assert desk.get("/ledger/plan/proposal/").status_code == 404
    assert desk.post("/ledger/plan/propose/").status_code == 302
    page = shown(planned, "/ledger/plan/proposal/")
    assert sorted(phases(page)) == ["beds", "pumps"] and len(set(phases(page).values())) == 2
    assert (
        "Funds is used up by scenarios that are worth more." in page
        and "Plan wards" in page
        and "plant/" not in re.sub(r"<[^>]+>", "", page)
    )
    assert "资金已由价值更高的场景用尽" in shown(planned, "/ledger/plan/proposal/", language="zh")
    asked = "potential=1&maturity=1&driving_effect=1&keep=0.3&limit-money=200"
    assert set(phases(shown(planned, f"/ledger/plan/what-if/?{asked}"))) == {"pumps", "beds", "wards"}
    seen = re.search(r'name="seen" value="(sha256:\w+)"', page)[1]
    assert read_roadmap(planned.trial.store.as_actor(DESK)) is None
    assert desk.post("/ledger/plan/proposal/", {"seen": seen, "title": "To 2030"}).status_code == 302
    assert {one.scenario for one in read_roadmap(planned.trial.store.as_actor(DESK)).tasks} == {
        "scenario:plant/pumps",
        "scenario:plant/beds",
    }
    again = desk.post("/ledger/plan/proposal/", {"seen": seen, "title": "To 2035"}).content.decode()
    assert "computed for an earlier roadmap" in again or "has changed since" in again
    plan = shown(planned, "/ledger/plan/")
    assert "To 2030" in plan and phases(plan)


def test_a_weight_moves_the_plan_on_the_page(planned):
    def first(weights):
        page = shown(planned, f"/ledger/plan/what-if/?{weights}&keep=0&limit-money=100")
        return min(phases(page).items(), key=lambda one: one[1])[0]

    assert first("potential=9&maturity=1&driving_effect=1") == "pumps"
    assert first("potential=1&maturity=9&driving_effect=1") == "beds"


def test_the_driving_effect_that_shared_needs_show_moves_the_plan(planned):
    """All three need the same skill: finishing the least valued supplies the most to others."""
    asked = "/ledger/plan/what-if/?potential=0&maturity=0&driving_effect=1&keep=0&limit-money=100&driving="
    assert phases(shown(planned, f"{asked}stated")).keys() == {"pumps", "beds"}
    assert phases(shown(planned, f"{asked}shown")).keys() == {"beds", "wards"}


def test_no_plan_within_the_limits_is_told_with_ways_out(planned):
    musts = [{"scenario": f"scenario:plant/{name}", "must": True, "phases": ["p2"]} for name in WORTHS]
    desk = planned.client("desk")
    desk.post("/ledger/plan/sheet/", {"yaml": json.dumps(SHEET | {"candidates": musts})})
    desk.post("/ledger/plan/propose/")
    page = shown(planned, "/ledger/plan/proposal/")
    assert "There is no plan within these limits and rules" in page and "20 more of Funds" in page
    assert 'name="seen"' not in page


def test_records_that_would_change_the_roadmap_are_in_the_inbox_with_what_and_why(planned):
    view = planned.trial.store.as_actor(DESK)
    adopt(view, "To 2030", propose(view).digest())
    assert review(view) is None
    planned.trial.do(OWNER, "scenario:plant/beds", Act.SCENARIO_CLOSE)
    assert review(view).because and review(view) is None
    work = shown(planned, "/work/")
    assert (
        "Records would change the roadmap: 1 task changed, 1 scenario new. Plan beds: open → closed or withdrawn."
        in work
    )
    assert 'href="/ledger/plan/proposal/"' in work and "路线图应当调整" in shown(planned, "/work/", language="zh")
    assert "Records would change" not in shown(planned, "/work/", "regulator")
    from pilotbase.hub.base import base

    Noticing(base(), Ways()).tell_changes()
    notice = re.search(r'href="(/notices/[0-9a-f]{32}/)"', shown(planned, "/notices/"))[1]
    assert planned.client("desk").get(notice)["Location"] == "/ledger/plan/proposal/"
    page = shown(planned, "/ledger/plan/proposal/")
    assert "What has happened since" in page and set(phases(page)) == {"pumps", "wards"}
    assert {one.scenario for one in read_roadmap(view).tasks} == {"scenario:plant/pumps", "scenario:plant/beds"}
    planned.client("desk").post("/ledger/plan/proposal/", {"seen": propose(view).digest(), "title": "Again"})
    assert "Records would change" not in shown(planned, "/work/") and review(view) is None


def test_task_sheets_say_what_a_task_needs_what_comes_first_and_who_acts_next(planned):
    view, casting = planned.trial.store.as_actor(DESK), {"scenario": "scenario:plant/beds", "gives": {"sites": 3}}
    casting |= {"after": ["scenario:plant/pumps"], "needs": {"money": 7}, "phases": ["p3"]}
    planned.client("desk").post("/ledger/plan/sheet/", {"yaml": json.dumps(SHEET | {"candidates": [casting]})})
    save(planned.trial.store.as_actor(OWNER), scenario((), name="ovens"))
    tasks = [{"scenario": f"scenario:plant/{name}", "start": "2028-01-01", "end": "2029-01-01"} for name in ("ovens",)]
    adopted = adopt(view, "To 2035", propose(view).digest()).to_json_value()
    next(one for one in adopted["phases"] if one["phase"] == "p2")["tasks"] += tasks
    set_roadmap(view, Roadmap.model_validate(adopted))
    page = shown(planned, "/ledger/plan/tasks/")
    beds = page.partition('href="/scenarios/plant/beds/"')[2].partition("</section>")[0]
    assert "Funds 7 CNY" in beds and "sites 3" in beds and 'href="/scenarios/plant/pumps/"' in beds
    assert "Nothing waits" in beds and "Submit" in page.partition('href="/scenarios/plant/ovens/"')[2]
    assert "plant/beds" not in shown(planned, "/ledger/plan/tasks/?phase=p2")
    assert "资金 7 CNY" in shown(planned, "/ledger/plan/tasks/?phase=p3", language="zh")
    assert "plant/beds" in shown(planned, "/ledger/plan/tasks/", "owner")
    assert "plant/beds" not in shown(planned, "/ledger/plan/tasks/", "other-owner")
    sheet = shown(planned, "/ledger/tasks.csv?phase=p3")
    assert "Funds 7 CNY" in sheet and "plant/pumps" in sheet and "plant/ovens" not in sheet


def test_only_who_sees_the_whole_base_sees_a_plan_and_only_the_operator_sets_one(planned):
    planned.client("desk").post("/ledger/plan/propose/")
    for path in ("/ledger/plan/proposal/", "/ledger/plan/what-if/"):
        assert planned.client("regulator").get(path).status_code == 200
        assert planned.client("owner").get(path).status_code == 404
    for who in ("regulator", "owner"):
        assert planned.client(who).get("/ledger/plan/sheet/").status_code == 404
        assert planned.client(who).post("/ledger/plan/propose/").status_code == 404
    assert 'name="seen"' not in shown(planned, "/ledger/plan/proposal/", "regulator")


def test_a_sheet_with_a_mistake_is_kept_and_says_where(planned):
    answer = planned.client("desk").post("/ledger/plan/sheet/", {"yaml": "document: planning/1\nusual: {hours: 3}"})
    page = answer.content.decode()
    assert answer.status_code == 200 and "There is no resource hours" in page and "usual: {hours: 3}" in page


def test_the_sheet_is_filled_in_row_by_row(planned):
    desk = planned.client("desk")
    page = shown(planned, "/ledger/plan/sheet/")
    said = fields_of(page)
    assert said["resources-0-title_en"] == "Funds" and said["resources-0-p2"] == "10.0" and said["resources-0-usual"]
    more = {
        "resources-1-title_en": "Reviewers",
        "resources-1-unit": "days",
        "resources-1-p1": "30",
        "candidates-0-scenario": "scenario:plant/pumps",
        "candidates-0-taken": "must",
        "candidates-0-uses": "vibration-encoder, speech",
        "driving": "shown",
        "candidates-0-need-money": "5",
        "candidates-0-gives": "sites = 12",
        "balance-0-sector": "healthcare",
        "balance-0-least": "20",
        "goals-1-title_zh": "站点",
        "goals-1-of": "sites",
        "goals-1-share": "50",
    }
    added = desk.post("/ledger/plan/sheet/", {**said, **more, "add": "resources"}).content.decode()
    assert "resources-2-title_en" in added and 'value="Reviewers"' in added, "nothing typed is lost"
    answer = desk.post("/ledger/plan/sheet/", {**said, **more})
    assert answer.status_code == 302, re.findall(r"wrong-why.+|role=.alert.+", answer.content.decode())
    told = desk.get("/api/roadmap/sheet").json()
    assert [one["name"] for one in told["resources"]] == ["money", "reviewers"] and told["usual"] == {"money": 10.0}
    assert told["candidates"][0]["must"] and told["candidates"][0]["needs"] == {"money": 5.0}
    assert told["candidates"][0]["uses"] == ["vibration-encoder", "speech"] and told["driving"] == "shown"
    assert told["balance"] == [{"sector": "healthcare", "least": 0.2}]
    assert told["goals"][1]["share"] == 0.5 and told["goals"][0]["title"]["zh"] == "场景数"
    late = desk.post("/ledger/plan/sheet/", {**said, **more}).content.decode()
    assert "Somebody else has changed this" in late and 'value="Reviewers"' in late
    again = fields_of(shown(planned, "/ledger/plan/sheet/", language="zh"))
    assert desk.post("/ledger/plan/sheet/", again).status_code == 302
    assert desk.get("/api/roadmap/sheet").json() == told, "what nobody changed stays"
    gone = {**fields_of(shown(planned, "/ledger/plan/sheet/")), "goals-1-gone": "on"}
    assert desk.post("/ledger/plan/sheet/", gone).status_code == 302
    assert len(desk.get("/api/roadmap/sheet").json()["goals"]) == 1
