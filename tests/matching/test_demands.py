"""Demands in words: registered without data, once, matched both ways, and made a scenario when data come."""

from types import SimpleNamespace

import pytest

from pilotbase.catalogue.advancing import advance
from pilotbase.catalogue.records import load_record
from pilotbase.catalogue.saving import save
from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.permissions import Act
from pilotbase.operations.matches import NewDemand
from pilotbase.worker.demands import count_sites, register_demand, sites_of
from pilotbase.worker.matching import draft_of_demand, gap_map, match_subject
from pilotbase.worker.mission import MissionStage, mission_of
from pilotbase.worker.reactions.followed import of_news
from pilotbase.workspace.followed import follow
from pilotbase.workspace.listings import Query, find_listing, list_page
from tests.catalogue.records_for_tests import DESK, OTHER_OWNER, OWNER, SUPPLIER, VISITOR
from tests.matching.pairs_for_tests import scenario
from tests.matching.test_finding import hand_in

SPINDLES = "我们车间的铣床主轴说坏就坏，每次停机损失 3 万元，希望提前半天预测刀具磨损。数据不出厂。"
X_RAYS = "Radiologists read 300 chest X-rays a day by hand. A missed pneumonia costs CNY 40,000."


def register(store, name="spindles", text=SPINDLES, who=OWNER, **more):
    return register_demand(store.as_actor(who), who.organisation, name, NewDemand(text=text, **more))


def refusal(call, *arguments, **more):
    with pytest.raises(PilotbaseError) as refused:
        call(*arguments, **more)
    return refused.value.code


def test_a_title_made_of_the_words_ends_with_a_word(any_store):
    for text, title in (
        ("Spindles break; we lose shifts.", "Spindles break"),
        ("主轴说坏就坏；损失很大。", "主轴说坏就坏"),
    ):
        register(any_store, text=text)
        [one] = list_page(any_store.as_actor(OWNER), Query("demand")).items
        assert one.title.en == one.title.zh == title


def test_a_demand_lives_without_data_and_everybody_finds_it(any_store):
    record = register(any_store)
    assert (record.subject, record.state, record.owner) == ("demand:plant/spindles", "open", "plant")
    for who in (VISITOR, SUPPLIER, DESK):
        [one] = list_page(any_store.as_actor(who), Query("demand", "主轴", sector="manufacturing")).items
        assert (one.subject, one.action) == ("demand:plant/spindles", "industry")
    assert register(any_store).version == 1
    assert register(any_store, title="主轴预警").version == 2
    assert refusal(register, any_store, "eyes", X_RAYS, SUPPLIER) == "record.not_permitted"
    theirs = NewDemand(text=X_RAYS)
    assert refusal(register_demand, any_store.as_actor(OTHER_OWNER), "plant", "eyes", theirs) == "record.not_found"
    advance(any_store.as_actor(OWNER), record.subject, Act.DEMAND_WITHDRAW)
    assert find_listing(any_store.as_actor(SUPPLIER), record.subject) is None
    assert find_listing(any_store.as_actor(OWNER), record.subject).state == "withdrawn"


def test_what_may_be_the_same_is_registered_only_with_a_reason(any_store):
    register(any_store)
    again = SPINDLES.replace("我们车间", "我厂")
    assert refusal(register, any_store, "again", again, OTHER_OWNER) == "demand.same_there"
    register(any_store, "again", again, OTHER_OWNER, apart="另一条产线，没有传感器。")
    register(any_store, "x-rays", X_RAYS, OTHER_OWNER)
    beside = draft_of_demand(any_store.as_actor(SUPPLIER), SPINDLES).scenarios
    assert {one.subject for one in beside if one.duplicate} == {"demand:plant/spindles", "demand:hospital/again"}


def test_who_has_the_same_need_joins_as_a_further_site(any_store):
    """Both sides consent, the demand counts its sites, and there is one demand to match, also once it has data."""
    register(any_store)
    again = SPINDLES.replace("我们车间", "我厂")
    asked = register(any_store, "again", again, OTHER_OWNER, joins="demand:plant/spindles")
    assert (asked.state, asked.host) == ("joining", "plant")
    assert register(any_store, "again", again, OTHER_OWNER, joins="demand:plant/spindles") == asked
    visitor, owner = any_store.as_actor(VISITOR), any_store.as_actor(OWNER)
    assert sites_of(visitor, "demand:plant/spindles") == [] and count_sites(visitor) == {}
    [waiting] = load_record(owner, "demand:hospital/again")[0].waits
    assert (waiting.act, waiting.organisation) == (Act.DEMAND_ADMIT, "plant")
    assert refusal(advance, any_store.as_actor(OTHER_OWNER), asked.subject, Act.DEMAND_ADMIT) == "record.not_permitted"
    assert advance(owner, asked.subject, Act.DEMAND_ADMIT).state == "joined"
    assert [one.subject for one in sites_of(visitor, "demand:plant/spindles")] == ["demand:hospital/again"]
    assert count_sites(visitor) == {"demand:plant/spindles": 2}
    assert [one.subject for one in gap_map(any_store.as_actor(DESK)).unmet] == ["demand:plant/spindles"]
    save(owner, scenario(name="milling", owner="plant", demand="demand:plant/spindles"))
    assert [one.subject for one in sites_of(visitor, "scenario:plant/milling")] == ["demand:hospital/again"]
    assert count_sites(owner)["scenario:plant/milling"] == 2
    advance(any_store.as_actor(OTHER_OWNER), asked.subject, Act.DEMAND_LEAVE)
    assert count_sites(visitor) == {}
    assert [one.subject for one in list_page(visitor, Query("demand", states=("open",))).items] == [
        "demand:hospital/again"
    ]


def test_a_demand_joins_an_open_one_of_somebody_else(any_store):
    register(any_store)
    mine = {"joins": "demand:plant/spindles", "apart": "x"}
    assert refusal(register, any_store, "again", SPINDLES, **mine) == "demand.joins_own"
    assert find_listing(any_store.as_actor(OWNER), "demand:plant/again") is None, "nothing half done"
    theirs = {"name": "again", "text": SPINDLES, "who": OTHER_OWNER}
    assert refusal(register, any_store, **theirs, joins="demand:plant/none") == "demand.not_joinable"
    register(any_store, **theirs, joins="demand:plant/spindles")
    declined = advance(any_store.as_actor(OWNER), "demand:hospital/again", Act.DEMAND_DECLINE)
    assert (declined.state, declined.subjects) == ("open", {})
    advance(any_store.as_actor(OWNER), "demand:plant/spindles", Act.DEMAND_WITHDRAW)
    again = {"joins": "demand:plant/spindles"}
    assert refusal(register, any_store, **theirs, **again) == "demand.not_joinable"


def test_nobody_s_phone_number_becomes_public(any_store):
    assert refusal(register, any_store, text=f"{SPINDLES}请联系 13812345678。") == "demand.personal_in_public"


def test_applications_find_demands_and_demands_find_applications(any_store):
    register(any_store)
    register(any_store, "x-rays", X_RAYS, OTHER_OWNER)
    words = {"title": "刀具磨损预测", "model_card": {"summary": "预测铣床主轴与刀具磨损，提前预警停机。"}}
    wear = hand_in(any_store, made_for=None, **words, offer={"published": True})
    found = match_subject(any_store.as_actor(OWNER), "demand:plant/spindles")
    assert found.side == "demand" and [one.subject for one in found.ranked] == [wear]
    [why] = [one.why.code for one in found.ranked[0].checks if one.constraint == "answer"]
    assert why == "match.no_data_yet"
    back = match_subject(any_store.as_actor(SUPPLIER), wear)
    assert [(one.subject, one.known_by) for one in back.ranked] == [("demand:plant/spindles", "demand")]
    assert [one.subject for one in gap_map(any_store.as_actor(DESK)).unmet] == ["demand:hospital/x-rays"]


def test_a_limit_of_the_words_refuses_what_sends_data_away(any_store):
    register(any_store)
    words = {"title": "刀具磨损预测", "model_card": {"summary": "预测铣床主轴与刀具磨损，提前预警停机。"}}
    sends = hand_in(any_store, made_for=None, **words, offer={"published": True, "sends_data": True})
    assert [one.subject for one in match_subject(any_store.as_actor(OWNER), "demand:plant/spindles").refused] == [sends]


def test_who_follows_an_application_hears_of_a_new_demand(any_store):
    words = {"title": "刀具磨损预测", "model_card": {"summary": "预测铣床主轴与刀具磨损，提前预警停机。"}}
    wear = hand_in(any_store, made_for=None, **words)
    follow(any_store.as_actor(SUPPLIER), wear)
    before = any_store.as_actor(DESK).changes(0, 1000)[-1].sequence
    register(any_store)
    base = SimpleNamespace(lab=SimpleNamespace(view=any_store.as_actor(DESK)))
    told = list(of_news(base, any_store.as_actor(DESK).changes(before, 100)))
    assert [(one.subject, one.address.person) for one in told] == [(wear, "p-supplier")]


def test_a_scenario_made_of_a_demand_takes_it_up(any_store):
    register(any_store)
    made = scenario(name="milling", owner="plant", demand="demand:plant/spindles")
    save(any_store.as_actor(OWNER), made)
    record, _ = load_record(any_store.as_actor(OWNER), "demand:plant/spindles")
    assert (record.state, record.subjects) == ("taken_up", {"scenario": "scenario:plant/milling"})
    for subject in ("demand:plant/spindles", "scenario:plant/milling"):
        stops = mission_of(any_store.as_actor(OWNER), subject).stops
        assert [(one.stage, one.subject) for one in stops] == [
            (MissionStage.WORDS, "demand:plant/spindles"),
            (MissionStage.DEMAND, "scenario:plant/milling"),
        ]
    save(any_store.as_actor(OWNER), made.model_copy(update={"positive": made.positive, "title": "Mill"}))
    other = scenario(name="other", owner="plant", demand="demand:plant/spindles")
    assert refusal(save, any_store.as_actor(OWNER), other) == "demand.not_open"
    stolen = scenario(name="eyes", owner="hospital", demand="demand:plant/spindles")
    assert refusal(save, any_store.as_actor(OTHER_OWNER), stolen) == "demand.not_yours"
