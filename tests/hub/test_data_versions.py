"""Versions on pages: of a scenario's hidden data, refreshed by its name on the base, and of a dataset."""

import html

import pytest

from pilotbase.documents.permissions import Act
from pilotbase.documents.scenario import Scenario
from pilotbase.trial.sealing import seal_scenario
from pilotbase.worker.intake.kept_files import opened_scenario
from pilotbase.worker.intake.refreshing import refreshing
from tests.catalogue.agreements_for_tests import DATASET, dataset, in_file, publish
from tests.catalogue.records_for_tests import DESK, OWNER
from tests.trial.conftest import writing_application, writing_scenario
from tests.worker.commissions_for_tests import SCENARIO, Ordered
from tests.worker.test_refreshing import grown

NAME = "plant/small-alarm"


@pytest.fixture(scope="module")
def refreshed(any_world, tmp_path_factory):
    """A world with a trial on the first version of the hidden data, and a second version after it."""
    from pilotbase.hub.base import base

    place = tmp_path_factory.mktemp("refreshed")
    ordered = Ordered(base())
    folder = writing_scenario(place)(change=lambda content: content + "  approvals: [{kind: ethics}]\n")
    ordered.open(folder, writing_application(place)())
    ordered.propose()
    ordered.approve()
    ordered.freeze()
    ordered.do_queued()
    ordered.accept()
    ordered.work()
    source = str(grown(folder, 600))
    with refreshing(base(), NAME, source) as opened:
        any_world.done = opened.carry_out().render()
    handed_in = ordered.record(SCENARIO)
    with refreshing(base(), NAME, source) as opened:
        assert opened.carry_out().render() == any_world.done
    assert ordered.record(SCENARIO) == handed_in, "again it changes nothing"
    assert handed_in.state == "draft"
    ordered.do(OWNER, Act.SCENARIO_SUBMIT, subject=SCENARIO)
    ordered.do(DESK, Act.SCENARIO_OPEN, subject=SCENARIO)
    scenario = base().lab.view.load(handed_in.documents["scenario"], Scenario)
    with opened_scenario(base(), scenario) as kept:
        seal_scenario(base().lab, scenario, kept)  # as the first rehearsal does
    with refreshing(base(), NAME, source) as opened:
        assert opened.carry_out().render() == "Nothing was changed: version 2 is the newest"
    any_world.ordered = ordered
    any_world.files = sorted(path.name for path in folder.iterdir())
    return any_world


def page(world, who, address):
    client = world.client(None if who == "visitor" else who)
    return html.unescape(client.get(address).content.decode())


def test_the_owner_sees_what_each_version_holds_and_others_do_not(refreshed):
    assert refreshed.done.startswith("Version 2 is submitted with")
    assert refreshed.files == ["cases.csv", "scenario.yaml"], "the owner's own folder is left alone"
    for who in ("owner", "desk", "regulator"):
        shown = page(refreshed, who, f"/scenarios/{NAME}/")
        assert "Versions of the hidden data" in shown
        assert "1 of 6" in shown and "0 of 6" in shown
    for who in ("supplier", "other-owner", "visitor"):
        assert "Versions of the hidden data" not in page(refreshed, who, f"/scenarios/{NAME}/")


def test_the_budget_over_the_api_tells_the_versions(refreshed):
    told = refreshed.client("owner").get(f"/api/scenarios/{NAME}/budget").json()
    newest, first = told["versions"]
    assert [one["number"] for one in (newest, first)] == [2, 1]
    assert (newest["used"], newest["scored"], newest["certificates"]) == (0, 0, [])
    assert first["used"] == len(first["certificates"]) == 1
    assert first["scored"] > 0 and first["fresh"] <= first["cases"] - first["scored"]
    assert told["cases"] == newest["cases"]
    assert (told["next_number"], told["fresh"]) == (1, told["cases"])


def test_a_certificate_names_the_version_that_it_rests_on(refreshed):
    (serial,) = refreshed.client("owner").get(f"/api/scenarios/{NAME}/budget").json()["versions"][1]["certificates"]
    shown = page(refreshed, "visitor", f"/certificates/{serial.removeprefix('sha256:')}/")
    assert "version of the hidden data" in shown.casefold()


def test_a_datasets_page_says_what_each_version_changed(refreshed):
    publish(refreshed.trial, dataset())
    more = [{"name": "logs", "rows": 70, "field": in_file([{"name": "torque", "dataType": "sc:Float"}])}]
    refreshed.trial.do(OWNER, DATASET, Act.DATASET_REVISE, dataset("2.0.0", recordSet=more))
    shown = page(refreshed, "visitor", "/datasets/plant/logs/")
    assert "logs: – → 70 rows" in shown and "agreements for earlier versions do not cover it" in shown
    told = refreshed.client(None).get("/api/datasets/plant/logs/versions").json()
    assert [one["version"] for one in told] == ["2.0.0", "1.0.0"]
