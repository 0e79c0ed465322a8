"""The effect on employment on the hub: tables are loaded, owners state and report, a departure warns; who sees what."""

import json
import re

import pytest
import yaml

from pilotbase.operations import workforce
from pilotbase.worker.reactions.noticing import Noticing, Ways
from tests.hub.fields_for_tests import fields_of, refusals
from tests.hub.worlds_for_tests import world

PAGE, API = "/ledger/workforce/plant/milling/", "/api/workforce/scenarios/plant/milling"
STATED = {**workforce.STATE.example, "language_model": True}
JSON = "application/json"


@pytest.fixture
def made(tmp_path):
    with world(tmp_path) as found:
        found.trial.open_scenario()
        yield found


def shown(made, path, who="desk", language="en"):
    answer = made.client(who, HTTP_ACCEPT_LANGUAGE=language).get(path)
    assert answer.status_code == 200, path
    return answer.content.decode()


def tell_changes():
    from pilotbase.hub.base import base

    Noticing(base(), Ways()).tell_changes()


def load_tables(made):
    for path, operation in (("occupations", workforce.SET_OCCUPATIONS), ("sectors", workforce.SET_SECTORS)):
        answer = made.client("desk").put(f"/api/workforce/{path}", dict(operation.example), JSON)
        assert answer.status_code == 200, answer.content
    return answer


def state(made, **changes):
    return made.client("owner").post(PAGE, {"yaml": yaml.safe_dump({**STATED, **changes}, allow_unicode=True)})


def test_without_statement_and_tables_all_is_unknown(made):
    page = shown(made, "/ledger/workforce/")
    assert "No scenario states its effect on employment yet" in page
    assert "no input-output table is loaded" in page and "No table of occupations is loaded" in page
    assert "every figure is unknown" in shown(made, PAGE)
    assert state(made, assumptions={}, occupations=[{"code": "soc:43-9021.00"}], demand=[]).status_code == 302
    told = made.client("desk").get("/api/workforce?scenario=scenario:plant/milling").json()
    one = told["effects"][0]
    assert [one[name] for name in ("people", "displaced", "augmented", "created", "hours", "posts")] == [None] * 6
    assert one["occupations"][0]["exposure"] is None and not told["activity"]
    assert told["sums"][0]["unknown"] == {"people": 1, "displaced": 1, "augmented": 1, "created": 1, "posts": 1}


@pytest.mark.parametrize(("language", "word"), [("en", "Data entry clerks"), ("zh", "数据录入员")])
def test_what_is_stated_is_shown_with_exposure_sums_and_activity(made, language, word):
    load_tables(made)
    assert state(made).status_code == 302
    page = shown(made, PAGE, "owner", language)
    assert word in page and "4,900 – 7,733" in page and "30 – 40" in page
    everything = shown(made, "/ledger/workforce/", "desk", language)
    assert "CN-31" in everything and "Metal products" in everything and "Survey of the base, 2026" in everything
    told = made.client("desk").get("/api/workforce").json()
    assert [one["code"] for one in told["activity"]] == ["C33", "C34"]
    assert told["sums"][0]["displaced"] == {"low": 0.0, "high": 2.0} and told["sums"][1]["region"] == "CN-31"
    assert "Data entry" in shown(made, "/ledger/workforce/occupation/?code=isco-08:4132")


def test_codes_that_the_tables_lack_are_refused_with_the_nearest(made):
    load_tables(made)
    page = state(made, occupations=[{"code": "isco-08:4123"}]).content.decode()
    assert "isco-08:4123" in page and "isco-08:4132" in page
    assert "no sector C99" in state(made, demand=[{"sector": "C99", "amount": {"low": 1, "high": 1}}]).content.decode()
    assert state(made, occupations=[{"code": "soc:43-9021.00"}]).status_code == 302, "of another classification"
    assert "isco-08:4132" in shown(made, "/ledger/workforce/occupation/?code=isco-08:4123")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_owner_states_without_yaml_and_nothing_typed_is_lost(made, language):
    owner = made.client("owner", HTTP_ACCEPT_LANGUAGE=language)

    def fields():
        return fields_of(owner.get(PAGE).content.decode())

    assert fields()["stated_on"], "today is offered"
    row = {"code": "isco-08:4132", "people": "40", "tasks": "Key in\nFile", "displaced-low": "2", "displaced-high": "0"}
    said = {f"occupations-0-{name}": value for name, value in row.items()}
    said |= {"region": "CN-31", "assumptions-minutes_per_case-low": "2.1", "language_model": "true"}
    page = owner.post(PAGE, {**fields(), **said}).content.decode()
    assert 'id="id_assumptions-minutes_per_case-high_error"' in page and "isco-08:4132" in page
    said["assumptions-minutes_per_case-high"] = "2.9"
    page = owner.post(PAGE, {**fields(), **said}).content.decode()
    assert re.search(r'<legend>(Posts that end|减少的岗位)</legend>.*?role="alert"', page, re.S), (
        "at its part of the row"
    )
    said["occupations-0-displaced-high"] = "4"
    assert "occupations-1-code" in owner.post(PAGE, {**fields(), **said, "add": "occupations"}).content.decode()
    answer = owner.post(PAGE, {**fields(), **said})
    assert answer.status_code == 302, refusals(answer.content.decode())
    shown_again = fields()
    assert (shown_again["occupations-0-tasks"], shown_again["language_model"]) == ("Key in\nFile", "true")
    assert owner.post(PAGE, shown_again).status_code == 302
    effect = owner.get("/api/workforce").json()["effects"][0]
    assert (effect["people"], effect["displaced"], effect["augmented"]) == (40, {"low": 2.0, "high": 4.0}, None)
    assert owner.post(PAGE, {**shown_again, "occupations-0-gone": "on"}).status_code == 302
    assert owner.get("/api/workforce").json()["effects"][0]["occupations"] == []


def test_a_table_whose_published_values_differ_is_refused(made):
    table = json.loads(json.dumps(workforce.SET_OCCUPATIONS.example))
    table["occupations"][0]["published"] = {"experts.alpha": 0.5}
    answer = made.client("desk").put("/api/workforce/occupations", table, JSON)
    assert answer.status_code == 422 and answer.json()["code"] == "workforce.not_reproduced"
    assert made.client("owner").put("/api/workforce/occupations", table, JSON).status_code == 403


def test_two_reports_outside_of_the_statement_warn_owner_and_operator(made):
    assert made.client("owner").post(f"{API}/staffing", {"day": "2026-01-01", "people": 30}, JSON).status_code == 404
    state(made)
    tell_changes()
    for day, people in (("2026-01-01", 30), ("2026-02-01", 40), ("2026-03-01", 30), ("2026-04-01", 31)):
        assert "departs from what was stated" not in shown(made, "/notices/", "owner"), day
        sent = {"day": day, "people": people, "note": ""}
        assert made.client("owner").post(f"{PAGE}staffing/", sent).status_code == 302
        tell_changes()
    assert "31 people on 2026-04-01, 39 to 41 expected" in shown(made, "/notices/", "owner")
    assert "departs from what was stated" in shown(made, "/notices/", "desk")
    assert "Two reports in a row lie outside" in shown(made, PAGE)
    late = made.client("owner").post(f"{API}/staffing", {"day": "2099-01-01", "people": 40}, JSON)
    assert late.status_code == 422 and late.json()["code"] == "workforce.later"


def test_others_neither_see_nor_state(made):
    state(made)
    assert made.client("other-owner").get("/api/workforce").json()["effects"] == []
    assert made.client("other-owner").put(API, STATED, JSON).status_code in (403, 404)
    assert made.client("supplier").get("/api/workforce").status_code == 404
    assert made.client("desk").get("/api/workforce").json()["effects"][0]["scenario"] == "scenario:plant/milling"
