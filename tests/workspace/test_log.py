"""The log: whatever is done to it behind its back is found, and the first bad entry is named."""

import dataclasses
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete, select, update

from pilotbase.documents.base import Document
from pilotbase.documents.errors import InputError, InvalidProofError, PilotbaseError, RefusedError
from pilotbase.workspace import tables
from pilotbase.workspace.actors import PUBLIC, VISITOR, Role, actor
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.log import entries as log
from pilotbase.workspace.log.merkle import MerkleTree, leaf_hash, verify_consistency, verify_inclusion
from pilotbase.workspace.log.notes import LogKey, LogVerifier
from pilotbase.workspace.log.offline import LogCopy, verify_log
from pilotbase.workspace.store import Store, View
from tests.workspace.stores_for_tests import POSTGRES_LATER


class Note(Document):
    document: str = "note/1"
    title: str


@pytest.fixture
def operator(store: Store) -> View:
    return store.as_actor(actor("base", Role.OPERATOR))


def fill(view: View, entries: int) -> None:
    for number in range(entries):
        view.put(Note(title=str(number)), PUBLIC, "note.stored")


@pytest.fixture
def written(operator: View) -> LogCopy:
    """Eight transactions of one entry, one of three (entries 8, 9, 10), two more of one."""
    fill(operator, 8)
    with operator.transaction("notes.stored") as change:
        change.put(Note(title="many"), PUBLIC)
        change.record("note.read", ["many"], {"rows": 3})
        change.record("note.read", ["many"], {"rows": 4})
    operator.put(Note(title="last but one"), PUBLIC, "note.stored")
    operator.put(Note(title="last"), PUBLIC, "note.stored")
    return operator.store.log_copy()


def edited(body: bytes) -> bytes:
    return body.replace(b'"organisation":"base"', b'"organisation":"acme"')


def replace(copy: LogCopy, number: int, body: bytes) -> LogCopy:
    return dataclasses.replace(copy, entries=(*copy.entries[:number], body, *copy.entries[number + 1 :]))


def without_hashes(copy: LogCopy) -> LogCopy:
    return dataclasses.replace(copy, hashes=())


def rewritten(copy: LogCopy, number: int) -> LogCopy:
    """Edit entry ``number`` and mend every later link and kept hash, as an attacker with the whole database would."""
    entries = list(copy.entries)
    entries[number] = edited(entries[number])
    for later in range(number + 1, len(entries)):
        entry = log.LogEntry.model_validate_json(entries[later])
        mended = entry.model_copy(update={"previous": log.digest_text(leaf_hash(entries[later - 1]))})
        entries[later] = log.canonical_json(mended.to_json_value())
    return LogCopy(tuple(entries), copy.checkpoints, tuple(leaf_hash(entry) for entry in entries))


TAMPERED: dict[str, tuple[Callable[[LogCopy], LogCopy], str, int | None]] = {
    "edited": (lambda c: replace(c, 5, edited(c.entries[5])), "log.entry_altered", 5),
    "edited, hashes unknown": (lambda c: without_hashes(replace(c, 5, edited(c.entries[5]))), "log.entry_altered", 5),
    "edited within a transaction": (lambda c: replace(c, 9, edited(c.entries[9])), "log.entry_altered", 9),
    "edited within a transaction, hashes unknown": (
        lambda c: without_hashes(replace(c, 9, edited(c.entries[9]))),
        "log.entry_altered",
        9,
    ),
    "edited at the end of a transaction": (lambda c: replace(c, 10, edited(c.entries[10])), "log.entry_altered", 10),
    "newest edited": (lambda c: replace(c, 12, edited(c.entries[12])), "log.entry_altered", 12),
    "rewritten from the third on": (lambda c: rewritten(c, 3), "log.entry_altered", 3),
    "respelled": (lambda c: replace(c, 4, c.entries[4].replace(b":", b": ", 1)), "log.entry_unreadable", 4),
    "not an entry": (lambda c: replace(c, 4, b"{}"), "log.entry_unreadable", 4),
    "deleted": (lambda c: LogCopy(c.entries[:6] + c.entries[7:], c.checkpoints), "log.entry_out_of_place", 6),
    "first deleted": (lambda c: LogCopy(c.entries[1:], c.checkpoints), "log.entry_out_of_place", 0),
    "repeated": (lambda c: LogCopy(c.entries[:6] + c.entries[5:], c.checkpoints), "log.entry_out_of_place", 6),
    "reordered": (
        lambda c: LogCopy((*c.entries[:2], c.entries[3], c.entries[2], *c.entries[4:]), c.checkpoints),
        "log.entry_out_of_place",
        2,
    ),
    "truncated": (lambda c: LogCopy(c.entries[:-1], c.checkpoints), "log.truncated", None),
    "checkpoint of the end removed": (lambda c: LogCopy(c.entries, c.checkpoints[:-1]), "log.unsigned", 12),
    "all checkpoints removed": (lambda c: LogCopy(c.entries, ()), "log.unsigned", 0),
    "checkpoint altered": (
        lambda c: LogCopy(c.entries, (*c.checkpoints[:-1], c.checkpoints[-1].replace("\n13\n", "\n12\n"))),
        "log.checkpoint_signature",
        None,
    ),
    "checkpoint torn": (lambda c: LogCopy(c.entries, (c.checkpoints[0][:40],)), "log.checkpoint_malformed", None),
    "kept hash altered": (
        lambda c: dataclasses.replace(c, hashes=(*c.hashes[:4], bytes(32), *c.hashes[5:])),
        "log.hash_altered",
        4,
    ),
}


def test_an_untouched_log_is_verified(written: LogCopy, key: LogKey) -> None:
    assert len(written.entries) == 13
    verified = verify_log(written, key.verifier)
    assert (verified.size, verified.checkpoints) == (13, 11)
    assert verified.root == MerkleTree(written.entries).root()
    assert verify_log(LogCopy((), ()), key.verifier).size == 0


@pytest.mark.one_in(3)
@pytest.mark.parametrize("way", TAMPERED)
def test_tampering_is_found_and_its_place_named(written: LogCopy, key: LogKey, way: str) -> None:
    tamper, code, number = TAMPERED[way]
    altered = tamper(written)
    assert altered != written
    with pytest.raises(InvalidProofError) as caught:
        verify_log(altered, key.verifier)
    assert caught.value.code == code
    named = caught.value.text.params
    if number is not None:
        assert named.get("number", named.get("first")) == number


def test_a_forger_without_the_key_cannot_sign(written: LogCopy, key: LogKey) -> None:
    forger = LogKey(Ed25519PrivateKey.generate())
    forged = LogCopy(written.entries[:3], (forger.sign(3, MerkleTree(written.entries[:3]).root()).note,))
    with pytest.raises(InvalidProofError):
        verify_log(forged, key.verifier)
    renamed = forged.checkpoints[0].replace(forger.verifier.origin, key.verifier.origin)
    with pytest.raises(InvalidProofError) as caught:
        verify_log(LogCopy(forged.entries, (renamed,)), key.verifier)
    assert caught.value.code == "log.checkpoint_signature"


def test_a_clean_cut_is_found_by_a_checkpoint_kept_elsewhere(written: LogCopy, key: LogKey) -> None:
    cut = LogCopy(written.entries[:-2], written.checkpoints[:-2])
    verify_log(cut, key.verifier)
    with pytest.raises(InvalidProofError) as caught:
        verify_log(cut, key.verifier, witnesses=[written.checkpoints[-1]])
    assert caught.value.code == "log.truncated"


def test_a_second_history_signed_with_the_stolen_key_is_found_by_a_witness(written: LogCopy, key: LogKey) -> None:
    other = rewritten(written, 3)
    resigned = tuple(key.sign(size, MerkleTree(other.entries[:size]).root()).note for size in (4, 13))
    verify_log(LogCopy(other.entries, resigned), key.verifier)
    with pytest.raises(InvalidProofError) as caught:
        verify_log(LogCopy(other.entries, resigned), key.verifier, witnesses=[written.checkpoints[5]])
    assert caught.value.code == "log.entry_altered"


def test_edits_in_the_database_itself_are_found(written: LogCopy, operator: View, key: LogKey) -> None:
    row = tables.log_entries.c
    with operator.store.database.write() as connection:
        body = connection.scalar(select(row.body).where(row.number == 7))
        connection.execute(update(tables.log_entries).where(row.number == 7).values(body=edited(body)))
    with pytest.raises(InvalidProofError) as caught:
        verify_log(operator.store.log_copy(), key.verifier)
    assert caught.value.text.params["first"] == 7
    with operator.store.database.write() as connection:
        connection.execute(delete(tables.log_entries).where(row.number == 7))
    with pytest.raises(InvalidProofError) as caught:
        verify_log(operator.store.log_copy(), key.verifier)
    assert caught.value.text.params["number"] == 7


def test_a_copy_on_disk_is_verified_without_a_database(written: LogCopy, key: LogKey, tmp_path: Path) -> None:
    written.write(tmp_path)
    copy = LogCopy.read(tmp_path)
    assert (copy.entries, copy.checkpoints) == (written.entries, written.checkpoints)
    verify_log(copy, LogVerifier.from_text(str(key.verifier)))
    with pytest.raises(InputError):
        LogCopy.read(tmp_path / "nowhere")
    with pytest.raises(PilotbaseError):
        written.write(tmp_path / "nowhere")


def test_proofs_from_the_store_convince_someone_who_has_only_the_checkpoint(operator: View, key: LogKey) -> None:
    fill(operator, 5)
    older = operator.checkpoint()
    fill_more = Note(title="more")
    operator.put(fill_more, PUBLIC, "note.stored")
    proof = operator.prove(5)
    newer = key.verifier.open(proof.checkpoint.note)
    assert fill_more.digest().encode() in proof.entry
    assert verify_inclusion(proof.entry, 5, newer.size, proof.path, newer.root)
    assert not verify_inclusion(edited(proof.entry), 5, newer.size, proof.path, newer.root)
    with operator.store.database.read() as connection:
        path = log.prove_consistency(connection, older, newer)
    assert verify_consistency((older.size, newer.size), (older.root, newer.root), path)
    with pytest.raises(NotFoundError):
        operator.prove(6)


def test_an_entry_says_who_when_and_what(operator: View) -> None:
    with operator.transaction("note.stored") as change:
        digest = change.put(Note(title="x"), PUBLIC)
        change.set_head("note:x", digest, expected=None)
        change.add("gpu", 2)
    entry = operator.log_entries()[0]
    assert (entry.number, entry.time, entry.action) == (0, operator.store.clock(), "note.stored")
    assert (entry.actor.organisation, entry.actor.roles) == ("base", ("operator",))
    assert entry.subjects == (digest, "note:x", "counter:gpu")
    assert entry.facts == {f"stored {digest}": "note", "head note:x": digest, "counter gpu": 2}


def test_a_visitor_finds_no_lines(operator: View) -> None:
    fill(operator, 2)
    assert len(operator.find_log_entries(log.LogQuery())[0]) >= 2
    visitor = operator.store.as_actor(VISITOR)
    assert visitor.find_log_entries(log.LogQuery()) == ([], None) and visitor.log_entries() == []


def test_personal_payload_can_be_erased_and_every_proof_still_holds(operator: View, key: LogKey) -> None:
    with operator.transaction("account.added") as change:
        change.record("account.added", payload="王小明 wang@example.org".encode())
    fill(operator, 2)
    assert b"wang" not in b"".join(operator.store.log_copy().entries)
    assert operator.log_payload(0) == "王小明 wang@example.org".encode()
    before = operator.log_entries()[0]
    stranger = operator.store.as_actor(actor("acme", Role.SUPPLIER))
    assert stranger.log_payload(0) is None
    with pytest.raises(RefusedError):
        stranger.erase_payload(0)
    operator.erase_payload(0)
    assert operator.log_payload(0) is None
    assert operator.log_entries()[0] == before
    assert operator.log_entries()[-1].action == "log.erased"
    verify_log(operator.store.log_copy(), key.verifier)


def test_what_raises_leaves_no_entry_and_what_changes_nothing_writes_none(operator: View) -> None:
    with pytest.raises(RuntimeError), operator.transaction("note.stored") as change:
        change.put(Note(title="x"), PUBLIC)
        raise RuntimeError
    with operator.transaction("nothing"):
        pass
    assert operator.log_entries() == []
    with pytest.raises(NotFoundError):
        operator.checkpoint()


@pytest.mark.parametrize("found", ["", "name", "name+00000000+AAAA", "a+b+c+d", "x+1234+!!"])
def test_a_wrong_public_key_is_an_input_error(found: str) -> None:
    with pytest.raises(InputError):
        LogVerifier.from_text(found)


WRITER = """
import sys
from pathlib import Path
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pilotbase.documents.subjects import Organisation
from pilotbase.workspace.actors import PUBLIC, Role, actor
from pilotbase.workspace.log.notes import LogKey
from pilotbase.workspace.store import Store
key = LogKey(load_pem_private_key(Path(sys.argv[2]).read_bytes(), None))
view = Store.open(sys.argv[1], key).as_actor(actor("base", Role.OPERATOR))
for number in range(25):
    view.put(Organisation(name=f"{sys.argv[3]}{number}", title="x", roles=()), PUBLIC, "organisation.stored")
"""


@POSTGRES_LATER
def test_writers_in_several_processes_keep_one_gapless_log_and_feed(
    store: Store, every_url: str, key: LogKey, operator: View, log_key_file: Path
) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, every_url, str(log_key_file), name]) for name in "ab"]
    seen: list[int] = []
    while any(writer.poll() is None for writer in writers):
        seen += [change.sequence for change in operator.changes(since=seen[-1] if seen else 0)]
    seen += [change.sequence for change in operator.changes(since=seen[-1] if seen else 0)]
    assert [writer.wait() for writer in writers] == [0, 0]
    assert len(seen) == 50
    assert verify_log(store.log_copy(), key.verifier).size == 50
