"""Openness of open scenarios: points by facts from three proposals on; waiting lowers it, tied suppliers count less."""

from datetime import timedelta

import pytest

from pilotbase.documents.base import Localized
from pilotbase.documents.permissions import Act
from pilotbase.documents.subjects import Organisation
from pilotbase.documents.vocabularies import Role
from pilotbase.workspace.actors import parties
from pilotbase.workspace.journeys import Journey, put_journey
from pilotbase.workspace.listings import Listing, put_listing
from tests.catalogue.records_for_tests import DESK, MACHINE, SCENARIO, scenario

TITLE = Localized(en="Trial", zh="测试")
ONE = "/api/scenarios/plant/milling/openness"


@pytest.fixture(scope="module")
def opened(one_world):
    trial = one_world.trial
    trial.open_scenario()
    trial.register("kin", Role.SUPPLIER, related=("plant",))
    plant = Organisation(
        name="plant", title="Plant", roles=(Role.DEMAND_OWNER,), ownership="state_owned", ownership_proof="91330100"
    )
    trial.do(DESK, "organisation:plant", Act.ORGANISATION_EDIT, plant)
    return one_world


def propose(world, number, supplier, days_ago, **reached):
    """Let a supplier have proposed a trial; ``reached``: milestone → days after that."""
    view = world.trial.store.as_actor(MACHINE)
    proposed = view.store.clock() - timedelta(days=days_ago)
    times = {"proposed": proposed} | {one: proposed + timedelta(days=days) for one, days in reached.items()}
    with view.transaction("test.tried") as change:
        digest = change.put(scenario((), name=f"open{number}"), parties(), owner="plant")
        listing = Listing(f"commission:open{number}", "commission", "agreed", digest, "plant", TITLE, scenario=SCENARIO)
        put_listing(change, listing, [])
        put_journey(change, Journey(listing.subject, "commission", times, supplier=supplier))


def facts(world):
    told = world.client().get(ONE).json()
    return told["score"], {one["name"]: one["points"] for one in told["facts"]}, told


def test_a_scenario_earns_points_by_facts_and_loses_them_by_waiting(opened):
    assert facts(opened)[0] is None and facts(opened)[1]["answer"] == 0
    propose(opened, 1, "acme", 60, answered=0, agreed=0, reported=20, certified=21)
    propose(opened, 2, "acme", 60, answered=0, agreed=0, reported=20)
    assert facts(opened)[0] is None, "two proposals are too few"
    propose(opened, 3, "kin", 60, answered=0, agreed=0)
    score, points, told = facts(opened)
    assert (points["answer"], points["verdicts"], points["second"]) == (15, 5, 0)
    assert points["outside"] == pytest.approx(20 * 0.2077, abs=0.1), "two of three; the third is tied: Wilson"
    assert score == round(sum(points.values())) and told["unanswered"] == 0
    propose(opened, 4, "globex", 60, answered=0, agreed=0)
    assert facts(opened)[1]["second"] == 10
    for number in range(5, 10):
        propose(opened, number, "globex", 60)
    lower, waiting, told = facts(opened)
    assert waiting["answer"] == 0 and told["unanswered"] == 5 and lower < score + 10
    assert told["next"] == max(told["facts"], key=lambda one: one["most"] - one["points"])["name"]


def test_everybody_sees_the_lists_of_scenarios_and_of_owners_by_kind(opened):
    table = opened.client().get("/api/openness").json()
    assert [one["scenario"] for one in table["scenarios"]] == [SCENARIO]
    assert [(one["owner"], one["ownership"]) for one in table["owners"]] == [("plant", "state_owned")]
    page = opened.client().get("/openness/").content.decode()
    assert "State-owned" in page and "/openness/plant/milling/" in page
    assert "Level of data" in opened.client().get("/openness/plant/milling/").content.decode()
    chinese = opened.client().get("/openness/plant/milling/", HTTP_ACCEPT_LANGUAGE="zh-hans")
    assert "数据开放程度" in chinese.content.decode()
    assert opened.client().get("/openness/plant/nothing/").status_code == 404
