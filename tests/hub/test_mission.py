"""The way from demand to use: one axis, the same thread on the page of each of its records, cut to the reader."""

import re

import pytest

from pilotbase.documents.permissions import Act
from pilotbase.documents.vocabularies import EventGrade
from pilotbase.roadmap.ledger import keep_books
from tests.catalogue.records_for_tests import OTHER_SUPPLIER, OWNER, SUPPLIER, commission, version
from tests.hub.services_for_tests import serve
from tests.hub.worlds_for_tests import world
from tests.watch.incidents_for_tests import open_one

PAGES = {
    "scenario": "/scenarios/plant/milling/",
    "application": "/applications/acme/forest/",
    "trial": "/trials/c1/",
    "service": "/services/milling/",
}


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    """A certified trial in use, with an incident; and a trial of another supplier, proposed only."""
    with world(tmp_path_factory.mktemp("mission")) as made:
        trial = made.trial
        trial.reach("certified")
        serve(made)
        open_one(trial.store, EventGrade.MAJOR, service="milling")
        other = version(name="pine", supplier="globex")
        trial.do(OTHER_SUPPLIER, "application:globex/pine", Act.APPLICATION_REGISTER, other)
        trial.do(OTHER_SUPPLIER, "application:globex/pine", Act.APPLICATION_SUBMIT)
        terms = commission(trial.scenario, other, application="application:globex/pine")
        trial.do(OTHER_SUPPLIER, "commission:c2", Act.COMMISSION_PROPOSE, terms)
        keep_books(trial.store.as_actor(OWNER))
        yield made


def thread(made, who, path):
    """Return the part of a page that shows the thread."""
    answer = made.client(who).get(path, HTTP_ACCEPT_LANGUAGE="en")
    assert answer.status_code == 200, path
    found = re.search(r'<section class="card mission" id="mission">.*?</section>', answer.content.decode(), re.DOTALL)
    return found[0] if found else ""


def led_to(part):
    return set(re.findall(r'<a href="([^"?]+)"', part))


@pytest.mark.parametrize("kind", PAGES)
def test_every_record_of_a_thread_leads_to_those_before_and_after(walked, kind):
    found = led_to(thread(walked, "owner", PAGES[kind]))
    others = {path for other, path in PAGES.items() if other != kind}
    assert others | {"/incidents/1/"} <= found and PAGES[kind] not in found
    assert any(one.startswith("/certificates/") for one in found)
    assert ("/trials/c2/" in found) == (kind == "scenario")


READERS = {"visitor": set(), "supplier": {"c1", "milling"}, "other-supplier": {"c2"}, "other-owner": set(),
           "desk": {"c1", "c2", "milling", "1"}, "regulator": {"c1", "c2", "milling", "1"}}  # fmt: skip


@pytest.mark.parametrize("who", READERS)
def test_a_thread_holds_what_its_reader_sees(walked, who):
    """A supplier finds no trace of another one's application, trial or certificate, nor how many there are."""
    part = thread(walked, None if who == "visitor" else who, PAGES["scenario"])
    found = {one for one in led_to(part) if not one.startswith(("/applications/", "/certificates/"))}
    named = {one.strip("/").rpartition("/")[2] for one in found}
    assert named - {"matches"} == READERS[who]
    told = {"acme": "c1", "globex": "c2"}
    for supplier, trial in told.items():
        assert (f"/applications/{supplier}/" in part) == (trial in READERS[who])
    assert ("/certificates/" in part) == ("c1" in READERS[who])
    assert who not in ("visitor", "other-owner") or "Forest" not in part


def test_who_did_what_when_is_told_in_both_languages_and_named_to_colleagues_alone(walked):
    owner, supplier = (thread(walked, who, PAGES["scenario"]) for who in ("owner", "other-supplier"))
    assert "Scenario opened" in owner and "Plant · Owner" in owner
    assert "Owner" not in supplier.partition("<details>")[2]
    chinese = walked.client("owner").get(PAGES["scenario"], HTTP_ACCEPT_LANGUAGE="zh").content.decode()
    assert "从需求到应用" in chinese and "场景第 1 版" in chinese


def test_versions_have_numbers(walked):
    assert "forest 1.0.0 on version 1 of the scenario" in thread(walked, "owner", PAGES["trial"])
    page = walked.client("owner").get(PAGES["scenario"], HTTP_ACCEPT_LANGUAGE="en").content.decode()
    assert ">Version 1</a>" in page


def test_what_comes_next_is_the_work_that_waits(walked):
    part = thread(walked, "owner", PAGES["scenario"])
    ahead = part.partition('class="ahead"')[2].partition("</div>")[0]
    assert '<a href="/trials/c2/">Agree to the commission</a>' in ahead and "Due" in ahead


def test_all_trials_of_a_scenario_are_one_step_away_where_there_are_more(walked):
    trial = walked.trial
    for number in range(6):
        terms = commission(trial.scenario, trial.version)
        trial.do(SUPPLIER, f"commission:more-{number}", Act.COMMISSION_PROPOSE, terms)
    part = thread(walked, "desk", PAGES["scenario"])
    assert part.count("/trials/") <= 2 * 5 + 6 and "Show all" in part
    answer = walked.client("desk").get("/trials/?scenario=plant/milling").content.decode()
    assert "/trials/c1/" in answer and "/trials/more-5/" in answer
