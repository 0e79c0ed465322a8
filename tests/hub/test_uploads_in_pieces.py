"""Uploads over the API: who may hand in, pieces that go on after a break, and a folder that becomes a version."""

import hashlib
import io
import zipfile
from pathlib import Path

import pytest

from tests.catalogue.records_for_tests import SCENARIO
from tests.hub.test_uploads import ANSWERS, cases, packed, upload

JSON = {"content_type": "application/json"}
BYTES = {"content_type": "application/octet-stream"}
EVERYBODY = ("visitor", "stranger", "desk", "owner", "other-owner", "supplier", "other-supplier", "reviewer",
             "other-reviewer", "regulator")  # fmt: skip


@pytest.fixture(scope="module")
def opened(any_world):
    any_world.trial.open_scenario()
    return any_world


def announced(browser, content, name="folder.zip"):
    body = {"name": name, "size": len(content), "digest": f"sha256:{hashlib.sha256(content).hexdigest()}"}
    return browser.post("/api/uploads", body, **JSON)


def sent(browser, content, size=1 << 20, name="folder.zip"):
    place = f"/api/uploads/{announced(browser, content, name).json()['identity']}"
    for start in range(0, len(content), size):
        assert browser.put(f"{place}/pieces/{start}", content[start : start + size], **BYTES).status_code == 200
    done = browser.post(f"{place}/finish")
    assert done.status_code == 200, done.content
    return done.json()["identity"]


def zipped(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


WRITES = """
                                  V   S   D   O   o   P   p   R   r   G
post   uploads                    401 403 201 201 201 201 201 403 403 403
put    uploads/{open}/pieces/3    401 403 404 409 404 404 404 403 403 403
post   uploads/{open}/finish      401 403 404 422 404 404 404 403 403 403
post   scenarios                  401 403 404 404 404 403 403 403 403 403
post   applications               401 403 403 403 403 404 404 403 403 403
delete scenarios/plant/milling/files 401 404 200 200 404 404 404 404 404 403
delete uploads/{nothing}          401 403 404 404 404 404 404 403 403 403
delete uploads/{open}             401 403 404 204 404 404 404 403 403 403
"""
"""Each write as each person, `{open}` being an upload of the plant's; letters as in `test_who_reaches_what`."""


def test_every_write_for_every_person(opened):
    place = {"open": announced(opened.client("owner"), b"secret of the plant").json()["identity"], "nothing": "0" * 32}
    wrong = []
    for line in WRITES.strip().splitlines()[1:]:
        method, address, *codes = line.split()
        order = sorted(zip(EVERYBODY, map(int, codes), strict=True), key=lambda pair: pair[1] == 204)
        for who, code in order:
            browser = opened.client(None if who == "visitor" else who)
            found = _write(browser, method, f"/api/{address.format(**place)}").status_code
            if found != code:
                wrong.append((method, address, who, code, found))
    assert not wrong, "\n".join(map(str, wrong))


def _write(browser, method, address):
    if address == "/api/uploads":
        return announced(browser, b"x")
    if "/pieces/" in address:
        return browser.put(address, b"x", **BYTES)
    if address in ("/api/scenarios", "/api/applications"):
        return browser.post(address, {"upload": "1" * 32}, **JSON)
    return getattr(browser, method)(address)


def test_an_upload_goes_on_where_it_broke_off(opened):
    browser, content = opened.client("owner"), bytes(range(256)) * 40
    made = announced(browser, content)
    place = made["Location"]
    assert made["Upload-Offset"] == "0"
    assert browser.put(f"{place}/pieces/0", content[:5000], **BYTES)["Upload-Offset"] == "5000"
    again = browser.put(f"{place}/pieces/0", content[:5000], **BYTES, HTTP_ACCEPT_LANGUAGE="zh")
    assert (again.status_code, again["Upload-Offset"]) == (409, "5000") and "分块" in again.json()["title"]
    assert browser.post(f"{place}/finish").json()["code"] == "vault.upload_incomplete"
    assert browser.get(place).json()["received"] == 5000 and browser.head(place)["Upload-Offset"] == "5000"
    assert browser.put(f"{place}/pieces/5000", content[5000:], **BYTES).status_code == 200
    assert browser.post(f"{place}/finish").json()["finished"] is True
    assert browser.delete(place).status_code == 204 and browser.get(place).status_code == 404


def test_nothing_of_it_lies_in_plain_anywhere(opened):
    from pilotbase.hub.base import base

    secret = b"torque of spindle seven " * 1000
    sent(opened.client("owner"), secret, 7000)
    home = base().home.path
    assert not [path for path in Path(home).rglob("*") if path.is_file() and b"spindle seven" in path.read_bytes()]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"size": 0}, "size"),
        ({"size": "many"}, "size"),
        ({"size": 1 << 50}, "size"),
        ({"digest": "md5:1"}, "digest"),
        ({"name": "../../etc/passwd"}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"name": "x" * 300}, "name"),
        ({"more": 1}, "more"),
    ],
)
def test_what_is_announced_wrongly_is_told(opened, body, path):
    whole = {"name": "a.zip", "size": 1, "digest": f"sha256:{'0' * 64}", **body}
    found = opened.client("owner").post("/api/uploads", whole, **JSON)
    assert found.status_code == 422 and path in [one["path"].rpartition(".")[2] for one in found.json()["problems"]]


def test_limits_are_told(opened, settings_of_hub):
    browser = opened.client("other-owner")
    settings_of_hub(upload_bytes=1000, upload_room_bytes=1500)
    assert announced(browser, b"x" * 1001).json()["code"] == "vault.upload_too_large"
    first = announced(browser, b"x" * 1000).json()["identity"]
    full = announced(browser, b"x" * 1000)
    assert (full.status_code, full.json()["code"]) == (409, "vault.upload_quota")
    large = browser.put(f"/api/uploads/{first}/pieces/0", b"x" * ((4 << 20) + 1), **BYTES)
    assert (large.status_code, large.json()["code"]) == (413, "api.body_too_large")
    assert browser.put(f"/api/uploads/{first}/pieces/0", b"x", **JSON).status_code == 415


def test_a_folder_becomes_an_application_once(opened):
    browser = opened.client("supplier")
    upload = sent(browser, packed([]).read())
    body = {"upload": upload, "scenario": SCENARIO, "note": "First."}
    made = browser.post("/api/applications", body, **JSON, HTTP_IDEMPOTENCY_KEY="once")
    assert made.status_code == 201 and made["Location"] == "/api/applications/acme/pine", made.content
    assert browser.get(made["Location"])["ETag"] == made["ETag"]
    assert browser.post("/api/applications", body, **JSON, HTTP_IDEMPOTENCY_KEY="once").content == made.content
    assert browser.post("/api/applications", body, **JSON).status_code == 404, "taken in, it is erased"


def test_a_folder_becomes_a_scenario(opened, tmp_path):
    from pilotbase.data.drafting import DraftAnswers
    from pilotbase.worker.intake.drafting import new_scenario

    (tmp_path / "cases.csv").write_bytes(cases())
    answers = DraftAnswers("Breaks too often", "failure", None, 1000, 50, "plant, desk")
    new_scenario(tmp_path / "cases.csv", answers, tmp_path / "drill")
    files = {f"drill/{path.name}": path.read_bytes() for path in (tmp_path / "drill").iterdir()}
    browser = opened.client("owner")
    made = browser.post("/api/scenarios", {"upload": sent(browser, zipped(files))}, **JSON)
    assert made.status_code == 201 and made.json()["state"] == "draft", made.content
    torn = files | {"drill/cases.csv": cases().replace(b"failure", b"failed", 1)}
    unfit = browser.post("/api/scenarios", {"upload": sent(browser, zipped(torn))}, **JSON)
    assert unfit.status_code == 422 and "failure" in unfit.content.decode(), "its table was read, in a box"
    stolen = opened.client("other-owner")
    refused = stolen.post("/api/scenarios", {"upload": sent(stolen, zipped(files))}, **JSON)
    assert refused.status_code in (403, 404) and "drill" not in refused.json()["title"]


@pytest.mark.one_in(2)
@pytest.mark.parametrize(("language", "asked"), [("en", "did you mean"), ("zh", "是否指")])
def test_one_answer_tells_all_that_is_wrong_with_a_scenario(opened, tmp_path, language, asked):
    from pilotbase.data.drafting import DraftAnswers
    from pilotbase.worker.intake.drafting import new_scenario

    (tmp_path / "cases.csv").write_bytes(cases())
    answers = DraftAnswers("Breaks too often", "failure", None, 1000, 50, "plant, desk")
    new_scenario(tmp_path / "cases.csv", answers, tmp_path / "drill")
    manifest = (tmp_path / "drill" / "scenario.yaml").read_text()
    wrong = {
        "attempts: ": "atempts: ",
        "task: classification": "task: clasification",
        "recall(broken)": "recal(broken)",
        "name: grade": "name: grad",
    }
    for right, slip in wrong.items():
        assert right in manifest
        manifest = manifest.replace(right, slip, 1)
    browser = opened.client("owner")
    upload = sent(browser, zipped({"drill/scenario.yaml": manifest, "drill/cases.csv": cases()}))
    found = browser.post("/api/scenarios", {"upload": upload}, **JSON, HTTP_ACCEPT_LANGUAGE=language)
    assert found.status_code == 422
    problems, lines = found.json()["problems"], manifest.splitlines()
    assert {one["file"] for one in problems} == {"drill/scenario.yaml"}
    assert [sum(slip in lines[one["line"] - 1] for one in problems) for slip in wrong.values()] == [1] * 4, problems
    assert all(asked in one["detail"] for one in problems) and len(problems) == 4


@pytest.mark.parametrize("content", [b"no zip at all", zipped({"../../x": b"x"}), zipped({"nothing.txt": b"x"})])
def test_wrong_archives_are_told_and_stay_until_erased(opened, content):
    browser = opened.client("supplier")
    upload = sent(browser, content)
    found = browser.post("/api/applications", {"upload": upload}, **JSON, HTTP_ACCEPT_LANGUAGE="zh")
    assert found.status_code == 422 and any("\u4e00" <= letter <= "\u9fff" for letter in found.json()["title"])
    assert "/tmp/" not in found.content.decode(), "addresses of the base are nobody's business"
    assert browser.get(f"/api/uploads/{upload}").status_code == 200


def test_the_owner_sees_and_erases_what_the_base_keeps(opened, settings_of_hub):
    from pilotbase.hub.base import base

    browser = opened.client("owner")
    made = browser.post("/scenarios/new/", {**ANSWERS, "cases": upload(name="lathe.csv")})
    place = f"/api{made['Location'].rstrip('/')}/files"
    settings_of_hub(files_days=10)
    kept = browser.get(place).json()
    assert len(kept) == 1 and kept[0]["size"] > 0
    blobs = set(blob_files(base()))
    assert browser.delete(place).json() == {"erased": 1} and browser.get(place).json() == []
    assert len(blobs - set(blob_files(base()))) == 1
    assert browser.delete(place).json() == {"erased": 0}


@pytest.mark.prove
def test_what_is_kept_too_long_is_swept(opened):
    from dataclasses import replace
    from datetime import timedelta

    from pilotbase.hub.base import base
    from pilotbase.worker.jobs.retention import sweep

    browser = opened.client("owner")
    made = browser.post("/scenarios/new/", {**ANSWERS, "cases": upload(name="grinder.csv")})
    place, left = f"/api{made['Location'].rstrip('/')}/files", announced(browser, b"left lying").json()["identity"]

    def in_days(days):
        lab, now = base().lab, base().lab.store.clock()
        store = replace(lab.store, clock=lambda: now + timedelta(days=days))
        view = store.as_actor(lab.actor)
        return replace(base(), lab=replace(lab, store=store, vault=replace(lab.vault, view=view)))

    assert sweep(in_days(1), 10) == 0 and len(browser.get(place).json()) == 1
    assert sweep(in_days(11), 10) >= 2 and browser.get(place).json() == []
    assert browser.get(f"/api/uploads/{left}").status_code == 404


def blob_files(base):
    return [path for path in (base.home.path / "blobs").rglob("*") if path.is_file()]


@pytest.mark.one_in(2)
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_page_of_what_is_kept(opened, language):
    browser = opened.client("owner")
    browser.cookies["pilotbase-language"] = language
    made = browser.post("/scenarios/new/", {**ANSWERS, "cases": upload(name=f"mill-{language}.csv")})["Location"]
    assert f"{made}files/" in browser.get(made).content.decode()
    page = browser.get(f"{made}files/").content.decode()
    assert ("基地保存的数据" if language == "zh-hans" else "Data stored by the base") in page and "danger" in page
    erased = browser.post(f"{made}files/", follow=True).content.decode()
    assert "danger" not in erased
