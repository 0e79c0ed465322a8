"""Documents, names, search and the change feed, on both databases."""

import pytest
from sqlalchemy import text, update

from pilotbase.documents.base import Document
from pilotbase.documents.errors import InvalidProofError, PilotbaseError
from pilotbase.documents.subjects import Organisation
from pilotbase.workspace import tables
from pilotbase.workspace.actors import PUBLIC, Role, actor, parties
from pilotbase.workspace.failures import ConflictError, NotFoundError
from pilotbase.workspace.store import Store, View


class Note(Document):
    document: str = "note/1"
    title: str


@pytest.fixture
def plant(store: Store) -> View:
    return store.as_actor(actor("plant", Role.DEMAND_OWNER))


def test_a_document_comes_back_as_it_was(plant: View) -> None:
    note = Note(title="铣床 7 · Milling")
    digest = plant.put(note, PUBLIC, "note.stored")
    assert digest == note.digest()
    assert plant.load(digest, Note) == note
    stored = plant.get(digest)
    assert stored is not None
    assert (stored.kind, stored.owner, stored.visibility) == ("note", "plant", PUBLIC)
    assert stored.stored_at == plant.store.clock()


def test_a_document_of_another_kind_is_not_found_under_this_one(plant: View) -> None:
    digest = plant.put(Note(title="x"), PUBLIC, "note.stored")
    with pytest.raises(NotFoundError):
        plant.load(digest, Organisation)


def test_several_documents_are_written_together_or_not_at_all(plant: View) -> None:
    first, second = Note(title="1"), Note(title="2")
    with pytest.raises(ConflictError), plant.transaction("notes.stored") as change:
        change.put(first, PUBLIC)
        change.put(second, PUBLIC)
        change.set_head("note:pair", second.digest(), expected=first.digest())
    assert plant.get(first.digest()) is None
    assert plant.get(second.digest()) is None
    assert plant.log_entries() == []
    assert plant.changes() == []


def test_a_name_moves_only_from_where_it_was_expected(plant: View) -> None:
    with plant.transaction("note.stored") as change:
        old, new = change.put(Note(title="old"), PUBLIC), change.put(Note(title="new"), PUBLIC)
        change.set_head("note:a", old, expected=None)
    assert plant.head("note:a") == old
    with pytest.raises(ConflictError), plant.transaction("note.stored") as change:
        change.set_head("note:a", new, expected=None)
    with pytest.raises(ConflictError), plant.transaction("note.stored") as change:
        change.set_head("note:a", new, expected=new)
    with plant.transaction("note.stored") as change:
        change.set_head("note:a", new, expected=old)
    assert plant.head("note:a") == new


def test_storing_again_changes_nothing_unless_absence_was_asked(plant: View) -> None:
    note = Note(title="x")
    plant.put(note, PUBLIC, "note.stored")
    plant.put(note, PUBLIC, "note.stored")
    assert len(plant.changes()) == 1
    assert len(plant.log_entries()) == 1
    with pytest.raises(ConflictError), plant.transaction("note.stored") as change:
        change.put(note, PUBLIC, if_absent=True)
    with pytest.raises(ConflictError):
        plant.put(note, parties("acme"), "note.stored")


def test_find_needs_every_field_and_gives_the_newest_first(plant: View) -> None:
    with plant.transaction("notes.stored") as change:
        both = change.put(Note(title="1"), PUBLIC, fields={"sector": "energy", "tag": ["a", "b"], "open": True})
        newer = change.put(Note(title="2"), PUBLIC, fields={"sector": "energy", "tag": ["b"], "rows": 7})
    assert [found.digest for found in plant.find("note", {"sector": "energy"})] == [newer, both]
    assert [found.digest for found in plant.find("note", {"sector": "energy", "tag": "a", "open": True})] == [both]
    assert [found.digest for found in plant.find("note", {"rows": 7})] == [newer]
    assert plant.find("note", {"open": False}) == []
    assert plant.find("scenario", {"sector": "energy"}) == []
    assert [found.digest for found in plant.find("note", limit=1)] == [newer]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("刀具磨损", True),
        ("磨损 预测", True),
        ("WEAR tool", True),
        ("ＴＯＯＬ", True),
        ("100%", True),
        ("100_", False),
        ("刀具 断裂", False),
        ("%", True),
        ("_", False),
    ],
)
def test_search_finds_chinese_and_english_words_and_takes_no_wildcards(plant: View, words: str, found: bool) -> None:
    digest = plant.put(Note(title="铣床刀具磨损预测: Tool wear at 100%"), PUBLIC, "note.stored")
    assert [hit.digest for hit in plant.search(words)] == ([digest] if found else [])
    assert plant.search(words, kind="scenario") == []


def test_the_change_feed_goes_on_from_where_it_was_read(plant: View) -> None:
    with plant.transaction("note.stored") as change:
        first = change.put(Note(title="1"), PUBLIC)
        change.set_head("note:a", first, expected=None)
    seen = plant.changes()
    assert [(one.event, one.digest, one.head) for one in seen] == [("stored", first, None), ("moved", first, "note:a")]
    with plant.transaction("note.shown") as change:
        change.change_visibility(first, parties())
    later = plant.changes(since=seen[-1].sequence)
    assert [one.event for one in later] == ["shown"]
    assert plant.changes(since=later[-1].sequence) == []
    assert [one.sequence for one in plant.changes(limit=1)] == [seen[0].sequence]


def test_bytes_that_were_altered_in_the_database_are_named_not_returned(plant: View) -> None:
    digest = plant.put(Note(title="accept"), PUBLIC, "note.stored")
    with plant.store.database.write() as connection:
        connection.execute(update(tables.documents).values(body=Note(title="reject").canonical()))
    with pytest.raises(InvalidProofError) as caught:
        plant.get(digest)
    assert digest in str(caught.value)


def test_a_failing_database_is_reported_as_ours_and_rolls_back(plant: View) -> None:
    with pytest.raises(PilotbaseError) as caught, plant.transaction("note.stored") as change:
        change.put(Note(title="1"), PUBLIC)
        change.connection.execute(text("SELECT nonsense FROM nowhere"))
    assert caught.value.code == "workspace.database_failed"
    assert "password" not in str(caught.value)
    assert plant.find("note") == []
