"""Files are described, measured, kept, taken in parts and erased over the hub; its own process parses none of them."""

import hashlib
import io
import re
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from pilotbase.data.terms.templates import offer_for
from pilotbase.documents.permissions import Act
from pilotbase.documents.quality import QualityReport, RuleResult
from pilotbase.documents.vocabularies import Opening
from pilotbase.worker.datasets.owner_jobs import keep_result
from pilotbase.workspace.uses import uses_of
from tests.catalogue.agreements_for_tests import dataset, file_of
from tests.catalogue.records_for_tests import OWNER
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


def do_all():
    from pilotbase.hub.base import base

    return work(base())


def page_of(browser, address, reader="en"):
    found = browser.get(address, headers={"Accept-Language": reader})
    assert found.status_code == 200, found.content
    return found.content.decode()


@pytest.fixture(scope="module")
def told(one_world):
    """What the pages told on the way from files to a published dataset."""
    owner, found = one_world.client("owner"), {}
    begun = owner.post("/descriptions/", {"tables": SimpleUploadedFile("pumps.csv", PUMPS.encode())})
    assert begun.status_code == 302, re.findall(r"role=.alert.+|wrong-why.+", begun.content.decode())
    address = begun["Location"]
    found["waiting"] = page_of(owner, address)
    do_all_in_box()
    found["refreshed"] = owner.get(address, headers={"HX-Request": "true"})
    found["en"], found["zh"] = page_of(owner, address), page_of(owner, address, "zh")
    found["wrong"] = owner.post(address, {**ANSWERS, "published": "yesterday"}).content.decode()
    assert owner.post(address, ANSWERS)["Location"] == address
    do_all_in_box()
    found["answered"] = page_of(owner, address)
    found["saved"] = owner.post(f"{address}save/", {"usual_terms": "on", "keep": "on"})
    found["published"] = owner.post(f"{PLACE}/acts/dataset.publish", {}, **JSON)
    found["after"] = owner.get(address)
    do_all_in_box()
    return found


@pytest.fixture
def world(one_world, told):
    """A hub on which the plant has published its pumps, with the file."""
    return one_world


def test_from_files_on_a_page_to_a_published_dataset(world, told):
    assert 'hx-trigger="sse:work' in told["waiting"], "the page refreshes itself while a worker is at it"
    assert "HX-Refresh" in told["refreshed"]
    assert "the name temp_c tells the unit °C" in told["en"] and "Likely" in told["en"]
    assert "Guessed: run_id" in told["en"] and "推测结果" in told["zh"] and "很可能" in told["zh"]
    assert told["wrong"].count("wrong-why") == 1
    assert "Nothing is missing" not in told["answered"], "terms are chosen when it is saved"
    assert "Terms of use" in told["answered"]
    assert told["saved"]["Location"] == "/datasets/plant/pumps/", told["saved"].content
    assert (told["published"].status_code, told["after"].status_code) == (200, 404)
    assert world.client("owner").get(f"{PLACE}/preview").json()["rows_in_all"] == 60


def do_all_in_box():
    assert set(do_all()) <= {"describe done", "first_rows done", "quality done"}


def test_the_owner_measures_sees_first_and_publishes(world, no_readers):
    owner, place = world.client("owner"), f"{PLACE}/quality/measurement"
    assert owner.get(place).status_code == 404
    for who in OTHERS:
        assert world.client(who).post(place, **JSON).status_code in (401, 403, 404), who
    ordered = owner.post(place, **JSON)
    assert (ordered.status_code, ordered["Location"]) == (202, place)
    assert "Quality measurement" in page_of(owner, "/datasets/plant/pumps/measuring/")
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


def test_the_page_of_a_measurement_names_the_rules_that_fail_and_their_first_rows(world):
    from pilotbase.hub.base import base

    owner, address = world.client("owner"), "/datasets/plant/pumps/measuring/"
    report = QualityReport.from_json_value(owner.get(f"{PLACE}/quality/measurement").json()["report"])
    rules = [
        RuleResult(rule=f"range {at}", kind="range", record_set="pumps", failed=at, rows=(3, 9)) for at in range(23)
    ]
    keep_result(base(), "plant", "quality:dataset:plant/pumps", report.model_copy(update={"rules": tuple(rules)}))
    english, chinese = page_of(owner, address), page_of(owner, address, "zh")
    assert "Rules that fail" in english and "未通过的规则" in chinese
    assert english.count("3, 9") == 20 and "range 1<" in english and "range 0<" not in english
    assert "and 2 more" in english
    keep_result(base(), "plant", "quality:dataset:plant/pumps", report)
    assert "Rules that fail" not in page_of(owner, address)


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
    used = [one for one in uses_told("dataset:plant/pumps") if one.channel == "pb:download"]
    assert len(used) == 1, "in however many parts, it is one use"


def uses_told(subject):
    from pilotbase.hub.base import base

    return uses_of(base().lab.view, subject)


def test_only_owner_and_operator_erase_and_what_was_used_stands(one_world):
    subject, at, owner = "dataset:plant/old", "/api/datasets/plant/old", one_world.client("owner")
    usage = offer_for(Opening.OPEN, "plant", subject)
    old = dataset(name="old", opening=Opening.OPEN, usageInfo=usage, files={"old.csv.bin": b"bytes"})
    one_world.trial.do(OWNER, subject, Act.DATASET_REGISTER, old)
    one_world.trial.do(OWNER, subject, Act.DATASET_PUBLISH)
    for _ in range(2):
        upload = {"upload": sent(owner, b"bytes", name="old.csv.bin")}
        assert owner.post(f"{at}/files", upload, **JSON).status_code == 201
        assert body(one_world.client("supplier").get(f"{at}/files/old.csv.bin")) == b"bytes"
    uses = uses_told(subject)
    for who in OTHERS:
        for address in (f"{at}/files", f"{at}/files/old.csv.bin"):
            assert one_world.client(who).delete(address).status_code in (401, 403, 404), who
        assert one_world.client(who).get(f"{at}/kept-files").status_code in (401, 403, 404)
        assert one_world.client(who).get("/datasets/plant/old/files/").status_code in (302, 403, 404)
    page = page_of(one_world.client("desk"), "/datasets/plant/old/files/")
    assert "old.csv.bin" in page and 'enctype="multipart' not in page, "the operator keeps nothing for others"
    assert [one["newest"] for one in owner.get(f"{at}/kept-files").json()] == [True]
    assert owner.delete(f"{at}/files/old.csv.bin").json() == {"erased": 1}
    assert owner.delete(f"{at}/files/old.csv.bin").status_code == 404
    assert one_world.client("supplier").get(f"{at}/files/old.csv.bin").status_code == 404
    assert owner.post(f"{at}/quality/measurement", **JSON).status_code == 404
    assert uses_told(subject) == uses and len(uses) == 1
    assert "No files of this dataset" in page_of(owner, "/datasets/plant/old/files/")


def bomb():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("pumps.csv", b"a,b\n" + b"0,0\n" * (17 << 20))
    return packed.getvalue()


@pytest.mark.prove
def test_hostile_files_are_refused_with_their_place_in_both_languages(one_world, no_readers):
    owner = one_world.client("owner")
    for name, content, code in (
        ("torn.csv", b'a,b\n1,2\n3\n4,"5\n', "source.ragged_row"),
        ("pumps.zip", bomb(), "source.bomb"),
    ):
        given = {"uploads": [sent(owner, content, name=name)]}
        begun = owner.post("/api/descriptions", given, **JSON, HTTP_IDEMPOTENCY_KEY=name)
        assert begun.status_code == 201, begun.content
        do_all_in_box()
        told = owner.get(begun["Location"]).json()
        assert told["dataset"] is None and told["refused"] and told["problems"], name
        assert all(one["file"] == name and one["detail"] for one in told["problems"])
        assert code in {one["code"] for one in told["problems"]}, told["problems"]
        chinese = owner.get(begun["Location"], headers={"Accept-Language": "zh"}).json()["problems"][0]["detail"]
        assert re.search(r"[一-鿿]", chinese), chinese
        page = page_of(owner, begun["Location"].removeprefix("/api") + "/")
        assert 'role="alert"' in page and name in page
        assert owner.post(f"{begun['Location']}/dataset", {}, **JSON).status_code == 409


def test_a_kept_table_that_cannot_be_read_is_kept_and_its_owner_told_why(one_world, no_readers):
    owner = one_world.client("owner")
    made = dataset(name="torn", files=("torn.csv",))
    one_world.trial.do(OWNER, "dataset:plant/torn", Act.DATASET_REGISTER, made)
    upload = {"upload": sent(owner, b'a,b\n1,2\n3\n4,"5\n', name="torn.csv")}
    assert owner.post("/api/datasets/plant/torn/files", upload, **JSON).status_code == 201
    do_all_in_box()
    page = page_of(owner, "/datasets/plant/torn/files/")
    assert "Cannot show the first rows of torn.csv" in page and "line 3" in page
    assert "Cannot show the first rows" not in page_of(one_world.client("desk"), "/datasets/plant/torn/files/")
    assert owner.get("/api/datasets/plant/torn/preview").status_code == 404


def described(owner, answers, dataset=None):
    """Return where the description of the pumps under way is, once a worker has read them."""
    given = {"uploads": [sent(owner, PUMPS.encode(), name="pumps.csv")], "answers": answers, "dataset": dataset}
    begun = owner.post("/api/descriptions", given, **JSON)
    assert begun.status_code == 201, begun.content
    do_all_in_box()
    return f"{begun['Location'].removeprefix('/api')}/"


SAID = {"name": "closed", "title": "Pumps", "label": "state", "description": "Pumps.", "license": "CC-BY-4.0",
        "url": "https://plant.example/pumps", "creator": ["Plant"], "publisher": "Plant", "published": "2026-04-01",
        "language": ["en"], "collection": "By the controller.", "personal": ["none"], "limitations": ["One line."],
        "use_cases": ["Warning of breakage."], "annotation": "By the shift.", "annotations": "1"}  # fmt: skip
PLAIN = hashlib.sha256(PUMPS.encode()).hexdigest()
CLOSED = "/api/datasets/plant/closed"


@pytest.mark.prove
def test_what_nobody_may_take_is_described_saved_and_published_in_one_press(one_world, no_readers):
    owner = one_world.client("owner")
    place = described(owner, SAID)
    lacks = page_of(owner, place).partition("Publishing still lacks")[2].partition("</ul>")[0]
    assert lacks.count("<li>") == 1 and "Terms of use" in lacks, "nothing that the base does itself is asked for"
    assert owner.post(f"{place}save/", {"usual_terms": "on", "keep": "on"}).status_code == 302
    draft = owner.get(CLOSED).content.decode()
    assert '"commitment"' in draft and PLAIN not in draft
    published = owner.post(f"{CLOSED}/acts/dataset.publish", {}, **JSON)
    assert published.status_code == 200, published.content
    for who in (*OTHERS, "owner", "desk", "regulator"):
        for address in (CLOSED, f"{CLOSED}/versions", f"{CLOSED}/files", "/datasets/plant/closed/"):
            told = one_world.client(who).get(address).content.decode()
            assert PLAIN not in told and PUMPS[:40] not in told, (who, address)
    other = owner.post(f"{CLOSED}/files", {"upload": sent(owner, b"a,b\n1,2\n", name="pumps.csv")}, **JSON)
    assert (other.status_code, other.json()["code"]) == (422, "dataset.other_bytes"), other.content
    do_all_in_box()

    place = described(owner, {"limitations": ["Two lines."]}, "dataset:plant/closed")
    assert "Nothing is missing" in page_of(owner, place) and "发布所需内容已齐备" in page_of(owner, place, "zh")
    assert owner.post(f"{place}save/", {}).status_code == 302
    newest = owner.get(f"{CLOSED}/versions").json()[0]
    assert newest["version"] == "1.0.1", "the bytes are known by their commitment: only words are others"
    kept = owner.get(f"{CLOSED}/kept-files").json()
    assert [(one["name"], one["newest"]) for one in kept] == [("pumps.csv", True)]


def test_files_that_were_kept_under_their_hash_stay_kept_under_their_commitment(one_world, no_readers):
    owner, place = one_world.client("owner"), "/api/datasets/plant/before"
    files = [file_of("pumps.csv", Opening.OPEN, PUMPS.encode())]
    made = dataset(name="before", files=("pumps.csv",), distribution=files)
    one_world.trial.do(OWNER, "dataset:plant/before", Act.DATASET_REGISTER, made)
    upload = {"upload": sent(owner, PUMPS.encode(), name="pumps.csv")}
    assert owner.post(f"{place}/files", upload, **JSON).status_code == 201
    saved = owner.post(f"{described(owner, {}, 'dataset:plant/before')}save/", {"usual_terms": "on"})
    assert saved.status_code == 302, saved.content
    assert PLAIN not in owner.get(place).content.decode()
    assert [one["newest"] for one in owner.get(f"{place}/kept-files").json()] == [True], "as it was, and not sent again"


def test_others_find_no_description_under_way(one_world):
    owner = one_world.client("owner")
    given = {"uploads": [sent(owner, PUMPS.encode(), name="pumps.csv")], "answers": {"title": "Pumps"}}
    place = owner.post("/api/descriptions", given, **JSON)["Location"]
    page = f"{place.removeprefix('/api')}/"
    for who in (*OTHERS, "desk", "regulator"):
        browser = one_world.client(who)
        assert browser.get(place).status_code in (401, 404) and browser.get(page).status_code in (302, 404), who
        assert browser.put(f"{place}/answers", {}, **JSON).status_code in (401, 404)
        assert browser.post(f"{place}/dataset", {}, **JSON).status_code in (401, 404)
        assert browser.delete(place).status_code in (401, 404)
        assert browser.post("/api/descriptions", given, **JSON).status_code in (401, 403, 404)
    assert owner.delete(place).status_code == 204
    assert owner.get(place).status_code == 404 and owner.get(f"/api/uploads/{given['uploads'][0]}").status_code == 404
