"""Demands in words on the hub: registered from a draft, read by everybody, and made a scenario with a table."""

import html

import pytest

from tests.hub.test_uploads import ANSWERS, upload

pytestmark = pytest.mark.usefixtures("no_readers")
SPINDLES = "我们车间的铣床主轴说坏就坏，每次停机损失 3 万元，希望提前半天预测刀具磨损。数据不出厂。"


@pytest.fixture(scope="module")
def base(one_world):
    return one_world


def page(base, who, address, language="en"):
    answer = base.client(who).get(address, HTTP_ACCEPT_LANGUAGE=language)
    assert answer.status_code == 200, address
    return html.unescape(answer.content.decode())


def test_a_draft_is_registered_and_becomes_a_scenario_with_its_table(base):
    owner = base.client("owner")
    owner.post("/scenarios/new/", {"problem": SPINDLES, "words": "1"})
    assert SPINDLES in page(base, "owner", "/demands/new/"), "what was drafted is not typed again"
    sent = owner.post("/demands/new/", {"text": SPINDLES, "title": "", "name": "spindles", "apart": ""})
    assert sent["Location"] == "/demands/plant/spindles/"
    assert SPINDLES not in page(base, "owner", "/scenarios/new/"), "the draft has become the demand"
    for who in (None, "supplier", "other-owner"):
        shown = page(base, who, "/demands/plant/spindles/")
        assert "30,000 CNY" in shown and "Make a scenario" not in shown
        assert "/demands/plant/spindles/" in page(base, who, "/demands/?q=主轴")
    assert "/scenarios/new/?demand=plant/spindles" in page(base, "owner", "/demands/plant/spindles/")
    twin = base.client("other-owner").post("/demands/new/", {"text": SPINDLES.replace("我们", "我厂")})
    assert "demand:plant/spindles of" in html.unescape(twin.content.decode()), "the same demand is shown, not doubled"
    kept = owner.post("/scenarios/new/?demand=plant/spindles", {"cases": upload(name="spindles.csv")})
    assert SPINDLES in html.unescape(kept.content.decode()), "what the demand says is carried over"
    made = owner.post("/scenarios/new/?demand=plant/spindles", {**ANSWERS, "cases": upload(name="spindles.csv")})
    scenario, demand = page(base, "owner", made["Location"]), page(base, "owner", "/demands/plant/spindles/")
    assert "/demands/plant/spindles/" in scenario and made["Location"] in demand and "Became a scenario" in demand


def test_its_owner_changes_and_withdraws_it(base):
    owner, text = base.client("owner"), "Forklifts collide in our warehouse twice a month; each costs us CNY 8,000."
    owner.post("/demands/new/", {"text": text, "title": "Forklifts", "name": "forklifts"})
    edit = "/demands/plant/forklifts/acts/demand.edit/"
    assert text in page(base, "owner", edit) and base.client("other-owner").get(edit).status_code == 404
    owner.post(edit, {"text": f"{text} At night only.", "title": "Forklifts"})
    assert "At night only." in page(base, None, "/demands/plant/forklifts/")
    owner.post("/demands/plant/forklifts/acts/demand.withdraw/", {"note": ""})
    assert base.client(None).get("/demands/plant/forklifts/").status_code == 404


def test_matches_of_a_demand_are_followed(base):
    owner, text = base.client("owner"), "Weeds in our soy fields are counted by hand; we want photos to find them."
    owner.post("/demands/new/", {"text": text, "title": "Weeds", "name": "weeds"})
    owner.post("/demands/plant/weeds/matches/follow/", {"follow": "yes"})
    assert "/demands/plant/weeds/matches/" in page(base, "owner", "/matching/")
