"""Both languages everywhere: on a Chinese page whatever speaks to the reader is Chinese."""

import re
from html.parser import HTMLParser

import pytest

from tests.hub.reaches_for_tests import COLUMNS, PAGES
from tests.hub.worlds_for_tests import PEOPLE
from tests.watch.incidents_for_tests import keep_service, open_one

SPEAKING = {"h1", "h2", "h3", "label", "legend", "button", "summary", "option"}
OURS = {"English", "中文", "Pilotbase", "API", "OK", "openapi.json", "scenario.yaml", "–"}
OURS |= {organisation.title() for organisation, _ in PEOPLE.values()}
BILINGUAL, STREAM = "/trials/c1/report/", "/live/"
"""A report holds both languages; ``tests/page`` looks after it."""
DESK = COLUMNS.index("desk") + 1
REACHED = [row[0] for row in map(str.split, PAGES.strip().splitlines()[1:]) if row[DESK] == "200"]
WHOLE = [address for address in REACHED if address.endswith("/") and "{" not in address]
SEEN = (*(address for address in WHOLE if address not in (BILINGUAL, STREAM)),
        "/trials/c1/acts/reviewer.name/", "/exchange/", "/scenarios/plant/milling/threads/new/", "/notices/",
        "/notices/mail/", "/notices/webhooks/", "/next/open-source/", "/import/targets/",
        "/incidents/1/incident.grade/", "/services/alarm/")  # fmt: skip
"""Every page that the table of who reaches what knows, so that a new one is held to both languages, and more."""
ANONYMOUS = ("/account/login/", "/account/password/reset/", "/account/signup/", "/nothing")


class Speech(HTMLParser):
    """What a page says in headings, labels, buttons, hints and errors."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.said, self._open, self._own = [], 0, ""
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        speaking = tag in SPEAKING or attributes.get("class") in ("lead", "help", "wrong-why", "empty", "note error")
        named = attributes.get("lang") == "en" or (tag in ("button", "option") and attributes.get("lang"))
        if named or attributes.get("name") == "organisation":  # a name of the schema, or of a language
            speaking = False
        if speaking and not self._open:
            self._open, self._own = tag, ""

    def handle_data(self, data):
        if self._open:
            self._own += data

    def handle_endtag(self, tag):
        if tag == self._open:
            self.said.append(self._own.strip())
            self._open = 0


def english_of(page: str) -> list[str]:
    worded = [said for said in Speech(page).said if re.search(r"[A-Za-z]{3,}", said) and said not in OURS]
    return [said for said in worded if not re.search(r"[\u4e00-\u9fff]", said)]


@pytest.fixture(scope="module")
def walked(one_world):
    one_world.trial.reach("certified")
    keep_service(one_world.trial.store)
    open_one(one_world.trial.store)
    return one_world


@pytest.mark.parametrize("who", ["desk", None])
def test_chinese_pages_speak_chinese(walked, who):
    browser = walked.client(who, HTTP_ACCEPT_LANGUAGE="zh-CN,zh;q=0.9")
    names = {"Desk", "Planner", "Signer", "plant", "Plant", "forest", "Reviewer ·", "Alarm", "Owner", "owner@"}
    found = {}
    for path in SEEN if who else ANONYMOUS:
        page = browser.get(path).content.decode()
        assert 'lang="zh-Hans"' in page or "<html" not in page
        left = [said for said in english_of(page) if not any(name in said for name in names)]
        if left:
            found[path] = left
    assert found == {}


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/organisations/new/", {"name": "Not A Name"}),
        ("/organisations/plant/invite/", {"email": "nobody"}),
        ("/account/tokens/", {"label": "", "scope": "all", "days": "9999"}),
        ("/account/password/change/", {"oldpassword": "x", "password1": "short", "password2": "other"}),
        ("/certificates/", {}),
        ("/scenarios/new/", {}),
    ],
)
def test_what_is_wrong_with_a_form_is_said_in_chinese(walked, path, form):
    browser = walked.client("desk", HTTP_ACCEPT_LANGUAGE="zh-CN")
    page = browser.post(path, form).content.decode()
    errors = re.findall(r'class="wrong-why"[^>]*>([^<]+)<', page) + re.findall(r'role="alert">.*?<p>([^<]+)<', page)
    assert errors, page
    assert [error for error in errors if not re.search(r"[\u4e00-\u9fff]", error)] == []


def test_the_language_is_switched_without_script_and_kept(walked):
    browser = walked.client("desk")
    assert "Inbox" in browser.get("/work/").content.decode()
    answer = browser.post("/language/", {"language": "zh-hans", "next": "/work/"})
    assert answer["Location"] == "/work/"
    assert "待办" in browser.get("/work/").content.decode()
    assert browser.post("/language/", {"language": "en", "next": "https://evil.example/"})["Location"] == "/"


def test_problems_of_the_api_come_in_the_language_of_the_caller(walked):
    english = walked.client().get("/api/me").json()["title"]
    chinese = walked.client(HTTP_ACCEPT_LANGUAGE="zh").get("/api/me").json()["title"]
    assert english == "You need an account for this." and chinese == "此操作需要登录。"
