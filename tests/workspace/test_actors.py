"""What an actor may not see does not exist for it; what is not its own it cannot change."""

import json

import pytest

from pilotbase.documents.base import Document
from pilotbase.documents.errors import PilotbaseError, RefusedError
from pilotbase.workspace.actors import BASE, PUBLIC, Role, Visibility, actor, parties
from pilotbase.workspace.failures import ConflictError, NotFoundError
from pilotbase.workspace.store import Store, View

READERS = {
    "operator": actor("base", Role.OPERATOR),
    "regulator": actor("ministry", Role.REGULATOR),
    "owner": actor("plant", Role.DEMAND_OWNER),
    "party": actor("acme", Role.SUPPLIER),
    "stranger": actor("globex", Role.SUPPLIER),
    "reviewer": actor("institute", Role.REVIEWER),
}
SEES = {
    "public": set(READERS),
    "parties": {"operator", "regulator", "owner", "party"},
    "base": {"operator", "regulator"},
}
VISIBILITIES = {"public": PUBLIC, "parties": parties("acme"), "base": BASE}


class Note(Document):
    document: str = "note/1"
    title: str


def everything_seen(view: View, digest: str, name: str) -> dict[str, object]:
    def loaded() -> object:
        try:
            return view.load(digest, Note).title
        except NotFoundError as error:
            return error.code

    return {
        "get": view.get(digest),
        "load": loaded(),
        "head": view.head(name),
        "find": view.find("note", {"secret": "yes"}),
        "find all": view.find("note"),
        "search": view.search("milling"),
        "changes": view.changes(),
    }


@pytest.mark.one_in(4)
@pytest.mark.parametrize("scope", VISIBILITIES)
@pytest.mark.parametrize("reader", READERS)
def test_the_unseen_is_exactly_like_the_missing(store: Store, scope: str, reader: str) -> None:
    note = Note(title="milling secrets")
    with store.as_actor(READERS["owner"]).transaction("note.stored") as change:
        digest = change.put(note, VISIBILITIES[scope], fields={"secret": "yes"})
        if scope != "base":
            change.set_head("note:secret", digest, expected=None)
    view = store.as_actor(READERS[reader])
    seen = everything_seen(view, digest, "note:secret")
    missing = everything_seen(view, Note(title="never stored").digest(), "note:never")
    if reader in SEES[scope]:
        assert seen["load"] == "milling secrets"
        assert all(seen[way] for way in ("get", "find", "find all", "search", "changes"))
        assert scope == "base" or seen["head"] == digest
    else:
        missing.update({way: [] for way in ("find", "find all", "search", "changes")})
        assert seen == missing


def test_an_unseen_document_cannot_be_told_from_a_missing_one_by_writing(store: Store) -> None:
    owner, stranger = store.as_actor(READERS["owner"]), store.as_actor(READERS["stranger"])
    secret, missing = owner.put(Note(title="x"), BASE, "note.stored"), Note(title="y").digest()
    failures = []
    for digest in (secret, missing):
        for act in ("set_head", "change_visibility"):
            with pytest.raises(PilotbaseError) as caught, stranger.transaction("note.probe") as change:
                if act == "set_head":
                    change.set_head("note:probe", digest, expected=None)
                else:
                    change.change_visibility(digest, PUBLIC)
            failures.append(str(caught.value).replace(digest, "DIGEST"))
    assert failures[:2] == failures[2:]


def test_two_organisations_store_the_same_bytes_without_learning_of_each_other(store: Store) -> None:
    note, owner, stranger = (
        Note(title="same"),
        store.as_actor(READERS["owner"]),
        store.as_actor(READERS["stranger"]),
    )
    owner.put(note, BASE, "note.stored")
    with stranger.transaction("note.stored") as change:
        digest = change.put(note, parties(), if_absent=True)
    found = stranger.get(digest)
    assert found is not None
    assert found.owner == "globex"
    assert owner.get(digest) is None


def test_nobody_writes_for_another_organisation_but_the_operator(store: Store) -> None:
    note = Note(title="x")
    for reader in ("party", "regulator", "reviewer"):
        with pytest.raises(RefusedError):
            store.as_actor(READERS[reader]).put(note, PUBLIC, "note.stored", owner="plant")
    digest = store.as_actor(READERS["operator"]).put(note, PUBLIC, "note.stored", owner="plant")
    found = store.as_actor(READERS["owner"]).get(digest)
    assert found is not None
    assert found.owner == "plant"


def test_a_party_reads_but_neither_renames_nor_shares(store: Store) -> None:
    with store.as_actor(READERS["owner"]).transaction("note.stored") as change:
        digest = change.put(Note(title="x"), parties("acme"))
        change.set_head("note:a", digest, expected=None)
    party = store.as_actor(READERS["party"])
    with pytest.raises(RefusedError), party.transaction("note.shown") as change:
        change.change_visibility(digest, PUBLIC)
    own = party.put(Note(title="mine"), PUBLIC, "note.stored")
    with pytest.raises(RefusedError), party.transaction("note.moved") as change:
        change.set_head("note:a", own, expected=digest)
    with pytest.raises(ConflictError), party.transaction("note.moved") as change:
        change.set_head("note:a", own, expected=None)
    with pytest.raises(RefusedError), party.transaction("note.moved") as change:
        change.let_stand("note:a", own)
    assert store.as_actor(READERS["owner"]).head("note:a") == digest


def test_a_name_stands_for_the_newest_and_the_same_again_leaves_no_trace(store: Store) -> None:
    view = store.as_actor(READERS["owner"])
    for title in ("x", "y", "x"):
        with view.transaction("note.stored") as change:
            digest = change.put(Note(title=title), PUBLIC)
            change.let_stand("note:a", digest)
        assert view.head("note:a") == digest
    before = len(view.log_entries())
    with view.transaction("note.stored") as change:
        change.let_stand("note:a", digest)
    assert len(view.log_entries()) == before


def test_taking_a_party_off_takes_the_document_away_and_is_logged(store: Store) -> None:
    owner, party = store.as_actor(READERS["owner"]), store.as_actor(READERS["party"])
    digest = owner.put(Note(title="x"), parties("acme"), "note.stored")
    assert party.get(digest)
    with owner.transaction("note.withdrawn") as change:
        change.change_visibility(digest, parties())
    assert party.get(digest) is None
    entry = owner.log_entries()[-1]
    assert (entry.action, entry.subjects) == ("note.withdrawn", (digest,))
    with owner.transaction("note.shared") as change:
        change.change_visibility(digest, parties("globex"))
    assert party.get(digest) is None
    assert store.as_actor(READERS["stranger"]).get(digest)
    entry = owner.log_entries()[-1]
    assert entry.facts == {f"visibility {digest}": "parties"}
    said = store.as_actor(READERS["operator"]).log_payload(entry.number) or b""
    assert json.loads(said) == {f"{digest} plant": "parties, globex"}
    assert owner.log_payload(entry.number) is None


def test_counters_accounts_and_log_of_others_read_as_empty(store: Store) -> None:
    party, stranger = store.as_actor(READERS["party"]), store.as_actor(READERS["stranger"])
    with party.transaction("trial.counted") as change:
        change.add("acme/trials", 3)
        change.post("t1", {"acme/cash": 5, "acme/owed": -5})
    assert (party.counter("acme/trials"), party.balance("acme/cash")) == (3, 5)
    assert (stranger.counter("acme/trials"), stranger.balance("acme/cash")) == (0, 0)
    with pytest.raises(RefusedError), stranger.transaction("trial.counted") as change:
        change.add("acme/trials", 1)
    with pytest.raises(RefusedError), stranger.transaction("theft") as change:
        change.post("t2", {"acme/cash": -5, "globex/cash": 5})
    assert stranger.log_entries() == []
    assert len(party.log_entries()) == 1
    assert len(store.as_actor(READERS["regulator"]).log_entries()) == 1


def test_only_parties_name_organisations() -> None:
    with pytest.raises(ValueError, match="parties"):
        Visibility("public", frozenset({"acme"}))
