"""Files of a dataset over the hub: a preview that says that it is partial, a download through the gate."""

import pytest

from pilotbase.data.terms.templates import OfferLimits, offer_for
from pilotbase.documents.permissions import Act
from pilotbase.documents.vocabularies import Opening
from pilotbase.worker.datasets.keeping import keep_files
from tests.catalogue.agreements_for_tests import AGREEMENT, DATASET, agree, dataset, publish
from tests.catalogue.records_for_tests import MACHINE, OWNER
from tests.hub.test_uploads_in_pieces import sent
from tests.worker.datasets.reports_for_tests import quality_report

ADDRESS = "/api/datasets/plant/logs/files/logs.csv"


@pytest.fixture(scope="module")
def kept(one_world, tmp_path_factory):
    from pilotbase.hub.base import base

    table = tmp_path_factory.mktemp("kept") / "logs.csv"
    table.write_text("torque\n" + "<b>7.5</b>\n" * 30)
    what = dataset(opening=Opening.ON_TERMS, files={"logs.csv": table.read_bytes()})
    agree(one_world.trial, publish(one_world.trial, what), ends=None)
    keep_files(base(), one_world.trial.store.as_actor(MACHINE), DATASET, [table])
    return one_world, table.read_bytes()


def get(world, who, address, language="en"):
    return world.client(who).get(address, headers={"Accept-Language": language})


def test_a_preview_is_a_part_and_says_so_in_both_languages(kept):
    world, _ = kept
    page = get(world, "supplier", "/datasets/plant/logs/preview/").content.decode()
    assert "the first 20 of 30 rows" in page and page.count("&lt;b&gt;7.5&lt;/b&gt;") == 20
    assert "显示前 20 行" in get(world, "supplier", "/datasets/plant/logs/preview/", "zh").content.decode()
    told = get(world, "supplier", "/api/datasets/plant/logs/preview").json()
    assert (told["partial"], told["rows_in_all"], len(told["cells"])) == (True, 30, 20)


def test_a_file_is_given_to_who_agreed_until_the_agreement_is_revoked(kept):
    world, plain = kept
    found = get(world, "supplier", ADDRESS)
    assert b"".join(found.streaming_content) == plain
    assert (found["Content-Length"], found["Cache-Control"]) == (str(len(plain)), "no-store")
    assert "sandbox" in found["Content-Security-Policy"] and "attachment" in found["Content-Disposition"]
    assert get(world, "other-supplier", ADDRESS).status_code == 403
    assert get(world, None, ADDRESS).status_code == 401
    page = get(world, None, "/datasets/plant/logs/").content.decode()
    assert "logs.csv" in page and ADDRESS not in page
    assert ADDRESS in get(world, "supplier", "/datasets/plant/logs/").content.decode()
    world.trial.do(OWNER, AGREEMENT, Act.AGREEMENT_REVOKE)
    for address in (ADDRESS, "/api/datasets/plant/logs/preview", "/datasets/plant/logs/preview/"):
        answer = get(world, "supplier", address)
        assert answer.status_code == 403 and b"7.5" not in answer.content, address


def test_a_quality_report_stands_on_the_page_of_its_dataset(kept):
    world, _ = kept
    address, report = "/api/datasets/plant/logs/quality", quality_report(opening="on_terms", profiles=[], rules=[])
    body = report.to_json_value()
    assert world.client("supplier").put(address, body, content_type="application/json").status_code == 403
    assert get(world, None, address).status_code == 404
    assert world.client("owner").put(address, body, content_type="application/json").status_code == 200
    assert get(world, None, address).json()["view"] == "released"
    page = get(world, None, "/datasets/plant/logs/").content.decode()
    assert "4 of 4 required measures" in page and address in page
    told = get(world, None, "/api/catalogue/datasets?quality=pass").json()
    assert [one["subject"] for one in told["items"]] == [DATASET]


def test_an_owner_keeps_a_file_by_sending_it(kept):
    world, _ = kept
    content = b"a table, or anything else"
    what = dataset("1.1.0", opening=Opening.OPEN, files={"folder.zip": content})
    world.trial.do(OWNER, DATASET, Act.DATASET_REVISE, what)
    place = "/api/datasets/plant/logs/files"
    other = {"upload": sent(world.client("owner"), content + b"!")}
    refused = world.client("owner").post(place, other, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (422, "dataset.other_bytes")
    for who, status in (("supplier", 403), ("other-owner", 403), ("owner", 201)):
        upload = {"upload": sent(world.client(who), content)}
        assert world.client(who).post(place, upload, content_type="application/json").status_code == status, who
    assert get(world, "owner", f"/api/uploads/{upload['upload']}").status_code == 404
    assert b"".join(get(world, "other-supplier", f"{place}/folder.zip").streaming_content) == content
    assert get(world, "other-supplier", "/api/datasets/plant/logs/preview").status_code == 404
    page = get(world, "owner", "/datasets/plant/logs/files/").content.decode()
    assert "A hub does not unpack archives" in page and "are not marked" not in page
    usage = offer_for(Opening.ON_TERMS, "plant", DATASET, OfferLimits(marked=True))
    marked = dataset("1.2.0", opening=Opening.ON_TERMS, usageInfo=usage)
    world.trial.do(OWNER, DATASET, Act.DATASET_REVISE, marked)
    assert "Files uploaded here are not marked" in get(world, "owner", "/datasets/plant/logs/files/").content.decode()
    assert "在此发送的文件都不带标记" in get(world, "owner", "/datasets/plant/logs/files/", "zh").content.decode()
