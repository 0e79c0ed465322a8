"""The store and its log: what was written, removed or moved behind the log is named; signed words alone count."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, delete, insert, select, update

from pilotbase.documents.base import Document
from pilotbase.documents.errors import InvalidProofError, RefusedError
from pilotbase.workspace import tables
from pilotbase.workspace.actors import BASE, PUBLIC, Role, actor, parties
from pilotbase.workspace.checks.proofs import case_fact, proven_head, require_stored
from pilotbase.workspace.checks.reconciliation import verify_store
from pilotbase.workspace.log import entries as log
from pilotbase.workspace.log.merkle import leaf_hash
from pilotbase.workspace.log.notes import LogKey
from pilotbase.workspace.store import Store, View
from tests.workspace.stores_for_tests import Clock


class Note(Document):
    document: str = "note/1"
    title: str


class Hidden(Document):
    document: str = "hidden-set/1"
    owner: str = "plant"
    rows: int = 8


HIDDEN, (PLAN, APPLICATION, ANSWERS) = Hidden().digest(), (f"sha256:{letter * 64}" for letter in "bcd")
LATER = datetime(2031, 1, 1, tzinfo=UTC)
FIRST, SECOND, FORGED = Note(title="first"), Note(title="second"), Note(title="forged")
SEALED, SHARED, TAKEN = Note(title="sealed"), Note(title="shared"), Note(title="taken from acme")


@pytest.fixture
def store(any_url: str, key: LogKey, clock: Clock) -> Iterator[Store]:
    """A store whose rows are held against its log, which is the same on each database."""
    opened = Store.open(any_url, key, clock)
    yield opened
    opened.close()


@pytest.fixture
def view(store: Store) -> View:
    """Two notes of which one is the head, a counter, and an attempt that was returned, opened again and committed.

    Then three notes that not everyone sees; acme no longer sees the last, and two hold the first.
    """
    view = store.as_actor(actor("base", Role.OPERATOR))
    with view.transaction("note.stored") as change:
        change.set_head("note:one", change.put(FIRST, PUBLIC), expected=None)
        change.put(SECOND, PUBLIC)
        change.add("gpu", 2)
        change.put(Hidden(), PUBLIC, owner="plant")
        change.connection.execute(
            insert(tables.hidden_sets).values(digest=HIDDEN, owner="plant", rows=8, wrapped=b"", scored=b"\x05")
        )
        change.record("vault.scored", [HIDDEN, PLAN, APPLICATION], {"attempt": 1, "cases": 2})
        row = {"hidden_set": HIDDEN, "number": 1, "plan": PLAN, "application": APPLICATION, "nonce": ""}
        row |= {"reserved": b"\x0f", "opened_at": change.now}
        returned = {"state": "returned", "closed_at": change.now}
        committed = {"state": "committed", "delivered_at": change.now, "answers": ANSWERS}
        for moved in (returned, committed):
            change.connection.execute(insert(tables.attempts).values(**row, **moved))
        for action, facts in (
            ("opened", {}),
            ("cancelled", {"counts": False}),
            ("opened", {}),
            ("delivered", {}),
            ("committed", {"answers": ANSWERS}),
        ):
            sealed = case_fact(change.connection, HIDDEN) if action == "opened" else {}
            change.record(f"vault.attempt_{action}", [HIDDEN, PLAN, APPLICATION], {"attempt": 1, **facts, **sealed})
    with view.transaction("note.stored") as change:
        change.put(SEALED, BASE)
        change.put(SEALED, parties(), owner="plant")
        change.put(SHARED, parties("acme", "globex"), owner="plant")
        change.put(TAKEN, parties("acme"))
    with view.transaction("note.withdrawn") as change:
        change.change_visibility(TAKEN.digest(), parties())
    return view


def forge(connection: Connection) -> None:
    row = dict(connection.execute(select(tables.documents)).mappings().first() or {})
    row |= {"digest": FORGED.digest(), "body": FORGED.canonical(), "sequence": 99}
    connection.execute(insert(tables.documents).values(row))


def lose(connection: Connection) -> None:
    connection.execute(delete(tables.documents).where(tables.documents.c.digest == SECOND.digest()))


def damage(connection: Connection) -> None:
    here = tables.documents.c.digest == SECOND.digest()
    connection.execute(update(tables.documents).where(here).values(body=FORGED.canonical()))


def show(note: Note, **values: str) -> Callable[[Connection], object]:
    here = tables.documents.c.digest == note.digest()
    return lambda connection: connection.execute(update(tables.documents).where(here).values(**values))


def name_party(note: Note, owner: str, organisation: str) -> Callable[[Connection], object]:
    row = {"digest": note.digest(), "owner": owner, "organisation": organisation}
    return lambda connection: connection.execute(insert(tables.document_parties).values(row))


def hand_over(connection: Connection) -> None:
    """Give globex a copy of its own of what only the base sees."""
    rows = select(tables.documents).where(tables.documents.c.digest == SEALED.digest())
    row = dict(connection.execute(rows).mappings().first() or {})
    row |= {"owner": "globex", "scope": "parties", "sequence": 99}
    connection.execute(insert(tables.documents).values(row))


def lose_copy(connection: Connection) -> None:
    row = tables.documents.c
    connection.execute(delete(tables.documents).where(row.digest == SEALED.digest(), row.owner == "plant"))


def forget_visibility(connection: Connection) -> None:
    """Take away what the log says of the newest change, and let acme see the note again."""
    newest = connection.scalars(select(tables.log_payloads.c.number).order_by(tables.log_payloads.c.number)).all()[-1]
    connection.execute(delete(tables.log_payloads).where(tables.log_payloads.c.number == newest))
    name_party(TAKEN, "base", "acme")(connection)


def rewrite_visibility(connection: Connection) -> None:
    row = tables.log_payloads.c
    for number, payload in connection.execute(select(row.number, row.payload)).all():
        values = {"payload": payload.replace(b'"base"', b'"public"')}
        connection.execute(update(tables.log_payloads).where(row.number == number).values(values))
    show(SEALED, scope="public")(connection)


BEHIND_THE_LOG: dict[str, tuple[Callable[[Connection], object], str]] = {
    "a document put in": (forge, "log.document_unlogged"),
    "a document removed": (lose, "log.document_lost"),
    "a document overwritten": (damage, "workspace.document_damaged"),
    "a document of another day": (
        lambda c: c.execute(update(tables.documents).values(stored_at=LATER)),
        "log.document_dated",
    ),
    "a head moved on another day": (
        lambda c: c.execute(update(tables.heads).values(moved_at=LATER)),
        "log.head_differs",
    ),
    "a head moved": (lambda c: c.execute(update(tables.heads).values(digest=SECOND.digest())), "log.head_differs"),
    "a head removed": (lambda c: c.execute(delete(tables.heads)), "log.head_differs"),
    "a counter set back": (lambda c: c.execute(update(tables.counters).values(value=0)), "log.counter_differs"),
    "an attempt set back": (
        lambda c: c.execute(update(tables.attempts).where(tables.attempts.c.state == "committed").values(state="open")),
        "log.attempt_differs",
    ),
    "attempts removed": (lambda c: c.execute(delete(tables.attempts)), "log.attempt_differs"),
    **{
        f"an attempt with another {column}": (
            lambda c, column=column, value=value: c.execute(
                update(tables.attempts).where(tables.attempts.c.state == "committed").values({column: value})
            ),
            "log.attempt_differs",
        )
        for column, value in (
            ("answers", PLAN),
            ("application", PLAN),
            ("opened_at", LATER),
            ("delivered_at", LATER),
            ("closed_at", LATER),
        )
    },
    "a hidden set with more rows": (
        lambda c: c.execute(update(tables.hidden_sets).values(rows=9)),
        "log.hidden_set_differs",
    ),
    "a hidden set of another owner": (
        lambda c: c.execute(update(tables.hidden_sets).values(owner="globex")),
        "log.hidden_set_differs",
    ),
    "scored cases made fresh": (
        lambda c: c.execute(update(tables.hidden_sets).values(scored=b"\x01")),
        "log.scored_differs",
    ),
    "other cases scored than were": (
        lambda c: c.execute(update(tables.hidden_sets).values(scored=b"\x06")),
        "log.cases_altered",
    ),
    "other cases given out than were": (
        lambda c: c.execute(
            update(tables.attempts).where(tables.attempts.c.state == "committed").values(reserved=b"\x07")
        ),
        "log.cases_altered",
    ),
    "a sealed document shown to everyone": (show(SEALED, scope="public"), "log.visibility_differs"),
    "a shared document shown to everyone": (show(SHARED, scope="public"), "log.visibility_differs"),
    "a public document hidden": (show(SECOND, scope="base"), "log.visibility_differs"),
    "a further reader named": (name_party(SHARED, "plant", "rival"), "log.visibility_differs"),
    "a reader named again": (name_party(TAKEN, "base", "acme"), "log.visibility_differs"),
    "a reader removed": (
        lambda c: c.execute(delete(tables.document_parties).where(tables.document_parties.c.organisation == "globex")),
        "log.visibility_differs",
    ),
    "a copy for another owner": (hand_over, "log.visibility_differs"),
    "a copy removed": (lose_copy, "log.visibility_differs"),
    "another owner": (
        lambda c: (lose_copy(c), hand_over(c)),
        "log.visibility_differs",
    ),
    "the visibility in the log removed": (forget_visibility, "log.payload_altered"),
    "the visibility in the log rewritten": (rewrite_visibility, "log.payload_altered"),
}


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", BEHIND_THE_LOG)
def test_a_change_behind_the_log_is_named(view: View, name: str) -> None:
    assert verify_store(view.store).size == len(view.log_entries())
    change, code = BEHIND_THE_LOG[name]
    with view.store.database.write() as connection:
        change(connection)
    with pytest.raises(InvalidProofError) as caught:
        verify_store(view.store)
    assert caught.value.code == code
    assert caught.value.render("zh")


def test_who_sees_a_document_is_committed_to_in_the_log_and_named_nowhere_in_it(view: View) -> None:
    """Lines of the log leave the base in bundles: they name no reader of a document, and nobody can guess one."""
    lines = b"".join(view.store.log_copy().entries)
    assert SHARED.digest().encode() in lines and b"globex" not in lines and b"acme" not in lines
    stored, withdrawn = view.log_entries()[-2:]
    said = json.loads(view.log_payload(stored.number) or b"")
    assert said[f"{SHARED.digest()} plant"] == "parties, acme, globex"
    assert said[f"{SEALED.digest()} base"] == "base" and said[f"{SEALED.digest()} plant"] == "parties"
    assert json.loads(view.log_payload(withdrawn.number) or b"") == {f"{TAKEN.digest()} base": "parties"}
    with pytest.raises(RefusedError):
        view.erase_payload(stored.number)
    verify_store(view.store)


def test_a_document_of_an_earlier_version_is_compared_from_its_next_change_on(view: View) -> None:
    old = Note(title="old")
    with view.transaction("note.stored") as change:
        change.put(old, BASE)
        change.seen_by.clear()
    assert view.log_entries()[-1].payload is None
    verify_store(view.store)
    with view.transaction("note.shown") as change:
        change.change_visibility(old.digest(), parties("acme"))
    verify_store(view.store)
    with view.store.database.write() as connection:
        show(old, scope="public")(connection)
    with pytest.raises(InvalidProofError) as caught:
        verify_store(view.store)
    assert caught.value.code == "log.visibility_differs"


def test_a_head_is_proven_by_the_newest_entry_of_its_action(view: View) -> None:
    assert proven_head(view.store, "note:one", "note.stored") == FIRST.digest()
    assert proven_head(view.store, "note:none", "note.stored") is None
    with pytest.raises(InvalidProofError):
        proven_head(view.store, "note:one", "note.approved")
    with view.transaction("note.moved") as change:
        change.set_head("note:one", SECOND.digest(), expected=FIRST.digest())
    assert proven_head(view.store, "note:one", "note.moved") == SECOND.digest()


def test_a_document_is_proven_by_the_entry_that_stored_it(view: View) -> None:
    require_stored(view.store, SECOND.digest(), "note", "note.stored")
    with view.transaction("note.stored") as change:
        change.record("note.stored", [FORGED.digest()])
    with view.store.database.write() as connection:
        forge(connection)
    for document, kind, action in (
        (FORGED, "note", "note.stored"),
        (SECOND, "report", "note.stored"),
        (SECOND, "note", "x"),
    ):
        with pytest.raises(InvalidProofError):
            require_stored(view.store, document.digest(), kind, action)


def test_a_head_moved_by_hand_is_not_proven_even_with_an_entry_to_match(view: View) -> None:
    """Whoever has the database but no key can write entries and hashes, never a checkpoint over them."""
    size = len(view.log_entries())
    moved = view.log_entries()[0].model_copy(update={"facts": {"head note:one": SECOND.digest()}})
    with view.store.database.write() as connection:
        connection.execute(update(tables.heads).values(digest=SECOND.digest()))
    for number, place in ((size, size), (0, size), (0, 0)):  # added; added under a true entry's number; in its place
        body = log.canonical_json(moved.model_copy(update={"number": number}).to_json_value())
        with view.store.database.write() as connection:
            lines = tables.log_entries
            connection.execute(delete(lines).where(lines.c.number == place))
            connection.execute(insert(lines).values(number=place, body=body))
            nodes = tables.log_nodes
            connection.execute(delete(nodes).where(nodes.c.level == 0, nodes.c.position == place))
            connection.execute(insert(nodes).values(level=0, position=place, hash=leaf_hash(body)))
        with pytest.raises(InvalidProofError):
            proven_head(view.store, "note:one", "note.stored")
