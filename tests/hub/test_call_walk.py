"""A call in real browsers: three teams, a conflict, the tender through a worker, an award that everybody can check."""

import re
import threading
from datetime import timedelta

import pytest

from pilotbase.documents.permissions import Act
from pilotbase.documents.vocabularies import Role
from pilotbase.worker.intake.kept_files import take_application
from pilotbase.workspace.actors import actor
from tests.catalogue.records_for_tests import OTHER_SUPPLIER
from tests.hub.live_for_tests import listening
from tests.hub.test_browser import CHROMIUM, browser
from tests.hub.test_whole_walk import Gallery
from tests.hub.walk_for_tests import Person
from tests.hub.worlds_for_tests import PASSWORD, _person
from tests.trial.conftest import BAD, GOOD, writing_application, writing_scenario
from tests.worker.calls_for_tests import Clock
from tests.worker.commissions_for_tests import Ordered

__all__ = ["browser"]
pytestmark = [
    pytest.mark.prove,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: the hub was not opened"),
]
PAGE = "/calls/plant/spindles/"
GUESS = GOOD.replace("> 6", "> 7")
TEAMS = {
    "supplier": ("application:acme/alarm", "900", "hospital Wards"),
    "other-supplier": ("application:globex/guess", "800", ""),
    "third-supplier": ("application:initech/calm", "700", ""),
}
EXPERTS = ("reviewer", "other-reviewer", "third-reviewer")
TIED = "tied-reviewer"
LANGUAGES = {"owner": "zh", "reviewer": "zh", "supplier": "en"}


@pytest.fixture(scope="module")
def ordered(one_world, tmp_path_factory):
    """An open scenario with three applications, and the trial of one of them, which holds its promises."""
    from pilotbase.hub.base import base

    place, ordered = tmp_path_factory.mktemp("called"), Ordered(base())
    one_world.clock = Clock(base().lab.store.clock())
    object.__setattr__(base().lab.store, "clock", one_world.clock)
    for organisation, role in (("initech", Role.SUPPLIER), ("outlook", Role.REVIEWER)):
        one_world.trial.register(organisation, role)
    for who, organisation, role in (
        ("third-supplier", "initech", "supplier"),
        ("third-reviewer", "academy", "reviewer"),
        (TIED, "outlook", "reviewer"),
    ):
        one_world.people[who] = _person(who, organisation, role)
    write = writing_application(place)
    ordered.open(writing_scenario(place)(), write())
    third = actor("initech", Role.SUPPLIER, person="p-third-supplier")
    for team, program, name in ((OTHER_SUPPLIER, GUESS, "guess"), (third, BAD, "calm")):
        application = write(program, name, team.organisation)
        take_application(ordered.base, ordered.view(team), application, "scenario:plant/small-alarm")
        ordered.do(team, Act.APPLICATION_SUBMIT, subject=f"application:{team.organisation}/{name}")
    ordered.propose()
    ordered.approve()
    ordered.freeze()
    ordered.do_queued()
    return ordered


@pytest.fixture(scope="module")
def address(one_world, ordered):
    with listening(one_world) as address:
        yield address


class Member(Person):
    """Somebody with an account, at a browser."""

    def __init__(self, browser, address, who):
        super().__init__(browser, address, LANGUAGES.get(who, "en"))
        self.go("/account/login/").fill(login=f"{who}@example.org", password=PASSWORD).press("main form button")
        assert self.page.url.endswith("/work/"), self.said

    def act(self, part, **fields):
        """Fill and send what the page of the call offers."""
        form = f"main form[action$='/{part}/']"
        for name, value in fields.items():
            field = self.page.locator(f"{form} [name={name}]")
            field.select_option(value) if field.evaluate("e => e.tagName") == "SELECT" else field.fill(value)
        return self.press(f"{form} button")


def worked(ordered, *before):
    """Do in a thread of its own what the base's worker does; Django refuses the browser's event loop."""

    def work():
        for one in before:
            one()
        done.extend(ordered.work())

    done = []
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return done


def test_three_teams_two_keys_one_award(one_world, ordered, address, browser):
    gallery, people = Gallery(), {None: Person(browser, address, "zh")}
    for who in ("owner", "desk", "planner", *TEAMS, *EXPERTS):
        people[who] = Member(browser, address, who)
    clock, owner, visitor = one_world.clock, people["owner"], people[None]
    owner.go("/calls/new/?scenario=plant/small-alarm")
    gallery.look(owner, "call-new")
    closes = f"{clock.now + timedelta(days=10):%Y-%m-%d}"
    milestones = "2027-06-30 40 首个点位 [certificate]\n2027-12-31 60 全部点位"
    owner.page.click("main details:has([name=name]) summary")
    owner.fill(title="主轴预警揭榜", task="换班前提示主轴故障。", prize="1000", closes=closes)
    owner.fill(criteria="60 方案\n40 团队", milestones=milestones, name="spindles")
    owner.fill(weight_tender="40", weight_experts="40", weight_price="20", measure="accuracy", cases="200")
    owner.press()
    assert visitor.go(PAGE).page.title() and "主轴预警揭榜" not in visitor.said, "a draft is its owner's"
    visitor.complaints.clear()
    owner.act("publish")
    gallery.look(visitor.go(PAGE), "call-published")
    for who, (application, price, partners) in TEAMS.items():
        team = people[who].go(f"{PAGE}claim/")
        ties = "outlook" if who == "other-supplier" else ""
        team.fill(application=application, price=price, partners=partners, plan=f"A plan of {who}.", ties=ties)
        team.page.check("[name=commitment]")
        team.press()
        assert f"A plan of {who}." in team.said
    gallery.look(people["supplier"], "call-claimed")
    for who in ("owner", "desk", "reviewer"):
        assert "A plan of" not in people[who].go(PAGE).said, who
    desk = people["desk"].go(f"{PAGE}experts/")
    for one in desk.page.locator("main [name=reviewers]").all():
        one.check()
    desk.press()
    clock.pass_days(30)
    desk.go(PAGE).act("open")
    assert "A plan of" not in desk.said, "one key opens nothing"
    people["planner"].go(PAGE).act("open")
    gallery.look(people["planner"], "call-opened")
    assert "Tie to globex" in people["planner"].said
    for who in EXPERTS:
        for team, points in (("acme", ("5", "4")), ("globex", ("4", "3")), ("initech", ("2", "2"))):
            expert = people[who].go(f"{PAGE}score/?team={team}")
            if who == EXPERTS[0] and team == "acme":
                gallery.look(expert, "call-score")
            expert.fill(points_0=points[0], points_1=points[1], words=f"View of {team}.").press()
        if who != EXPERTS[-1]:
            assert "View of" not in owner.go(f"{PAGE}").said
    owner.go(PAGE).act("tender")
    assert ("tender", "done") in worked(ordered)
    owner.go(PAGE).act("rank")
    gallery.look(owner.go(f"{PAGE}standing/"), "call-standing")
    assert re.search(r"globex/guess|initech/calm", " ".join(owner.page.locator("main svg desc").all_text_contents()))
    theirs = people["other-supplier"].go(f"{PAGE}standing/")
    assert "View of" not in theirs.said and not theirs.page.locator("main svg desc").count()
    owner.go(PAGE).act("award", leader="acme", grounds="名次第一，门槛已过。")
    people["other-supplier"].go(PAGE).act("appeal", grounds="The tender was late.")
    desk.go(PAGE)
    gallery.look(desk, "call-appeal")
    desk.act("appeals/1", outcome="dismissed", reasons="It kept its term.")
    clock.pass_days(8)
    owner.go(PAGE).act("milestones/1", words="首个点位已运行。")
    assert "payments/1" not in owner.page.content(), "no certificate shows it yet"
    worked(ordered, ordered.accept)
    owner.go(PAGE).act("milestones/1", words="首个点位已运行。")
    owner.act("payments/1", way="contract", reference="2027-118")
    gallery.look(owner, "call-milestones")
    visitor.go("/").press("a[href='/calls/']").press(f"main a[href='{PAGE}']")
    said = visitor.said
    assert "名次第一，门槛已过。" in said
    for hidden in ("A plan of", "View of", "The tender was late.", "It kept its term.", "Tied Reviewer"):
        assert hidden not in said, hidden
    gallery.look(visitor, "call-award")
    visitor.press("main a[href^='/certificates/']")
    gallery.look(visitor, "call-winners-certificate")
    owner.go(PAGE).press("main a[href^='/trials/']")
    assert "small-alarm" in owner.said or "小型预警" in owner.said
    wrong = [f"{look}: {one}" for look, found in gallery.wrong.items() for one in found]
    assert not wrong, "\n".join(wrong)
    assert {name: one.complaints for name, one in people.items() if one.complaints} == {}
