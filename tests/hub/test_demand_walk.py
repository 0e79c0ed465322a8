"""Demand finds technology in real browsers: a hospital's paragraph, a supplier in English, their room, a scenario."""

import re

from tests.hub.test_whole_walk import Walk, browser, hub, pytestmark
from tests.hub.walk_for_tests import PEOPLE, ROLES, Person, application

__all__ = ["browser", "hub", "pytestmark"]
WARDS = (
    "夜里病房的监护屏没有人连续看，患者病情转差常常到早上才发现。目前靠护士人工巡视，每天约 300 名患者。"
    "漏报一例要多花 6 万元，误报一次 300 元。希望提前两小时预警，数据不出院。"
)
HELPS = "Early warning: watches ward monitors and warns nurses hours before a patient deteriorates."
MANIFEST = """
document: application/1
name: ward-watch
version: 1.0.0
title: Ward watch
supplier: {organisation: acme}
licence: Apache-2.0
entry_point: app:predict
requirements: requirements.lock
offer: {published: true, sends_data: false, languages: [zh, en]}
model_card:
  summary: Watches the monitors of a ward at night and warns nurses hours before a patient deteriorates.
  training_data: None.
  limitations: Adults only.
  human_oversight: The nurse decides.
"""


class DemandWalk(Walk):
    """From a paragraph to a match and its room."""

    def look(self, who, name):
        return self.gallery.look(self.people[who], name)

    def register(self):
        """The paragraph is read, a question answered, and the demand registered without any data."""
        owner = self.owner.go("/scenarios/new/").fill(problem=WARDS).press("main button[name=words]")
        assert "60,000 CNY" in owner.said and "医疗" in owner.said
        self.look("owner", "draft-of-words")
        owner.go("/demands/new/")
        assert owner.page.input_value("[name=text]") == WARDS, "nothing is typed twice"
        self.look("owner", "register-demand")
        owner.press()
        self.demand = re.search(r"/demands/[^?#]+", owner.page.url)[0]
        self.look("owner", "demand")
        owner.go(f"{self.demand}matches/").press("main button[name=follow]")

    def claim_to_help(self):
        """A supplier who has proven nothing is found by what it says, and it says that nothing is proven."""
        supplier = self.supplier.go("/capabilities/new/")
        self.look("supplier", "state-a-capability")
        supplier.fill(name="bedside", kind="supplier", title="Bedside alerts", summary=HELPS).press()
        owner = self.owner.go(f"{self.demand}matches/").wait_for("Bedside alerts")
        assert "仅为自述，尚未证实" in owner.said
        self.look("owner", "matches-of-a-demand")

    def publish(self):
        """An application that its supplier publishes is a match with reasons, and its owner hears of it."""
        packed = self.folder / "wards.zip"
        manifest = application('"fine"', program="def predict(batch):\n    return [%s for _ in batch]\n")
        packed.write_bytes(manifest)
        supplier = self.supplier.go("/applications/new/")
        supplier.fill(folder=str(packed)).press().do("application.submit")
        self.owner.go("/notices/").wait_for("可能相符：acme/ward-watch")

    def talk(self):
        """The room of the match: a question, a file on terms, minutes, a decision and the next step."""
        owner = self.owner.go(f"{self.demand}matches/")
        assert "语义" in owner.said and "Ward watch" in owner.said
        self.look("owner", "matches-with-an-application")
        owner.press("main a[href^='/rooms/new/']").fill(words="贵方的应用能用于监护数据吗？").press()
        self.room = re.search(r"/rooms/\w+/", owner.page.url)[0]
        supplier = self.supplier.go(self.room).press("main form[action$='/agree/'] button")
        self.add("question", words="每小时采集几次？")
        assert "has asked a question" in supplier.go("/work/").said
        supplier.go(self.room).page.fill("[id^=id_answer][id$=_words]", "Once a minute.")
        supplier.press("main button[value=answer]")
        sample = self.folder / "bed.csv"
        sample.write_text("pulse,pressure\n82,120\n")
        self.add("file", terms="仅供本次洽谈。", content=str(sample))
        supplier.go(self.room)
        assert not supplier.page.locator("a[href*='/files/']").count(), "terms come first"
        supplier.press("main form[action$='/accept/'] button")
        with supplier.page.expect_download() as taken:
            supplier.page.click("a[href*='/files/']")
        assert taken.value.path().read_bytes() == sample.read_bytes()
        self.add("minutes", day="2026-01-05", words="双方约定用两周夜间数据试运行。")
        self.add("decision", words="先在一个病房试用。")
        supplier.go(self.room).press("main form[action$='/confirm/'] button")
        self.add("step", words="导出两周监护数据。", who="plant", due="2099-01-15")
        self.look("owner", "room")
        self.look("supplier", "room-of-the-supplier")
        self.owner.go(self.room).press("main form[action$='/done/'] button")

    def add(self, part, **given):
        """Let the owner add to the room what one of its folded forms says."""
        person = self.owner.go(self.room)
        folded = f"main details:has(button[value={part}])"
        person.page.click(f"{folded} summary")
        person.fill(folded, **given).press(f"{folded} button[value={part}]")

    def count(self):
        """The funnel counts how far the pair has come, step by step."""
        rows = self.desk.go("/overview/funnel/").page.locator("main table").first.locator("tbody tr")
        reached = [one.strip() for one in rows.locator("td:nth-child(3)").all_text_contents()]
        assert reached == ["1"] * 4 + ["0"] * (len(reached) - 4), "seen, shown as a match, contacted, in a room"
        self.look("desk", "funnel")

    def become_scenario(self):
        """Data have come: the demand's words go on into a scenario, which leads back to it."""
        table = self.folder / "wards.csv"
        rows = (f"{60 + at % 60},{at % 40 + 80},{'yes' if at % 60 > 45 else 'no'}" for at in range(400))
        table.write_text("\n".join(["pulse,pressure,deteriorates", *rows]) + "\n")
        owner = self.owner.go(self.demand).press("main a[href^='/scenarios/new/?demand=']")
        owner.fill(cases=str(table)).press()
        assert WARDS in owner.page.input_value("#id_problem")
        self.look("owner", "scenario-of-a-demand")
        owner.fill(name="ward-watch", target="deteriorates").press()
        assert owner.page.url.endswith("/scenarios/plant/ward-watch/"), owner.said
        self.look("owner", "scenario-made-of-a-demand")
        assert "已转为场景" in owner.go(self.demand).said

    def join(self):
        """Another hospital with the same need is offered to join, and the owner agrees."""
        other = self.clinic.go("/demands/new/").fill(text=WARDS.replace("病房", "住院病房")).press()
        assert other.page.locator("[name=joins]").count() == 1
        self.look("clinic", "may-be-the-same")
        other.press()
        self.site = re.search(r"/demands/[^?#]+", other.page.url)[0]
        self.look("clinic", "asks-to-join")
        self.owner.go("/work/").press("main .tasks .button.quiet").do("demand.admit")
        visitor = self.people["visitor"] = Person(self.browser, self.hub.address).go(self.demand)
        assert "Sites with this need" in visitor.said
        self.look("visitor", "demand-of-two-sites")
        assert "2 sites" in visitor.go("/demands/").said
        self.look("visitor", "demands")


def test_a_hospital_finds_who_can_help(hub, browser, tmp_path, monkeypatch):
    for who in ("reviewer", "regulator", "planner", "signer"):
        monkeypatch.delitem(PEOPLE, who)
    monkeypatch.setitem(ROLES, "clinic", ("River Clinic", "江滨诊所", "demand_owner"))
    monkeypatch.setitem(PEOPLE, "clinic", ("clinic", "demand_owner", "en"))
    monkeypatch.setattr("tests.hub.walk_for_tests.MANIFEST", MANIFEST)
    walk = DemandWalk(hub, browser, tmp_path)
    walk.invite()
    walk.register()
    walk.claim_to_help()
    walk.publish()
    walk.talk()
    walk.count()
    walk.join()
    walk.become_scenario()
    wrong = [f"{look}: {one}" for look, found in walk.gallery.wrong.items() for one in found]
    assert not wrong, "\n".join(wrong)
    assert {name: one.complaints for name, one in walk.people.items() if one.complaints} == {}
