"""A hub on which there is one of everything that is told of data, so that its operations meet what they are about."""

import json

from pilotbase.documents.site import Release
from pilotbase.operations import replication, workforce
from pilotbase.worker.base import open_base
from pilotbase.worker.intake.kept_files import take_application
from pilotbase.worker.sites.enrolling import look_at_enrolment
from pilotbase.worker.sites.unpacking import offer_scenarios
from tests.catalogue.records_for_tests import SUPPLIER
from tests.hub.closed_for_tests import ADDRESS, TABLE, keep_closed, work
from tests.hub.services_for_tests import serve
from tests.hub.test_learning import open_draw, pass_steps, post
from tests.hub.test_uploads_in_pieces import sent
from tests.hub.worlds_for_tests import _person
from tests.trial.conftest import GOOD, writing_application, writing_scenario
from tests.worker.datasets.describing_for_tests import PUMPS

LABELLING = "/api/datasets/plant/logs/labelling"
JSON = {"content_type": "application/json"}


def tell_all(world, folder, monkeypatch) -> dict[str, dict[str, str]]:
    """Return beginnings of addresses → what their parameters are called on this hub: `tell_closed`, `tell_more`."""
    return tell_closed(world, folder) | tell_more(world, folder, monkeypatch)


def tell_closed(world, folder, rows=TABLE) -> dict[str, dict[str, str]]:
    """Keep a closed table of ``rows``; publish its quality, a profile and a sample of it; let others label it."""
    keep_closed(world, folder, rows)
    wanted = ({"epsilon": 500_000}, {"epsilon": 1_500_000, "rows": 200})
    asked = [_made(world, "supplier", ADDRESS, body) for body in wanted]
    labelled = _made(world, "owner", LABELLING, _round())
    _made(world, "owner", "/api/datasets/plant/logs/quality/measurement", {})
    assert {end for _, end in work()} == {"done"}
    assert world.client("owner").post("/datasets/plant/logs/measuring/", {"publish": "yes"}).status_code == 302
    return {
        "/api/datasets/": {"owner": "plant", "name": "logs", "asked": asked[1], "file": "logs.csv"},
        "/api/labelling/": {"asked": labelled},
    }


def tell_more(world, folder, monkeypatch) -> dict[str, dict[str, str]]:
    """Begin a description, and enrol a site with a pack."""
    upload = sent(world.client("owner"), PUMPS.encode(), name="pumps.csv")
    draft = _made(world, "owner", "/api/descriptions", {"uploads": [upload]})
    pack = _packed(world, folder, monkeypatch)
    assert {end for _, end in work()} == {"done"}
    return {
        "/api/descriptions/": {"identity": draft},
        "/api/sites/": {"site": "plant-site"},
        "/api/site-packs/": {"asked": pack},
    }


def tell_rest(world, folder) -> dict[str, dict[str, str]]:
    """Let a demand and a kit be stated, occupations loaded, a period closed, a course begun, and a world tried.

    And a certificate be in service. Like the others, with what is asked behind the address as ``?``.
    """
    serve(world, "alarm", "scenario:plant/small-alarm")
    _put(world, "owner", "/api/demands/plant/hum", {"text": "Fans hum at night.", "apart": "Another hall."})
    _put(world, "supplier", "/api/replications/acme/alarm", dict(replication.STATE.example))
    _put(world, "desk", "/api/workforce/occupations", dict(workforce.SET_OCCUPATIONS.example))
    _made(world, "desk", "/api/periods", {"period": "2025-Q4", "staff": 12})
    learner = world.client("supplier")
    pass_steps(learner)
    draw = open_draw(post(learner, "draws"))
    packed = folder / "starter.zip"
    packed.write_bytes(world.client("owner").get("/worlds/starter/world.zip").content)
    upload = sent(world.client("owner"), packed.read_bytes(), name=packed.name)
    assert world.client("owner").post(f"/api/uploads/{upload}/world", {}, **JSON).status_code == 202
    assert {end for _, end in work()} == {"done"}
    demand, kit = {"owner": "plant", "name": "hum"}, {"owner": "acme", "name": "alarm"}
    return {
        "/api/demands/": demand,
        "/api/matches/demands/": demand,
        "/api/replications/": kit,
        "/api/services/": {"service": "alarm"},
        "/api/periods/": {"period": "2025-Q4"},
        "/api/workforce/occupation": {"?": "?code=isco-08:4132"},
        "/api/courses/": {"course": "milling", "number": str(draw)},
        "/api/uploads/{identity}/world": {"identity": upload},
    }


def _put(world, who, address, body):
    found = world.client(who).put(address, body, **JSON)
    assert found.status_code in (200, 201), found.content


def _made(world, who, address, body):
    found = world.client(who).post(address, body, **JSON)
    assert found.status_code in (201, 202), found.content
    return found["Location"].rpartition("/")[2]


def _round():
    labellers = [{"organisation": "plant", "person": _person(who, "plant", "demand_owner").identity} for who in "xyz"]
    return {
        "name": "round",
        "guideline_version": "1",
        "guideline": "Look.",
        "classes": ["fine", "broken"],
        "items": 50,
        "annotators": labellers[:2],
        "adjudicator": labellers[2],
    }


def _packed(world, folder, monkeypatch):
    from pilotbase.hub.base import base

    scenario = writing_scenario(folder)(rows=700, cases=100)
    with monkeypatch.context() as patched:
        patched.setenv("PILOTBASE_HOME", str(folder / "site"))
        site = open_base(create=True, name="plant-site")
    paper = folder / "site-enrolment.json"
    paper.write_bytes(offer_scenarios(site, (scenario,), Release()))
    site.lab.close()
    key = look_at_enrolment(paper).roots.roots[-1].key.key_id
    _made(world, "desk", "/api/sites", {"enrolment": json.loads(paper.read_bytes()), "key": key})
    take_application(base(), base().lab.store.as_actor(SUPPLIER), writing_application(folder)(GOOD, name="offline"))
    wanted = {"scenario": "small-alarm", "application": "application:acme/offline", "days": 7}
    pack = _made(world, "desk", "/api/sites/plant-site/packs", wanted)
    assert world.client("supplier").post(f"/api/site-packs/{pack}/agree", **JSON).status_code == 200
    return pack
