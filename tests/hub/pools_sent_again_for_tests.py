"""Jobs of shared pools, handed in and taken back by requests that come again."""

from pilotbase_estate.documents.pool import Pool
from pilotbase_estate.queue.pools import set_pool
from tests.hub.pools_for_tests import POOL, SLEEPER
from tests.hub.sent_again_for_tests import Sent, ask, case
from tests.hub.test_uploads_in_pieces import sent, zipped
from tests.hub.what_if_for_tests import record


def _pool() -> None:
    from pilotbase.hub.base import base

    set_pool(base().lab.view, Pool.model_validate(POOL))


def _job(world) -> dict[str, object]:
    upload = sent(world.client("owner"), zipped({"main.py": SLEEPER}))
    return {"upload": upload, "entry": ["main.py"], "demand": {"cpu": 0.1, "memory": "9 MiB"}}


@case("post /api/pools/{pool}/jobs", "owner")
def hand_in_a_job(world) -> Sent:
    _pool()
    yield "/api/pools/hall/jobs", _job(world)
    ask(world, "owner", "post", "/api/pools/hall/jobs", _job(world))


@case("post /api/pool-jobs/{job}/cancel", "owner")
def take_a_job_back(world) -> Sent:
    _pool()
    name = ask(world, "owner", "post", "/api/pools/hall/jobs", _job(world)).json()["name"]
    yield f"/api/pool-jobs/{name}/cancel", None


WHAT_IFS = "/api/pools/what-if/what-ifs"
ASKED = {"since": "2020-01-01T00:00:00Z", "policies": ["fifo"]}


@case("post /api/pools/{pool}/what-ifs", "desk")
def ask_what_if(world) -> Sent:
    record()
    yield WHAT_IFS, ASKED
    _take_back(world)
    ask(world, "regulator", "post", WHAT_IFS, ASKED)
    _take_back(world)


@case("post /api/pools/{pool}/what-ifs/{asked}/cancel", "desk")
def take_a_what_if_back(world) -> Sent:
    record()
    yield f"{WHAT_IFS}/{ask(world, 'desk', 'post', WHAT_IFS, ASKED).json()['identity']}/cancel", None


def _take_back(world) -> None:
    for one in world.client("desk").get(WHAT_IFS).json():
        if one["state"] == "queued":
            ask(world, "desk", "post", f"{WHAT_IFS}/{one['identity']}/cancel")
