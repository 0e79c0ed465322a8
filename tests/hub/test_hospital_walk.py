"""A hospital tries an assistant that writes reports: experts judge in the hub, through ``pilotbase serve``."""

import re
import time

import numpy as np
import pytest

from pilotbase.protocols.array_cells import cell_of
from tests.hub.test_whole_walk import Walk, browser, pytestmark
from tests.hub.walk_for_tests import PEOPLE, Hub, application
from tests.sandbox.endpoints.stubs_for_tests import Stub, chatting, serving
from tests.trial.test_expert_panel import judged_by_model, poor

__all__ = ["browser", "pytestmark"]
AGREES = re.compile("与专家的一致率为|It agrees with the experts on")
EXPERTS = ("first", "second", "third")
PROGRAM = 'def predict(batch):\n    return ["In short: " + text for text in batch["findings"]]\n'


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PILOTBASE_ENDPOINT_ALLOW", "127.0.0.1")
        running = Hub(tmp_path_factory.mktemp("walk") / "home")
    yield running
    running.stop()


class HospitalWalk(Walk):
    """The way of a criterion that people decide; nothing is pictured but the labelling room and the report."""

    def look(self, who, name):
        return self.people[who]

    def draft(self, stub):
        shade = np.linspace(0, 255, 96 * 64 * 3).astype(np.uint8).reshape(64, 96, 3)
        folder = judged_by_model(self.folder, stub, scan=cell_of(shade))
        file = folder / "scenario.yaml"
        text = file.read_text().replace("organisation: hospital", "organisation: plant").replace(">= 0.6", ">= 0.5")
        file.write_text(text + "  approvals: [{kind: ethics}]\n")
        owner = (
            self.owner.press("main a[href='/scenarios/new/']")
            .fill(cases=str(folder / "cases.csv"))
            .press("#draft button.button")
        )
        owner.fill(manifest=str(file)).press()
        assert "/new/" not in owner.page.url, owner.said
        self.scenario = re.search(r"/scenarios/.*", owner.page.url)[0]
        owner.do("scenario.submit")

    def submit(self):
        packed = self.folder / "letters.zip"
        packed.write_bytes(application(PROGRAM, program="%s"))
        supplier = self.supplier.go(self.scenario).press("main a[href^='/applications/new/']")
        supplier.fill(folder=str(packed)).press().do("application.rehearse").wait_for("Rehearsal done")
        supplier.do("application.submit")

    def wait_for_experts(self):
        planner = (
            self.planner.go("/work/").press("main .tasks .button.quiet").do("plan.freeze").wait_for("Test plan frozen")
        )
        planner.do("trial.queue").wait_for("Experts judge")

    def name_experts(self):
        owner = self.owner.go(f"{self.trial}panel/")
        people = owner.page.locator("#id_first option")
        values = {one.inner_text(): one.get_attribute("value") for one in people.all()}
        chosen = [next(value for said, value in values.items() if f"{name}@" in said) for name in EXPERTS]
        owner.fill(**dict(zip(("first", "second", "judge"), chosen, strict=True))).press()
        self.room = re.search(r"/labelling/\w+/", owner.page.url)[0]

    def judge(self, who, say):
        """Judge every answer on the sheet; return how many there were."""
        expert, count = self.people[who].go(self.room), 0
        expert.page.screenshot(path=self.folder / f"room-of-{who}.png", full_page=True)
        while expert.page.locator("main input[name=item]").count():
            shown = expert.page.locator("img.judged")
            assert shown.evaluate("e => [e.naturalWidth, e.naturalHeight]") == [96, 64], "the picture of the case"
            assert "acme" not in expert.said
            if expert.page.locator("#reason").count():
                expert.fill(reason="By the guideline.")
            expert.press(f"main button[value={say(int(re.search(r'finding ([0-9]+)', expert.said)[1]))}]")
            count += 1
        return count


def test_a_hospital_gets_a_verdict_from_its_experts(hub, browser, tmp_path, monkeypatch):
    for name in EXPERTS:
        monkeypatch.setitem(PEOPLE, name, ("plant", "demand_owner", "zh" if name == "second" else "en"))
    walk = HospitalWalk(hub, browser, tmp_path)
    walk.invite()
    with serving(Stub(chatting(lambda words: "0" if poor(words) else "10"))) as stub:
        walk.draft(stub)
        walk.open_scenario()
        walk.submit()
        walk.agree()
        walk.review_plan()
        walk.wait_for_experts()
    assert len(stub.asked) == 150, "the worker asks the judge model about every answer"
    walk.name_experts()
    walk.first.go(walk.room).wait_for("finding")
    judged = walk.judge("first", lambda number: "good" if number % 15 else "poor")
    judged += walk.judge("second", lambda number: "good" if number % 15 and number % 7 != 1 else "poor")
    assert judged == 50 + 20, "two in five are judged by both"
    assert "finding" not in walk.owner.go(walk.room).said, "the owner sees counts alone"
    walk.owner.press("main button[value=close]")
    until = time.monotonic() + 120
    while "提交评判结果" not in walk.owner.go(walk.room).said:
        assert time.monotonic() < until, walk.owner.said
        walk.judge("third", lambda number: "good" if number % 15 else "poor")
        time.sleep(1)
    walk.owner.press("main button[value=publish]")
    walk.planner.go(walk.trial).wait_for("Report issued")
    for who in ("owner", "supplier"):
        report = walk.people[who].go(f"{walk.trial}report/")
        report.page.screenshot(path=tmp_path / f"report-of-{who}.png", full_page=True)
        assert {"与专家的一致率为", "It agrees with the experts on"} <= set(AGREES.findall(report.page.content()))
    walk.accept_and_sign()
    walk.check_as_visitor()
    walk.replay()
    assert {name: one.complaints for name, one in walk.people.items() if one.complaints} == {}
