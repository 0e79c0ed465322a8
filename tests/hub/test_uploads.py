"""Handing in: six answers and a file make a scenario; a zip makes an application; archives of strangers do no harm."""

import io
import random
import re
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.catalogue.records_for_tests import SCENARIO


@pytest.fixture(scope="module")
def opened(one_world):
    one_world.trial.open_scenario()
    return one_world


def cases() -> bytes:
    chance = random.Random(7)
    rows = []
    for _ in range(600):
        torque = round(chance.gauss(40, 10), 2)
        broken = chance.random() < (0.8 if torque > 48 else 0.1)
        rows.append(f"{torque},{chance.choice('LMH')},{'broken' if broken else 'fine'}")
    return "\n".join(["torque,grade,failure", *rows]).encode()


ANSWERS = {
    "problem": "The mill breaks too often",
    "target": "failure",
    "group_or_time": "",
    "cost_of_miss": "1000",
    "cost_of_false_alarm": "50",
    "contact": "desk@plant.example",
}


def upload(content=None, name="cases.csv"):
    return SimpleUploadedFile(name, content or cases())


def test_six_answers_make_a_draft(opened):
    browser = opened.client("owner")
    made = browser.post("/scenarios/new/", {**ANSWERS, "cases": upload(name="Spindle 7.csv")})
    assert made.status_code == 302, re.findall(r"role=.alert.+", made.content.decode())
    page = browser.get(made["Location"]).content.decode()
    assert "The mill breaks too often" in page
    assert "grade" in page and "recall(broken)" in page
    assert opened.client("other-owner").get(made["Location"]).status_code == 404
    again = browser.post("/scenarios/new/", {**ANSWERS, "cases": upload(name="Spindle 7.csv")})
    assert again.status_code == 200 and "is already registered" in again.content.decode(), (
        "a new one is no version of an old one"
    )


@pytest.mark.prove
def test_what_the_data_doctor_finds_is_ticked_or_not_before_the_draft_is_made(opened):
    browser, lines = opened.client("owner"), cases().decode().splitlines()
    table = [f"{line},{-999 if at % 25 == 3 else at % 90}" for at, line in enumerate(lines[1:])]
    content = "\n".join([f"{lines[0]},flow", *table]).encode()
    found = browser.post("/scenarios/new/", {**ANSWERS, "cases": upload(content, "Lathe 9.csv")}).content.decode()
    assert "flow is -999 in 24 cases" in found
    assert found.index("No draft yet") < found.index('name="target"') < found.index('name="fixes"')
    ticks = dict(re.findall(r'name="fixes" value="([^"]+)"[^>]*?(checked)?>', found))
    assert ticks["sentinels:flow"] == "checked" and ticks.get("afterwards:torque", "") == ""
    kept = re.search(r'name="kept" value="([^"]+)"', found)[1]
    examined = re.search(r'name="examined" value="([^"]+)"', found)[1]
    answers = {**ANSWERS, "kept": kept, "examined": examined}
    wrong = browser.post("/scenarios/new/", {**answers, "fixes": ["sentinels:no_such"]})
    assert wrong.status_code == 200 and "There is no fix" in wrong.content.decode()
    made = browser.post("/scenarios/new/", {**answers, "fixes": ["sentinels:flow"]})
    assert made.status_code == 302, re.findall(r"role=.alert.+", made.content.decode())
    told = browser.get(made["Location"]).content.decode()
    assert "read these values of flow as missing" in told
    assert (
        "missing: [" in browser.get(made["Location"] + "acts/scenario.edit/").content.decode().partition("readers")[2]
    )


@pytest.mark.prove
def test_a_gbk_file_with_tabs_and_undecided_dates_makes_a_draft_once_their_order_is_said(opened):
    browser = opened.client("owner")
    days = [f"{1 + at % 12}/{1 + at * 7 % 12}/2024" for at in range(600)]
    lines = [
        f"{line.replace(',', chr(9))}\t{day}"
        for line, day in zip(cases().decode().split("\n"), ["日期", *days], strict=True)
    ]
    table = "\n".join(lines).encode("gb18030")
    asked = {**ANSWERS, "group_or_time": "日期", "name": "by-day"}
    open_order = browser.post("/scenarios/new/", {**asked, "cases": upload(table, "cases.tsv")})
    assert open_order.status_code == 200 and "whether the day or the month comes first" in open_order.content.decode()
    made = browser.post("/scenarios/new/", {**asked, "dates": "day-first", "cases": upload(table, "cases.tsv")})
    assert made.status_code == 302, re.findall(r"role=.alert.+", made.content.decode())
    assert "hidden_from" in browser.get(f"{made['Location']}acts/scenario.edit/").content.decode()


def test_what_is_wrong_is_said_and_nothing_typed_is_lost(opened):
    browser = opened.client("owner")
    page = browser.post("/scenarios/new/", {**ANSWERS, "target": "no_such", "cases": upload()}).content.decode()
    assert "no_such" in page and "The mill breaks too often" in page and "desk@plant.example" in page
    for content, name in ((b"\x00\xff" * 100, "cases.csv"), (b"PK\x03\x04junk", "cases.xlsx"), (b"x", "cases.exe")):
        again = browser.post("/scenarios/new/", {**ANSWERS, "cases": upload(content, name)})
        assert again.status_code == 200 and "wrong" in again.content.decode(), name


def test_a_name_of_a_file_is_no_path():
    from pilotbase.hub.forms.files import make_name

    assert make_name("../../etc/passwd") == "passwd"
    assert make_name("C:\\x\\cases.csv") == "cases.csv"
    assert make_name("scenario.yaml") == make_name("..") == "cases.csv"


APPLICATION = """
document: application/1
name: {name}
version: 1.0.0
title: Pine
supplier: {{organisation: {supplier}}}
licence: MIT
model_card: {{summary: Guesses.}}
"""


def packed(files, name="pine", supplier="acme"):
    """Return a zip of these files; a number is a content of so many zeros."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("pine/application.yaml", APPLICATION.format(name=name, supplier=supplier))
        archive.writestr("pine/app.py", "def predict(features):\n    return []\n")
        archive.writestr("pine/requirements.lock", "")
        for path, content in files:
            archive.writestr(path, bytes(content) if isinstance(content, int) else content)
    return SimpleUploadedFile("pine.zip", buffer.getvalue())


def test_a_zip_makes_an_application(opened):
    browser = opened.client("supplier")
    made = browser.post("/applications/new/", {"folder": packed([]), "scenario": SCENARIO, "note": ""})
    assert made.status_code == 302, re.findall(r"role=.alert.+", made.content.decode())
    assert made["Location"] == "/applications/acme/pine/"
    chinese = {"accept-language": "zh"}
    asked = browser.get("/applications/new/", headers=chinese).content.decode()
    draft = browser.get(made["Location"], headers=chinese).content.decode()
    assert "上传应用" in asked and "发起预演" in asked, "nothing runs by itself, and it says so"
    assert "发起预演" in draft and "正式提交" in draft, "the second step has a name of its own"
    proposed = browser.get("/trials/new/", headers=chinese).content.decode()
    assert "草稿请先正式提交" in proposed and "acme/pine" not in proposed
    begun = '<a class="button wide" href="/trials/new/?application=acme%2Fpine&amp;scenario=plant%2Fmilling">'
    assert begun not in draft
    assert browser.post(f"{made['Location']}acts/application.submit/", {"seen": ""}).status_code == 302
    assert begun in browser.get(made["Location"]).content.decode(), "the step after it"


def test_a_new_version_keeps_the_scenario_that_the_one_before_was_made_for(opened):
    browser = opened.client("supplier")
    browser.post("/applications/new/", {"folder": packed([], "fir"), "scenario": SCENARIO, "note": ""})
    place = "/applications/acme/fir/"
    form = browser.get(f"{place}acts/application.edit/", follow=True).content.decode()
    assert f'<option value="{SCENARIO}" selected>' in form, "it is there to be seen, and to be changed"
    newer = {"folder": packed([("pine/more.txt", "x")], "fir"), "scenario": "", "note": ""}
    assert browser.post("/applications/new/", newer)["Location"] == place
    stands = opened.trial.record("application:acme/fir")
    assert (stands.version, stands.subjects) == (2, {"scenario": SCENARIO})
    page = browser.get(place).content.decode()
    assert re.search('<a href="/scenarios/plant/milling/">\\w', page) and f">{SCENARIO}<" not in page
    assert browser.post(f"{place}acts/application.rehearse/", {"seen": ""}).status_code == 302, "it can be rehearsed"


def test_a_zip_stays_chosen_while_the_rest_is_mended(opened):
    browser = opened.client("supplier")
    wrong = {"folder": packed([], "larch"), "scenario": SCENARIO, "note": "x" * 4001}
    page = browser.post("/applications/new/", wrong).content.decode()
    (kept,) = re.findall(r'name="kept" value="([0-9a-f]{32})"', page)
    assert "pine.zip" in page, "it says what is chosen"
    assert opened.client("other-supplier").post("/applications/new/", {"kept": kept}).status_code == 200, "not theirs"
    made = browser.post("/applications/new/", {"kept": kept, "scenario": SCENARIO, "note": "Shorter."})
    assert made["Location"] == "/applications/acme/larch/"
    assert browser.get("/api/uploads").json() == [], "taken in, and erased"
    empty = browser.post("/applications/new/", {"scenario": SCENARIO}).content.decode()
    assert "wrong-why" in empty


def link():
    entry = zipfile.ZipInfo("pine/link")
    entry.external_attr = 0o120777 << 16
    return entry


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([("../out.py", "x")], "leads out"),
        ([("/etc/cron.d/x", "x")], "leads out"),
        ([("pine/..\\..\\x", "x")], "leads out"),
        ([(link(), "/etc/passwd")], "not a regular file"),
        ([("pine/zeros", 300 << 20)], "more than"),
        ([("pine/one", "a"), ("pine/one", "b")], "contains pine/one twice"),
        ([("pine/one", "a"), ("pine/one/two", "b")], "pine/one/two twice, or as both a file and a folder"),
        ([(f"pine/{number}", "") for number in range(5001)], "entries"),
    ],
)
def test_archives_of_strangers_do_no_harm(opened, files, said, tmp_path):
    page = opened.client("supplier").post("/applications/new/", {"folder": packed(files), "scenario": "", "note": ""})
    assert page.status_code == 200 and said in page.content.decode()


def test_an_archive_unpacks_to_what_is_set_for_it_or_to_its_own_size(opened, settings_of_hub):
    settings_of_hub(unpacked_bytes=1 << 20)
    browser = opened.client("supplier")
    for content, ends in ((bytes(2 << 20), 200), (random.Random(7).randbytes(2 << 20), 302)):
        folder = packed([("pine/model", content)], "spruce")
        assert browser.post("/applications/new/", {"folder": folder, "scenario": "", "note": ""}).status_code == ends


def test_nobody_hands_in_for_others(opened):
    browser = opened.client("supplier")
    page = browser.post("/applications/new/", {"folder": packed([], "x", "globex"), "scenario": "", "note": ""})
    assert page.status_code == 200 and "note error" in page.content.decode()
    assert opened.client("other-supplier").get("/applications/globex/x/").status_code == 404
