"""Every form with what nobody should type: never a failure, a message in the reader's language, nothing that runs."""

import re
from html.parser import HTMLParser

import pytest

FORMS = [
    ("owner", "/scenarios/new/"),
    ("owner", "/scenarios/plant/milling/acts/scenario.edit/"),
    ("owner", "/notices/webhooks/"),
    ("desk", "/import/organisations/"),
    ("owner", "/scenarios/plant/milling/acts/scenario.close/"),
    ("owner", "/scenarios/plant/milling/threads/new/"),
    ("owner", "/trials/c1/acts/appeal.file/"),
    ("owner", "/organisations/plant/acts/organisation.declare/"),
    ("owner", "/account/tokens/"),
    ("owner", "/account/password/change/"),
    ("supplier", "/applications/new/"),
    ("supplier", "/trials/new/"),
    ("regulator", "/trials/c1/acts/order.give/"),
    ("reviewer", "/trials/c1/acts/report.review/"),
    ("reviewer", "/trials/c1/acts/interest.declare/"),
    ("desk", "/trials/c1/acts/certificate.suspend/"),
    ("desk", "/trials/c1/acts/reviewer.name/"),
    ("desk", "/organisations/new/"),
    ("desk", "/organisations/plant/invite/"),
    ("desk", "/organisations/plant/acts/organisation.edit/"),
    (None, "/certificates/"),
    (None, "/account/login/"),
    (None, "/account/password/reset/"),
]
SCRIPT = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>"
NASTY = {
    "nothing": "",
    "nul": "a\x00b",
    "long": "长" * 30_000,
    "script": SCRIPT,
    "turned": "\u202egnp.exe\u2066\ufeff\u0007",
    "path": "../../../../etc/passwd",
    "formula": '=HYPERLINK("http://evil.example","x")',
    "number": "-1e999",
    "astral": "💥" * 300,
}
SEARCHES = ["/scenarios/", "/search/", "/certificates/", "/trials/", "/exchange/", "/queue/", "/overview/records/open/"]
NOWHERE = [
    "/scenarios/..%2f..%2fetc/passwd/",
    "/scenarios/plant/%00/",
    "/trials/%ED%A0%80/",
    "/invitations/%F0%9F%92%A5/",
    "/applications/acme/forest%0d%0aX: y/",
    "/certificates/" + "g" * 64 + "/",
    "/trials/" + "a" * 5000,
]
NO_TEXT = [b"\xff\xfe\x00=1", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff', b"%ff%00&&&=%ED%A0"]
ENGLISH = re.compile(r"\b(should|must|valid|please|required|Input|Value error|pydantic)\b")


class Fields(HTMLParser):
    """The forms of a page that are posted: their action, and every field with its value or its choices."""

    def __init__(self, page):
        super().__init__()
        self.forms, self._inside, self._select = [], False, None
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        known = dict(attributes)
        if tag == "form":
            self._inside = known.get("method", "get").lower() == "post"
            if self._inside:
                self.forms.append((known.get("action", ""), {}))
        elif self._inside and (name := known.get("name")) and name != "csrfmiddlewaretoken":
            fields = self.forms[-1][1]
            if tag == "textarea" or (
                tag == "input" and known.get("type") not in ("radio", "checkbox", "hidden", "file")
            ):
                fields[name] = "text"
            elif tag == "input":
                fields.setdefault(name, f"={known.get('value', '')}")
            elif tag == "select":
                self._select = name
        elif tag == "option" and self._inside and self._select:
            self.forms[-1][1].setdefault(self._select, f"={known.get('value', '')}")

    def handle_endtag(self, tag):
        self._inside &= tag != "form"


pytestmark = pytest.mark.parametrize("any_world", ["postgresql"], indirect=True, scope="module")
"""The stricter of the two: it has no place for NUL, and none for what is no text."""


@pytest.fixture(scope="module")
def walked(any_world):
    any_world.trial.reach("certified")
    return any_world


def browser_of(world, who, language):
    browser = world.client(who, raise_request_exception=False)
    browser.cookies["pilotbase-language"] = language
    return browser


def alerts(page):
    return re.findall(r'class="[^"]*(?:error|problem)[^"]*"[^>]*>(.*?)</', page, re.S)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("number", range(len(FORMS)))
def test_no_form_fails_and_what_is_wrong_is_said_in_chinese(walked, number):
    """NUL and script everywhere, and one other kind each; `make prove` tries all of them everywhere."""
    others = [kind for kind in NASTY if kind not in ("nul", "script")]
    try_form(walked, *FORMS[number], ("nul", "script", others[number % len(others)]))


@pytest.mark.prove
@pytest.mark.parametrize(("who", "address"), FORMS)
def test_no_form_fails_whatever_is_typed(walked, who, address):
    try_form(walked, who, address, tuple(NASTY))


def try_form(world, who, address, kinds):
    browser = browser_of(world, who, "zh-hans")
    page = browser.get(address)
    assert page.status_code == 200, address
    own = [form for form in Fields(page.content.decode()).forms if form[0] in ("", address)]
    assert own, address
    for kind in kinds:
        for _, fields in own:
            posted = {name: NASTY[kind] if value == "text" else value[1:] for name, value in fields.items()}
            found = browser.post(address, posted)
            body = found.content.decode()
            assert found.status_code < 500, (kind, body[:300])
            assert "<script>a" not in body and "<img src=x" not in body, kind
            said = [re.sub(r"<[^>]+>", "", one).strip() for one in alerts(body)]
            assert not [one for one in said if ENGLISH.search(one)], (kind, said)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("address", SEARCHES)
def test_no_search_fails(walked, address):
    browser = browser_of(walked, "owner", "en")
    for kind in ("nul", "script", "astral", "number"):
        for names in (("q",), ("after",), ("state", "sector", "owner", "number", "page")):
            found = browser.get(address, dict.fromkeys(names, NASTY[kind]))
            assert found.status_code < 500, (address, names, kind)
            assert "<script>a" not in found.content.decode()
    assert browser.get(f"{address}?q=%ff%fe%ED%A0%80").status_code < 500


def test_bytes_that_are_no_text_are_told(walked):
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary=x"):
        for raw in NO_TEXT:
            for who, address in FORMS[::7]:
                found = browser_of(walked, who, "en").post(address, raw, content_type=kind)
                assert found.status_code < 500, (address, kind, raw)


def test_addresses_that_lead_nowhere_are_not_found(walked):
    for who in ("owner", None):
        browser = browser_of(walked, who, "zh-hans")
        for path in NOWHERE:
            found = browser.get(path)
            assert found.status_code in (302, 404, 400), (path, found.status_code)
            if found.status_code == 404:
                assert any("\u4e00" <= letter <= "\u9fff" for letter in found.content.decode())
