"""A real trial on the hub: its bundle, what hidden data still hold, the queue, the board, candidates side by side."""

import html
import io
import re
from dataclasses import replace

import polars as pl
import pytest

from pilotbase.documents.permissions import Act
from pilotbase.documents.record import Order
from pilotbase.documents.report import Report
from pilotbase.worker.sample_bundles.files import unpack
from pilotbase.worker.sample_bundles.replaying import replay_bundle
from tests.catalogue.records_for_tests import DESK, REGULATOR, SUPPLIER
from tests.hub.live_for_tests import listening, token_of
from tests.trial.conftest import writing_application, writing_scenario
from tests.worker.commissions_for_tests import APPLICATION, Ordered

EVERYBODY = ("visitor", "stranger", "desk", "owner", "other-owner", "supplier", "other-supplier", "reviewer",
             "other-reviewer", "regulator")  # fmt: skip
SCENARIO = "plant/small-alarm"


def with_costs_and_board(content):
    return content.replace(
        "criteria:", "costs: {miss: 500, false_alarm: 20}\ncriteria:\n  - {rule: precision(broken) >= 0.6}"
    ) + ("  board: {measure: accuracy, share: 0.2, entries: 3, improvements: 2}\n  approvals: [{kind: ethics}]\n")


@pytest.fixture(scope="module")
def tried(any_world, tmp_path_factory):
    """A world with one accepted trial, a submission to the board, and a second trial in the queue."""
    from pilotbase.hub.base import base

    place = tmp_path_factory.mktemp("tried")
    ordered = Ordered(base())
    ordered.open(writing_scenario(place)(change=with_costs_and_board), writing_application(place)())
    ordered.propose()
    ordered.approve()
    ordered.freeze()
    ordered.do_queued()
    ordered.accept()
    ordered.work()
    any_world.ordered = ordered
    return any_world


def client(world, who):
    return world.client(None if who == "visitor" else who)


def codes(world, ask):
    return {who: ask(client(world, who)).status_code for who in EVERYBODY}


BUNDLE = {"visitor": 404, "stranger": 404, "desk": 200, "owner": 200, "other-owner": 404, "supplier": 404,
          "other-supplier": 404, "reviewer": 404, "other-reviewer": 404, "regulator": 200}  # fmt: skip
ORDERED = {who: 302 if code == 200 else code for who, code in BUNDLE.items()}
PACKING = {who: 202 if code == 200 else code for who, code in BUNDLE.items()} | {"visitor": 401}


def file_of(report):
    return f"/trials/c1/bundle/{report.removeprefix('sha256:')}.zip"


def taken(world, who, report=None):
    """The bundle of a round as a person takes it on the page, the worker at work."""
    browser = client(world, who)
    assert browser.post("/trials/c1/bundle/", {"report": report} if report else {}).status_code == 302
    world.ordered.work()
    links = re.findall(
        r'href="(/trials/c1/bundle/[0-9a-f]{64}\.zip)"', browser.get("/trials/c1/bundle/").content.decode()
    )
    return browser.get(file_of(report) if report else links[0]).content


def actions_since(world, before):
    return [(one.action, one.actor.organisation, one.facts.get("purpose")) for one in entries(world)[before:]]


def entries(world):
    return world.ordered.base.lab.view.log_entries()


@pytest.mark.prove
def test_owner_operator_and_regulator_take_the_bundle_and_nobody_else(tried, tmp_path):
    report = tried.ordered.record().documents["report"]
    assert codes(tried, lambda one: one.get(file_of(report))) == dict.fromkeys(EVERYBODY, 404), "none was asked for"
    assert codes(tried, lambda one: one.post("/trials/c1/bundle/")) == ORDERED
    assert codes(tried, lambda one: one.get("/api/trials/c1/bundle")) == PACKING
    assert tried.ordered.work() == [("bundle", "done")] * 3
    assert codes(tried, lambda one: one.get(file_of(report))) == BUNDLE
    archives = {client(tried, who).get(file_of(report)).content for who in ("desk", "owner", "regulator")}
    archives |= {client(tried, "regulator").get("/api/trials/c1/bundle").getvalue()}
    (archive,) = archives
    assert not tried.ordered.work(), "who asks again gets what is there"
    file = tmp_path / "bundle.zip"
    file.write_bytes(archive)
    replay = replay_bundle(file)
    assert replay.digest == tried.ordered.base.lab.view.load(report, Report).decision
    assert replay.logged == ("acceptance", "answers", "certificate", "order", "plan", "report")
    assert "truth" in pl.read_parquet(io.BytesIO(unpack(file)["records.parquet"])).columns


def test_a_bundle_is_kept_for_who_asked_alone_and_for_a_day(tried):
    """The planner is of the same organisation as the desk, and may take bundles as well."""
    from pilotbase.worker.jobs.retention import sweep
    from pilotbase.worker.sample_bundles.orders import PackedBundle

    report, blobs = tried.ordered.record().documents["report"], tried.ordered.base.lab.vault.blobs
    assert taken(tried, "desk").startswith(b"PK")
    assert client(tried, "planner").get(file_of(report)).status_code == 404
    assert file_of(report) not in client(tried, "planner").get("/trials/c1/bundle/").content.decode()
    kept = [one.load(PackedBundle) for one in tried.ordered.base.lab.view.find("packed-bundle", limit=1000)]
    assert all(b"records.parquet" not in blobs.get(one.blob) for one in kept), "nothing lies there in the open"
    lab = tried.ordered.base.lab
    late = replace(lab.store, clock=lambda: max(one.until for one in kept))
    later = replace(lab, store=late, vault=replace(lab.vault, view=late.as_actor(lab.actor)))
    assert sweep(replace(tried.ordered.base, lab=later), files_days=10_000) == len(kept)
    assert not any(blobs.exists(one.blob) for one in kept)
    assert client(tried, "desk").get(file_of(report)).status_code == 404
    assert taken(tried, "desk").startswith(b"PK"), "it is packed anew"


def test_who_took_a_bundle_stands_in_the_log_and_who_was_refused_opened_nothing(tried, monkeypatch):
    taken(tried, "regulator")
    before = len(entries(tried))
    for who in ("supplier", "reviewer", "other-owner", "stranger"):
        client(tried, who).post("/trials/c1/bundle/")
        client(tried, who).get("/api/trials/c1/bundle")
    client(tried, "regulator").get("/trials/c1/bundle/")
    client(tried, "planner").get("/trials/c1/bundle/")
    assert len(entries(tried)) == before
    taken(tried, "planner")
    assert actions_since(tried, before) == [
        ("trial.bundle_ordered", "base", None),
        ("trial.bundle_taken", "base", "bundle"),
        ("vault.envelope_opened", "base", "bundle"),
        ("trial.bundle_packed", "base", None),
        ("trial.bundle_fetched", "base", None),
    ]


def test_no_key_of_an_owner_is_used_where_a_bundle_is_asked_for_and_given_out(tried, monkeypatch):
    """The keys of hidden data are the worker's alone."""
    from pilotbase.workspace.keys import KeyFolder

    taken(tried, "owner")

    def refused(keys, organisation):
        raise AssertionError(f"the hub's own process has used the key of {organisation}")

    monkeypatch.setattr(KeyFolder, "owner_key", refused)
    monkeypatch.setattr(KeyFolder, "create_owner_key", refused)
    browser = client(tried, "owner")
    report = tried.ordered.record().documents["report"]
    for address in ("/trials/c1/bundle/", file_of(report), "/api/trials/c1/bundle"):
        assert browser.get(address).status_code == 200
    assert browser.post("/trials/c1/bundle/").status_code == 302


def test_packing_that_fails_says_why_and_is_asked_for_again(tried, monkeypatch):
    from pilotbase.documents.errors import InvalidProofError
    from pilotbase.worker.sample_bundles import orders as bundle_orders

    with monkeypatch.context() as broken:

        def fail(*_):
            raise InvalidProofError("vault.envelope_closed", digest="sha256:0", owner="plant")

        broken.setattr(bundle_orders, "pack_report", fail)
        broken.setattr(bundle_orders, "_packed_by", lambda *_: None)
        browser = client(tried, "owner")
        browser.post("/trials/c1/bundle/")
        assert tried.ordered.work() == [("bundle", "failed")]
        told = browser.get("/api/trials/c1/bundle", headers={"accept-language": "en"})
        assert (told.status_code, told.json()["code"]) == (409, "bundle.not_packed") and "plant" in told.json()["title"]
        page = browser.get("/trials/c1/bundle/", headers={"accept-language": "en"}).content.decode()
        assert "plant" in page and "Request the bundle" in page
    assert browser.get("/api/trials/c1/bundle", {"again": "true"}).status_code == 202
    assert tried.ordered.work() == [("bundle", "done")]


def test_taking_a_bundle_needs_the_token_of_our_own_form(tried):
    browser = tried.client("owner", enforce_csrf_checks=True)
    assert browser.post("/trials/c1/bundle/").status_code == 403


def test_only_who_may_is_offered_the_bundle(tried):
    for who, code in BUNDLE.items():
        page = client(tried, who).get("/trials/c1/")
        assert ("/trials/c1/bundle/" in page.content.decode()) == (code == 200), who


@pytest.mark.parametrize(
    ("language", "words"), [("en", "Attempts and hidden cases"), ("zh-hans", "尝试次数与隐藏案例")]
)
def test_the_budget_is_told_to_owner_operator_and_regulator(tried, language, words):
    for who in ("desk", "owner", "regulator"):
        page = client(tried, who).get("/trials/c1/", headers={"accept-language": language}).content.decode()
        assert words in page
        assert "1 of 6" in page or "1 / 6" in page
    for who in ("supplier", "reviewer"):
        page = client(tried, who).get("/trials/c1/", headers={"accept-language": "en"}).content.decode()
        assert "Attempts used" not in page
        assert "1 of 6" not in page
    mine = client(tried, "supplier").get("/trials/c1/", headers={"accept-language": "en"}).content.decode()
    assert "This commission is in round 1" in mine


def test_the_budget_over_the_api_by_role(tried):
    allowed = dict.fromkeys(EVERYBODY, 404) | {"visitor": 401, "desk": 200, "owner": 200, "regulator": 200}
    assert codes(tried, lambda one: one.get(f"/api/scenarios/{SCENARIO}/budget")) == allowed
    found = client(tried, "owner").get(f"/api/scenarios/{SCENARIO}/budget").json()
    assert (found["attempts"], found["used"], found["left"], found["next_number"]) == (6, 1, 5, 2)
    assert found["fresh"] + found["scored"] + found["reserved"] == found["cases"]


def test_the_board_from_the_hub(tried):
    page = f"/scenarios/{SCENARIO}/board/"
    mine = client(tried, "supplier")
    assert "acts/application.board/" in mine.get(page).content.decode()
    act = "/applications/acme/alarm/acts/application.board/"
    seen = re.search(r'name="seen" value="([^"]*)"', mine.get(act).content.decode())
    assert mine.post(act, {"seen": seen[1] if seen else ""}).status_code == 302
    assert "application.board" not in client(tried, "owner").get("/applications/acme/alarm/").content.decode()
    queued = mine.get(page, headers={"accept-language": "en"}).content.decode()
    assert "Place 1 in the queue" in queued
    assert tried.ordered.work() == [("board", "done")]
    shown = mine.get(page, headers={"accept-language": "zh-hans"}).content.decode()
    assert "当前领先" in shown
    assert 'role="img"' in shown
    theirs = client(tried, "owner").get(f"/api/scenarios/{SCENARIO}/board").json()
    assert theirs["board"]["used"] == {"acme": 1}
    assert theirs["own"] == []
    own = mine.get(f"/api/scenarios/{SCENARIO}/board").json()
    assert [entry["improved"] for entry in own["own"]] == [True]


def test_a_supplier_who_is_not_on_the_board_sees_no_standings(tried):
    other = client(tried, "other-supplier")
    assert other.get(f"/api/scenarios/{SCENARIO}/board").json()["board"] is None
    page = other.get(f"/scenarios/{SCENARIO}/board/", headers={"accept-language": "en"}).content.decode()
    assert "acme" not in page
    assert 'role="img"' not in page


def test_candidates_side_by_side_say_what_the_report_says(tried):
    found = client(tried, "owner").get(f"/api/scenarios/{SCENARIO}/comparison").json()
    (candidate,) = found["candidates"]
    record = tried.ordered.record()
    report = tried.ordered.base.lab.view.load(record.documents["report"], Report)
    told = {one["rule"]: (one.get("estimate"), one.get("lower")) for one in candidate["criteria"]}
    assert told["accuracy >= 0.7"] == next(
        (one.estimate, one.lower) for one in report.criteria if one.rule == "accuracy >= 0.7"
    )
    for language, words in (("en", "This is not a ranking"), ("zh-hans", "本页不是排名")):
        page = (
            client(tried, "owner")
            .get(f"/scenarios/{SCENARIO}/comparison/", headers={"accept-language": language})
            .content.decode()
        )
        assert words in page and f'href="/scenarios/{SCENARIO}/tenders/"' in page
        assert page.count('role="img"') == 4
    english = html.unescape(
        client(tried, "owner")
        .get(f"/scenarios/{SCENARIO}/comparison/", headers={"accept-language": "en"})
        .content.decode()
    )
    assert "better than the rule in force" in english
    assert re.search(r"saves [\d,]+ CNY against the rule in force", english)


def test_savings_agree_with_the_cases_of_the_bundle(tried, tmp_path):
    """The figure on the page, from scores, is what the misses and false alarms of the scored cases cost."""
    file = tmp_path / "bundle.zip"
    file.write_bytes(taken(tried, "owner"))
    cases = pl.read_parquet(io.BytesIO(unpack(file)["records.parquet"])).filter(pl.col("position") >= 0)

    def cost(column):
        miss = ((cases["truth"] == "broken") & (cases[column] != "broken")).sum()
        alarm = ((cases["truth"] != "broken") & (cases[column] == "broken")).sum()
        return 1000 * (500 * miss + 20 * alarm) / cases.height

    (candidate,) = client(tried, "owner").get(f"/api/scenarios/{SCENARIO}/comparison").json()["candidates"]
    assert candidate["saves"] == pytest.approx(cost("baseline") - cost("prediction"))


def test_the_queue_shows_each_what_is_theirs_and_only_operators_stop(tried):
    tried.ordered.do(SUPPLIER, Act.APPLICATION_REHEARSE, subject=APPLICATION)
    places = {}
    for who in ("desk", "supplier", "owner", "other-supplier", "regulator"):
        places[who] = [one["subject"] for one in client(tried, who).get("/api/queue").json()]
        page = client(tried, who).get("/queue/").content.decode()
        assert ("applications/acme/alarm" in page) == bool(places[who])
        assert "trial.stop" not in page
    assert places == {
        "desk": [APPLICATION], "supplier": [APPLICATION], "owner": [], "other-supplier": [], "regulator": [APPLICATION]
    }  # fmt: skip
    assert tried.ordered.work() == [("rehearse", "done")]
    assert client(tried, "desk").get("/api/queue").json() == []


def test_the_order_is_the_readers_and_who_has_no_figure_comes_last(tried):
    from pilotbase.documents.api.trials import Candidate, Comparison
    from pilotbase.hub.pages.candidates import in_order

    def candidate(name, saves, day, place=None):
        return Candidate(
            trial=name, title=name, name=name, version="1", supplier="acme", state="reported", verdict="accept",
            attempt=1, ended_at=f"2026-05-{day:02}T00:00:00Z", criteria=(), saves=saves,
            place=place,
        )  # fmt: skip

    three = (candidate("b", 5.0, 1), candidate("c", None, 2, 2), candidate("a", 9.0, 3, 1))
    found = Comparison(scenario="s", title="S", baseline="rule", rules=(), candidates=three)
    orders = {asked: [one.name for one in in_order(found, *asked)] for asked in [
        ("", False), ("application", False), ("saves", False), ("saves", True), ("nonsense", False), ("c7", True),
        ("tender", False)
    ]}  # fmt: skip
    assert orders == {
        ("", False): ["b", "c", "a"], ("application", False): ["a", "b", "c"], ("saves", False): ["b", "a", "c"],
        ("saves", True): ["a", "b", "c"], ("nonsense", False): ["b", "c", "a"], ("c7", True): ["a", "c", "b"],
        ("tender", False): ["a", "c", "b"],
    }  # fmt: skip


def test_the_report_and_the_certificate_lead_to_the_check(tried):
    page = client(tried, "owner").get("/trials/c1/report/").content.decode()
    serial = tried.ordered.record().documents["report"].partition(":")[2]
    assert f"<code>http://127.0.0.1:8000/certificates/{serial}/</code>" in page
    code = client(tried, "visitor").get(f"/certificates/{serial}/qr.svg")
    assert code["Content-Type"] == "image/svg+xml"
    assert f"/certificates/{serial}/" in code.content.decode()


def test_progress_tells_the_page_to_come_again_once_the_work_has_ended(tried):
    part = client(tried, "supplier").get("/trials/c1/progress/", headers={"hx-request": "true"})
    assert part["HX-Refresh"] == "true"
    assert "hx-get" not in part.content.decode()
    assert "HX-Refresh" not in client(tried, "supplier").get("/trials/c1/progress/")


def test_a_program_reads_the_same_and_takes_the_bundle(tried, tmp_path, monkeypatch):
    from typer.testing import CliRunner

    from pilotbase.cli import app
    from pilotbase.operations import trials
    from pilotbase.operations.matches import OfRecord
    from pilotbase.operations.operation import NoInput
    from pilotbase.protocols.hub_client import HubClient
    from pilotbase.protocols.hub_requests import HubCalls, HubRequests

    taken(tried, "regulator")
    with listening(tried) as address:
        owner, _, name = SCENARIO.partition("/")
        of, calls = OfRecord(owner=owner, name=name), HubCalls(HubRequests(address, token_of(tried, "owner", "read")))
        assert calls.call(trials.BUDGET, of).used == 1
        assert calls.call(trials.BOARD, of).allowed == 50
        assert [one.name for one in calls.call(trials.COMPARISON, of).candidates] == ["alarm"]
        assert calls.call(trials.QUEUE, NoInput()) == []
        monkeypatch.setenv("PILOTBASE_HUB", address)
        monkeypatch.setenv("PILOTBASE_HUB_TOKEN", token_of(tried, "regulator", "read"))
        waiting = HubRequests(address, token_of(tried, "signer", "read"), sleep=lambda _: tried.ordered.work())
        assert HubClient(waiting).bundle("c1").startswith(b"PK"), "it waits until the worker has packed it"
        file = tmp_path / "bundle.zip"
        packed = CliRunner().invoke(app, ["trial", "pack", "c1", "--out", str(file)])
        assert packed.exit_code == 0, packed.output
        monkeypatch.setenv("PILOTBASE_HUB_TOKEN", token_of(tried, "supplier"))
        refused = CliRunner().invoke(app, ["trial", "pack", "c1", "--out", str(tmp_path / "none.zip")])
    assert replay_bundle(file).verdict == "accept"
    assert refused.exit_code == 2
    assert not (tmp_path / "none.zip").exists()


@pytest.mark.prove
def test_a_round_before_a_re_run_keeps_its_bundle(tried, tmp_path):
    """The last test of the module: it moves the trial on."""
    ordered, regulator = tried.ordered, client(tried, "regulator")
    first = ordered.record().documents["report"]
    before = taken(tried, "regulator", first)
    ordered.do(REGULATOR, Act.ORDER_GIVE, Order(kind="suspension", reasons="Doubts.", deadline="2099-01-01"))
    ordered.do(DESK, Act.CERTIFICATE_SUSPEND)
    ordered.do(REGULATOR, Act.ORDER_GIVE, Order(kind="rerun", reasons="Doubts.", deadline="2099-01-01"))
    ordered.do(DESK, Act.TRIAL_REPEAT)
    assert "report" not in ordered.record().documents
    assert taken(tried, "regulator", first) == before
    ordered.draft_and_review()
    ordered.freeze()
    ordered.do_queued()
    second = ordered.record().documents["report"]
    page = regulator.get("/trials/c1/bundle/").content.decode()
    assert second in page and file_of(first) in page, "one to be asked for, one that is there"
    assert regulator.get("/api/trials/c1/bundle", {"report": first}).getvalue() == before
    assert regulator.get("/api/trials/c1/bundle").status_code == 202
    newest = taken(tried, "regulator", second)
    assert newest == regulator.get("/api/trials/c1/bundle").getvalue() != before
    file = tmp_path / "second.zip"
    file.write_bytes(newest)
    assert replay_bundle(file).attempt == 2
    foreign = regulator.get("/api/trials/c1/bundle", {"report": "sha256:" + "0" * 64})
    assert (foreign.status_code, foreign.json()["code"]) == (404, "bundle.no_report")
