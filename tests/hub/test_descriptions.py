"""Files are described, measured, kept, taken in parts and erased over the hub; its own process parses none of them."""

import io
import json
import re
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.hub.test_uploads_in_pieces import sent
from tests.worker.datasets.describing_for_tests import PUMPS, work

JSON = {"content_type": "application/json"}
ANSWERS = {"title_en": "Pumps", "title_zh": "水泵", "opening": "on_terms", "label": "state", "units": "temp_c = K",
           "description": "Pumps of line 3.", "license": "CC-BY-4.0", "url": "https://plant.example/pumps",
           "creator": "Plant", "publisher": "Plant", "published": "2026-04-01", "language": "en",
           "collection": "By the controller.", "personal": "none", "limitations": "One line.",
           "use_cases": "Warning of breakage.", "annotation": "By the shift.", "annotations": "1"}  # fmt: skip
PLACE = "/api/datasets/plant/pumps"
OTHERS = ("supplier", "other-owner", "other-supplier", "reviewer", "stranger", None)


@pytest.fixture(scope="module")
def world(one_world):
    return one_world


def do_all():
    from pilotbase.hub.base import base

    return work(base())


def page_of(browser, address, reader="en"):
    found = browser.get(address, headers={"Accept-Language": reader})
    assert found.status_code == 200, found.content
    return found.content.decode()


def test_from_files_on_a_page_to_a_published_dataset(world, no_readers):
    owner = world.client("owner")
    begun = owner.post("/descriptions/", {"tables": SimpleUploadedFile("pumps.csv", PUMPS.encode())})
    assert begun.status_code == 302, re.findall(r"role=.alert.+|wrong-why.+", begun.content.decode())
    address = begun["Location"]
    assert 'hx-trigger="every 2s"' in page_of(owner, address), "the page refreshes itself while a worker is at it"
    assert owner.get(address, headers={"HX-Request": "true"}).status_code == 200
    world.drawn = address.strip("/").rpartition("/")[2]
    do_all_in_box()
    assert "HX-Refresh" in owner.get(address, headers={"HX-Request": "true"})
    english, chinese = page_of(owner, address), page_of(owner, address, "zh")
    assert "the name temp_c tells the unit °C" in english and "Likely" in english and "Guessed: run_id" in english
    assert "推测结果" in chinese and "很可能" in chinese, "each guess has its ground and how sure it is, in Chinese too"
    assert owner.post(address, {**ANSWERS, "published": "yesterday"}).content.count(b"wrong-why") == 1
    assert owner.post(address, ANSWERS)["Location"] == address
    do_all_in_box()
    again = page_of(owner, address)
    assert "Nothing is missing" not in again and "Terms of use" in again, "terms are chosen when it is saved"
    saved = owner.post(f"{address}save/", {"usual_terms": "on", "keep": "on"})
    assert saved["Location"] == "/datasets/plant/pumps/", saved.content
    assert owner.post(f"{PLACE}/acts/dataset.publish", {}, **JSON).status_code == 200
    assert owner.get(address).status_code == 404
    do_all_in_box()
    assert owner.get(f"{PLACE}/preview").json()["rows_in_all"] == 60


def do_all_in_box():
    assert set(do_all()) <= {"describe done", "first_rows done", "quality done"}


def test_the_owner_measures_sees_first_and_publishes(world, no_readers):
    owner, place = world.client("owner"), f"{PLACE}/quality/measurement"
    assert owner.get(place).status_code == 404
    for who in OTHERS:
        assert world.client(who).post(place, **JSON).status_code in (401, 403, 404), who
    ordered = owner.post(place, **JSON)
    assert (ordered.status_code, ordered["Location"]) == (202, place)
    assert "Measuring of quality" in page_of(owner, "/datasets/plant/pumps/measuring/")
    do_all_in_box()
    told = owner.get(place).json()
    assert told["report"], told
    assert told["report"]["profiles"][0]["rows"] == 60 and told["refused"] is None
    assert world.client().get(f"{PLACE}/quality").status_code == 404, "nobody sees it before it is published"
    for who in OTHERS:
        for address in (place, "/datasets/plant/pumps/measuring/", "/datasets/plant/pumps/measuring/quality.html"):
            assert world.client(who).get(address).status_code in (302, 401, 403, 404), (who, address)
    report = owner.get("/datasets/plant/pumps/measuring/quality.html")
    assert report["Content-Security-Policy"].startswith("sandbox;") and b"<svg" in report.content
    owner.post("/datasets/plant/pumps/measuring/", {"publish": "yes"})
    covered = re.compile("[1-9] of [1-9] required measures|要求的指标中已测 [1-9] 项")
    for reader in ("en", "zh"):
        assert covered.search(page_of(world.client(), "/datasets/plant/pumps/", reader))
        assert covered.search(page_of(world.client(), "/datasets/", reader)), "the catalogue tells grade and coverage"
    shown = world.client().get("/datasets/plant/pumps/quality.html")
    assert shown.status_code == 200 and shown["Content-Security-Policy"].startswith("sandbox;")
    outcome = owner.get(f"{PLACE}/quality").json()["grade"]["outcome"]
    found = world.client().get(f"/api/catalogue/datasets?quality={outcome}").json()
    assert [one["subject"] for one in found["items"]] == ["dataset:plant/pumps"]


def body(found):
    return b"".join(found.streaming_content)


def test_a_file_is_taken_in_parts_as_one_use(world):
    owner, place, plain = world.client("owner"), f"{PLACE}/files/pumps.csv", PUMPS.encode()
    whole = owner.get(place)
    assert (body(whole), whole["Accept-Ranges"]) == (plain, "bytes")
    tag = whole["ETag"]
    for asked, start, end in (("bytes=0-9", 0, 10), ("bytes=10-", 10, len(plain)), ("bytes=-7", len(plain) - 7, None)):
        part = owner.get(place, headers={"Range": asked, "If-Range": tag})
        assert (part.status_code, body(part)) == (206, plain[start:end]), asked
        assert part["Content-Range"] == f"bytes {start}-{(end or len(plain)) - 1}/{len(plain)}"
        assert part["Content-Length"] == str(len(plain[start:end]))
    for headers in ({"Range": "bytes=0-9", "If-Range": '"other"'}, {"Range": "bytes=0-1,4-5"}, {"Range": "rows=1-2"}):
        found = owner.get(place, headers=headers)
        assert (found.status_code, body(found)) == (200, plain), headers
    beyond = owner.get(place, headers={"Range": f"bytes={len(plain)}-"})
    assert (beyond.status_code, beyond["Content-Range"]) == (416, f"bytes */{len(plain)}")
    assert beyond.json()["code"] == "api.range"
    used = [one for one in _uses() if one.channel == "pb:download"]
    assert len(used) == 1, "in however many parts, it is one use"


def _uses():
    from pilotbase.hub.base import base
    from pilotbase.workspace.uses import uses_of

    return uses_of(base().lab.view, "dataset:plant/pumps")


def test_only_owner_and_operator_erase_and_what_was_used_stands(world):
    uses, place = _uses(), f"{PLACE}/files"
    for who in OTHERS:
        for address in (place, f"{place}/pumps.csv"):
            assert world.client(who).delete(address).status_code in (401, 403, 404), who
        assert world.client(who).get(f"{PLACE}/kept-files").status_code in (401, 403, 404)
        assert world.client(who).get("/datasets/plant/pumps/files/").status_code in (302, 403, 404)
    page = page_of(world.client("desk"), "/datasets/plant/pumps/files/")
    assert "pumps.csv" in page and 'enctype="multipart' not in page, "the operator erases, and keeps nothing for others"
    assert world.client("owner").get(f"{PLACE}/kept-files").json()[0]["newest"] is True
    assert world.client("owner").delete(f"{place}/pumps.csv").json() == {"erased": 1}
    assert world.client("owner").delete(f"{place}/pumps.csv").status_code == 404
    assert world.client("owner").get(f"{place}/pumps.csv").status_code == 404
    assert world.client("owner").get(f"{PLACE}/preview").status_code == 404
    assert world.client("owner").post(f"{PLACE}/quality/measurement", **JSON).status_code == 404
    assert _uses() == uses and "No file of this dataset" in page_of(
        world.client("owner"), "/datasets/plant/pumps/files/"
    )


def bomb():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("pumps.csv", b"a,b\n" + b"0,0\n" * (24 << 20))
    return packed.getvalue()


def test_hostile_files_are_refused_with_their_place_in_both_languages(world, no_readers):
    owner = world.client("owner")
    for name, content, code in (
        ("torn.csv", b'a,b\n1,2\n3\n4,"5\n', "source.ragged_row"),
        ("pumps.zip", bomb(), "source.bomb"),
        ("pumps.parquet", b"PAR1" + bytes(99) + b"PAR1", ""),
    ):
        given = {"uploads": [sent(owner, content, name=name)]}
        begun = owner.post("/api/descriptions", given, **JSON, HTTP_IDEMPOTENCY_KEY=name)
        assert begun.status_code == 201, begun.content
        do_all_in_box()
        told = owner.get(begun["Location"]).json()
        assert told["dataset"] is None and told["refused"] and told["problems"], name
        assert all(one["file"] == name and one["detail"] for one in told["problems"])
        assert not code or code in {one["code"] for one in told["problems"]}, told["problems"]
        chinese = owner.get(begun["Location"], headers={"Accept-Language": "zh"}).json()["problems"][0]["detail"]
        assert re.search(r"[一-鿿]", chinese), chinese
        page = page_of(owner, begun["Location"].removeprefix("/api") + "/")
        assert 'role="alert"' in page and name in page
        assert owner.post(f"{begun['Location']}/dataset", {}, **JSON).status_code == 409
    assert "line 3" in str(owner.get("/api/descriptions").json()) or told["progress"]["state"] == "done"


def test_a_kept_table_that_cannot_be_read_is_kept_and_its_owner_told_why(world, no_readers):
    owner = world.client("owner")
    spelled = owner.get(PLACE).json()
    spelled = json.loads(json.dumps(spelled | {"version": "2.0.0"}).replace("pumps.csv", "torn.csv"))
    changed = owner.put(PLACE, spelled, **JSON)
    assert changed.status_code == 200, changed.content
    upload = {"upload": sent(owner, b'a,b\n1,2\n3\n4,"5\n', name="torn.csv")}
    assert owner.post(f"{PLACE}/files", upload, **JSON).status_code == 201
    do_all_in_box()
    page = page_of(owner, "/datasets/plant/pumps/files/")
    assert "No first rows of torn.csv" in page and "line 3" in page
    assert "No first rows" not in page_of(world.client("desk"), "/datasets/plant/pumps/files/")
    assert owner.get(f"{PLACE}/preview").status_code == 404


def test_others_find_no_description_under_way(world):
    owner = world.client("owner")
    given = {"uploads": [sent(owner, PUMPS.encode(), name="pumps.csv")], "answers": {"title": "Pumps"}}
    place = owner.post("/api/descriptions", given, **JSON)["Location"]
    page = f"{place.removeprefix('/api')}/"
    for who in (*OTHERS, "desk", "regulator"):
        browser = world.client(who)
        assert browser.get(place).status_code in (401, 404) and browser.get(page).status_code in (302, 404), who
        assert browser.put(f"{place}/answers", {}, **JSON).status_code in (401, 404)
        assert browser.post(f"{place}/dataset", {}, **JSON).status_code in (401, 404)
        assert browser.delete(place).status_code in (401, 404)
        assert browser.post("/api/descriptions", given, **JSON).status_code in (401, 403, 404)
    assert owner.delete(place).status_code == 204
    assert owner.get(place).status_code == 404 and owner.get(f"/api/uploads/{given['uploads'][0]}").status_code == 404
