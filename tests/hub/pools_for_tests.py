"""A hub whose plant and supplier share a pool 70 to 30, on the boxes of this machine."""

from __future__ import annotations

import time

from pilotbase_estate.computing.rounds import Dispatching
from pilotbase_estate.computing.told_pools import local_backend
from pilotbase_estate.documents.pool import Pool
from pilotbase_estate.queue.pools import set_pool
from tests.hub.test_uploads_in_pieces import JSON, sent, zipped

POOL = {
    "document": "pool/1",
    "name": "hall",
    "title": {"en": "Hall two", "zh": "二号机房"},
    "machines": [{"name": "node", "capacity": {"cpu": 1, "memory": "1 GiB"}}],
    "quotas": [
        {"organisation": "plant", "guarantee": {"cpu": 0.7, "memory": "700 MiB"}},
        {"organisation": "acme", "guarantee": {"cpu": 0.3, "memory": "300 MiB"}, "limit": {"cpu": 0.6}},
    ],
    "minimum_run": "2 s",
    "longest_job": "1 h",
}
SLEEPER = "import time\nprint('at work on line 7', flush=True)\ntime.sleep(120)\n"
"""Longer than any test: it is ended by who has a better right, or taken back."""
WRITER = (
    "import os, sys\nprint('<b>sum</b> of', *sys.argv[1:])\n"
    "open(os.environ['PILOTBASE_OUTPUT'] + '/sum.txt', 'w').write('=1+1')\n"
)


class Hall:
    """The pool, its dispatcher on real boxes, and people who hand programs in over the API."""

    def __init__(self, world, **changes):
        from pilotbase.hub.base import base

        self.world, self.base = world, base()
        self.set(**changes)
        self.dispatching = Dispatching(self.base, local_backend(self.base), "test")

    def set(self, **changes):
        """Let the pool be as it is above, but for what is named."""
        set_pool(self.base.lab.view, Pool.model_validate({**POOL, **changes}))

    def submit(self, who, program=SLEEPER, cpu=0.1, **more):
        """Hand a program in and return the answer."""
        upload = more.pop("upload", None) or sent(self.world.client(who), zipped({"main.py": program}))
        body = {"upload": upload, "entry": ["main.py"], "demand": {"cpu": cpu, "memory": f"{int(cpu * 1000)} MiB"}}
        return self.world.client(who).post("/api/pools/hall/jobs", {**body, "hours": 0.5, **more}, **JSON)

    def handed_in(self, who, program=SLEEPER, cpu=0.1, **more):
        """Hand a program in and return the name of its job."""
        answer = self.submit(who, program, cpu, **more)
        assert answer.status_code == 201, answer.content
        return answer.json()["name"]

    def get(self, who, path, language="en"):
        return self.world.client(who).get(path, headers={"Accept-Language": language})

    def state(self, who, job):
        return self.get(who, f"/api/pool-jobs/{job}").json()["state"]

    def held(self, organisation):
        """Return thousandths of cores that an organisation holds, and that it has borrowed."""
        pool = self.get("desk", "/api/pools/hall").json()
        found = next(one for one in pool["holdings"] if one["organisation"] == organisation)
        return found["held"].get("cpu", 0), found["borrowed"].get("cpu", 0)

    def until(self, holds, seconds=60):
        """Let the pool have its turns until something holds."""
        ends = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < ends, self.get("desk", "/api/pools/hall/jobs").json()
            self.dispatching.round()

    def live(self):
        """Return the names of all that waits or runs."""
        return [one["name"] for one in self.get("desk", "/api/pools/hall/jobs").json()["jobs"]]

    def end(self):
        """Take back all that waits or runs, and let it end."""
        for job in self.live():
            self.world.client("desk").post(f"/api/pool-jobs/{job}/cancel", **JSON)
        self.until(lambda: not self.live())
