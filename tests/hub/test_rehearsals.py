"""A rehearsal on its page: what the application printed can be read there, or why it cannot is said."""

import pytest

from pilotbase.documents.permissions import Act
from pilotbase.worker.intake.kept_files import take_scenario
from tests.catalogue.agreements_for_tests import DATASET, agree, dataset, publish
from tests.catalogue.records_for_tests import DESK, OWNER, SUPPLIER
from tests.hub.closed_for_tests import work
from tests.trial.conftest import GOOD, writing_application, writing_scenario
from tests.worker.commissions_for_tests import APPLICATION, SCENARIO, Ordered

PAGE, LOG = "/applications/acme/alarm/", "/applications/acme/alarm/rehearsal.log"
REPORT = "/applications/acme/alarm/rehearsal.html"
TALKS = "print('pressures', flush=True)\n" + GOOD


@pytest.fixture(scope="module")
def ordered(one_world, tmp_path_factory):
    """A hub with an application that prints, made for a scenario on data without a dataset."""
    from pilotbase.hub.base import base

    place, made = tmp_path_factory.mktemp("rehearsed"), Ordered(base())
    made.open(writing_scenario(place)(), writing_application(place)(TALKS))
    return made


def rehearse(ordered) -> None:
    ordered.do(SUPPLIER, Act.APPLICATION_REHEARSE, subject=APPLICATION)
    assert work() == [("rehearse", "done")]


def page(world, language="en") -> str:
    return world.client("supplier").get(PAGE, headers={"Accept-Language": language}).content.decode()


def test_what_an_application_printed_is_read_and_on_closed_data_the_page_says_that_it_is_withheld(
    ordered, one_world, tmp_path
):
    rehearse(ordered)
    assert LOG in page(one_world) and "withheld" not in page(one_world)
    assert "pressures" in one_world.client("supplier").get(LOG).content.decode()
    assert one_world.client("other-supplier").get(LOG).status_code == 404
    assert shows_cases(one_world) and not shows_cases(one_world, "desk"), "who may read the report may hold no row"
    on_closed_data(ordered, one_world, tmp_path)
    assert not shows_cases(one_world), "terms that close the rows close what was shown of them"
    rehearse(ordered)
    assert not shows_cases(one_world)
    assert LOG not in page(one_world) and LOG not in page(one_world, "zh")
    assert "Its log is withheld" in page(one_world) and "不提供日志" in page(one_world, "zh")
    assert "pressures" not in one_world.client("supplier").get(LOG).content.decode()


def shows_cases(world, who="supplier") -> bool:
    page = world.client(who).get(REPORT, headers={"Accept-Language": "en"}).content.decode()
    assert "Not evidence" in page or "not evidence" in page
    return "Cases to look at" in page


def on_closed_data(ordered, world, place) -> None:
    """Let the next version of the scenario be on a closed dataset, of which the supplier may hold no row."""
    agree(world.trial, publish(world.trial, dataset()), ends=None)
    closed = f"  file: cases.csv\n  dataset: {DATASET}"
    folder = writing_scenario(place)(change=lambda said: said.replace("  file: cases.csv", closed))
    take_scenario(ordered.base, ordered.view(OWNER), folder)
    ordered.do(OWNER, Act.SCENARIO_SUBMIT, subject=SCENARIO)
    ordered.do(DESK, Act.SCENARIO_OPEN, subject=SCENARIO)
