"""An owner with three suppliers gets a verdict in the hub: real browsers, ``pilotbase serve``, its own worker."""

import re

from tests.hub.test_whole_walk import ANSWERS, Walk, browser, hub, pytestmark
from tests.hub.walk_for_tests import PEOPLE, ROLES, application, workbook

__all__ = ["browser", "hub", "pytestmark"]
CUTS = {"supplier": 46, "globex": 52, "initech": 99}
"""Above how many Nm each supplier calls a spindle broken; 46 is right."""


class TenderWalk(Walk):
    """The way of a tender; nothing is pictured."""

    def look(self, who, name):
        return self.people[who]

    def draft(self):
        owner = (
            self.owner.press("main a[href='/scenarios/new/']")
            .fill(cases=str(workbook(self.folder)))
            .press("#draft button.button")
        )
        owner.fill(**ANSWERS, cost_of_miss="12000").press()
        self.scenario = re.search(r"/scenarios/.*", owner.page.url)[0]
        owner.do("scenario.submit")

    def submit(self, who, cut):
        packed = self.folder / f"{who}.zip"
        packed.write_bytes(application(f'"broken" if torque > {cut} else "fine"', PEOPLE[who][0]))
        supplier = self.people[who].go(self.scenario).press("main a[href^='/applications/new/']")
        supplier.fill(folder=str(packed)).press().do("application.rehearse").wait_for("Rehearsal done")
        supplier.do("application.submit").go(self.tenders).press("main form[action$='/enter/'] button")


def test_an_owner_with_three_suppliers_learns_which_is_better(hub, browser, tmp_path, monkeypatch):
    for who in ("reviewer", "regulator", "planner", "signer"):
        monkeypatch.delitem(PEOPLE, who)
    for name in ("globex", "initech"):
        monkeypatch.setitem(ROLES, name, (name.title(), name.title(), "supplier"))
        monkeypatch.setitem(PEOPLE, name, (name, "supplier", "en"))
    walk = TenderWalk(hub, browser, tmp_path)
    walk.invite()
    walk.draft()
    walk.open_scenario()
    walk.tenders = f"{walk.scenario}tenders/"
    owner = walk.owner.go(walk.tenders).fill(cases="300", margin="0.01").press()
    for who, cut in CUTS.items():
        walk.submit(who, cut)
    owner.go(walk.tenders).press("main form[action$='/close/'] button").wait_for("已判定")
    order = ("acme/torque-limit", "globex/torque-limit", "initech/torque-limit")
    assert owner.page.locator("main svg text").all_text_contents() == list(order)
    owner.page.screenshot(path=tmp_path / "tender.png", full_page=True)
    for who, better, worse in (("supplier", 0, 2), ("globex", 1, 1), ("initech", 2, 0)):
        said = walk.people[who].go(walk.tenders).said
        assert f"{worse} did worse and {better} did better" in said
        assert not any(name in said for name in order if PEOPLE[who][0] not in name), who
        walk.people[who].go("/notices/").wait_for("The tender on plant/spindle-alarm is decided")
    assert "应用的优劣次序" in owner.go(f"{walk.scenario}comparison/").said
    assert {name: one.complaints for name, one in walk.people.items() if one.complaints} == {}
