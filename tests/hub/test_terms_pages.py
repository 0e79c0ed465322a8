"""Datasets and agreements on pages: registered, published, agreed on, used; each party sees what is theirs."""

import json
import re

import pytest

from pilotbase.data.terms.gate import permit
from pilotbase.documents.terms import Request
from pilotbase.documents.vocabularies import Opening
from tests.catalogue.agreements_for_tests import DATASET, dataset
from tests.catalogue.records_for_tests import MACHINE, digest

ASKED = Request(
    target=DATASET,
    action="pb:computeOn",
    by="acme",
    purpose="pb:verification",
    recipient="acme",
    channel="pb:report",
    rows=10,
)


def page_of(world, who, address, language="en") -> str:
    found = world.client(who).get(address, headers={"Accept-Language": language})
    assert found.status_code == 200, (who, address, found.status_code)
    return found.content.decode()


def post(world, who, address, **given):
    return world.client(who).post(address, {"seen": "", "note": "", **given})


@pytest.fixture(scope="module")
def published(one_world):
    registered = post(one_world, "owner", "/datasets/new/", content=json.dumps(dataset().to_json_value()))
    assert registered["Location"] == "/datasets/plant/logs/"
    assert post(one_world, "owner", "/datasets/plant/logs/acts/dataset.publish/").status_code == 302
    return one_world


def test_what_is_wrong_with_a_description_is_told_on_its_form(one_world):
    for content, said in (("{", "JSON"), ('{"document": "dataset/1", "name": "x"}', "title"), ("[]", "")):
        answer = post(one_world, "owner", "/datasets/new/", content=content)
        assert answer.status_code == 200
        assert said in answer.content.decode()


def test_everybody_reads_the_terms_of_a_published_dataset_in_both_languages(published):
    english, chinese = (page_of(published, None, "/datasets/plant/logs/", language) for language in ("en", "zh"))
    for page, words in (
        (
            english,
            (
                "Compute to data",
                "compute on it",
                "purpose is one of",
                "trials of applications",
                "number of uses at most",
            ),
        ),
        (chinese, ("数据不出域", "在其上计算", "用途 为其中之一", "使用次数 不超过", "验证应用")),
    ):
        assert all(word.casefold() in page.casefold() for word in words), words
        assert ">pb:" not in page and 'title="pb:verification"' in page, "words in the reader's language"
    assert "Spindle logs" in page_of(published, None, "/datasets/") and "主轴日志" in page_of(
        published, None, "/datasets/", "zh"
    )


def test_a_supplier_takes_the_offer_up_and_the_owner_sees_the_uses_and_revokes(published):
    terms = page_of(published, "supplier", "/datasets/plant/logs/")
    address = re.search(r'href="(/agreements/new/\?dataset=plant/logs)"', terms)[1]
    assert "assignee" not in page_of(published, "supplier", address).partition("<form")[2]
    refused = post(published, "supplier", address, purposes="pb:verification", begins="", ends="2020-01-01")
    assert refused.status_code == 200 and b"2020-01-01" in refused.content
    assert "pb:verification" in page_of(published, "supplier", address).partition("<textarea")[2], "as the offer says"
    word = post(published, "supplier", address, purposes="statistics", begins="", ends="")
    assert word.status_code == 200 and b"do not cover statistics; they cover: pb:verification" in word.content
    made = post(published, "supplier", address, purposes="pb:verification", begins="", ends="2030-12-31")
    page = made["Location"]
    permit(published.trial.store.as_actor(MACHINE), ASKED, digest("trial"))
    for who in ("owner", "supplier", "regulator"):
        assert "pb:report" in page_of(published, who, page)
        assert "在其上计算<" in (chinese := page_of(published, who, page, "zh")) and ">pb:" not in chinese
        assert "pb:report" in page_of(published, who, "/datasets/plant/logs/")
    others = page_of(published, "other-supplier", "/datasets/plant/logs/")
    assert "pb:report" in others, "the terms name it"
    assert "Acme" not in others.partition("<main")[2], "who uses it is not theirs to see"
    assert published.client("other-supplier").get(page).status_code == 404
    assert post(published, "supplier", f"{page}acts/agreement.revoke/").status_code == 404
    assert post(published, "owner", f"{page}acts/agreement.revoke/", note="The line is sold.").status_code == 302
    assert "Revoked" in page_of(published, "supplier", page)
    assert "已撤销" in page_of(published, "supplier", page, "zh")
    assert "Ask to accept the published offer again" in page_of(published, "supplier", address)
    assert "申请再次接受公开要约" in page_of(published, "supplier", address, "zh")
    again = post(published, "supplier", address, purposes="pb:verification", begins="", ends="")["Location"]
    assert "Waits for the owner" in page_of(published, "supplier", again)
    assert "待所有者同意" in page_of(published, "supplier", again, "zh")
    assert "Consent to the agreement" in page_of(published, "owner", "/work/").partition("<main")[2]
    assert post(published, "supplier", f"{again}acts/agreement.grant/").status_code == 404
    assert post(published, "owner", f"{again}acts/agreement.grant/").status_code == 302
    assert "Agreed" in page_of(published, "supplier", again)
    assert post(published, "owner", f"{again}acts/agreement.release/").status_code == 302
    assert "Accept the published offer" in page_of(published, "supplier", address)


def test_the_owner_offers_by_name_and_it_waits_for_who_was_named(published):
    address = "/agreements/new/?dataset=plant/logs"
    made = post(published, "owner", address, assignee="acme", purposes="pb:verification", begins="", ends="")
    assert "Agree" in page_of(published, "supplier", "/work/").partition("<main")[2]
    assert post(published, "supplier", f"{made['Location']}acts/agreement.agree/").status_code == 302
    oneself = post(published, "owner", address, assignee="plant", purposes="pb:verification", begins="", ends="")
    assert b"an agreement with itself" in oneself.content
    assert published.client("owner").get("/agreements/new/?dataset=plant/none").status_code == 404


def test_a_later_version_is_published_from_the_page_and_an_earlier_one_refused(published):
    address = "/datasets/plant/logs/acts/dataset.revise/"
    earlier = dataset("0.9.0", Opening.COMPUTE_TO_DATA)
    answer = post(published, "owner", address, content=json.dumps(earlier.to_json_value()))
    assert b"not later" in answer.content
    later = dataset("1.1.0")
    assert post(published, "owner", address, content=json.dumps(later.to_json_value())).status_code == 302
    assert "1.1.0" in page_of(published, None, "/datasets/plant/logs/")
