"""Reviewers score a scenario's potential under seal; opened scores stand as an interval in the ranking."""

import pytest
from typer.testing import CliRunner

from pilotbase.catalogue.saving import save
from pilotbase.cli import app
from pilotbase.documents.permissions import Act
from pilotbase.documents.yaml_reader import read_yaml
from pilotbase.hub.base import base
from pilotbase.worker.demo.examples import find_examples
from pilotbase.worker.demo.market import _score
from tests.catalogue.records_for_tests import DESK, OWNER, scenario
from tests.hub.live_for_tests import listening, token_of
from tests.hub.worlds_for_tests import _person, world

API, PAGE = "/api/scenarios/plant/pumps/potential", "/ledger/potential/plant/pumps/"
JSON = "application/json"


@pytest.fixture
def made(tmp_path):
    with world(tmp_path) as found:
        trial = found.trial
        for name, potential in (("pumps", 5), ("beds", 3)):
            value = {"potential": potential, "maturity": 2, "driving_effect": 2}
            save(trial.store.as_actor(OWNER), scenario((), name=name, value=value))
            trial.do(OWNER, f"scenario:plant/{name}", Act.SCENARIO_SUBMIT)
            trial.do(DESK, f"scenario:plant/{name}", Act.SCENARIO_OPEN)
        for name, organisation in (("third", "institute"), ("late", "academy")):
            found.people[name] = _person(name, organisation, "reviewer")
        yield found


def score(made, who, potential, words="Downtime is costly."):
    return made.client(who).post(API, {"potential": potential, "words": words}, JSON)


def shown(made, who, path, language="en"):
    answer = made.client(who, HTTP_ACCEPT_LANGUAGE=language).get(path)
    assert answer.status_code == 200, path
    return answer.content.decode()


def ranked(made, asked=""):
    return made.client("desk").get(f"/api/ledger/ranking{asked}").json()


def test_scores_are_sealed_until_the_last_one_opens_all(made):
    assert 'href="/ledger/potential/plant/pumps/"' in shown(made, "reviewer", "/scenarios/plant/pumps/")
    sent = {"potential": 1, "words": "Only this site has such machines."}
    assert made.client("reviewer").post(f"{PAGE}score/", sent).status_code == 302
    assert score(made, "other-reviewer", 2).status_code == 200
    assert score(made, "other-reviewer", 3).json()["received"] == 2, "the second one replaces the first"
    assert "You scored 1." in shown(made, "reviewer", PAGE)
    for who in ("desk", "owner", "other-reviewer", "regulator"):
        told = made.client(who).get(API).json()
        assert told["received"] == 2 and told["scores"] == []
        assert "Only this site" not in shown(made, who, PAGE)
    assert ranked(made)["potentials"] == []
    opened = score(made, "third", 2).json()
    assert [one["potential"] for one in opened["scores"]] == [1, 2, 3] and opened["is_present"]
    assert "Only this site" in shown(made, "owner", PAGE, "zh")
    for who in ("reviewer", "late"):
        refused = score(made, who, 5)
        assert refused.status_code == 409 and refused.json()["code"] == "roadmap.scores_opened"


def test_opened_scores_are_an_interval_in_the_ranking_and_count_if_asked(made):
    for who, potential in (("reviewer", 1), ("other-reviewer", 2), ("third", 4)):
        score(made, who, potential)
    found = ranked(made)
    assert found["rungs"][0]["potential"] == 5, "the owner's counts"
    assert found["potentials"] == [
        {
            "scenario": "scenario:plant/pumps",
            "stated": 5,
            "lowest": 1,
            "median": 2,
            "highest": 4,
            "best": 1,
            "worst": 2,
        }
    ]
    assert ranked(made, "?potential_by=reviewed")["rungs"][0]["potential"] == 3, "beds come first"
    page = shown(made, "desk", "/ledger/ranking/?potential_by=reviewed")
    assert "1 to 4 · rank 1 to 2" in page
    assert "potential_by=reviewed" in page
    assert "评审评分" in shown(made, "desk", "/ledger/ranking/", "zh")


def test_who_is_tied_to_the_owner_or_no_reviewer_scores_nothing(made):
    address = "/api/organisations/plant"
    found = made.client("owner").get(address).json()
    declared = {**found, "related": ["institute"]}
    assert made.client("owner").post(f"{address}/acts/organisation.declare", declared, JSON).status_code == 200
    refused = score(made, "reviewer", 5)
    assert refused.status_code == 403 and refused.json()["code"] == "roadmap.reviewer_tied"
    assert score(made, "owner", 5).status_code == 403 and score(made, "supplier", 5).status_code == 403
    assert score(made, "other-reviewer", 6).status_code == 422
    assert made.client("supplier").get(API).status_code == 404


def test_reviewers_are_told_when_a_scenario_opens_and_score_from_the_command_line(made):
    from pilotbase.worker.reactions.noticing import Noticing, Ways

    while Noticing(base(), Ways()).tell_changes():
        pass
    assert "under seal until the last score is in" in shown(made, "reviewer", "/notices/")
    assert "under seal until the last score is in" not in shown(made, "supplier", "/notices/")
    with listening(made) as address:
        options = ["--hub", address, "--token", token_of(made, "reviewer"), "roadmap"]
        asked = [*options, "score", "plant/pumps", "--potential", "4", "--words", "Downtime is costly."]
        told = CliRunner().invoke(app, asked)
        assert told.exit_code == 0 and "pumps: scores received 1 of 3, under seal." in told.output, told.output
        assert "You scored 4." in CliRunner().invoke(app, [*options, "potential", "plant/pumps"]).output


def test_the_demonstration_scores_once_and_opens(made):
    said = read_yaml(find_examples() / "market.yaml").value["potentials"]
    for scores in said.values():
        for _ in range(2):
            _score(base(), "scenario:plant/beds", scores)
        told = made.client("desk").get("/api/scenarios/plant/beds/potential").json()
        assert [one["potential"] for one in told["scores"]] == sorted(one["potential"] for one in scores.values())
