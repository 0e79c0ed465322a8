"""Profiles on pages, by the API and the command line: stated, imported, matched; claims beside what is proven."""

import re

import pytest
from typer.testing import CliRunner

from pilotbase.cli import app
from tests.hub.live_for_tests import listening, token_of
from tests.hub.test_imports import confirm, hand_in

SAID = {"kind": "provider", "title": "Spindle integration", "summary": "We watch spindles of milling machines.",
        "sectors": ["manufacturing", "energy"], "tasks": ["classification"], "languages": "zh\nen"}  # fmt: skip


@pytest.fixture(scope="module")
def world(one_world):
    one_world.trial.reach("certified")
    return one_world


def page(world, who, address, language="en"):
    answer = world.client(who, HTTP_ACCEPT_LANGUAGE=language).get(address)
    assert answer.status_code == 200, answer.status_code
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def state(world, who="supplier", name="spindles", **changes):
    answer = world.client(who).post("/capabilities/new/", {"name": name, **SAID, **changes})
    assert answer.status_code == 302, re.findall(r'(?s)wrong-why.*?</p>|role="alert".*?</', answer.content.decode())
    return answer["Location"]


def test_a_capability_is_named_after_its_title_and_none_is_written_over(world):
    addresses = [state(world, name="", title="主轴监测") for _ in range(2)]
    assert [one.strip("/").rpartition("/")[2] for one in addresses] == ["zhu-zhou-jian-ce", "zhu-zhou-jian-ce-2"]


def test_what_is_claimed_stands_beside_what_is_proven(world):
    address = state(world)
    shown = page(world, "owner", address)
    assert "Certificates in force that accept 1" in shown and "Evidence 0.50" in shown
    assert re.search(r"manufacturing shown by 1 certificate", shown, re.IGNORECASE)
    assert re.search(r"energy and resources only claimed", shown)
    chinese = page(world, "owner", address, "zh-hans")
    assert "已证明的" in chinese and "仅有声明" in chinese and "有 1 份证书证明" in chinese
    assert world.client().get(address).status_code == 302, "visitors log in"


def test_evidence_moves_up_and_claims_do_not(world):
    state(
        world,
        "other-supplier",
        "perfect",
        title="Perfect",
        summary="Milling machine failure: the spindle of the mill breaks.",
    )
    listed = page(world, "owner", "/profiles/")
    assert listed.index("Spindle integration") < listed.index("Perfect")
    found = page(world, "owner", "/scenarios/plant/milling/providers/")
    assert found.index("acme/spindles") < found.index("globex/perfect")
    assert "100 % similar" in found
    assert "It says that it works in this sector." in found
    assert (
        "/scenarios/plant/milling/providers/"
        in world.client("owner").get("/scenarios/plant/milling/matches/").content.decode()
    )
    back = page(world, "supplier", "/capabilities/acme/spindles/matches/")
    assert "plant/milling" in back


def test_every_kind_of_thing_has_one_page(world):
    for kind, name in (("organisation", "acme"), ("application", "acme/forest"), ("capability", "acme/spindles")):
        shown = page(world, "supplier", f"/profiles/{kind}/{name}/")
        assert "What is proven" in shown and "Certificates in force that accept 1" in shown
    assert (
        "/profiles/application/acme/forest/"
        in world.client("supplier").get("/applications/acme/forest/").content.decode()
    )
    for who in ("supplier", "other-owner"):
        leads = 'href="/organisations/acme/"' in world.client(who).get("/profiles/organisation/acme/").content.decode()
        assert leads == (world.client(who).get("/organisations/acme/").status_code == 200), "no link leads nowhere"
    for gone in ("organisation/nobody", "capability/acme/none", "trial/7f3a", "dataset/plant/none"):
        assert world.client("owner").get(f"/profiles/{gone}/").status_code in (404, 422)


def test_a_certified_application_of_a_hidden_manifest_claims_nothing_but_proves(world):
    shown = page(world, "other-owner", "/profiles/application/acme/forest/")
    assert "Certificates in force that accept 1" in shown and "What is claimed" not in shown


def test_its_organisation_changes_and_withdraws_it_and_nobody_else(world):
    address = state(world, name="passing")
    assert world.client("other-supplier").get("/capabilities/acme/passing/edit/").status_code == 404
    supplier = world.client("supplier")
    assert "We watch spindles" in supplier.get("/capabilities/acme/passing/edit/").content.decode()
    changed = {**SAID, "title": "Other title"}
    assert supplier.post("/capabilities/acme/passing/edit/", changed)["Location"] == address
    assert "Other title" in page(world, "owner", address)
    refused = world.client("other-supplier").post("/capabilities/acme/passing/withdraw/", follow=True)
    assert "Other title" in page(world, "owner", address), refused.content
    supplier.post("/capabilities/acme/passing/withdraw/")
    assert world.client("owner").get(address).status_code == 404


def test_a_dirty_chinese_spreadsheet_is_read_whole_shown_and_imported_once(world):
    head = world.client("desk", HTTP_ACCEPT_LANGUAGE="zh-hans").get("/import/capabilities/template.csv").content
    titles = head.decode("utf-8-sig").strip().split(",")
    wanted = [titles[at] for at in (0, 1, 2, 4, 6, 7, 10)]
    rows = [
        ";".join(wanted),
        "acme;li-ming;专家;李明;主轴故障诊断二十年。;制造，energy;zh",
        "globex;repair;服务商;维修;设备维修。;;",
    ]
    content = "\r\n".join(rows).encode("gbk")
    browser, answer, shown = hand_in(world, "capabilities", content)
    assert "李明" in shown and "expert" in shown
    done = confirm(browser, answer, shown).content.decode()
    assert "2 capabilities stated." in done and "李明" in done
    _, _, again = hand_in(world, "capabilities", content)
    assert 'name="mark"' not in again and re.search(r"<strong>2</strong><span>[Uu]nchanged", again)
    expert = page(world, "owner", "/profiles/capability/acme/li-ming/")
    assert "Certificates in force that accept 0" in expert, "a certificate of the organisation proves nothing about it"


def test_one_wrong_row_keeps_all_out_and_each_is_told(world):
    content = "organisation,name,kind,summary_en,days_a_month\nacme,fine,expert,Fine.,\nnobody,x,wizard,,many\n"
    _, _, shown = hand_in(world, "capabilities", content)
    assert 'name="mark"' not in shown
    told = re.findall(r'data-label="Column">([^<]+)</td><td data-label="[^"]+" class="long">(?:<code>)?([^<]+)', shown)
    assert {column for column, _ in told} >= {"Kind", "Person-days a month", "Summary (English)"}
    assert world.client("owner").get("/profiles/capability/acme/fine/").status_code == 404


def test_api_and_command_say_the_same(world, tmp_path):
    client = world.client("supplier")
    sent = {**SAID, "languages": ["zh"]}
    for _ in range(2):
        answer = client.put("/api/capabilities/acme/api", sent, content_type="application/json")
        assert answer.status_code == 200 and answer.json()["organisation"] == "acme"
    assert client.put("/api/capabilities/globex/api", sent, content_type="application/json").status_code == 404
    found = client.get("/api/profiles?subject=capability:acme/api").json()
    assert found["accepted"] == 1 and found["claims"][0]["shown_by"] is not None
    assert client.get("/api/profiles?subject=trial:x").status_code == 422
    with listening(world) as address:

        def run(*words, who="owner"):
            options = ["--hub", address, "--token", token_of(world, who), *words]
            answer = CliRunner().invoke(app, options, env={"PILOTBASE_LANGUAGE": "en"})
            assert answer.exit_code == 0, answer.output
            return answer.output

        assert "Certificates in force that accept: 1" in run("profile", "show", "acme")
        assert "capability:acme/api (service provider), acme: 1 certificate" in run("profile", "list")
        assert "capability:acme/api" in run("match", "providers", "plant/milling")
        assert "scenario:plant/milling" in run("match", "capability", "acme/api", who="supplier")
        assert "Withdrawn: acme/api" in run("profile", "withdraw", "acme/api", who="supplier")
