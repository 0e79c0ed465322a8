"""A trial in a world whose dialogues experts judge on the hub."""

import re

import pytest

from pilotbase.documents.report import Report
from pilotbase.documents.vocabularies import Verdict
from tests.hub.test_expert_panels import EXPERTS, PANEL
from tests.hub.test_labelling import get, label_all, post, sheet
from tests.hub.worlds_for_tests import _person
from tests.trial.arena.agents import write_agent
from tests.trial.arena.test_judged_dialogues import CLERK, write_judged
from tests.worker.commissions_for_tests import Ordered


@pytest.fixture(scope="module")
def world(one_world, tmp_path_factory):
    """A world in which the episodes of a trial are played, and its experts are named."""
    from pilotbase.hub.base import base

    for name in ("ann", "ben", "judge", "chief"):
        one_world.people[name] = _person(name, "plant", "demand_owner")
    place, ordered = tmp_path_factory.mktemp("parcels"), Ordered(base())
    folder = write_judged(place)
    scenario = (folder / "scenario.yaml").read_text().replace("parcel-run", "small-alarm")
    (folder / "scenario.yaml").write_text(scenario + "  approvals: [{kind: ethics}]\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pilotbase.trial.cases_to_seal.require_sound", lambda lab, kept: None)
        ordered.open(folder, write_agent(place, CLERK, "alarm"))
        ordered.propose()
        ordered.approve()
        ordered.freeze()
        ordered.do_queued()
    one_world.place = post(one_world, "chief", PANEL, EXPERTS)["Location"]
    ordered.work()
    one_world.ordered = ordered
    return one_world


@pytest.mark.prove
def test_experts_read_a_dialogue_step_by_step_and_the_verdict_follows(world):
    ordered, place = world.ordered, world.place
    item = sheet(world, "ann", place)["item"]
    assert item["fields"] == {}
    assert [step["who"] for step in item["dialogue"]] == ["task", *["application"] * 4, "user"]
    assert "pay(" in item["dialogue"][2]["said"] and item["dialogue"][2]["ruling"] == "consented"
    page = get(world, "ann", place.removeprefix("/api") + "/").content.decode()
    chinese = get(world, "ann", place.removeprefix("/api") + "/", "zh").content.decode()
    assert "Allowed: the person wants it" in page and "放行：本人同意" in chinese
    for shown in (page, chinese):
        assert not re.search(r"acme|alarm/1|\b[0-9a-f]{64}\b(?!/)|fetch|carry|reached", main_of(shown))
    for who in ("ann", "ben"):
        label_all(world, who, place, lambda item: "good")
    assert post(world, "chief", f"{place}/close").status_code == 200
    ordered.work()
    assert post(world, "chief", f"{place}/publish").status_code == 200
    assert ordered.work() == [("trial", "done")]
    report = ordered.base.lab.view.load(ordered.record().documents["report"], Report)
    assert report.verdict is Verdict.ACCEPT and report.criteria[0].rule == "judged(by=panel) >= 0.6"


def main_of(page):
    return page.partition("<main")[2].partition("</main>")[0]
