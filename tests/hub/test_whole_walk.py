"""The whole way in a real browser, with the real worker: every page in both languages, on phone and desktop.

The pictures are in ``build/hub-pages``.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from pilotbase.charts.marks import qr_code
from tests.hub.walk_for_tests import (
    ARGUMENTS,
    CHROMIUM,
    PEOPLE,
    ROLES,
    Hub,
    Person,
    application,
    workbook,
)

pytestmark = [
    pytest.mark.prove,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: the hub was not opened"),
]
PICTURES = Path(__file__).parents[2] / "build" / "hub-pages"
LOOKS = [(language, width) for language in ("en", "zh") for width in (1280, 390)]
ANSWERS = {
    "problem": "主轴经常失效，每次停机两小时。",
    "target": "failure",
    "cost_of_false_alarm": "600",
    "contact": "desk@plant.example",
}


class Gallery:
    """Looks at pages as everybody would, and keeps the pictures and what was wrong."""

    def __init__(self) -> None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.number, self.wrong = 0, {}

    def look(self, person: Person, name: str) -> Person:
        """Picture the page where ``person`` is, as it reads in each language on each screen."""
        from tests.hub.accessibility_for_tests import examine

        self.number += 1
        before, size = person.page.context.cookies(), person.page.viewport_size
        for language, width in LOOKS:
            person.language(person.address, language)
            person.page.set_viewport_size({"width": width, "height": 900})
            person.page.reload()
            look = f"{self.number:02d}-{name}-{language}-{width}"
            person.page.screenshot(path=PICTURES / f"{look}.png", full_page=True)
            if found := examine(person.page):
                self.wrong[look] = found
        person.context.add_cookies(before)
        person.page.set_viewport_size(size)
        person.page.reload()
        return person


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    running = Hub(tmp_path_factory.mktemp("walk") / "home")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def browser(hub):
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as session:
        found = session.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield found
        found.close()


def test_from_an_invitation_to_an_order_of_the_regulator(hub, browser, tmp_path):
    walk = Walk(hub, browser, tmp_path)
    walk.invite()
    walk.draft_scenario()
    walk.open_scenario()
    walk.submit_application()
    walk.agree()
    walk.review_plan()
    walk.run()
    walk.accept_and_sign()
    walk.check_as_visitor()
    walk.regulate()
    walk.look_around()
    wrong = [f"{look}: {one}" for look, found in walk.gallery.wrong.items() for one in found]
    assert not wrong, "\n".join(wrong)
    complaints = {name: one.complaints for name, one in walk.people.items() if one.complaints}
    assert complaints == {}


class Walk:
    """One scenario, one application, one trial, each step by whose work it is."""

    def __init__(self, hub, browser, folder):
        self.hub, self.browser, self.folder = hub, browser, folder
        self.gallery = Gallery()
        self.people = {"desk": Person(browser, hub.address, accept_downloads=True)}

    def __getattr__(self, name):
        return self.people[name]

    def look(self, who, name):
        return self.gallery.look(self.people[who], name)

    def invite(self):
        self.desk.join(self.hub.first_link, "Dana Desk")
        self.look("desk", "work-of-a-new-operator")
        for name, (english, chinese, role) in ROLES.items():
            self.desk.go("/organisations/").press("main a.button")
            self.desk.fill(name=name, title_en=english, title_zh=chinese, roles=role).press()
        self.look("desk", "organisation")
        for who, (organisation, role, language) in PEOPLE.items():
            self.desk.go(f"/organisations/{organisation}/").press("main a[href$='/invite/']")
            self.desk.fill(email=f"{who}@walk.example", roles=role).press()
            if who == "signer":  # whom a second operator must consent to
                self.planner.go("/role-changes/").press("main button[name=consent]")
            link = self.hub.mailed_link(f"{who}@walk.example")
            self.people[who] = Person(self.browser, self.hub.address, language).go(link)
            if who == "owner":
                self.look("owner", "invitation")
            self.people[who].join(link, who.title())
        self.desk.go(link)
        assert "This invitation is not valid" in self.desk.said, "a link works once"
        self.desk.complaints.clear()

    def draft_scenario(self):
        owner = self.owner.press("main a[href='/scenarios/new/']")
        self.look("owner", "new-scenario")
        owner.fill(cases=str(workbook(self.folder))).press("#draft button.button")
        assert "900" in owner.said and owner.page.locator("#id_target option").count() == 4
        owner.fill(**ANSWERS).press()
        assert owner.page.locator(".wrong").count() == 1, "one answer is lacking"
        assert owner.page.input_value("#id_problem") == ANSWERS["problem"], "what was typed stays"
        owner.fill(cost_of_miss="12000").press()
        self.look("owner", "draft")
        self.scenario = re.search(r"/scenarios/.*", owner.page.url)[0]
        owner.press("main a[href$='/scenario.edit/']")
        manifest = owner.page.input_value("#id_manifest")
        owner.page.click("details.rare > summary")  # the manifest is for experts
        self.look("owner", "edit-scenario")
        send = "#draft button.button"
        owner.fill("#draft", manifest=manifest.replace("recall(broken)", "recal(broken)")).press(send)
        assert "criteria[0].rule" in owner.said and "recal(broken)" in owner.page.input_value("#id_manifest")
        right = re.sub(r"recall\(broken\) >= [0-9.]+", "recall(broken) >= 0.90", manifest)
        owner.fill("#draft", manifest=right.replace("approvals: []", "approvals: [{kind: ethics}]"), note="0.90")
        owner.press(send).page.check("#draft [name=why_holds]")  # the reason beside the threshold was left as it is
        owner.press(send)
        owner.do("scenario.submit")

    def open_scenario(self):
        self.desk.go("/work/")
        self.look("desk", "work-of-an-operator")
        self.desk.press("main .tasks .button.quiet").do("scenario.open")
        self.look("desk", "open-scenario")

    def submit_application(self):
        supplier = self.supplier.go(self.scenario)
        self.look("supplier", "scenario-of-a-supplier")
        with supplier.page.expect_download() as kit:
            supplier.page.click("main a[download]")
        assert kit.value.suggested_filename == "spindle-alarm-starter-kit.zip"
        packed = self.folder / "torque-limit.zip"
        packed.write_bytes(application('"broken" if torque > 46 else "fine"'))
        supplier.press("main a[href^='/applications/new/']")
        self.look("supplier", "new-application")
        supplier.fill(folder=str(packed)).press().do("application.rehearse").wait_for("Rehearsal done")
        self.look("supplier", "rehearsed-application")
        supplier.do("application.submit")

    def agree(self):
        supplier = self.supplier.go(self.scenario).press("main a[href^='/trials/new/']")
        self.look("supplier", "new-commission")
        supplier.fill(scope="All criteria, once.", deadline="2099-01-31").press()
        self.trial = re.search(r"/trials/\w+/", supplier.page.url)[0]
        self.owner.go("/work/")
        self.look("owner", "work-of-a-demand-owner")
        self.owner.press("main .tasks .button.quiet").do("commission.agree").press("main a[href$='/approval.file/']")
        self.look("owner", "file-an-approval")
        self.owner.fill(issued_by="伦理委员会", reference="E-7").press()
        self.look("owner", "agreed-trial")

    def review_plan(self):
        self.desk.go(self.trial).do("reviewer.name")
        self.planner.go("/work/").press("main .tasks .button.quiet").do("plan.draft")
        reviewer = self.reviewer.go("/work/").press("main .tasks .button.quiet")
        self.look("reviewer", "trial-of-a-reviewer")
        assert reviewer.page.locator("summary.barred").count() == 1, "no approval before the interest is declared"
        reviewer.press("main a[href$='/interest.declare/']")
        self.look("reviewer", "declare-interest")
        reviewer.fill(has_interest="no").press().do("plan.approve")

    def run(self):
        planner = (
            self.planner.go("/work/").press("main .tasks .button.quiet").do("plan.freeze").wait_for("Test plan frozen")
        )
        self.look("planner", "frozen-trial")
        planner.do("trial.queue")
        self.look("planner", "queued-trial")
        planner.wait_for("Report issued")
        self.look("planner", "reported-trial")
        for who in ("owner", "supplier"):
            person = self.people[who].go(f"{self.trial}report/")
            person.page.screenshot(path=PICTURES / f"report-of-{who}.png", full_page=True)
        self.supplier.go(self.trial)
        self.look("supplier", "trial-of-a-supplier")

    def accept_and_sign(self):
        self.owner.go("/work/").press("main .tasks .button.quiet").press("main a[href$='/acceptance.give/']")
        self.look("owner", "accept")
        self.owner.press()
        self.signer.go("/work/").press("main .tasks .button.quiet").do("certificate.sign").wait_for("证书已签发")
        self.look("signer", "certified-trial")

    def check_as_visitor(self):
        self.signer.press("main a[href^='/certificates/']")
        self.people["visitor"] = visitor = Person(self.browser, self.hub.address).go(self.signer.page.url)
        assert "Valid" in visitor.said and "Accept" in visitor.said
        self.look("visitor", "certificate")
        shown = visitor.page.request.get(f"{visitor.page.url}qr.svg").text()
        drawn = re.findall(r"<path[^>]+>", qr_code(visitor.page.url, ""))
        assert drawn and drawn == re.findall(r"<path[^>]+>", shown), "the code leads to this very page"

    def regulate(self):
        self.regulator.go(self.trial)
        self.look("regulator", "trial-of-a-regulator")
        self.replay()
        regulator = self.regulator.go(self.trial).press("main a[href$='/order.give/']")
        self.look("regulator", "give-an-order")
        regulator.fill(kind="rectification", reasons="Check the sensor.", deadline="2099-03-01").press()
        self.look("regulator", "ordered-trial")
        assert "Ask for rectification" in self.desk.go("/work/").said

    def replay(self):
        """Take the bundle of the trial, and decide it again without the hub."""
        regulator = self.regulator.go(f"{self.trial}bundle/")
        with regulator.page.expect_download() as taken:
            regulator.page.click("main form button.button")
            regulator.page.click("#rounds a[download]")
        bundle = self.folder / "bundle.zip"
        taken.value.save_as(bundle)
        again = [sys.executable, "-c", "from pilotbase.cli import main; main()", "trial", "replay", str(bundle)]
        subprocess.run(again, check=True, cwd=self.folder, env=self.hub.environment)

    def look_around(self):
        """Look at every page that the navigation and the account lead to, and at a page that is not there."""
        pages = {one.get_attribute("href") for one in self.desk.go("/find/").page.locator("main .links a").all()}
        pages |= {"/account/", "/account/tokens/", "/account/sessions/", "/account/password/change/"}
        for path in sorted(pages):
            self.desk.go(path)
            self.look("desk", f"desk{path.replace('/', '-').rstrip('-')}")
        for path in ("/", "/account/login/", "/certificates/"):
            self.visitor.go(path)
            self.look("visitor", f"visitor{path.replace('/', '-').rstrip('-')}")
