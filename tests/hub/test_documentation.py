"""The documentation and the reference inside the hub: every page is there in both languages, every link leads on."""

import json
import re
import shutil
import subprocess
from html import unescape
from urllib.parse import unquote

import pytest

from pilotbase.documents.catalogues import catalogue
from pilotbase.documents.texts import LANGUAGES
from pilotbase.operations import declared
from tests.hub.accessibility_for_tests import examine
from tests.hub.test_browser import CHROMIUM, Visit, address, browser

PAGE = 150 << 10
PYTHON_CLIENTS, NODE_TYPES = map(shutil.which, ("openapi-python-client", "openapi-typescript"))
pytestmark = pytest.mark.usefixtures("one_world")
__all__ = ["address", "browser"]


def page(world, path, language="en", who=None):
    answer = world.client(who).get(path, HTTP_ACCEPT_LANGUAGE=language)
    assert answer.status_code == 200, (path, answer.status_code)
    assert len(answer.content) <= PAGE, path
    return answer.content.decode()


def broken(world, names, language):
    """Yield the links between these pages that lead nowhere."""
    from pilotbase.hub.pages.documentation import documented

    known = {f"/docs/{name}/": set(re.findall(r'id="([^"]+)"', documented(name, language).body)) for name in names}
    for path in sorted(known):
        for link in re.findall(r'href="((?:/docs/|#)[^"]*)"', documented(path[6:-1], language).body):
            to, _, anchor = unquote(unescape(link)).partition("#")
            if (to or path) in known and anchor and anchor not in known[to or path]:
                yield path, link


def test_a_page_speaks_the_readers_language_and_its_links_stay_in_the_hub(one_world):
    english, chinese = (page(one_world, "/docs/run-a-hub/", language) for language in LANGUAGES)
    assert "<h1>Run a hub</h1>" in english and "<h1>运行门户</h1>" in chinese
    assert 'href="/docs/call-a-service/"' in english and 'href="/docs/call-a-service/"' in chinese
    assert ".md" not in "".join(re.findall(r'href="([^"]*)"', english + chinese))
    assert "[中文]" not in english and 'href="/standards/#measures"' in page(one_world, "/docs/write-a-scenario/")
    assert [*broken(one_world, ["run-a-hub", "use-the-api"], "zh")] == []


def test_an_address_without_a_page_is_not_remembered(one_world):
    from pilotbase.hub.pages.documentation import documented

    kept = documented.cache_info().currsize
    assert one_world.client().get("/docs/no-such-page/").status_code == 404
    assert documented.cache_info().currsize == kept


@pytest.mark.prove
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_there_and_every_link_between_them_leads_on(one_world, language):
    from pilotbase.hub.pages.documentation import names

    assert len(names()) >= 50
    for name in names():
        page(one_world, f"/docs/{name}/", language)
    assert [*broken(one_world, names(), language)] == []


def test_every_page_of_the_hub_leads_to_help_that_exists(one_world):
    from pilotbase.hub.pages.documentation import names
    from pilotbase.hub.presenters.navigation import HELP, helps
    from pilotbase.hub.routing import PAGES

    assert set(HELP) <= names() and set(helps().values()) <= names()
    known = {str(one.pattern).partition("/")[0] for one in PAGES} | {getattr(one, "name", "") for one in PAGES}
    sections = {"trials", "scenarios", "applications", "organisations", "datasets", "agreements", "api"}
    assert set(helps()) <= known | sections
    assert 'href="/docs/write-a-scenario/"' in page(one_world, "/scenarios/", who="owner")
    assert 'href="/docs/watch-a-service/"' in page(one_world, "/desk/", who="desk")


def test_an_operation_is_told_in_the_readers_language_with_fields_and_examples(one_world):
    told = {language: page(one_world, "/api/docs/services.create/", language, "owner") for language in LANGUAGES}
    for language, shown in told.items():
        known = declared()["services.create"]
        assert known.said(language) in shown and known.called("certificate", language) in shown
        assert 'href="/api/docs/models/NewService/"' in shown and "services.NewService(…)" in shown
        assert "curl -sf" in shown and "Idempotency-Key: $(uuidgen)" in shown
    assert "operator" in told["en"] and "required" in told["en"]
    assert "<noscript>" in told["en"], "without script the request for a shell is what one has"
    found = page(one_world, "/api/docs/?q=certificate proof")
    assert "/api/docs/certificates.proof/" in found and "services.create" not in found
    assert {f"op.of.{one.heading}" for one in declared().values()} <= set(catalogue("op", "zh"))


@pytest.mark.prove
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_operation_and_every_model_has_a_page(one_world, language):
    models = one_world.client().get("/api/openapi.json").json()["components"]["schemas"]
    for name in declared():
        page(one_world, f"/api/docs/{name}/", language)
    for name in models:
        page(one_world, f"/api/docs/models/{name}/", language)


def test_programs_can_make_clients_of_the_schema(one_world):
    """What generators stumble over: a reference to nothing, two classes of one name, names that are no names."""
    schema = one_world.client().get("/api/openapi.json").json()
    known = schema["components"]["schemas"]
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(schema)))
    assert named <= set(known) and {name: one["title"] for name, one in known.items()} == {name: name for name in known}
    assert [name for name in known if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name)] == []


@pytest.mark.prove
@pytest.mark.skipif(PYTHON_CLIENTS is None, reason="openapi-python-client is not installed: no client was made")
def test_a_python_client_is_made_without_a_warning(one_world, tmp_path):
    (tmp_path / "schema.json").write_bytes(one_world.client().get("/api/openapi.json").content)
    (tmp_path / "config.yaml").write_text("content_type_overrides:\n  application/zip: application/octet-stream\n")
    command = [PYTHON_CLIENTS, "generate", "--path", "schema.json", "--output-path", "made", "--config", "config.yaml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "WARNING" not in done.stdout + done.stderr, done.stdout
    made = {path.stem for path in tmp_path.glob("made/*/api/*/*.py")}
    assert {name.replace(".", "_") for name in declared()} <= made


@pytest.mark.prove
@pytest.mark.skipif(NODE_TYPES is None, reason="openapi-typescript is not installed: no types were made")
def test_types_for_typescript_are_made_and_hold(one_world, tmp_path):
    (tmp_path / "schema.json").write_bytes(one_world.client().get("/api/openapi.json").content)
    subprocess.run([NODE_TYPES, "schema.json", "-o", "api.d.ts"], cwd=tmp_path, capture_output=True, check=True)
    assert all(f'"{name}"' in (tmp_path / "api.d.ts").read_text() for name in declared())
    if compiler := shutil.which("tsc"):
        subprocess.run([compiler, "--noEmit", "--strict", "api.d.ts"], cwd=tmp_path, check=True)


@pytest.mark.prove
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: nothing was sent")
@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("zh", 390)])
def test_what_is_tried_is_sent_in_the_readers_name_and_an_act_only_when_it_is_confirmed(
    browser, address, language, width
):
    visit = Visit(browser, address, "owner", language, width, script=True)
    read = visit.go("/api/docs/people.me/").page
    assert not examine(read)
    read.click("[data-try] button")
    read.wait_for_selector("[data-answer] .status.pass")
    assert '"acting_for": "plant"' in read.inner_text("[data-answer]")
    act = visit.go("/api/docs/notices.choose/").page
    assert not examine(act)
    act.fill("#try-body", '{"mail": "none"}')
    act.click("[data-try] button")
    assert act.query_selector("[data-answer] p") is None, "nothing is changed that was not confirmed"
    act.check("[data-try] input[type=checkbox]")
    act.click("[data-try] button")
    act.wait_for_selector("[data-answer] .status.pass")
    assert not examine(visit.go("/docs/run-a-hub/").page) and visit.complaints == []
    lost = visit.go("/api/docs/people.me/").page
    lost.route("**/api/me", lambda route: route.abort())
    lost.click("[data-try] button")
    lost.wait_for_selector("[data-answer] .status.fail")
    visit.close()
