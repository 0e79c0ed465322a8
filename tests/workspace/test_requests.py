"""What a request came to is written with its act, and found for a day when the request is sent again."""

from datetime import timedelta

import pytest

from pilotbase.documents.base import Document
from pilotbase.workspace.actors import PUBLIC, Role, actor
from pilotbase.workspace.failures import ConflictError
from pilotbase.workspace.store import Store, View
from pilotbase.workspace.transaction import KEPT

FIRST, SECOND = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"


class Note(Document):
    document: str = "note/1"
    title: str


@pytest.fixture
def plant(store: Store) -> View:
    return store.as_actor(actor("plant", Role.DEMAND_OWNER))


def write(view: View, title: str) -> Note:
    note = Note(title=title)
    with view.transaction("note.stored") as change:
        change.put(note, PUBLIC)
        change.settle(note.digest())
    return note


def test_only_the_very_request_finds_what_it_came_to(plant: View) -> None:
    note = write(plant.asked_by(FIRST), "seen")
    write(plant, "asked by nobody who would ask again")
    assert plant.asked_by(FIRST).done(Note) == note
    assert (plant.asked_by(SECOND).outcome(), plant.outcome()) == (None, None)


def test_within_its_transaction_it_is_known_and_with_its_transaction_it_goes(plant: View) -> None:
    view = plant.asked_by(FIRST)
    with pytest.raises(RuntimeError), view.transaction("note.stored") as change:
        change.settle("x")
        assert view.within(change).outcome() == "x"
        raise RuntimeError
    assert view.outcome() is None


def test_who_was_later_by_the_same_request_writes_nothing(plant: View) -> None:
    """Two processes at once: the second began before it could find what the first came to."""
    first = write(plant.asked_by(FIRST), "first")
    with pytest.raises(ConflictError) as caught:
        write(plant.asked_by(FIRST), "second")
    assert caught.value.render("en") != caught.value.render("zh")
    assert plant.find("note") and [one.load(Note) for one in plant.find("note")] == [first]


def test_it_is_known_for_a_day(plant: View, clock) -> None:
    write(plant.asked_by(FIRST), "seen")
    clock.now += KEPT - timedelta(seconds=1)
    assert plant.asked_by(FIRST).outcome() is not None
    clock.now += timedelta(seconds=1)
    assert plant.asked_by(FIRST).outcome() is None
    again = write(plant.asked_by(FIRST), "seen a day later")
    assert plant.asked_by(FIRST).done(Note) == again
