"""What came of a dataset on pages: its uses to its owner, what rests on it to whoever sees that."""

import pytest

from pilotbase.data.terms.gate import permit
from pilotbase.documents.terms import Request
from pilotbase.worker.datasets.contributions import contribution
from tests.catalogue.agreements_for_tests import DATASET, agree, dataset, publish
from tests.catalogue.records_for_tests import MACHINE, SUPPLIER, digest, plan, report, scenario
from tests.hub.services_for_tests import serve

ASKED = Request(
    target=DATASET,
    action="pb:computeOn",
    by="acme",
    purpose="pb:verification",
    recipient="acme",
    channel="pb:report",
    rows=10,
)


@pytest.fixture(scope="module")
def served(one_world):
    """A world whose trial is on a dataset, with a certificate and a service that rest on it."""
    trial = one_world.trial
    agree(trial, publish(trial, dataset()))
    data = trial.scenario.data.model_copy(update={"dataset": DATASET})
    trial.scenario = scenario().model_copy(update={"data": data})
    trial.plan = plan(trial.scenario, trial.version)
    trial.report = report(trial.plan)
    trial.reach("certified")
    permit(trial.store.as_actor(SUPPLIER), ASKED, digest("trial"))
    serve(one_world)
    return one_world


def page_of(world, who, address, language="en") -> str:
    found = world.client(who).get(address, headers={"Accept-Language": language})
    assert found.status_code == 200, (who, address, found.status_code)
    return found.content.decode()


def test_what_rests_on_a_dataset_is_found_from_its_records(served):
    found = contribution(served.trial.store.as_actor(MACHINE), DATASET)
    assert found.scenarios == ["scenario:plant/milling"]
    assert found.certificates == [served.trial.report.digest()]
    assert found.services == ["milling"]
    assert (found.agreements, found.uses, found.uses_by, found.rows) == (1, 1, {"pb:report": 1}, 10)


def test_each_reader_is_told_what_they_may_know(served):
    for who, uses, service in (("owner", True, True), ("desk", True, True), (None, False, False)):
        page = page_of(served, who, "/datasets/plant/logs/")
        assert ("report of a trial</span> 1" in page) is uses, who
        assert ('href="/services/milling/"' in page) is service, who
        assert "/scenarios/plant/milling/" in page and "/certificates/" in page
        told = served.client(who).get("/api/catalogue/contributions?owner=plant").json()
        assert (told["datasets"][0]["uses"], told["owners"][0]["uses"]) == ((1, 1) if uses else (None, None)), who
    assert "数据贡献" in page_of(served, None, "/datasets/contributions/", "zh")
    assert "–" in page_of(served, None, "/datasets/contributions/?owner=plant")
