"""Matching on pages, API and command line: reasons stand there, one click begins, nobody finds what is not theirs."""

import re

import pytest
from typer.testing import CliRunner

from pilotbase.cli import app
from pilotbase.documents.permissions import Act
from tests.catalogue.records_for_tests import OTHER_SUPPLIER, version
from tests.hub.live_for_tests import listening, token_of
from tests.hub.worlds_for_tests import world
from tests.matching.pairs_for_tests import application, scenario
from tests.matching.test_finding import hand_in

SCENARIO, APPLICATION = "/scenarios/plant/milling/matches/", "/applications/acme/forest/matches/"


@pytest.fixture(scope="module")
def matched(one_world):
    trial = one_world.trial
    trial.reach("certified")
    trial.do(
        OTHER_SUPPLIER, "application:globex/pine", Act.APPLICATION_REGISTER, version(name="pine", supplier="globex")
    )
    shown = version(name="oak", supplier="globex")
    published = application(name="oak", supplier="globex", offer={"published": True}, title="Oak")
    shown = shown.model_copy(update={"application": published})
    trial.do(OTHER_SUPPLIER, "application:globex/oak", Act.APPLICATION_REGISTER, shown)
    trial.do(OTHER_SUPPLIER, "application:globex/oak", Act.APPLICATION_SUBMIT)
    return one_world


def page(world, who, address):
    answer = world.client(who).get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def steps(text):
    return re.findall(r'<a class="button" href="([^"]+)">([^<]+)</a>', text)


def test_an_owner_sees_reasons_evidence_and_whom_to_ask(matched):
    shown = page(matched, "owner", SCENARIO)
    assert "2 of 2 compared in detail" in shown and "globex/pine" not in shown
    assert "Words are compared by characters within a language, and across languages by technical terms." in shown
    assert "The scenario requires isolation L2; the application does not say which it supports." in shown
    assert "It was tried in L2; L2 is required." in shown
    serial = matched.trial.report.digest().partition(":")[2]
    assert f"/certificates/{serial}/" in shown and "100 % similar" in shown
    assert ("/applications/globex/oak/threads/new/", "Ask the supplier") in steps(shown)
    assert matched.client("owner").get("/applications/globex/oak/threads/new/").status_code == 200


def test_another_owner_knows_a_certified_application_by_its_certificate(matched):
    shown = page(matched, "other-owner", SCENARIO)
    serial = matched.trial.report.digest().partition(":")[2]
    assert "Known by its certificate only" in shown and "/applications/acme/forest/" not in shown
    assert (f"/certificates/{serial}/", "See the certificate") in steps(shown)


def test_a_supplier_proposes_with_one_click_and_the_form_knows_both(matched):
    shown = page(matched, "supplier", APPLICATION)
    ((address, label),) = steps(shown)
    assert label == "Propose a trial"
    form = page(matched, "supplier", address.replace("&amp;", "&"))
    assert re.search(r'<option value="scenario:plant/milling" selected', form)
    assert re.search(r'<option value="application:acme/forest" selected', form)
    assert address in [one for one, _ in steps(page(matched, "supplier", SCENARIO))]


def test_record_pages_lead_to_their_matches(matched):
    assert f'href="{SCENARIO}"' in page(matched, "owner", "/scenarios/plant/milling/")
    assert f'href="{APPLICATION}"' in page(matched, "supplier", "/applications/acme/forest/")
    assert f'href="{SCENARIO}"' not in page(matched, None, "/scenarios/plant/milling/")


def test_the_map_of_gaps_counts_what_the_reader_sees(matched):
    desk, owner = page(matched, "desk", "/matching/"), page(matched, "other-owner", "/matching/")
    assert (
        "The newest 1 of 1 open demand, with or without data, and 2 of 2 applications" in desk
    )  # forest and oak; pine is a draft
    assert "<svg" in desk and "制造" in page_in_chinese(matched, "desk", "/matching/")
    assert "1 of 1 open demand, with or without data, and 2 of 2 applications" in owner
    assert f'href="{SCENARIO}"' in page(matched, "owner", "/matching/")


def test_only_who_has_the_overview_sees_how_small_suppliers_fare(matched):
    """Acme holds a certificate and stands first; globex, with one application of one, has half of what fits."""
    shown = re.sub(r"<[^>]+>", " ", page(matched, "desk", "/matching/"))
    assert re.search(r"Without a certificate in force\s+1 / 2\s+50 %\s+50 %\s+0 %", shown)
    assert "Exposure of small suppliers" not in page(matched, "supplier", "/matching/")
    assert "小型供给方的曝光" in page_in_chinese(matched, "regulator", "/matching/")


def test_who_takes_what_is_shown_for_the_places_that_are_asked_for(matched):
    shown = page(matched, "desk", "/matching/assignment/")
    assert "Most valuable" in shown and "Stable" in shown and "1 more" not in shown
    assert "/applications/acme/forest/" in shown, "it is certified there, oak is not"
    full = page(matched, "desk", "/matching/assignment/?capacity=1&places.acme=0")
    assert "/applications/globex/oak/" in full and "/applications/acme/forest/" not in full
    assert re.search(r'name="places.acme"[^>]* value="0"', full)
    none = page(matched, "desk", "/matching/assignment/?capacity=0")
    assert "/applications/" not in none.partition('id="places"')[0].partition("<main")[2]
    assert matched.client("desk").get("/matching/assignment/?capacity=-1").status_code == 422
    chinese = page_in_chinese(matched, "desk", "/matching/assignment/")
    assert "总分最高" in chinese and "稳定" in chinese and "名额" in chinese


def test_matches_are_followed_by_a_click_and_listed_until_they_are_not(matched):
    owner = matched.client("owner")
    assert 'value="yes"' in page(matched, "owner", SCENARIO)
    assert owner.post(f"{SCENARIO}follow/", {"follow": "yes"})["Location"] == SCENARIO
    assert 'name="follow" value="no"' in page(matched, "owner", SCENARIO)
    assert "Matches that you follow" in page(matched, "owner", "/matching/")
    assert "Matches that you follow" not in page(matched, "desk", "/matching/")
    assert [one["subject"] for one in owner.get("/api/matches/followed").json()] == ["scenario:plant/milling"]
    owner.post(f"{SCENARIO}follow/", {"follow": "no"})
    assert owner.get("/api/matches/followed").json() == []
    assert (
        matched.client("other-supplier").post("/scenarios/hospital/none/matches/follow/", {"follow": "yes"}).status_code
        == 404
    )


def page_in_chinese(world, who, address):
    client = world.client(who)
    client.post("/language/", {"language": "zh-hans", "next": "/"})
    return client.get(address).content.decode()


def test_both_languages(matched):
    shown = page_in_chinese(matched, "owner", SCENARIO)
    assert "可能适用的应用：设备故障预警" in shown and "联系供给方" in shown
    assert "场景要求隔离等级 L2，而应用未说明能在哪一级运行。" in shown
    assert "文本在同一语言内按字符比较，跨语言按专业术语比较。" in shown


def test_the_command_line_drives_the_hub(matched, tmp_path):
    file = tmp_path / "scenario.yaml"
    file.write_bytes(scenario(name="new", owner="plant").canonical())
    with listening(matched) as address:

        def run(*words, who="owner"):
            options = ["--hub", address, "--token", token_of(matched, who), "match", *words]
            answer = CliRunner().invoke(app, options, env={"PILOTBASE_LANGUAGE": "en"})
            assert answer.exit_code == 0, answer.output
            return answer.output

        assert "application:acme/forest" in run("scenario", "plant/milling")
        assert "application:globex/oak" in run("scenario", str(file))
        assert '"subject": "scenario:plant/milling"' in run("application", "acme/forest", "--json", who="supplier")
        gaps = run("gaps")
        assert "1 open demand, with or without data, and 2 applications" in gaps
        assert re.search(r"Without a certif.*1 / 2[ │]+50 %[ │]+50 %", gaps)
        assert "acme/forest" in run("assign", who="desk")
        assert "globex/oak" in run("assign", "--places", "acme=0", who="desk")


def test_what_is_sent_to_be_matched_is_checked(matched):
    client = matched.client("supplier")
    for path, body in (("scenarios", {"name": "x"}), ("applications", {}), ("applications", {"application": 1})):
        answer = client.post(f"/api/matches/{path}", body, content_type="application/json")
        assert answer.status_code == 422 and answer.json()["code"]
    assert matched.client().post("/api/matches/scenarios", {}, content_type="application/json").status_code == 401


def test_evidence_that_is_gone_says_why(matched):
    from pilotbase.certificate.revoking import reinstate, suspend
    from pilotbase.hub.base import base

    opened, serial = base(), matched.trial.report.digest()
    listed = (opened.trust, opened.lab.view, opened.revocations, serial)
    assert "is suspended" not in page(matched, "owner", SCENARIO)
    suspend(*listed, "recall has fallen", opened.lab.store.clock())
    for who, address in (("owner", SCENARIO), ("supplier", APPLICATION)):
        assert "Its certificate in this scenario is suspended and does not count." in page(matched, who, address)
    chinese = matched.client("owner").get(SCENARIO, HTTP_ACCEPT_LANGUAGE="zh-hans").content.decode()
    assert "其在该场景的证书已暂停" in chinese
    reinstate(*listed, opened.lab.store.clock())
    assert "is suspended" not in page(matched, "owner", SCENARIO)


def test_a_gap_leads_to_its_matches_and_records_are_called_by_their_titles(tmp_path):
    with world(tmp_path) as made:
        made.trial.reach("certified")
        lost = {"title": "贷款评分", "model_card": {"summary": "贷款评分。"}}
        hand_in(made.trial.store, name="lost", made_for=None, **lost)
        shown = page(made, "planner", "/matching/")
        assert (
            '<a href="/applications/acme/lost/matches/">贷款评分</a>' in shown and "Nearest: Machine failure." in shown
        )
        assert "acme/lost" not in re.sub(r"<[^>]+>", "", shown)
        assert made.client("planner").get("/applications/acme/lost/matches/").status_code == 200
