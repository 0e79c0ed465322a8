"""The main jobs in a real browser, without script: both languages, phone and desktop, readable, within the policy."""

import re
import shutil
import socket
import threading
import time

import pytest

from pilotbase.documents.vocabularies import EventGrade
from tests.catalogue.agreements_for_tests import agree, dataset, publish, use_once
from tests.hub.accessibility_for_tests import FOUND_BY_STRANGERS, examine
from tests.hub.walk_for_tests import workbook
from tests.hub.worlds_for_tests import PASSWORD
from tests.watch.incidents_for_tests import keep_service, open_one

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: the hub was not opened")


@pytest.fixture(scope="module")
def address(one_world):
    """A hub that listens, in this process and on this world."""
    import uvicorn

    from pilotbase.hub.asgi import application

    one_world.trial.open_scenario()
    one_world.trial.submit_application()
    agree(one_world.trial, publish(one_world.trial, dataset()))
    use_once(one_world.trial)
    keep_service(one_world.trial.store)
    open_one(one_world.trial.store, EventGrade.MAJOR)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(20)


@pytest.fixture(scope="module")
def browser(address):
    """A browser that starts after the hub and ends before it: Django's set-up refuses the browser's event loop."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as session:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        found = session.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield found
        found.close()


class Visit:
    """One person's browser, which notes every complaint of the console and every request elsewhere."""

    def __init__(self, browser, address, who=None, language="en", width=1280, script=False, theme="light"):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, java_script_enabled=script, color_scheme=theme
        )
        self.page, self.address, self.width = context.new_page(), address, width
        self.complaints = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: request.url.startswith(address) or self.complaints.append(request.url))
        self.go("/account/login/" if who else "/")
        if language == "zh":
            self.press("button[lang=zh-Hans]")
        if who:
            self.page.fill("#id_login", f"{who}@example.org")
            self.page.fill("#id_password", PASSWORD)
            self.press("main form button")
            assert self.page.url.endswith("/work/")

    def go(self, path):
        self.page.goto(self.address + path)
        return self

    def press(self, selector):
        """Click what leads to another page, and be there."""
        with self.page.expect_navigation():
            self.page.click(selector)
        return self

    def close(self):
        self.page.context.close()


PAGES = ("/work/", "/scenarios/", "/scenarios/plant/milling/", "/applications/", "/trials/", "/organisations/",
         "/people/", "/people/p-owner/", "/audit/", "/role-changes/", "/organisations/plant/", "/organisations/new/",
         "/organisations/plant/invite/", "/certificates/", "/account/", "/pools/new/",
         "/account/tokens/", "/account/second-factor/", "/account/sessions/", "/account/password/change/", "/",
         "/api/docs/", "/nothing", "/search/?q=mill", "/certified/", "/figures/", "/standards/", "/next/supplier/",
         "/overview/", "/overview/late/", "/overview/funnel/", "/overview/screen/", "/import/people/", "/matching/",
         "/matching/assignment/", "/plan-size/", "/ledger/map/", "/ledger/ranking/", "/ledger/plan/",
         "/ledger/plan/sheet/", "/ledger/plan/what-if/?potential=1&maturity=1&driving_effect=1&keep=0.3",
         "/profiles/", "/rooms/", "/calls/", "/courses/", "/courses/milling/",
         "/replications/",
         "/scenarios/plant/milling/matches/", "/desk/", "/incidents/", "/incidents/1/", "/incidents/1/incident.grade/",
         "/services/alarm/runbook/", "/services/alarm/watch/", "/warnings/", "/datasets/", "/datasets/plant/logs/",
         "/datasets/contributions/", "/datasets/plant/logs/readers/",
         "/agreements/", "/agreements/a1/", "/agreements/a1/acts/agreement.revoke/")  # fmt: skip


@pytest.mark.prove
@pytest.mark.parametrize(("language", "width", "theme"), [("en", 1280, "light"), ("zh", 390, "dark")])
def test_pages_are_for_everybody(browser, address, language, width, theme):
    visit = Visit(browser, address, "desk", language, width, script=True, theme=theme)
    found = {path: wrong for path in PAGES if (wrong := examine(visit.go(path).page))}
    assert not found, "\n".join(f"{path}: {one}" for path, wrong in found.items() for one in wrong)
    told = {path: wrong for path in PAGES if (wrong := visit.go(path).page.evaluate(FOUND_BY_STRANGERS))}
    assert set(told) <= {"/overview/screen/"}, told
    assert [one for one in visit.complaints if "404" not in one] == []
    visit.close()


OFFERED = """() => [...document.querySelectorAll('main :is(a[href], button, input, select, textarea, summary)')]
  .filter(one => one.checkVisibility()).map(one => [one.tagName, one.name, one.getAttribute('href'), one.innerText]
  .join(' ').trim())"""
"""What can be followed, pressed or filled in on a page."""


@pytest.mark.prove
@pytest.mark.parametrize("who", ["desk", "owner", "supplier"])
def test_without_script_a_page_offers_the_same(browser, address, who):
    """But for what is live, a browser without script can do all that one with script can."""
    with_script, without = (Visit(browser, address, who, script=script) for script in (True, False))
    for path in (*PAGES, "/scenarios/new/", "/applications/new/", "/services/alarm/", "/pools/", "/datasets/new/"):
        offered = [visit.go(path).page.evaluate(OFFERED) for visit in (with_script, without)]
        assert set(offered[0]) <= set(offered[1]), path
    for visit in (with_script, without):
        visit.close()


def test_the_keyboard_reaches_the_content_first(browser, address):
    visit = Visit(browser, address, script=True)
    visit.page.keyboard.press("Tab")
    assert visit.page.evaluate("document.activeElement.className") == "skip"
    visit.page.keyboard.press("Enter")
    visit.page.keyboard.press("Tab")
    assert visit.page.evaluate("document.querySelector('main').contains(document.activeElement)")
    visit.close()


@pytest.mark.prove
def test_the_search_suggests_and_arrows_lead_there(browser, address):
    visit = Visit(browser, address, "desk", script=True)
    visit.page.keyboard.press("Control+k")
    visit.page.keyboard.type("mill")
    visit.page.wait_for_selector(".found a")
    visit.page.keyboard.press("ArrowDown")
    with visit.page.expect_navigation():
        visit.page.keyboard.press("Enter")
    assert visit.page.url.endswith("/scenarios/plant/milling/") and visit.complaints == []
    visit.close()


def test_costs_move_the_criteria_beside_them_as_they_are_typed(browser, address, tmp_path):
    """The form has a question called action, which is not where it is sent."""
    owner = Visit(browser, address, "owner", script=True).go("/scenarios/new/")
    owner.page.set_input_files("#id_cases", workbook(tmp_path))
    owner.press("main form[data-pieces] button")
    owner.page.select_option("#id_target", "failure")
    owner.page.fill("#id_cost_of_miss", "12000")
    owner.page.fill("#id_cost_of_false_alarm", "600")
    owner.page.wait_for_selector("#outlook :text('Recall of “broken” at least')", timeout=60_000)
    assert owner.complaints == []
    owner.close()


@pytest.mark.prove
def test_a_spreadsheet_becomes_a_draft(browser, address, tmp_path):
    """The file is chosen once, its columns are offered, and what was typed stays when an answer is lacking."""
    owner = Visit(browser, address, "owner", "zh", 390).go("/scenarios/new/")
    owner.page.set_input_files("#id_cases", workbook(tmp_path))
    owner.press("main form[data-pieces] button")
    assert "spindle-alarm.xlsx" in owner.page.inner_text("main")
    assert owner.page.locator(".wrong").count() == 0, "nothing is lacking before anything was asked"
    owner.page.fill("#id_problem", "主轴经常失效。")
    owner.page.select_option("#id_target", "failure")
    owner.press("main form button")
    assert owner.page.locator(".wrong").count() == 2, "the address is known already"
    assert owner.page.input_value("#id_problem") == "主轴经常失效。"
    for name, value in (("cost_of_miss", "12000"), ("cost_of_false_alarm", "600"), ("contact", "desk@plant.example")):
        owner.page.fill(f"#id_{name}", value)
    owner.press("main form button")
    assert owner.page.url.endswith("/scenarios/plant/spindle-alarm/")
    assert "“broken”的召回率不低于" in owner.page.inner_text("main")
    assert owner.complaints == []
    owner.close()


@pytest.mark.prove
def test_a_trial_from_proposal_to_the_queue(one_world, browser, address):
    """Each person does their part with what a page offers, in one language or the other, without script."""
    supplier = Visit(browser, address, "supplier", "zh").go("/trials/new/")
    supplier.page.fill("#id_scope", "全部验收准则")
    supplier.page.fill("#id_deadline", "2099-01-31")
    supplier.press("main form button")
    assert "提出中试委托" in supplier.page.inner_text("main")
    trial = re.search(r"/trials/\w+/", supplier.page.url)[0]

    owner = Visit(browser, address, "owner", "en").press("main .tasks .button.quiet")
    assert owner.page.url.endswith(trial)
    do(owner, "commission.agree")
    do(owner, "approval.file", issued_by="Ethics board", reference="E-7")
    desk = Visit(browser, address, "desk", "en").go(trial)
    do(desk, "reviewer.name", reviewer="institute p-reviewer")
    planner = Visit(browser, address, "planner", "zh").go(trial)
    do(planner, "plan.draft")
    reviewer = Visit(browser, address, "reviewer", "en").go(trial)
    assert reviewer.page.locator("summary.barred").count() == 1, "no approval before the interest is declared"
    reviewer.press("a[href$='interest.declare/']").page.check("input[value=no]")
    reviewer.press("main form button")
    do(reviewer, "plan.approve")
    do(planner.go(trial), "plan.freeze")
    content = owner.go(trial).page.inner_text("main")
    assert "Being frozen" in content and "Place 1 in the queue" in content
    assert "Ethics board" in content
    for visit in (supplier, owner, desk, planner, reviewer):
        assert visit.complaints == []
        visit.close()


def do(visit, act, **fields):
    """Take a step with what its page offers."""
    visit.press(f"a[href$='{act}/']")
    for name, value in fields.items():
        field = visit.page.locator(f"#id_{name}")
        field.select_option(value) if field.evaluate("e => e.tagName") == "SELECT" else field.fill(value)
    visit.press("main form button")
    assert "/acts/" not in visit.page.url, visit.page.inner_text("main")
