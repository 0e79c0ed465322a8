"""Threads as pages and over the API: who reaches which, files as downloads only, words of strangers as text only."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from pilotbase.catalogue import threads
from pilotbase.documents.thread import Question
from tests.catalogue.records_for_tests import OTHER_SUPPLIER, SCENARIO, SUPPLIER

JSON = {"content_type": "application/json"}
EVIL = "<script>alert(1)</script> \"'><img src=x onerror=alert(1)> \u202egpj.exe javascript:alert(1)"
COLUMNS = ("visitor", "stranger", "desk", "owner", "other-owner", "supplier", "other-supplier", "reviewer",
           "other-reviewer", "regulator")  # fmt: skip
PAGES = """
                                      V   S   D   O   o   P   p   R   r   G
/exchange/                            302 404 200 200 200 200 200 200 200 200
/exchange/{open}/                     302 404 200 200 200 200 200 200 200 200
/exchange/{private}/                  302 404 200 200 404 404 200 404 404 200
/exchange/{supplier}/                 302 404 200 404 404 200 404 404 404 200
/exchange/0000000000000000/           302 404 404 404 404 404 404 404 404 404
/exchange/{open}/1/correct/           302 404 200 404 404 404 200 404 404 404
/exchange/{open}/1/remove/            302 404 200 404 404 404 200 404 404 404
/exchange/{open}/9/remove/            302 404 404 404 404 404 404 404 404 404
/exchange/{open}/1/{file}/            302 404 200 200 200 200 200 200 200 200
/exchange/{private}/1/{file}/         302 404 404 404 404 404 404 404 404 404
/scenarios/plant/milling/threads/     302 404 200 200 200 200 200 200 200 200
/scenarios/plant/milling/threads/new/ 302 404 200 200 200 200 200 200 200 200
/applications/acme/forest/threads/    302 404 200 404 404 200 404 404 404 200
/applications/acme/forest/threads/new/ 302 404 200 404 404 200 404 404 404 200
/organisations/plant/threads/         404 404 404 404 404 404 404 404 404 404
/api/threads                          401 200 200 200 200 200 200 200 200 200
/api/threads?subject=scenario:plant/milling 401 200 200 200 200 200 200 200 200 200
/api/threads?subject=application:acme/forest 401 404 200 404 404 200 404 404 404 200
/api/threads/{open}                   401 404 200 200 200 200 200 200 200 200
/api/threads/{private}                401 404 200 200 404 404 200 404 404 200
/api/threads/{open}/messages/1/files/sha256:{file} 401 404 200 200 200 200 200 200 200 200
/api/documents/{first}                404 404 200 404 404 404 404 404 404 200
/notices/                             302 404 200 200 200 200 200 200 200 200
/notices/mail/                        302 404 200 200 200 200 200 200 200 200
/notices/webhooks/                    302 404 200 200 200 200 200 200 200 200
/notices/webhooks/0000000000000000/   302 404 404 404 404 404 404 404 404 404
/api/notices                          401 200 200 200 200 200 200 200 200 200
/api/notices/mail                     401 200 200 200 200 200 200 200 200 200
/api/webhooks                         401 200 200 200 200 200 200 200 200 200
"""
"""GET each address as each person. D operator, O demand owner, P supplier, R reviewer, G regulator; small letters: the
same role in an organisation that the records do not concern; S has an account and belongs to nobody."""


@pytest.fixture(scope="module")
def asked(any_world):
    trial = any_world.trial
    trial.open_scenario()
    trial.submit_application()
    globex = any_world.client("other-supplier")
    page = {"title": "Row 7", "text": "Which shift?", "attachments": upload("night.csv", b"a,b\n1,2\n")}
    made = globex.post("/scenarios/plant/milling/threads/new/", page)
    assert made.status_code == 302, re.findall(r"wrong-why[^>]*>([^<]+)", made.content.decode())
    view = trial.store.as_actor(OTHER_SUPPLIER)
    private = threads.ask(view, Question(subject=SCENARIO, title="Ours", text="Between us", private=True))
    own = Question(subject="application:acme/forest", title="Mine", text="A note")
    identity = made["Location"].strip("/").split("/")[1]
    thread = threads.read(view, identity).thread
    any_world.digests = {
        "open": identity,
        "private": private.thread.identity,
        "supplier": threads.ask(trial.store.as_actor(SUPPLIER), own).thread.identity,
        "file": thread.messages[0].attachments[0].digest.partition(":")[2],
        "first": thread.history[-1].before,
    }
    return any_world


def upload(name, content=b"x"):
    return SimpleUploadedFile(name, content)


@pytest.mark.prove
def test_who_reaches_what(asked):
    wrong = []
    browsers = [asked.client(None if who == "visitor" else who) for who in COLUMNS]
    for line in PAGES.strip().splitlines()[1:]:
        address, *expected = line.split()
        path = address.format(**asked.digests)
        found = [str(browser.get(path).status_code) for browser in browsers]
        if found != expected:
            wrong.append(f"{address}: {' '.join(found)}")
    assert wrong == []


def test_lists_name_only_what_is_seen(asked):
    expected = {"owner": {"Row 7", "Ours"}, "supplier": {"Row 7", "Mine"}, "other-owner": {"Row 7"}}
    for who, titles in expected.items():
        browser = asked.client(who)
        listed = browser.get("/api/threads").json()
        assert {one["title"] for one in listed["items"]} == titles and listed["total"] == len(titles)
        page = browser.get("/exchange/").content.decode()
        assert {title for title in ("Row 7", "Ours", "Mine") if title in page} == titles
    record = asked.client("other-owner").get("/scenarios/plant/milling/").content.decode()
    assert re.search(r'threads/">[^<]+<span class="tag">1<', record)


def test_a_file_is_a_download_and_nothing_else(asked):
    found = asked.client("owner").get("/exchange/{open}/1/{file}/".format(**asked.digests))
    assert found.getvalue() == b"a,b\n1,2\n"
    assert found["Content-Type"] == "application/octet-stream" and found["X-Content-Type-Options"] == "nosniff"
    assert found["Content-Disposition"] == "attachment; filename*=UTF-8''night.csv"
    assert found["Content-Security-Policy"].startswith("sandbox; default-src 'none'")


def test_words_of_strangers_are_text(asked):
    browser = asked.client("other-supplier")
    text = f"{EVIL}\nhttps://example.org/a?b=1&c=<i>。 http://x.example/). https://ex\u0430mple.org/"
    made = browser.post("/scenarios/plant/milling/threads/new/", {"title": EVIL, "text": text})
    page = browser.get(made["Location"]).content.decode()
    assert "<script>alert" not in page and "<img src=x" not in page and "\u202e" not in page
    links = re.findall(r'<a href="(http[^"]+)" rel="([^"]+)">', page)
    assert {rel for _, rel in links} == {"nofollow noopener noreferrer ugc"}
    assert [link for link, _ in links] == ["https://example.org/a?b=1&amp;c=&lt;i", "http://x.example/"]
    assert 'href="javascript' not in page
    for path in ("/exchange/", "/scenarios/plant/milling/threads/"):
        assert "<script>alert" not in browser.get(path).content.decode()


def test_a_talk_on_the_pages(asked):
    globex, plant, desk = (asked.client(who) for who in ("other-supplier", "owner", "desk"))
    made = globex.post("/scenarios/plant/milling/threads/new/", {"title": "Talk", "text": "Why?"})["Location"]
    assert plant.post(made, {"text": "Because."}).status_code == 302
    assert "Mark the answer" in globex.get(made).content.decode()
    assert "Mark the answer" not in desk.get(made).content.decode()
    assert desk.post(f"{made}mark/", {"message": "2"}).status_code == 403
    assert globex.post(f"{made}mark/", {"message": "2"}).status_code == 302
    assert "status pass" in plant.get(made).content.decode()
    assert plant.post(f"{made}2/correct/", {"text": "Because of the sensor."}).status_code == 302
    assert "corrected" in globex.get(made).content.decode()
    assert globex.post(f"{made}2/remove/", {"reason": "x"}).status_code == 404
    assert desk.post(f"{made}2/remove/", {"reason": "Names a person"}).status_code == 302
    page = globex.get(made).content.decode()
    assert "Because of" not in page and "Names a person" in page and "Removed by" in page
    assert globex.post(f"{made}mark/", {"message": "x"}).status_code == 404
    assert globex.post(f"{made}mark/", {"message": "99"}).status_code == 404


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"title": "", "text": "x"}, "title"),
        ({"title": "x", "text": ""}, "text"),
        ({"title": "x", "text": "x" * 8001}, "text"),
        ({"title": "x" * 201, "text": "x"}, "title"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_is_kept(asked, form, said):
    found = asked.client("other-supplier").post("/scenarios/plant/milling/threads/new/", form)
    assert found.status_code == 200
    assert f'id="id_{said}_error"' in found.content.decode()


def test_files_that_are_not_taken(asked, settings_of_the_hub):
    settings_of_the_hub(attachment_bytes=1024)
    browser = asked.client("other-supplier")
    for files in ([upload("big.bin", b"x" * 1025)], [upload(f"{n}.txt") for n in range(6)]):
        form = {"title": "x", "text": "kept here", "attachments": files}
        page = browser.post("/scenarios/plant/milling/threads/new/", form).content.decode()
        assert "wrong-why" in page and "kept here" in page, files


@pytest.fixture
def settings_of_the_hub():
    from dataclasses import replace

    from django.conf import settings

    before = settings.CONFIGURATION

    def change(**values):
        settings.CONFIGURATION = replace(before, **values)

    yield change
    settings.CONFIGURATION = before


def test_the_api(asked):
    from tests.hub.test_api import caller

    globex, plant = caller(asked, "other-supplier"), caller(asked, "owner")
    question = {"subject": SCENARIO, "title": "By program", "text": "Which shift? @plant"}
    keyed = {**JSON, "HTTP_IDEMPOTENCY_KEY": "q1"}
    made = globex.post("/api/threads", question, **keyed)
    assert made.status_code == 201, made.content
    assert globex.post("/api/threads", question, **keyed).content == made.content
    address = made["Location"]
    read = globex.get(address)
    assert read["ETag"] == made["ETag"]
    assert globex.get(address, HTTP_IF_NONE_MATCH=read["ETag"]).status_code == 304
    assert read.json()["messages"][0]["mentions"] == [{"organisation": "plant"}]
    replied = plant.post(f"{address}/messages", {"text": "Night."}, **JSON)
    assert replied.status_code == 201 and len(replied.json()["messages"]) == 2
    stale = globex.put(f"{address}/answer", {"message": 2}, **JSON, HTTP_IF_MATCH=read["ETag"])
    assert stale.status_code in (409, 412), stale.content
    assert globex.put(f"{address}/answer", {"message": 2}, **JSON).json()["answer"] == 2
    assert globex.put(f"{address}/messages/2", {"text": "Mine"}, **JSON).status_code == 403
    raw = {"content_type": "application/octet-stream"}
    held = plant.put(f"{address}/messages/2/files?name=row.txt", b"7", **raw)
    assert held.status_code == 200, held.content
    digest = held.json()["messages"][1]["attachments"][0]["digest"]
    assert b"".join(globex.get(f"{address}/messages/2/files/{digest}")) == b"7"
    assert globex.put(f"{address}/messages/2/files?name=row.txt", b"8", **raw).status_code == 403
    assert plant.put(f"{address}/messages/2/files?name=a/b", b"8", **raw).status_code == 422
    assert plant.put(f"{address}/messages/2/files?name=x", b"8", **JSON).status_code == 415
    assert plant.post(f"{address}/messages/2/removal", {"reason": "x"}, **JSON).status_code == 200
    assert globex.get(f"{address}/messages/2/files/{digest}").status_code == 404
    for body in ({}, {"subject": SCENARIO}, {**question, "html": True}, {**question, "subject": "x"}):
        assert globex.post("/api/threads", body, **JSON).status_code == 422
    readonly = caller(asked, "owner", "read")
    assert readonly.post(f"{address}/messages", {"text": "x"}, **JSON).status_code == 403
