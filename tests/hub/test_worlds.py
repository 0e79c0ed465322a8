"""A scenario with a world on the hub: every page that leads to or from it opens, for everybody, in both languages."""

import re

import pytest

from pilotbase.documents.permissions import Act
from tests.catalogue.records_for_tests import PLANNER, SUPPLIER
from tests.trial.arena.agents import UTILITY, write_agent, write_scenario
from tests.worker.commissions_for_tests import APPLICATION, SCENARIO, Ordered

READERS = ("owner", "supplier", "other-supplier", "desk", "reviewer", "regulator", None)
STEP = "<td>application</td>"
"""A line of an episode as it is laid out."""
BEGIN = ("/scenarios/plant/small-alarm/", "/applications/acme/alarm/", "/trials/c1/")
ABOUT = re.compile(r'href="(/[^"#]*(?:small-alarm|/alarm|/c1|certificates)[^"#]*)"')


@pytest.fixture(scope="module")
def ordered(one_world, tmp_path_factory):
    """A trial in the toy world whose plan is approved."""
    from pilotbase.hub.base import base

    place = tmp_path_factory.mktemp("world")
    scenario = write_scenario(place, UTILITY, "reached under injected >= 0.5")
    manifest = scenario / "scenario.yaml"
    manifest.write_text(manifest.read_text().replace("name: parcel-run", f"name: {SCENARIO.rpartition('/')[2]}"))
    ordered = Ordered(base())
    ordered.open(scenario, write_agent(place, name="alarm"))
    ordered.propose()
    ordered.approve()
    return ordered


def broken(world, readers=READERS):
    """Follow the links about the scenario, its application and its trial, a person at a time; return what fails."""
    wrong, opened = [], set()
    for who in readers:
        client, left, seen = world.client(who), list(BEGIN), set(BEGIN)
        while left:
            path = left.pop()
            for language in ("en", "zh"):
                answer = client.get(path, headers={"Accept-Language": language})
                if answer.status_code >= 500:
                    wrong.append((who, path, language))
            opened |= {path} if answer.status_code == 200 else set()
            if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
                new = set(ABOUT.findall(answer.content.decode())) - seen
                left += new
                seen |= new
    return wrong, opened


def test_its_world_stands_on_the_scenarios_page_without_what_is_sealed(one_world, ordered):
    for language, said in (("en", "pay: with consent"), ("zh", "pay：")):
        page = one_world.client("supplier").get(BEGIN[0], headers={"Accept-Language": language}).content.decode()
        assert said in page and "move" in page and "carry" not in page and "fetch" not in page


def test_every_page_about_it_opens_before_its_trial(one_world, ordered):
    wrong, opened = broken(one_world, ("owner", "supplier"))
    assert wrong == [] and set(BEGIN) <= opened


def followed_by(world, ordered):
    """Let the owner take the bundle and follow its episodes; nobody else finds them, by any face."""
    owner = world.client("owner")
    assert owner.post("/trials/c1/bundle/").status_code == 302 and ordered.work() == [("bundle", "done")]
    (address,) = re.findall(r'href="(/trials/c1/bundle/[0-9a-f]{64}\.html)"', read(owner, "/trials/c1/bundle/"))
    page = read(owner, address)
    assert "Episodes of this trial to look at" in page and "本次中试的" in page and STEP in page
    for who in ("supplier", "other-supplier", "other-owner", "reviewer", None):
        client = world.client(who)
        for hidden in (address, address.replace(".html", ".zip"), "/trials/c1/bundle/", "/api/trials/c1/bundle"):
            assert client.get(hidden).status_code in (401, 404), (who, hidden)
    for shown in ("/trials/c1/", "/trials/c1/report/", "/applications/acme/alarm/"):
        assert STEP not in read(world.client("supplier"), shown), shown
    assert STEP in read(world.client("supplier"), "/applications/acme/alarm/rehearsal.html"), "practice episodes"


def read(client, address):
    return client.get(address, headers={"Accept-Language": "en"}).content.decode()


@pytest.mark.prove
def test_every_page_about_it_opens_after_its_trial(one_world, ordered, monkeypatch):
    monkeypatch.setattr("pilotbase.trial.cases_to_seal.require_sound", lambda lab, kept: None)
    ordered.do(SUPPLIER, Act.APPLICATION_REHEARSE, subject=APPLICATION)
    ordered.freeze()
    ordered.work()
    ordered.do(PLANNER, Act.TRIAL_QUEUE)
    assert ordered.work() == [("trial", "done")]
    ordered.accept()
    ordered.work()
    wrong, opened = broken(one_world)
    assert wrong == []
    followed_by(one_world, ordered)
    asked = {"scenario": "plant/small-alarm", "power": 0.8}
    planned = one_world.client("owner").post("/api/plan-size", asked, content_type="application/json").json()
    assert [one["rule"] for one in planned["criteria"]] == [UTILITY, "reached under injected >= 0.5"], planned
    assert {"/trials/c1/report/", "/scenarios/plant/small-alarm/comparison/"} <= opened
    assert any(path.startswith("/certificates/") for path in opened)
