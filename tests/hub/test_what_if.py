"""What if a pool had other rules: asked for on its page or over the API, played by a worker, figures side by side."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from typer.testing import CliRunner

from pilotbase.cli import app
from pilotbase.worker.jobs.worker import JobWorker
from pilotbase.workspace.actors import parties
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.jobs import JobState
from pilotbase_estate.computing import what_if
from pilotbase_estate.documents.pool import Pool
from pilotbase_estate.documents.pool_replay import Policy, PoolReplay
from pilotbase_estate.queue.pools import set_pool
from pilotbase_estate.replay.page import render_replay
from tests.hub.fields_for_tests import fields_of, refusals
from tests.hub.test_uploads_in_pieces import JSON
from tests.hub.what_if_for_tests import FAIR, POOL, record

PAGE, API = "/pools/what-if/what-if/", "/api/pools/what-if/what-ifs"
SEEN = ("desk", "regulator")
UNSEEN = ("owner", "supplier", "other-supplier", "reviewer")


@pytest.fixture(scope="module")
def world(one_world):
    record()
    return one_world


@pytest.fixture(autouse=True)
def nothing_left(world):
    """Let the next test begin without a what-if that waits."""
    yield
    for one in get(world, "desk", API).json():
        if one["state"] in ("queued", "running"):
            world.client("desk").post(f"{API}/{one['identity']}/cancel", **JSON)


def get(world, who, path, language="en"):
    return world.client(who).get(path, headers={"Accept-Language": language})


def work():
    from pilotbase.hub.base import base

    return JobWorker(base(), "w1").work_once()


def form(**changes):
    from pilotbase.hub.base import base

    today = base().lab.store.clock().date()
    given = {"since": str(today - timedelta(days=1)), "until": "", "policies": ["shared", "fifo"]}
    return {**given, **changes}


def ask(world, who="desk", **changes):
    """Ask over the API and return the answer."""
    from pilotbase.hub.base import base

    since = (base().lab.store.clock() - timedelta(days=1)).isoformat()
    return world.client(who).post(API, {"since": since, "policies": ["fifo"], **changes}, **JSON)


def test_rules_that_are_considered_stand_beside_those_of_today(world, tmp_path):
    assert PAGE in get(world, "desk", "/pools/what-if/").content.decode()
    empty = get(world, "desk", PAGE).content.decode()
    assert "guarantee:" in empty and "zone: a" in empty, "the pool as it is, to be changed"
    chinese = get(world, "desk", PAGE, "zh").content.decode()
    assert re.search(r'<input type="date" name="since" value="\d{4}-\d\d-\d\d"', chinese), "as a browser takes it"
    answer = world.client("desk").post(PAGE, form(yaml=FAIR))
    assert answer.status_code == 302, refusals(answer.content.decode())
    place = answer["Location"]
    waiting = get(world, "desk", place).content.decode()
    assert "Cancel it" in waiting and 'hx-trigger="every 2s"' in waiting and "Refresh" in waiting
    assert work()[1] is JobState.DONE

    shown = {language: get(world, "desk", place, language).content.decode() for language in ("en", "zh")}
    assert "Shared pool, as it is" in shown["en"] and "Shared pool, as proposed" in shown["en"]
    assert "共享算力池（拟议规则）" in shown["zh"] and "先来先服务" in shown["zh"]
    plant = re.findall(r'<tr><th scope="row">Plant</th><td[^>]*>([^<]*)</td>(.*?)</tr>', shown["en"])
    waits = {policy: re.findall(r">([^<]*)</td>", cells)[2:] for policy, cells in plant}
    assert waits == {
        "Shared pool, as it is": ["1.5 h"] * 3,
        "Shared pool, as proposed": ["15 min", "27 min", "30 min"],
        "First come, first served": ["1.5 h"] * 3,
    }
    assert [page.count('role="img"') for page in shown.values()] == [3, 3], "charts"
    assert "+- organisation: plant\n" in shown["en"] or "+  guarantee:" in shown["en"], "what is considered otherwise"

    identity = place.rstrip("/").rpartition("/")[2]
    told = get(world, "desk", f"{API}/{identity}").json()
    assert (told["state"], told["policies"], told["organisation"]) == ("done", ["shared", "fifo"], "base")
    answered = get(world, "regulator", f"{API}/{identity}/replay")
    found = PoolReplay.from_json_value(answered.json())
    assert (answered["ETag"], told["replay"]) == (f'"{found.digest()}"', found.digest())
    assert found.before is not None and [one.policy for one in found.policies] == [Policy.SHARED, Policy.FIFO]
    medians = [one.organisations[1].waits.median for one in (found.before, *found.policies)]
    assert medians[1] < medians[0] == medians[2] == 3 * 1800 - 60, "plant waits for all of acme, as it did"

    page = get(world, "regulator", f"{place}replay.html")
    assert page.content.decode() == render_replay(found, "en")
    assert page["Content-Security-Policy"].startswith("sandbox")

    (tmp_path / "fair.yaml").write_text(FAIR, "utf-8")
    words = ["compute", "replay", "--of", "what-if", "--pool", str(tmp_path / "fair.yaml"), "--json"]
    printed = CliRunner().invoke(app, [*words, "--policy", "shared", "--policy", "fifo"])
    assert json.loads(printed.stdout) == answered.json(), "the command line plays the same"


def test_without_other_rules_policies_are_compared_on_the_pool_as_it_is(world):
    unchanged = fields_of(get(world, "regulator", PAGE).content.decode())
    answer = world.client("regulator").post(PAGE, {**unchanged, **form(policies=[one.value for one in Policy])})
    assert answer.status_code == 302, refusals(answer.content.decode())
    work()
    found = get(world, "regulator", API).json()[0]
    assert (found["considered"], found["organisation"], found["state"]) == (None, "ministry", "done")
    replay = get(world, "desk", f"{API}/{found['identity']}/replay").json()
    assert "before" not in replay and len(replay["policies"]) == len(Policy)
    assert answer["Location"] in get(world, "desk", PAGE, "zh").content.decode()


@pytest.mark.prove
def test_who_does_not_see_all_of_a_base_gets_no_figures(world):
    """Organisations with a quota, others, and a reviewer: no page, no operation, not that there is one."""
    identity = ask(world).json()["identity"]
    assert work()[1] is JobState.DONE
    places = [PAGE, f"{PAGE}{identity}/", f"{PAGE}{identity}/replay.html", API, f"{API}/{identity}",
              f"{API}/{identity}/replay"]  # fmt: skip
    for who in (*SEEN, *UNSEEN):
        statuses = {get(world, who, place).status_code for place in places}
        assert statuses == {200 if who in SEEN else 404}, who
    for who in UNSEEN:
        assert ask(world, who).status_code == 404
        assert world.client(who).post(PAGE, form(yaml=FAIR)).status_code == 404
        assert world.client(who).post(f"{API}/{identity}/cancel", **JSON).status_code == 404
        assert world.client(who).post(f"{PAGE}{identity}/cancel/").status_code == 404
        assert PAGE not in get(world, who, "/pools/what-if/").content.decode()
    assert get(world, "desk", f"/pools/hall/what-if/{identity}/").status_code == 404


def test_other_rules_are_filled_in_row_by_row(world):
    """Half of the machines are plant's, and one of them is under maintenance; a wrong amount is told at its row."""
    from pilotbase.hub.base import base

    large = Pool.model_validate(
        {**POOL, "name": "large", "machines": [{"name": "n", "capacity": {"cpu": 8, "memory": "64 GiB"}}]}
    )
    set_pool(base().lab.view, large)
    assert fields_of(get(world, "desk", "/pools/large/what-if/").content.decode())["machines-0-capacity"] == (
        "cpu = 8\nmemory = 64 GiB"
    ), "as people write it"
    said = fields_of(get(world, "desk", PAGE).content.decode())
    half = {"quotas-0-guarantee": "cpu = 2", "quotas-1-guarantee": "cpu = 9", "minimum_run": "1 min", **form()}
    refused = world.client("desk").post(PAGE, {**said, **half}).content.decode()
    assert 'id="id_quotas-1-guarantee_error"' in refused and "cpu = 9" in refused
    added = world.client("desk").post(PAGE, {**said, **half, "add": "quotas"}).content.decode()
    assert "quotas-3-organisation" in added and "cpu = 9" in added and "wrong-why" not in added
    window = {"starts": "2027-01-01T08:00", "ends": "2027-01-01T09:30", "machines": "node", "why_en": "New fans"}
    closed = {f"maintenance-0-{name}": value for name, value in window.items()}
    half |= {"quotas-1-guarantee": "cpu = 2", **closed}
    answer = world.client("desk").post(PAGE, {**said, **half})
    assert answer.status_code == 302, refusals(answer.content.decode())
    considered = what_if.what_ifs(base().lab.view, "what-if")[0].order.considered.to_json_value()
    assert [one.get("guarantee") for one in considered["quotas"]] == [{"cpu": 2}, {"cpu": 2}]
    assert considered["machines"] == POOL["machines"] and considered["minimum_run"] == 60
    assert considered["maintenance"][0]["ends"] == "2027-01-01T09:30:00Z"
    assert considered["title"] == POOL["title"], "what is not asked for stays"


def test_all_that_is_wrong_with_the_rules_is_told_at_once_and_can_be_mended(world):
    before = get(world, "desk", API).json()
    wrong = FAIR.replace("cpu: 2}},", "cpu: 9}},").replace("1 min", "10 years").replace("plant,", "plant, wight: 2,")
    page = world.client("desk").post(PAGE, form(yaml=wrong)).content.decode()
    assert "quotas[0].guarantee.cpu" in page and "quotas[1].wight" in page and "minimum_run" in page
    assert "wight: 2" in page, "what was sent stands in the text"
    chinese = world.client("desk").post(PAGE, form(yaml="a: [", policies=[]), headers={"Accept-Language": "zh"})
    assert "这个字段" in chinese.content.decode() or "必填" in chinese.content.decode()
    stranger = FAIR.replace("organisation: plant", "organisation: nobody")
    assert "plant" in world.client("desk").post(PAGE, form(yaml=stranger)).content.decode()
    told = ask(world, considered={**POOL, "minimum_run": "10 years"})
    assert told.status_code == 422 and "minimum_run" in str(told.json()["problems"])
    assert get(world, "desk", API).json() == before


def test_a_hub_plays_no_more_than_it_can(world, monkeypatch):
    answers = {
        "what_if.no_span": ask(world, since="2999-01-01T00:00:00Z"),
        "replay.nothing_recorded": ask(world, since="2020-01-01T00:00:00Z", until="2020-01-02T00:00:00Z"),
    }
    monkeypatch.setattr(what_if, "MOST_JOBS", 7)
    answers["what_if.too_many_jobs"] = ask(world)
    assert {code: (one.status_code, one.json()["code"]) for code, one in answers.items()} == {
        code: (422, code) for code in answers
    }
    assert "9 jobs were submitted" in answers["what_if.too_many_jobs"].json()["title"]
    monkeypatch.undo()
    monkeypatch.setattr(what_if, "MOST_MINUTES", 0)
    identity = ask(world).json()["identity"]
    second = ask(world)
    assert (second.status_code, second.json()["code"]) == (409, "what_if.at_work")
    assert work()[1] is JobState.FAILED
    failed = get(world, "desk", f"{API}/{identity}").json()
    assert failed["state"] == "failed" and "shorter period" in failed["reason"] and failed["replay"] is None
    assert "shorter period" in get(world, "desk", f"{PAGE}{identity}/").content.decode()
    assert get(world, "desk", f"{API}/{identity}/replay").json()["code"] == "what_if.no_figures"


def test_one_that_waits_or_is_played_is_taken_back(world, monkeypatch):
    queued = ask(world).json()["identity"]
    assert "hx-get" in get(world, "regulator", f"{PAGE}{queued}/").content.decode()
    assert world.client("regulator").post(f"{API}/{queued}/cancel", **JSON).status_code == 403
    assert world.client("desk").post(f"{PAGE}{queued}/cancel/").status_code == 302
    page = get(world, "desk", f"{PAGE}{queued}/").content.decode()
    assert "Cancelled" in page and "cancelled by base" in page and "Cancel it" not in page
    assert work() is None
    over = world.client("desk").post(f"{API}/{queued}/cancel", **JSON)
    assert (over.status_code, over.json()["code"]) == (409, "what_if.over")

    played = ask(world, "regulator").json()["identity"]
    real = what_if.play_record

    def taken_back_meanwhile(*given):
        assert world.client("regulator").post(f"{API}/{played}/cancel", **JSON).json()["state"] == "stopping"
        return real(*given)

    monkeypatch.setattr(what_if, "play_record", taken_back_meanwhile)
    assert work()[1] is JobState.CANCELLED
    assert get(world, "desk", f"{API}/{played}").json()["replay"] is None


def test_figures_are_kept_for_a_quarter_and_that_it_was_asked_stays(world):
    from pilotbase.hub.base import base

    home = base()
    identity = ask(world).json()["identity"]
    assert work()[1] is JobState.DONE
    told = get(world, "desk", f"{API}/{identity}").json()
    kept = datetime.fromisoformat(told["kept_until"]) - datetime.fromisoformat(told["asked_at"])
    assert kept >= timedelta(days=90)
    assert "kept for 90 days" in get(world, "desk", PAGE).content.decode()
    assert "保存 90 天" in get(world, "desk", PAGE, "zh").content.decode()
    assert "Kept until" in get(world, "desk", f"{PAGE}{identity}/").content.decode()

    def on_day(days):
        later = replace(home.lab.store, clock=lambda: told_at + timedelta(days=days))
        vault = replace(home.lab.vault, view=later.as_actor(home.lab.view.actor))
        return replace(home, lab=replace(home.lab, store=later, vault=vault))

    told_at, day = home.lab.store.clock(), on_day(89)
    what_if.erase_old_figures(day)
    found = what_if.find_what_if(day.lab.view, "what-if", identity)
    assert what_if.replay_of(day, found).digest() == told["replay"]
    after = on_day(91)
    assert what_if.erase_old_figures(after) >= 1 and what_if.erase_old_figures(after) == 0
    over = what_if.find_what_if(after.lab.view, "what-if", identity)
    assert (over.order.identity, over.is_over) == (identity, True)
    with pytest.raises(NotFoundError) as gone:
        what_if.replay_of(after, over)
    assert gone.value.code == "what_if.no_figures"
    assert not home.lab.vault.blobs.exists(found.played.blob), "nothing is left of the figures"
    with home.lab.view.transaction("tests.aged") as change:
        aged = found.played.model_copy(update={"until": told_at})
        change.let_stand(f"what_if-played:{identity}", change.put(aged, parties()))
    for language, said in (("en", "Figures erased"), ("zh", "数据已删除")):
        assert said in get(world, "desk", f"{PAGE}{identity}/", language).content.decode()
        assert said in get(world, "regulator", PAGE, language).content.decode()
    over = get(world, "desk", f"{API}/{identity}").json()
    assert (over["state"], over["replay"], over["kept_until"]) == ("done", None, None)
    assert get(world, "desk", f"{API}/{identity}/replay").status_code == 404
