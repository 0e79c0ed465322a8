"""What protects a browser: no script of strangers, no forms from elsewhere, headers on every answer."""

import hashlib
import re
from pathlib import Path

import pytest

from pilotbase.documents.permissions import Act
from tests.catalogue.records_for_tests import OWNER, scenario

HUB = Path(__file__).parents[2] / "src" / "pilotbase" / "hub"
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u202egpj.exe"


@pytest.mark.parametrize("path", ["/", "/account/login/", "/nothing", "/api/me", "/health/live", "/static/hub/hub.css"])
def test_every_answer_has_the_headers(one_world, path):
    headers = one_world.client().get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy and "base-uri 'none'" in policy and "form-action 'self'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    if not path.startswith("/static/"):
        assert headers["Cache-Control"] == "no-store, private" or "no-cache" in headers["Cache-Control"]


def test_static_files_are_asked_for_by_their_content(one_world):
    """So that after an upgrade nobody sees new pages in an old dress."""
    page = one_world.client().get("/").content.decode()
    address, mark = re.search(r'href="(/static/hub/hub.css)\?v=([0-9a-f]{12})"', page).groups()
    style = HUB / "static" / "hub" / "hub.css"
    assert hashlib.sha256(style.read_bytes()).hexdigest().startswith(mark)
    assert one_world.client().get(f"{address}?v={mark}").content == style.read_bytes()


def test_a_report_can_do_nothing(one_world):
    one_world.trial.reach("certified")
    found = one_world.client("owner").get("/trials/c1/report/")
    assert found["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert "allow-scripts" not in found["Content-Security-Policy"]


def test_templates_hold_no_script_and_no_style():
    for template in HUB.rglob("*.html"):
        content = re.sub(r"{%.*?%}", "", template.read_text("utf-8"), flags=re.DOTALL)
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|\|safe\b|autoescape off", content), template
        assert not re.search(r"<script(?! src=)", content), template
        assert not re.search(r"(src|href)=\"https?://", content), template


def test_words_of_strangers_are_escaped_and_show_what_they_hide(one_world):
    evil = scenario((), name="evil", title=EVIL, problem=EVIL, intended_use=EVIL)
    one_world.trial.do(OWNER, "scenario:plant/evil", Act.SCENARIO_REGISTER, evil)
    browser = one_world.client("owner")
    for path in (
        "/scenarios/plant/evil/",
        "/scenarios/",
        "/work/",
        f"/scenarios/?q={EVIL}",
        f"/scenarios/?state={EVIL}",
    ):
        page = browser.get(path).content.decode()
        assert "<script>alert" not in page and "<img src=x" not in page, path
    assert "\u202e" not in browser.get("/scenarios/plant/evil/").content.decode()


@pytest.mark.parametrize(
    "path",
    ["/account/tokens/", "/act-for/", "/language/", "/account/logout/", "/certificates/", "/organisations/new/"],
)
def test_forms_of_other_pages_are_refused(one_world, path):
    browser = one_world.client("desk", enforce_csrf_checks=True)
    assert browser.post(path, {"organisation": "plant"}).status_code == 403


def test_what_was_typed_survives_the_end_of_the_session(one_world):
    """Sent again from the page that holds it; what another site has sent is never offered."""
    typed, here = {"problem": "A sentence that took an hour.", "words": "1"}, {"HTTP_ORIGIN": "http://testserver"}
    visitor, again = one_world.client(), "/scenarios/new/"
    kept = visitor.post(again, typed, **here)
    assert kept.status_code == 401 and 'value="A sentence that took an hour."' in kept.content.decode()
    assert visitor.post(again, typed, HTTP_ORIGIN="https://elsewhere.example").status_code == 302
    browser = one_world.client("owner", enforce_csrf_checks=True)
    late = browser.post(again, typed | {"csrfmiddlewaretoken": "x" * 64}, **here).content.decode()
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', late[late.index("<main") :]))
    assert fields["problem"] == typed["problem"]
    assert browser.post(again, fields, **here).status_code == 302
    forged = browser.post(again, typed, HTTP_ORIGIN="https://elsewhere.example")
    assert forged.status_code == 403 and typed["problem"] not in forged.content.decode()
    secret = visitor.post("/account/login/", {"login": "a@example.org", "password": "hunter22hunter22"}, **here)
    assert "hunter22" not in secret.content.decode()


def test_the_api_checks_the_token_of_a_session_on_every_operation(one_world):
    """ninja exempts its views from Django's middleware: each operation is tried as a browser that was tricked."""
    browser = one_world.client("desk", enforce_csrf_checks=True)
    schema = browser.get("/api/openapi.json").json()
    unsafe = [
        (method, path)
        for path, operations in schema["paths"].items()
        for method in operations
        if method in ("post", "put", "patch", "delete")
    ]
    assert len(unsafe) > 40
    for method, path in unsafe:
        if path == "/api/certificates/check":  # asks for no session: anybody may check
            continue
        address = re.sub(r"\{[a-z]+\}", "plant", path)
        found = getattr(browser, method)(address, {}, content_type="application/json")
        assert (found.status_code, found.json()["code"]) == (403, "hub.csrf_failed"), path


def test_a_session_with_its_token_may_use_the_api(one_world):
    browser = one_world.client("desk", enforce_csrf_checks=True)
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', browser.get("/work/").content.decode())[1]
    body = {"name": "newcomer", "title": "Newcomer", "roles": ["supplier"]}
    found = browser.put("/api/organisations/newcomer", body, content_type="application/json", HTTP_X_CSRFTOKEN=token)
    assert found.status_code == 200, found.content


def test_cookies_are_out_of_reach_of_scripts(one_world):
    browser = one_world.client()
    browser.post("/account/login/", {"login": "owner@example.org", "password": "correct horse battery staple"})
    for cookie in browser.cookies.values():
        assert cookie["httponly"] and cookie["samesite"] == "Lax", cookie.key


def test_https_means_secure_cookies_and_hsts(tmp_path):
    import os
    import subprocess
    import sys

    code = (
        "from pilotbase.worker.base import open_base; open_base(create=True);"
        "from pilotbase.hub import settings as s;"
        "assert s.SESSION_COOKIE_SECURE and s.CSRF_COOKIE_SECURE and s.SECURE_HSTS_SECONDS > 10**7;"
        "assert s.SESSION_COOKIE_NAME.startswith('__Host-')"
    )
    environment = {**os.environ, "PILOTBASE_HOME": str(tmp_path / "home"), "PILOTBASE_HUB_URL": "https://hub.example"}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
