"""Shared pools on a hub: borrowing and reclaim as they are seen; of others no job, only how much."""

from __future__ import annotations

import io
import re
import zipfile

import pytest

from tests.hub.closed_for_tests import keep_closed
from tests.hub.pools_for_tests import SLEEPER, WRITER, Hall
from tests.hub.test_uploads_in_pieces import JSON, sent, zipped


@pytest.fixture
def hall(one_world):
    made = Hall(one_world)
    yield made
    made.end()
    made.dispatching.leave()


def described(page):
    """What the picture of a page says to who does not see it."""
    return re.search(r"<desc>(.*?)</desc>", page.content.decode())[1]


@pytest.mark.prove
def test_who_is_idle_is_borrowed_from_and_has_its_guarantee_back_when_it_returns(hall):
    """70 to 30 on this machine: the supplier is idle, then it returns; seen on the pages and in the figures."""
    hall.set(minimum_run="10 min")
    own = hall.handed_in("owner", cpu=0.7)
    lent = hall.handed_in("owner", cpu=0.3)
    hall.until(lambda: hall.held("plant") == (1000, 300))
    assert described(hall.get("supplier", "/pools/hall/?dimension=cpu")) == (
        "Plant: 1 (100 %), guarantee 70 %, borrowed 30 %; Acme: 0 (0 %), guarantee 30 %, limit 60 %"
    )
    assert hall.get("owner", "/api/pools/hall").json()["free"] == {"cpu": 0, "memory": 24 << 20}

    back = hall.handed_in("supplier", cpu=0.3)
    waiting = hall.get("supplier", "/pools/hall/jobs/").content.decode()
    assert "Its guarantee is being restored (Plant)" in waiting and "position 1" in waiting
    assert re.search(r"estimated start <time datetime=", waiting)
    hall.set(minimum_run="2 s")
    hall.until(lambda: hall.held("acme") == (300, 0) and hall.held("plant") == (700, 0))
    assert hall.state("supplier", back) == "running"
    assert described(hall.get("owner", "/pools/hall/?dimension=cpu", "zh")) == (
        "Plant: 0.7 (70%), 保障量 70%; Acme: 0.3 (30%), 保障量 30%, 上限 60%"
    )
    assert [hall.state("owner", own), hall.state("owner", lent)] == ["running", "waiting"]
    evicted = hall.get("owner", f"/pools/hall/jobs/{lent}/").content.decode()
    assert "Evicted for a job that has priority" in evicted and "Evictions" in evicted

    usage = hall.get("owner", "/api/pools/hall/usage?span=hour").json()
    assert usage["shares"]["plant"][-1] > usage["shares"]["acme"][-1] > 0
    assert usage["guarantees"] == {"plant": pytest.approx(0.7), "acme": pytest.approx(0.3)}
    over_time = hall.get("supplier", "/pools/hall/usage/?span=hour").content.decode()
    assert "Guarantee of Acme 30 %" in over_time and ">Plant</th>" in over_time


FORM = {"entry": "main.py a 'b c'", "cpu": "0.1", "memory": "100 MiB", "hours": "0.1", "members": "1", "priority": "0",
        "more": "", "reads": "", "voucher": ""}  # fmt: skip


def test_a_program_comes_by_the_form_runs_and_only_its_organisation_has_log_and_output(hall):
    supplier, page = hall.world.client("supplier"), "/pools/hall/jobs/new/"
    file = io.BytesIO(zipped({"main.py": WRITER}))
    file.name = "program.zip"
    wrong = supplier.post(page, {**FORM, "folder": file, "more": "gpu/t4=1"}, headers={"Accept-Language": "zh"})
    assert "gpu/t4" in wrong.content.decode() and "全部只有" in wrong.content.decode()
    kept = re.search(r'name="kept" value="([0-9a-f]{32})"', wrong.content.decode())[1]
    assert "A quotation mark is not closed" in supplier.post(page, {**FORM, "entry": "main.py 'x"}).content.decode()
    assert "much is not a valid size" in supplier.post(page, {**FORM, "memory": "much", "kept": kept}).content.decode()
    for changes, said in (
        ({"entry": "main.py" + " a" * 120}, "at most 100 entries"),
        ({"reads": "plant/logs:a.csv\n" * 60}, "at most 50 entries"),
        ({"reads": "plant logs.csv"}, "does not name a file of a dataset"),
    ):
        bounded = supplier.post(page, {**FORM, **changes, "kept": kept})
        assert bounded.status_code == 200 and said in bounded.content.decode(), changes
    done = supplier.post(page, {**FORM, "kept": kept})
    assert done.status_code == 302, done.content.decode()
    assert supplier.get("/api/uploads").json() == [], "what was handed in is erased"
    job = done["Location"].rstrip("/").rpartition("/")[2]
    hall.until(lambda: hall.state("supplier", job) == "done")
    log, output = (f"/api/pool-jobs/{job}/members/0/{what}" for what in ("log", "output"))
    page_log, page_output = (f"/pools/hall/jobs/{job}/0.{what}" for what in ("log", "zip"))
    assert b"".join(hall.get("supplier", log)) == b"<b>sum</b> of a b c\n"
    for address in (output, page_output):
        archive = hall.get("supplier", address)
        assert zipfile.ZipFile(io.BytesIO(b"".join(archive))).read("sum.txt") == b"=1+1"
        assert (
            archive["Content-Disposition"].startswith("attachment") and "sandbox" in archive["Content-Security-Policy"]
        )
        assert archive["Content-Type"] == "application/octet-stream"
    page = hall.get("supplier", f"/pools/hall/jobs/{job}/").content.decode()
    assert "&lt;b&gt;sum&lt;/b&gt; of a b c" in page and "<b>sum" not in page
    told = hall.get("supplier", f"/api/pool-jobs/{job}").json()
    assert told["attempts"][0]["ending"] == "done" and told["attempts"][0]["wall_ms"] > 0
    for address in (log, output, page_log, page_output):
        assert {
            who: hall.get(who, address).status_code for who in ("owner", "other-supplier", "desk", "regulator")
        } == (dict.fromkeys(("owner", "other-supplier", "desk", "regulator"), 404)), address
    operators = hall.get("desk", f"/pools/hall/jobs/{job}/").content.decode()
    assert job in operators and "sum&lt;" not in operators and ".zip" not in operators
    assert hall.get("supplier", f"/api/pool-jobs/{job}/members/1/log").status_code == 404


@pytest.mark.prove
def test_of_others_no_job_has_a_name_and_none_is_taken_back(hall):
    first = hall.handed_in("owner", cpu=0.7)
    second = hall.handed_in("owner", cpu=0.7)
    third = hall.handed_in("supplier", cpu=0.6)
    for who, names in (("supplier", {third}), ("other-supplier", set()), ("desk", {first, second, third})):
        told = hall.get(who, "/api/pools/hall/jobs")
        assert {one["name"] for one in told.json()["jobs"]} == names, who
        seen = told.content.decode() + hall.get(who, "/pools/hall/jobs/").content.decode()
        assert {name for name in (first, second, third) if name in seen} == names, who
    told = hall.get("supplier", "/api/pools/hall/jobs").json()
    assert told["others"] == [{"organisation": "plant", "held": {}, "running": 0, "waiting": 2}]
    assert "person" not in hall.get("owner", f"/api/pool-jobs/{first}").content.decode()
    for address in (f"/api/pool-jobs/{first}/cancel", f"/pools/hall/jobs/{first}/cancel/"):
        assert hall.world.client("supplier").post(address, **JSON).status_code == 404
        assert hall.world.client("regulator").post(address, **JSON).status_code in (403, 404)
    assert hall.state("owner", first) == "waiting"
    assert hall.world.client("owner").post(f"/pools/hall/jobs/{second}/cancel/").status_code == 302
    assert hall.state("owner", second) == "cancelled"
    hall.end()
    gone = hall.world.client("owner").post(f"/api/pool-jobs/{first}/cancel", **JSON)
    assert gone.status_code == 409 and first in gone.json()["title"]


def test_what_could_never_run_is_refused_with_what_to_do(hall):
    upload = sent(hall.world.client("supplier"), zipped({"main.py": SLEEPER}))
    for changes, said in (
        ({"cpu": 2}, "hall has 1 in total"),
        ({"entry": ["other.py"]}, "no Python file other.py"),
        ({"data": [{"dataset": "dataset:plant/none", "file": "x.csv"}]}, ""),
        ({"demand": {"cpu": -1}}, "not a valid amount"),
        ({"demand": {"bananas": 1}}, "not a dimension"),
        ({"hours": 3}, "may run for at most 1 h"),
        ({"voucher": "nothing"}, ""),
    ):
        answer = hall.submit("supplier", upload=upload, **changes)
        assert answer.status_code in (403, 404, 422), (changes, answer.content)
        problem = answer.json()
        assert said in str(problem) and (problem["hint"] or problem["problems"]), (changes, problem)
        assert "/scratch/" not in str(problem) and "worlds" not in str(problem)
    assert hall.submit("other-supplier").json()["code"] == "pool.no_quota"
    assert hall.get("supplier", "/api/pools/hall/jobs").json()["jobs"] == []


def test_closed_data_are_opened_to_no_job(hall, tmp_path):
    keep_closed(hall.world, tmp_path)
    answer = hall.submit("supplier", data=[{"dataset": "dataset:plant/logs", "file": "logs.csv"}])
    assert (answer.status_code, answer.json()["code"]) == (403, "terms.refused")
    file = io.BytesIO(zipped({"main.py": WRITER}))
    file.name = "program.zip"
    reading = {**FORM, "reads": "plant/logs:logs.csv", "folder": file}
    page = hall.world.client("supplier").post("/pools/hall/jobs/new/", reading)
    assert page.status_code == 200 and "dataset:plant/logs" in page.content.decode()
    assert hall.live() == []


def test_a_request_that_is_sent_again_makes_no_second_job(hall):
    from pilotbase.hub.models import GivenAnswer

    upload = sent(hall.world.client("owner"), zipped({"main.py": SLEEPER}))
    body = {"upload": upload, "entry": ["main.py"], "demand": {"cpu": 0.1, "memory": "9 MiB"}}
    answers = []
    for _ in range(2):
        answers.append(
            hall.world.client("owner").post("/api/pools/hall/jobs", body, **JSON, HTTP_IDEMPOTENCY_KEY="one")
        )
        GivenAnswer.objects.all().delete()
    assert [one.status_code for one in answers] == [201, 201]
    assert answers[0].json()["name"] == answers[1].json()["name"]
    assert hall.live() == [answers[0].json()["name"]]


def test_machines_under_maintenance_are_named_and_are_not_free(one_world):
    window = {"starts": "2020-01-01T00:00:00Z", "ends": "2100-01-01T00:00:00Z", "machines": ["old"], "why": "new fans"}
    machines = [{"name": "node", "capacity": {"cpu": 1}}, {"name": "old", "count": 2, "capacity": {"cpu": 4}}]
    hall = Hall(one_world, name="hall-3", machines=machines, maintenance=[window], quotas=[])
    told = hall.get("owner", "/api/pools/hall-3").json()
    assert told["closed"] == ["old-1", "old-2"] and told["free"] == {"cpu": 1000}
    page = hall.get("owner", "/pools/hall-3/", "zh").content.decode()
    assert "old-1, old-2" in page and "new fans" in page and "维护窗口" in page
    assert "2 under maintenance" in hall.get("owner", "/pools/").content.decode()


def rows(part, *filled):
    """Return what a browser sends of a table of rows, the last of them empty but for its number."""
    filled = (*filled, {"count": 1, "weight": 1})
    sent = {f"{part}-TOTAL_FORMS": len(filled), f"{part}-INITIAL_FORMS": 0}
    return sent | {f"{part}-{number}-{name}": value for number, one in enumerate(filled) for name, value in one.items()}


MADE = {
    "name": "cellar",
    "title_en": "Cellar",
    "title_zh": "地下机房",
    "longest_job": "8 h",
    "minimum_run": "5 min",
    **rows(
        "machines",
        {"name": "node", "count": 4, "capacity": "cpu 8, memory 32 GiB"},
        {"name": "gpu", "count": 1, "capacity": "cpu 4，gpu/t4 2"},
    ),
    **rows("quotas", {"organisation": "plant", "guarantee": "cpu 20", "limit": "", "weight": 2}),
}


def test_a_pool_is_made_and_changed_in_the_browser(one_world):
    desk = one_world.client("desk")
    assert desk.post("/pools/new/", MADE).headers.get("Location") == "/pools/cellar/"
    pool = desk.get("/api/pools/cellar").json()
    assert pool["capacity"]["cpu"] == 36_000 and pool["capacity"]["gpu/t4"] == 2_000
    page = desk.get("/pools/cellar/change/").content.decode()
    assert "cpu 8" in page and 'value="8 h"' in page and "地下机房" in page
    first, second = ({"organisation": one, "guarantee": "cpu 10", "weight": 1} for one in ("plant", "acme"))
    more = rows("quotas", first, second)
    assert desk.post("/pools/cellar/change/", {**MADE, **more, "longest_job": "2 h"}).status_code == 302
    assert "acme" in desk.get("/pools/cellar/").content.decode().lower()
    for who in ("owner", "supplier", "regulator"):
        assert one_world.client(who).post("/pools/cellar/change/", MADE).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"machines-0-capacity": "cpu lots"}, "lots"),
        ({"machines-1-name": "node-1"}, "node-1"),
        ({"machines-1-name": ""}, "wrong-why"),
        ({"name": "hall"}, "There is already a pool"),
        ({"machines-0-capacity": "teapots 3"}, "teapots"),
        ({"quotas-0-guarantee": "cpu 900"}, "900"),
        ({"longest_job": "soon"}, "soon"),
        ({"name": "Not A Name"}, "Not A Name"),
        ({"machines-TOTAL_FORMS": "0"}, "machine"),
        ({"machines-TOTAL_FORMS": "many"}, "Computing"),
    ],
)
def test_what_no_pool_can_be_is_said_where_it_stands(hall, one_world, wrong, said):
    answer = one_world.client("desk").post("/pools/new/", {**MADE, "name": "attic", **wrong})
    assert answer.status_code == 200
    page = answer.content.decode()
    assert said in page and ("wrong-why" in page or 'role="alert"' in page)
    assert one_world.client("desk").get("/pools/attic/").status_code == 404
