"""A first choice by words: those that hold most of them, the newest first, and nothing of what is not seen."""

from pilotbase.workspace import listings
from pilotbase.workspace.actors import BASE, PUBLIC, Actor, actor, parties
from pilotbase.workspace.listings import Query, find_listings, list_resembling
from tests.workspace.test_listings import DESK, put

SCENARIOS = Query("scenario", states=("open",))


def names(store, who, words, limit=10, query=SCENARIOS):
    found = list_resembling(store.as_actor(who), query, words, limit)
    return [one.subject.partition(":")[2] for one in found]


def test_what_holds_most_words_comes_first_then_the_newest(store):
    for name, said in {"a": "主轴振动", "b": "主轴振动预警 bearing", "c": "泊位", "d": "主轴", "e": "主轴"}.items():
        put(store, name, said, PUBLIC)
    assert names(store, DESK, ["主轴", "振动", "预警", "Bearing"]) == ["b", "a", "e", "d"]
    assert names(store, DESK, ["主轴", "振动"], limit=3) == ["b", "a", "e"]
    assert names(store, DESK, []) == names(store, DESK, [" ", "没有"]) == []
    assert names(store, DESK, ['主轴" OR "泊位', "*", "%", "\x00"]) == []


def test_a_rare_word_brings_what_is_old_and_a_common_one_the_newest(store, monkeypatch):
    monkeypatch.setattr(listings, "OF_A_WORD", 3)
    put(store, "old", "铣床 主轴", PUBLIC)
    for number in range(6):
        put(store, f"n{number}", "铣床", PUBLIC)
    assert names(store, DESK, ["铣床"]) == ["n5", "n4", "n3"]
    assert set(names(store, DESK, ["铣床", "主轴"])) == {"old", "n5", "n4", "n3"}


def test_what_is_not_seen_is_not_chosen(store):
    put(store, "public", "主轴", PUBLIC)
    put(store, "own", "主轴 预警", parties(), owner="plant")
    put(store, "shared", "主轴", parties("acme"), owner="hospital")
    put(store, "hidden", "主轴 预警", parties(), owner="hospital")
    put(store, "base", "主轴", BASE)
    seen = {
        Actor("", frozenset()): {"public"},
        actor("plant", "demand_owner"): {"public", "own"},
        actor("acme", "supplier"): {"public", "shared"},
        DESK: {"public", "own", "shared", "hidden", "base"},
    }
    for who, expected in seen.items():
        assert set(names(store, who, ["主轴", "预警"])) == expected
        assert {subject.partition(":")[2] for subject in find_listings(store.as_actor(who), SUBJECTS)} == expected
    assert names(store, actor("plant", "demand_owner"), ["预警", "主轴"])[0] == "own"


SUBJECTS = [f"scenario:{name}" for name in ("public", "own", "shared", "hidden", "base", "none")]


def test_the_rest_of_the_question_is_asked_too(store):
    put(store, "scenario", "主轴", PUBLIC)
    put(store, "application", "主轴", PUBLIC, kind="application")
    assert names(store, DESK, ["主轴"]) == ["scenario"]
    assert names(store, DESK, ["主轴"], query=Query("scenario", states=("closed",))) == []
    assert find_listings(store.as_actor(DESK), []) == {}
