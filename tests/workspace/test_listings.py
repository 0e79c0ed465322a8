"""Listings: words are found in every script, and every list shows what its documents' visibility says, nothing else."""

import random
from itertools import product
from pathlib import Path

import pytest
from sqlalchemy import select

from pilotbase.documents.base import Localized
from pilotbase.documents.subjects import Organisation
from pilotbase.workspace import tables, text_index
from pilotbase.workspace.actors import BASE, PUBLIC, Actor, Visibility, actor, parties
from pilotbase.workspace.backup.restoring import Destination, opened_backup, restore_store, restored_home
from pilotbase.workspace.backup.writing import write_backup
from pilotbase.workspace.home import HomeSettings, init_home, open_home
from pilotbase.workspace.listings import Listing, Query, count, count_by, cut_to, find_listing, list_page, put_listing
from pilotbase.workspace.store import Store
from tests.catalogue.records_for_tests import Trial
from tests.workspace.stores_for_tests import POSTGRES_LATER

DESK = actor("base", "operator")
VISITOR = Actor("", frozenset())
TEXTS = {
    "spindle": "主轴振动 Spindle vibrates\n铣床A-7",
    "bearing": "轴承过热，提前预警 bearing overheats",
    "berth": "泊位调度 berth plan 100%",
    "mixed": "AI＋制造 ﬁrst step 𠮷野家 naïve_case",
}
WORDS = {
    "主轴": {"spindle"},
    "轴": {"spindle", "bearing"},
    "轴承": {"bearing"},
    "轴振": {"spindle"},
    "动": {"spindle"},
    "动s": set(),
    "预警": {"bearing"},
    "热提": set(),
    "热，提": {"bearing"},
    "提前预警": {"bearing"},
    "be": {"bearing", "berth"},
    "BEARING": {"bearing"},
    "earing ovrheats": set(),
    "earing overheat": {"bearing"},
    "be over": {"bearing"},
    "a-7": {"spindle"},
    "-7": {"spindle"},
    "7": {"spindle"},
    "100%": {"berth"},
    "1%": set(),
    "%": {"berth"},
    "_c": {"mixed"},
    "_": {"mixed"},
    "ai+制": {"mixed"},
    "first": {"mixed"},
    "𠮷": {"mixed"},
    "𠮷野": {"mixed"},
    '"': set(),
    '主轴" OR "泊位': set(),
    "* OR *": set(),
    "'": set(),
    "scenariopublic": set(),
    "    ": set(TEXTS),
    "\x00": set(TEXTS),
}


def put(store: Store, name: str, words: str, seen: Visibility, owner: str = "plant", kind: str = "scenario") -> str:
    """Store a document and the listing that shows it."""
    with store.as_actor(DESK).transaction("listed") as change:
        digest = change.put(Organisation(name=name, title=name, roles=()), seen, owner=owner)
        listing = Listing(f"{kind}:{name}", kind, "open", digest, owner, Localized(en=name, zh=name), words=words)
        put_listing(change, listing, ())
    return digest


def found(store: Store, who: Actor, words: str = "", kind: str = "scenario") -> set[str]:
    """Return the names that a search finds; counts say the same."""
    view, query = store.as_actor(who), Query(kind, words=words)
    names = {item.subject.partition(":")[2] for item in list_page(view, query, limit=200).items}
    assert count(view, query) == len(names)
    assert all(count(view, query, most) == min(len(names), most + 1) for most in (0, 1, 20))
    assert sum(count_by(view, query, "owner").values()) == len(names)
    return names


@pytest.mark.one_in(3)
@pytest.mark.parametrize("who", [VISITOR, DESK, actor("acme", "supplier")], ids=["visitor", "operator", "member"])
@POSTGRES_LATER
def test_words_of_one_or_two_characters_are_found_like_long_ones(store: Store, who: Actor) -> None:
    for name, words in TEXTS.items():
        put(store, name, words, PUBLIC)
    assert {words: found(store, who, words) for words in WORDS} == WORDS


@pytest.mark.prove
@POSTGRES_LATER
def test_an_organisations_own_is_searched_like_what_is_public(store: Store) -> None:
    for name, words in TEXTS.items():
        put(store, name, words, parties("acme"))
    for who in (actor("plant", "demand_owner"), actor("acme", "supplier"), actor("ministry", "regulator")):
        assert {words: found(store, who, words) for words in WORDS} == WORDS
    assert found(store, VISITOR) == found(store, actor("globex", "supplier")) == set()


def test_what_is_found_follows_words_and_visibility(store: Store) -> None:
    digest = put(store, "s", "主轴", PUBLIC)
    assert found(store, VISITOR, "主轴") == {"s"}
    put(store, "s", "轴承", PUBLIC)
    assert (found(store, VISITOR, "主轴"), found(store, VISITOR, "轴承")) == (set(), {"s"})
    for seen, expected in ((BASE, set()), (parties("acme"), set()), (PUBLIC, {"s"})):
        with store.as_actor(DESK).transaction("shown") as change:
            change.change_visibility(digest, seen)
        assert found(store, VISITOR, "轴承") == found(store, VISITOR) == expected
        assert found(store, actor("plant", "demand_owner"), "轴承") == (set() if seen == BASE else {"s"})
        assert found(store, DESK, "轴承") == {"s"}


@POSTGRES_LATER
def test_lists_show_exactly_what_visibility_admits(store: Store) -> None:
    luck, names = random.Random(5), ("plant", "acme", "globex")
    shown: dict[str, tuple[str, Visibility]] = {}
    for number in range(60):
        owner = luck.choice(names)
        others = [name for name in names if luck.random() < 0.4]
        seen = luck.choice([PUBLIC, BASE, parties(), parties(*others)])
        digest = put(store, f"n{number}", "轴承", seen, owner)
        if luck.random() < 0.5:
            seen = luck.choice([PUBLIC, BASE, parties(*others)])
            with store.as_actor(DESK).transaction("shown") as change:
                change.change_visibility(digest, seen)
        shown[f"n{number}"] = (owner, seen)
    asking = [VISITOR, DESK, actor("ministry", "regulator"), *(actor(name, "supplier") for name in (*names, "other"))]
    for who in asking:
        admitted = {name for name, (owner, seen) in shown.items() if seen.admits(who, owner)}
        assert found(store, who) == found(store, who, "轴承") == admitted
        with store.database.read() as connection:
            rows = connection.scalars(cut_to(select(tables.listings.c.subject), who)).all()
        assert sorted(rows) == sorted(f"scenario:{name}" for name in admitted)
        for name in shown:
            assert (find_listing(store.as_actor(who), f"scenario:{name}") is not None) == (name in admitted)


@pytest.mark.one_in(2)
def test_pages_hold_every_part_in_one_order(store: Store) -> None:
    member = actor("acme", "supplier")
    seen = [PUBLIC, parties("acme"), parties(), BASE]
    for number, (visibility, owner) in enumerate([*product(seen, ("acme", "plant"))] * 3):
        put(store, f"n{number}", "轴承", visibility, owner)
    for who, words in product((member, DESK, VISITOR), ("", "轴承")):
        names: list[str] = []
        page = list_page(store.as_actor(who), Query("scenario", words=words), limit=2)
        names += [item.subject for item in page.items]
        while page.after is not None:
            page = list_page(store.as_actor(who), Query("scenario", words=words), page.after, limit=2)
            names += [item.subject for item in page.items]
        assert len(set(names)) == len(names) == count(store.as_actor(who), Query("scenario", words=words))
        assert names == sorted(names, key=lambda name: -int(name.partition(":n")[2]))


def test_the_text_index_can_be_made_anew(store: Store) -> None:
    for name, words in TEXTS.items():
        put(store, name, words, PUBLIC)
    with store.database.write() as connection:
        text_index.rebuild(connection)
    assert {words: found(store, VISITOR, words) for words in WORDS} == WORDS
    put(store, "spindle", "焊缝", PUBLIC)
    assert (found(store, VISITOR, "主轴"), found(store, VISITOR, "焊缝")) == (set(), {"spindle"})


def test_what_is_restored_from_a_backup_is_found(tmp_path: Path) -> None:
    home = init_home(tmp_path / "home")
    store = home.open_store()
    Trial(store).open_scenario()
    store.close()
    file, again = tmp_path / "base.backup", Destination(tmp_path / "again", HomeSettings(), home.keys.path)
    write_backup(home, file)
    with opened_backup(file) as backup, restored_home(backup, again) as draft:
        restore_store(backup, draft)
    store = open_home(again.path).open_store()
    assert (found(store, VISITOR, "铣床"), found(store, VISITOR, "轴承")) == ({"plant/milling"}, set())
    store.close()


def test_several_listings_may_begin_in_one_transaction(store: Store) -> None:
    view = store.as_actor(DESK)
    with view.transaction("listed") as change:
        for name in ("one", "two", "three"):
            content = Organisation(name=name, title=name, roles=())
            digest = change.put(content, PUBLIC)
        for name in ("one", "two", "three"):
            title = Localized(en=name, zh=name)
            put_listing(change, Listing(f"organisation:{name}", "organisation", "x", digest, "base", title), [])
    found = list_page(view, Query("organisation"))
    assert [one.subject.partition(":")[2] for one in found.items] == ["three", "two", "one"]
