"""What is not there of a pool's machines, on its page and over the API, as the worker has told it."""

from __future__ import annotations

from pilotbase_estate.queue.turns import There, keep_there
from tests.hub.pools_for_tests import Hall


def test_machines_that_are_not_as_told_are_named_and_a_cluster_that_is_away_is_told(one_world):
    machines = [{"name": "rack", "count": 3, "capacity": {"cpu": 4, "memory": "4 GiB"}}]
    hall = Hall(one_world, name="hall-7", machines=machines, quotas=[])

    def told(**there):
        with hall.base.lab.view.store.database.write() as connection:
            keep_there(connection, "hall-7", There(**there))
        return hall.get("desk", "/api/pools/hall-7").json()

    found = told(missing=("rack-2",), smaller={"rack-3": {"cpu": 0, "memory": 1 << 30}})
    assert (found["missing"], found["smaller"], found["away"]) == (
        ["rack-2"],
        {"rack-3": {"cpu": 0, "memory": 1 << 30}},
        False,
    )
    assert found["free"] == {"cpu": 4000, "memory": 5 << 30}, "what is not there is not free"
    page = hall.get("desk", "/pools/hall-7/").content.decode().replace("\u00a0", " ")
    assert "Missing" in page and "rack-2" in page and "--node-name" in page
    assert "rack-3: cpu 0 · memory 1 GiB" in page
    others = hall.get("owner", "/pools/hall-7/", "zh").content.decode()
    assert "不在位" in others and "--node-name" not in others, "what to do is for who can"
    assert "没有应答" not in others
    assert told(away=True, missing=("rack-2",))["away"]
    for who, hinted in (("desk", True), ("owner", False)):
        page = hall.get(who, "/pools/hall-7/", "zh").content.decode()
        assert "本算力池的机器没有应答" in page
        assert ("PILOTBASE_RAY_ADDRESS" in page) is hinted
    assert told()["missing"] == [], "and what is back is told no more"
