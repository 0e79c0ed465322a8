"""Jobs of shared pools, handed in and taken back by requests that come again."""

from pilotbase.compute.queue.pools import set_pool
from pilotbase.documents.pool import Pool
from tests.hub.pools_for_tests import POOL, SLEEPER
from tests.hub.sent_again_for_tests import Sent, ask, case
from tests.hub.test_uploads_in_pieces import sent, zipped


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
