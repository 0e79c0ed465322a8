"""Demands in words on the hub: registered from a draft, read by everybody, and made a scenario with a table."""

import html
import json
import re

import pytest

from pilotbase.documents.demand import LONGEST_DEMAND
from tests.hub.test_uploads import ANSWERS, upload
from tests.sandbox.endpoints.stubs_for_tests import Stub, chatting, serving

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
    told = html.unescape(twin.content.decode())
    assert "” (plant/spindles) may be the same demand" in told, "the same demand is shown, not doubled"
    kept = owner.post("/scenarios/new/?demand=plant/spindles", {"cases": upload(name="spindles.csv")})
    assert SPINDLES in html.unescape(kept.content.decode()), "what the demand says is carried over"
    made = owner.post("/scenarios/new/?demand=plant/spindles", {**ANSWERS, "cases": upload(name="spindles.csv")})
    scenario, demand = page(base, "owner", made["Location"]), page(base, "owner", "/demands/plant/spindles/")
    titled = re.search(r"<h1>(.*?)</h1>", demand, re.DOTALL)[1]
    assert titled in scenario, "the scenario is called as its demand is"
    assert "/demands/plant/spindles/" in scenario and made["Location"] in demand and "Became a scenario" in demand


def test_another_with_the_same_need_joins_it_on_the_pages(base):
    owner, other = base.client("owner"), base.client("other-owner")
    text = "Coolant pumps on our presses fail without warning; every stop costs CNY 20,000."
    assert "joins" not in page(base, "owner", "/demands/new/"), "nothing is asked that nobody needs"
    owner.post("/demands/new/", {"text": text, "name": "pumps"})
    twin = {"text": text.replace("our presses", "the presses of our clinic"), "name": "clinic-pumps"}
    offered = html.unescape(other.post("/demands/new/", twin).content.decode())
    assert "may be the same demand" in offered and 'value="demand:plant/pumps" selected' in offered
    sent = other.post("/demands/new/", {**twin, "joins": "demand:plant/pumps", "apart": ""})
    assert sent["Location"] == "/demands/hospital/clinic-pumps/"
    assert "asks to join" in page(base, "other-owner", sent["Location"])
    assert "Sites with this need" not in page(base, None, "/demands/plant/pumps/")
    assert "/demands/hospital/clinic-pumps/" in page(base, "owner", "/work/")
    owner.post("/demands/hospital/clinic-pumps/acts/demand.admit/", {"note": ""})
    for who, language, sites in ((None, "en", "2 sites"), ("supplier", "zh-hans", "2 个点位")):
        assert "/demands/hospital/clinic-pumps/" in page(base, who, "/demands/plant/pumps/", language)
        assert sites in page(base, who, "/demands/", language)
    told = base.client("supplier").get("/api/demands/plant/pumps/sites").json()
    assert [(one["subject"], one["state"]) for one in told] == [("demand:hospital/clinic-pumps", "joined")]
    other.post("/demands/hospital/clinic-pumps/acts/demand.leave/", {"note": "Ours differ."})
    assert "2 sites" not in page(base, None, "/demands/")
    assert "demand:plant/pumps" in page(base, "other-owner", "/demands/hospital/clinic-pumps/acts/demand.join/")


def test_its_owner_changes_and_withdraws_it(base):
    owner, text = base.client("owner"), "Forklifts collide in our warehouse twice a month; each costs us CNY 8,000."
    owner.post("/demands/new/", {"text": text, "title": "Forklifts", "name": "forklifts"})
    edit = "/demands/plant/forklifts/acts/demand.edit/"
    assert text in page(base, "owner", edit) and base.client("other-owner").get(edit).status_code == 404
    owner.post(edit, {"text": f"{text} At night only.", "title": "Forklifts"})
    shown = page(base, "owner", "/demands/plant/forklifts/")
    assert "At night only." in shown
    newer, first = re.findall(r"/demands/plant/forklifts/versions/[0-9a-f]{64}/", shown)
    assert "At night only." not in page(base, "owner", first) and "8,000 CNY" in page(base, "owner", first)
    assert "<code>text</code>" in page(base, "owner", newer), "a version says what it changes of the one before"
    owner.post("/demands/plant/forklifts/acts/demand.withdraw/", {"note": ""})
    assert base.client(None).get("/demands/plant/forklifts/").status_code == 404


def test_matches_of_a_demand_are_followed(base):
    owner, text = base.client("owner"), "Weeds in our soy fields are counted by hand; we want photos to find them."
    owner.post("/demands/new/", {"text": text, "title": "Weeds", "name": "weeds"})
    nothing = page(base, "owner", "/demands/plant/weeds/matches/")
    assert "Nothing that you can see fits." in nothing, "the catalogue is empty"
    owner.post("/demands/plant/weeds/matches/follow/", {"follow": "yes"})
    assert "/demands/plant/weeds/matches/" in page(base, "owner", "/matching/")


def test_a_hundred_pages_are_pasted_and_what_is_more_is_refused(base):
    owner, pages = base.client("owner"), (SPINDLES * LONGEST_DEMAND)[:LONGEST_DEMAND]
    assert owner.post("/scenarios/new/", {"problem": pages, "words": "1"}).status_code == 302
    assert "30,000 CNY" in page(base, "owner", "/scenarios/new/")
    refused = owner.post("/scenarios/new/", {"problem": f"{pages}x", "words": "1"}, HTTP_ACCEPT_LANGUAGE="en")
    assert refused.status_code == 200 and f"{LONGEST_DEMAND}" in refused.content.decode().replace(",", "")


def test_the_operators_model_is_asked_when_a_person_says_so(base, monkeypatch):
    base.client("owner").post("/scenarios/new/", {"problem": "夜里没人看监护屏，转差常常早上才知道。", "words": "1"})
    assert "Ask the language model" not in page(base, "owner", "/scenarios/new/"), "none is set up"
    field = {"field": "task", "value": "anomaly", "quote": "转差常常早上才知道"}
    stub = Stub(chatting(lambda question: json.dumps({"fields": [field]})))
    with serving(stub):
        monkeypatch.setenv("PILOTBASE_DRAFT_MODEL_URL", f"{stub.url}/v1")
        monkeypatch.setenv("PILOTBASE_DRAFT_MODEL", "qwen")
        assert "?by=model" in page(base, "owner", "/scenarios/new/") and not stub.asked
        shown = page(base, "owner", "/scenarios/new/?by=model")
        assert "Suggested by the language model" in shown and len(stub.asked) == 1
        answered = base.client("owner").post("/scenarios/new/?by=model", {"answer": "sector", "said": "healthcare"})
        assert answered["Location"] == "/scenarios/new/?by=model#question"
        assert "由语言模型建议" in page(base, "owner", "/scenarios/new/?by=model", "zh-hans")
        assert len(stub.asked) == 1, "an answer is no new question to the model"
