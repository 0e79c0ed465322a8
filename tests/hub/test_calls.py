"""Calls for a task on the hub: the public list, forms, who sees what at each stage, what the API says."""

import re
from datetime import timedelta
from itertools import product

import pytest

from pilotbase.documents.call import CallStage
from pilotbase.documents.permissions import Act
from pilotbase.documents.vocabularies import Role
from pilotbase.worker.intake.kept_files import take_application, take_scenario
from tests.catalogue.records_for_tests import DESK, NOW, OTHER_SUPPLIER, OWNER, SUPPLIER, version
from tests.hub.steps_for_tests import PEOPLE, Steps
from tests.hub.worlds_for_tests import _person
from tests.trial.conftest import BAD, GOOD, writing_application, writing_scenario
from tests.worker.calls_for_tests import Clock
from tests.worker.commissions_for_tests import Ordered

ENGLISH = {"accept-language": "en"}
PAGE, API = "/calls/plant/spindles/", "/api/calls/plant/spindles"
DRAFT = {
    "name": "spindles",
    "title": "Fewer broken spindles",
    "task": "Warn the shift before a spindle breaks.",
    "prize": "1000",
    "currency": "CNY",
    "closes": "2026-05-20",
    "criteria": "60 Plan\n40 Team",
    "weight_experts": 70,
    "weight_price": 30,
    "weight_tender": 0,
    "cases": 1000,
    "margin": 0.01,
    "milestones": "2026-09-30 100 In service [certificate]",
    "most_partners": 4,
    "panel": 3,
    "lowest": 1,
    "highest": 5,
    "fewest": 2,
    "extension_days": 14,
    "objection_days": 7,
}
FACES = (PAGE, f"{PAGE}standing/", f"{PAGE}score/", API, f"{API}/scores", f"{API}/claims", f"{API}/file", "/calls/",
         "/work/", "/notices/", "/find/?q=view", "/audit/", "/audit/audit.csv", "/api/audit", "/api/work")  # fmt: skip
"""Where anything of a call may be read."""
EXPERTS = ("reviewer", "other-reviewer", "third-reviewer", "tied-reviewer")


@pytest.fixture(scope="module")
def world(one_world):
    from pilotbase.hub.base import base

    one_world.trial.reach("reported")
    one_world.trial.register("outlook", Role.REVIEWER)
    pine = version(name="pine", supplier="globex")
    one_world.trial.do(OTHER_SUPPLIER, "application:globex/pine", Act.APPLICATION_REGISTER, pine)
    one_world.trial.do(OTHER_SUPPLIER, "application:globex/pine", Act.APPLICATION_SUBMIT)
    one_world.people["third-reviewer"] = _person("third-reviewer", "academy", "reviewer")
    one_world.people["tied-reviewer"] = _person("tied-reviewer", "outlook", "reviewer")
    one_world.clock = Clock(NOW + timedelta(days=1))
    object.__setattr__(base().lab.store, "clock", one_world.clock)
    return one_world


def get(world, who, address):
    return world.client(who).get(address, headers=ENGLISH)


def post(world, who, address, body=None):
    found = world.client(who).post(address, body or {}, headers=ENGLISH, follow=True)
    assert found.status_code == 200, found.content
    return found.content.decode()


def said(world, who, address=PAGE):
    found = get(world, who, address)
    assert found.status_code == 200, (who, address, found.status_code)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found.content.decode().partition("<main")[2]))


def test_a_call_through_the_pages(world):
    assert "plant/milling" in get(world, "owner", "/calls/new/").content.decode()
    new = "/calls/new/?scenario=plant/milling"
    wrong = post(world, "owner", new, DRAFT | {"weight_price": 20, "criteria": "Plan"})
    assert "write a weight and a title" in wrong
    assert "add up to 90 %" in post(world, "owner", new, DRAFT | {"weight_price": 20})
    assert "Publish the call" in post(world, "owner", new, DRAFT)
    steps = Steps(world, (*PEOPLE, "other-supplier", *EXPERTS[1:]))

    def look():
        steps.look(get(world, "owner", API).json()["stage"], PAGE, f"{PAGE}score/", f"{PAGE}standing/")

    look()
    assert get(world, None, PAGE).status_code == 404 == get(world, "supplier", PAGE).status_code
    form = get(world, "owner", f"{PAGE}edit/").content.decode()
    assert "60 Plan" in form and "2026-09-30 100 In service [certificate]" in form
    post(world, "owner", f"{PAGE}edit/", DRAFT | {"title": "No broken spindles"})
    post(world, "owner", f"{PAGE}publish/")
    assert get(world, "owner", f"{PAGE}edit/").status_code == 404
    look()
    assert "No broken spindles" in said(world, None, "/calls/") and "Warn the shift" in said(world, None)
    assert get(world, "owner", f"{PAGE}claim/").status_code == 404
    claims = {
        "supplier": {"application": "application:acme/forest", "price": "900", "partners": "hospital Wards"},
        "other-supplier": {"application": "application:globex/pine", "price": "800", "ties": "outlook"},
    }
    for who, claim in claims.items():
        body = claim | {"plan": f"A plan of {who}.", "commitment": "on"}
        assert "Your claim" in post(world, who, f"{PAGE}claim/", body)
    assert "above 0" not in post(
        world, "supplier", f"{PAGE}claim/", claims["supplier"] | {"plan": "B", "price": "9999"}
    )
    for who in ("desk", "owner", "regulator", "reviewer", "supplier"):
        assert "A plan of other-supplier" not in said(world, who), who
        told = get(world, who, f"{API}/claims").json()
        assert (told["status"], told["code"]) == (409, "calls.sealed"), who
    assert "Name the experts of the call" in said(world, "desk", "/work/")
    experts = get(world, "desk", f"{PAGE}experts/").content.decode()
    chosen = re.findall(r'value="(\S+ p-[a-z-]+)"', experts)
    assert len(chosen) == len(EXPERTS)
    post(world, "desk", f"{PAGE}experts/", {"reviewers": chosen})
    assert "sealed for everybody until" in post(world, "desk", f"{PAGE}open/")
    world.clock.pass_days(30)
    look()
    assert "A plan of other-supplier." not in post(world, "desk", f"{PAGE}open/")
    assert "the second key is yours" in said(world, "planner", "/work/")
    late = post(world, "planner", f"{PAGE}open/")
    assert "A plan of other-supplier." in late and "Tie to Globex" in late
    assert "A plan of other-supplier." not in said(world, "supplier")
    look()
    disagree_and_talk(world)
    score(world, {who: {"acme": (5, 4), "globex": (2, 3)} for who in EXPERTS[:3]}, "Judgement")
    assert get(world, "tied-reviewer", f"{PAGE}score/").status_code == 404
    shown = get(world, "owner", f"{PAGE}standing/").content.decode()
    assert "Judgement of acme" in shown and "First view of acme" in shown and "<svg" in shown
    assert get(world, "supplier", f"{PAGE}standing/").status_code == 404
    assert "Score the claims of the call" not in said(world, "reviewer", "/work/")
    assert "Find the standing of the call" in said(world, "owner", "/work/")
    look()
    post(world, "owner", f"{PAGE}rank/")
    look()
    theirs = said(world, "other-supplier", f"{PAGE}standing/")
    assert "Acme" in theirs and "Judgement of" not in theirs and "accepted" in theirs
    assert get(world, "other-owner", f"{PAGE}standing/").status_code == 200, "hospital is a partner"
    assert get(world, None, f"{PAGE}standing/").status_code == 302
    assert "has not passed the gate" in post(world, "owner", f"{PAGE}award/", {"leader": "globex", "grounds": "x"})
    assert "Objections until" in post(world, "owner", f"{PAGE}award/", {"leader": "acme"})
    assert "Acme" in said(world, None)
    look()
    assert "Appeals" in post(world, "other-supplier", f"{PAGE}appeal/", {"grounds": "The trial was late."})
    assert "The trial was late." not in said(world, "supplier")
    decided = post(world, "desk", f"{PAGE}appeals/1/", {"outcome": "dismissed", "reasons": "It was not."})
    assert "It was not." in decided
    world.clock.pass_days(8)
    assert "Accept a milestone" in said(world, "owner")
    look()
    assert steps.seen == set(CallStage) - {CallStage.FINISHED, CallStage.VOID}
    assert "Accept the milestones of the call" in said(world, "owner", "/work/")
    assert "Accept the milestones" not in said(world, "other-supplier", "/work/")
    assert "Nothing on the base shows" in post(world, "owner", f"{PAGE}milestones/1/", {"words": "Done."})
    file = get(world, "regulator", f"{API}/file")
    assert file.status_code == 200 and file.json()["standing"]["lines"][0]["leader"] == "acme"
    assert get(world, "supplier", f"{API}/file").status_code == 403


def test_a_call_begins_with_what_is_known(world):
    """Prize is all that nobody can know; a second call of the same name writes over no draft."""
    new = "/calls/new/?scenario=plant/milling"
    chinese = world.client("owner").get(new, headers={"accept-language": "zh-hans"}).content.decode()
    assert re.search(r'name="closes"[^>]*value="20[0-9-]+"', chinese), "as a browser takes a day"
    form = get(world, "owner", new).content.decode()
    begun = re.findall(r'name="(title|closes)"[^>]*value="([^"]+)"', form)
    assert dict(begun).keys() == {"title", "closes"} and "60 Plan and method" in form
    asked = {"title": "A pilot", "task": "Warn.", "prize": "1000", "closes": "2026-09-30", "criteria": "100 Plan"}
    rest = {name: value for name, value in DRAFT.items() if name not in asked and name not in ("name", "milestones")}
    for _ in range(2):
        assert "Publish the call" in post(world, "owner", new, asked | rest)
    assert "A pilot" in said(world, "owner", "/calls/plant/a-pilot/")
    assert "A pilot" in said(world, "owner", "/calls/plant/a-pilot-2/")


def score(world, points, words):
    """Let each expert score both teams; nobody reads a score of the round before the last one is in."""
    for number, (who, teams) in enumerate(points.items(), 1):
        assert "Score the claims of the call" in said(world, who, "/work/")
        assert "A plan of" in get(world, who, f"{PAGE}score/").content.decode()
        for team, (first, second) in teams.items():
            body = {"points_0": first, "points_1": second, "words": f"{words} of {team}"}
            post(world, who, f"{PAGE}score/?team={team}", body)
        if number < len(points):
            assert get(world, "desk", f"{API}/scores").json()["code"] == "calls.scores_sealed"
            readers = ("owner", "desk", "regulator", "supplier", "other-supplier", *list(points)[number:])
            for reader, address in product(readers, FACES):
                body = get(world, reader, address).getvalue().decode()
                assert f"{words} of" not in body, (reader, address)


def disagree_and_talk(world):
    """Experts who disagree see why on the page, the operator notes their talk, and the claims are scored once more."""
    apart = [{"acme": (5, 5), "globex": (1, 1)}, {"acme": (1, 1), "globex": (5, 5)}, {"acme": (3, 3), "globex": (3, 3)}]
    score(world, dict(zip(EXPERTS[:3], apart, strict=True)), "First view")
    assert "disagree: note the panel" in said(world, "desk", "/work/")
    for who in ("owner", "reviewer", "desk"):
        assert "The experts disagree" in said(world, who), who
    assert "call-talk" not in said(world, "owner") and "What the panel said" not in said(world, "owner")
    post(world, "desk", f"{PAGE}talk/", {"words": "One had read it as a pilot."})
    earlier = said(world, "reviewer", f"{PAGE}standing/")
    assert "Round 1" in earlier and "One had read it as a pilot." in earlier and "First view of acme" in earlier
    assert get(world, "supplier", f"{PAGE}standing/").status_code == 404


@pytest.mark.prove
def test_the_standing_shows_what_the_tender_found(any_world, tmp_path):
    """The owner orders the tender on the page; its order stands below the points, and a team sees no chart."""
    from pilotbase.hub.base import base

    any_world.people["third-reviewer"] = _person("third-reviewer", "academy", "reviewer")
    ordered, scenario = Ordered(base()), "scenario:plant/small-alarm"
    clock = Clock(base().lab.store.clock())
    object.__setattr__(base().lab.store, "clock", clock)
    take_scenario(ordered.base, ordered.view(OWNER), writing_scenario(tmp_path)())
    ordered.do(OWNER, Act.SCENARIO_SUBMIT, subject=scenario)
    ordered.do(DESK, Act.SCENARIO_OPEN, subject=scenario)
    closes = {"closes": f"{clock.now + timedelta(days=10):%Y-%m-%d}", "milestones": ""}
    weights = {"weight_tender": 40, "weight_experts": 30, "measure": "accuracy", "cases": 200}
    post(any_world, "owner", "/calls/new/?scenario=plant/small-alarm", DRAFT | closes | weights)
    post(any_world, "owner", f"{PAGE}publish/")
    teams = {"supplier": (SUPPLIER, BAD), "other-supplier": (OTHER_SUPPLIER, GOOD)}
    for who, (team, program) in teams.items():
        name = f"application:{team.organisation}/{who}"
        folder = writing_application(tmp_path)(program, who, team.organisation)
        take_application(ordered.base, ordered.view(team), folder, scenario)
        ordered.do(team, Act.APPLICATION_SUBMIT, subject=name)
        claim = {"application": name, "price": "900", "plan": "A plan.", "commitment": "on"}
        assert "Your claim" in post(any_world, who, f"{PAGE}claim/", claim)
    chosen = re.findall(r'value="(\S+ p-[a-z-]+)"', get(any_world, "desk", f"{PAGE}experts/").content.decode())
    post(any_world, "desk", f"{PAGE}experts/", {"reviewers": chosen})
    clock.pass_days(30)
    for who in ("desk", "planner"):
        post(any_world, who, f"{PAGE}open/")
    for who in EXPERTS[:3]:
        for team in ("acme", "globex"):
            points = {"points_0": 3, "points_1": 3, "words": "Well."}
            post(any_world, who, f"{PAGE}score/?team={team}", points)
    assert "is not decided" in post(any_world, "owner", f"{PAGE}rank/")
    post(any_world, "owner", f"{PAGE}tender/")
    assert ("tender", "done") in ordered.work()
    post(any_world, "owner", f"{PAGE}rank/")
    shown = get(any_world, "owner", f"{PAGE}standing/").content.decode()
    assert "<desc>globex/other-supplier is better than acme/supplier by more than 0.01" in shown
    for who in ("owner", *teams):
        assert re.search(r"globex/?.* 100\.0 .*acme/?.* 0\.0 ", said(any_world, who, f"{PAGE}standing/"), re.IGNORECASE)
        assert ("<desc>globex" in get(any_world, who, f"{PAGE}standing/").content.decode()) == (who == "owner")
