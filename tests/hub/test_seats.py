"""Seats of trials and services on the pages and over the API: why they wait, for whom, and nobody else."""

from __future__ import annotations

import pytest

from pilotbase.documents.texts import text
from pilotbase.worker.providers import OwnWork
from pilotbase.workspace.jobs import JobState, claim, enqueue, finish
from pilotbase_estate.backends.backend import Metered
from pilotbase_estate.documents.vocabularies import JobKind
from pilotbase_estate.queue.sitting import SeatHolder, forgo, place_for
from tests.hub.pools_for_tests import Hall
from tests.hub.services_for_tests import serve
from tests.hub.test_uploads_in_pieces import JSON

SECRET = "a-gateway/1"


@pytest.fixture(scope="module")
def certified(one_world):
    one_world.trial.reach("certified")
    return one_world


@pytest.fixture
def hall(certified):
    made = Hall(certified)
    own = {"organisation": made.base.trust.issuer}
    acme = {"organisation": "acme", "guarantee": {"cpu": 0.5}}
    seats = {"trials": {"cpu": 0.5}, "services": {"cpu": 0.5}}
    made.set(quotas=[acme, {"organisation": "plant"}, own], seats=seats, minimum_run="10 min")
    yield made
    for name in made.live():
        forgo(made.base.lab.view, name)
    made.end()
    made.dispatching.leave()


def sitter(hall, kind, subject, organisation):
    work = OwnWork(kind, subject, organisation, 1 << 20, lambda: 1)
    return SeatHolder(lambda: place_for(hall.base.lab.view, work), subject)


def in_queue(hall):
    """Order a trial, and put it back as its worker does."""
    view = hall.base.lab.view
    while (done := claim(view, "worker", 30)) is not None:
        finish(view, done, JobState.DONE)
    with view.transaction("tests.queued") as change:
        enqueue(change, "trial", "commission:c1", {})
    claimed = claim(view, "worker", 30)
    finish(view, claimed, JobState.QUEUED, text("pool.seat_awaited", pool="hall", why=text("pool.wait.pool_full")))


def test_a_trial_tells_why_it_waits_for_its_seat_and_to_whom(hall):
    in_queue(hall)
    theirs = hall.handed_in("owner", cpu=0.9)
    hall.until(lambda: hall.state("owner", theirs) == "running")
    trial = sitter(hall, JobKind.TRIAL, "commission:c1", "acme")
    assert trial.tend() is not None
    for who in ("owner", "supplier", "regulator"):
        page = hall.get(who, "/trials/c1/").content.decode()
        assert "Seat in hall" in page and "Its guarantee is being restored (Plant)" in page, who
        assert "position 1" in page and theirs not in page, who
        told = hall.get(who, "/api/trials/c1/progress").json()
        assert (told["state"], told["seat"]["pool"], told["seat"]["state"]) == ("queued", "hall", "waiting")
        assert told["seat"]["wait"]["reason"] == "reclaiming", who
        assert "pool hall" in told["reason"]
    assert "在 hall 的席位" in hall.get("owner", "/trials/c1/", "zh").content.decode()
    for path in ("/trials/c1/", "/api/trials/c1/progress"):
        assert hall.get("other-supplier", path).status_code == 404


def test_a_seat_is_a_job_of_the_pool_that_names_its_trial_and_goes_with_it_alone(hall):
    trial = sitter(hall, JobKind.TRIAL, "commission:c1", "acme")
    trial.tend()
    hall.until(lambda: trial.tend() is None)
    (job,) = hall.get("supplier", "/api/pools/hall/jobs").json()["jobs"]
    assert (job["subject"], job["kind"], job["state"]) == ("commission:c1", "trial", "running")
    name = job["name"]
    for path in ("/pools/hall/jobs/", f"/pools/hall/jobs/{name}/"):
        page = hall.get("supplier", path).content.decode()
        assert 'href="/trials/c1/"' in page and "Cancel job" not in page and "/cancel" not in page
    assert hall.get("owner", "/api/pools/hall/jobs").json()["jobs"] == []
    assert hall.get("owner", f"/api/pool-jobs/{name}").status_code == 404
    refused = hall.world.client("supplier").post(f"/api/pool-jobs/{name}/cancel", **JSON)
    assert refused.status_code == 409 and refused.json()["code"] == "pool.seat_not_taken_back"
    trial.leave(Metered(2000, 1000, 3000, 1 << 20))
    hall.until(lambda: hall.state("supplier", name) == "done")
    (ended,) = [one for one in hall.get("supplier", "/api/pools/hall/jobs").json()["ended"] if one["name"] == name]
    assert ended["subject"] == "commission:c1"
    assert hall.get("supplier", f"/api/pool-jobs/{name}").json()["attempts"][0]["cpu_ms"] == 1000
    assert 'href="/trials/c1/"' in hall.get("desk", "/pools/hall/jobs/").content.decode()


def test_a_service_tells_where_its_boxes_have_a_seat_and_to_whom(hall):
    serve(hall.world)
    service = sitter(hall, JobKind.SERVICE, f"service:milling@{SECRET}", "plant")
    service.tend()
    for who in ("owner", "supplier", "desk"):
        (seat,) = hall.get(who, "/api/services/milling").json()["seats"]
        assert (seat["pool"], seat["state"], seat["wait"]) == ("hall", "waiting", None)
        page = hall.get(who, "/services/milling/").content.decode()
        assert "Seats in shared pools" in page and SECRET not in page
    hall.until(lambda: service.tend() is None)
    assert "Running" in hall.get("owner", "/services/milling/").content.decode().split("Seats in shared pools")[1]
    assert hall.get("owner", "/api/pools/hall/jobs").json()["jobs"][0]["subject"] == "service:milling"
    assert hall.get("other-supplier", "/api/services/milling").status_code == 404
    service.leave(Metered())
    hall.until(lambda: hall.get("owner", "/api/services/milling").json()["seats"] == [])
    assert "Seats in shared pools" not in hall.get("owner", "/services/milling/").content.decode()
