"""Who has read what: told to the owner, the operator and the regulator, from the log alone, with nothing left out."""

import ast
import hashlib
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sqlalchemy import delete, insert

from pilotbase.data.terms.gate import judge, permit, require_permitted
from pilotbase.documents.api.datasets import ReaderFacet
from pilotbase.documents.errors import InvalidProofError, RefusedError
from pilotbase.documents.hashes import digest_bytes
from pilotbase.documents.subjects import dataset_subject
from pilotbase.documents.terms import AccessGrant, Action, Channel, Request
from pilotbase.documents.texts import template
from pilotbase.vault import readers
from pilotbase.vault.dataset_files import KeptFile, open_file, open_preview, seal_file
from pilotbase.vault.envelopes import open_envelope, seal_envelope
from pilotbase.vault.opening import OpeningPurpose, ReaderGrant, open_hidden
from pilotbase.vault.place import Vault
from pilotbase.vault.readers import readers_of
from pilotbase.workspace import tables
from pilotbase.workspace.actors import Role, actor
from pilotbase.workspace.checks.reconciliation import compare_readings, readings_in
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.log.entries import OPENINGS
from pilotbase.workspace.log.merkle import verify_inclusion
from tests.packages_for_tests import files
from tests.vault.test_leaves import AGREEMENT, DATASET, KEY, LEAVE, OTHER, VERSION, count, dataset_set, set_state

SOURCE = Path(readers.__file__).parents[1]
OWNER, STRANGER = actor("plant", Role.DEMAND_OWNER, person="zhang"), actor("hospital", Role.DEMAND_OWNER, person="li")
ASKED = Request(
    target=DATASET,
    action=Action.USE,
    by="acme",
    purpose="pb:verification",
    recipient="acme",
    channel=Channel.DOWNLOAD,
)


def told(vault: Vault, who=OWNER, **asked):
    facets = {ReaderFacet(name): value for name, value in asked.items() if name in set(ReaderFacet)}
    rest = {name: value for name, value in asked.items() if name not in set(ReaderFacet)}
    return readers_of(vault.view.as_actor(who), DATASET, facets, **rest)


def verify(vault: Vault) -> None:
    """What `log verify` does about readings."""
    said = set[tuple[str, int]]().union(*(readings_in(entry) for entry in vault.view.log_entries(limit=1000)))
    with vault.view.store.database.read() as connection:
        compare_readings(connection, said)


@pytest.fixture
def read(any_vault: Vault, rows: pl.DataFrame) -> Vault:
    """A vault in which rows, an envelope, a file and its first rows of one dataset were opened."""
    hidden_set = dataset_set(any_vault, rows)
    next(open_hidden(any_vault, hidden_set, ReaderGrant(OpeningPurpose.TRIAL, LEAVE, attempt=3), np.arange(40)))
    sealed = seal_envelope(any_vault, "plant", hidden_set.digest(), b"case,answer\n1,1\n")
    open_envelope(any_vault, "plant", hidden_set.digest(), sealed, ReaderGrant.of_owner("plant"))
    kept = KeptFile(dataset=DATASET, version=VERSION, name="logs.csv", size=8, rows=3, pieces=())
    kept = seal_file(any_vault, kept, [b"a\n1\n2\n3\n"], b"a")
    with any_vault.view.transaction("test.counted") as change:
        way = {"action": "odrl:use", "channel": "pb:download", "purpose": "pb:verification"}
        count(change, AGREEMENT, request=OTHER, place=2, **way)
        count(change, AGREEMENT, request=VERSION, place=3, **way | {"action": "odrl:display", "channel": "pb:preview"})
    assert b"".join(open_file(any_vault, kept, AccessGrant(LEAVE.ground, AGREEMENT, DATASET, OTHER))) == b"a\n1\n2\n3\n"
    assert open_preview(any_vault, kept, AccessGrant(LEAVE.ground, AGREEMENT, DATASET, VERSION)) == b"a"
    return any_vault


def test_every_opening_is_told_with_who_why_by_which_way_and_how_much(read: Vault) -> None:
    found = [one for one in told(read).items if one.kind == "opened"]
    assert [(one.what, one.organisation, one.channel, one.rows, one.size) for one in found] == [
        ("preview", "acme", "pb:preview", None, None),
        ("file", "acme", "pb:download", 3, 8),
        ("records", "plant", "", None, found[2].size),
        ("rows", "acme", "", 40, None),
    ]
    assert [(one.step, one.ground, one.attempt) for one in found[2:]] == [
        ("owner", "plant", None),
        ("trial", AGREEMENT, 3),
    ]
    assert {one.by for one in found} == {"base"} and found[1].purpose == "pb:verification"
    assert found[2].size > 16 and found[1].name == "logs.csv"
    assert [one.channel for one in told(read, kind="used").items] == ["pb:preview", "pb:download", ""]


def test_what_an_older_version_wrote_is_told_in_todays_words(any_vault: Vault, rows: pl.DataFrame, monkeypatch) -> None:
    with monkeypatch.context() as older:
        older.setattr(OpeningPurpose.TRIAL, "_value_", "features")
        next(open_hidden(any_vault, dataset_set(any_vault, rows), ReaderGrant(OpeningPurpose.TRIAL, LEAVE, attempt=3)))
    (one,) = told(any_vault, kind="opened").items
    assert template(f"reader.step.{one.step}", "en") == "answered in a box and scored"


def test_each_line_is_an_entry_of_the_log_that_a_proof_shows(read: Vault) -> None:
    page = told(read)
    assert page.size == len(read.view.log_entries(limit=1000))
    for one in page.items:
        proof = read.view.prove(one.number)
        assert verify_inclusion(proof.entry, one.number, proof.checkpoint.size, proof.path, proof.checkpoint.root)
        assert f"sha256:{hashlib.sha256(bytes(1) + proof.entry).hexdigest()}" == one.leaf


@pytest.mark.one_in(3)
@pytest.mark.parametrize("who", [OWNER, actor("base", Role.OPERATOR), actor("ministry", Role.REGULATOR)])
def test_owner_operator_and_regulator_are_told_the_same(read: Vault, who) -> None:
    assert told(read, who) == told(read, actor("base", Role.OPERATOR, person="op"))


@pytest.mark.one_in(3)
@pytest.mark.parametrize("who", [STRANGER, actor("acme", Role.SUPPLIER, person="wu"), actor("plant", Role.REVIEWER)])
def test_for_everybody_else_there_is_no_such_record(read: Vault, who) -> None:
    with pytest.raises(NotFoundError) as here:
        told(read, who)
    with pytest.raises(NotFoundError) as nowhere:
        readers_of(read.view.as_actor(who), "dataset:plant/none", {})
    assert here.value.code == nowhere.value.code == "record.not_found"
    with pytest.raises(NotFoundError):
        readers_of(read.view.as_actor(OWNER), dataset_subject("plant", "none"), {})


def test_facets_count_over_what_else_is_asked_and_pages_leave_out_no_line(read: Vault) -> None:
    everything = [one.number for one in told(read).items]
    page, numbers = told(read, limit=2), []
    while True:
        numbers += [one.number for one in page.items]
        if page.next is None:
            break
        page = told(read, limit=2, before=page.next)
    assert numbers == everything == sorted(everything, reverse=True) and len(numbers) == 7
    chosen = told(read, kind="opened", organisation="acme")
    assert chosen.total == len(chosen.items) == 3
    assert {one.value: one.count for one in chosen.facets[ReaderFacet.ORGANISATION]} == {"acme": 3, "plant": 1}
    assert {one.value: one.count for one in chosen.facets[ReaderFacet.KIND]} == {"opened": 3, "used": 3}


def test_more_lines_than_are_looked_at_are_on_later_pages(read: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = [one.number for one in told(read).items]
    monkeypatch.setattr(readers, "MOST", 3)
    first = told(read)
    assert [one.number for one in first.items] == everything[:3] and first.next == everything[2]
    assert [one.number for one in told(read, before=first.next).items] == everything[3:6]


def test_a_refusal_is_told_once_and_a_flood_of_them_is_counted(read: Vault) -> None:
    set_state(read, "revoked")
    asking = read.view.as_actor(actor("acme", Role.SUPPLIER, person="wu"))
    for number in range(100):
        with pytest.raises(RefusedError):
            permit(asking, ASKED, digest_bytes(str(number).encode()))
    found = told(read, kind="refused").items
    assert [one.times for one in found] == [64, 32, 16, 8, 4, 2, 1]
    assert {(one.organisation, one.channel, one.reason) for one in found} == {("acme", "pb:download", "no_agreement")}
    with pytest.raises(RefusedError):
        require_permitted(asking, ASKED.model_copy(update={"action": Action.DISPLAY, "channel": Channel.PREVIEW}))
    assert (told(read, kind="refused").items[0].channel, told(read, kind="refused").total) == ("pb:preview", 8)
    verify(read)


def test_what_is_only_asked_about_or_of_no_dataset_is_no_refusal(read: Vault) -> None:
    set_state(read, "revoked")
    asking = read.view.as_actor(actor("acme", Role.SUPPLIER, person="wu"))
    before = len(read.view.log_entries(limit=1000))
    assert not judge(asking, ASKED).permitted
    for number in range(3):
        with pytest.raises(RefusedError):
            permit(asking, ASKED.model_copy(update={"target": f"dataset:plant/none{number}"}), KEY)
    assert len(read.view.log_entries(limit=1000)) == before


@pytest.mark.parametrize(
    "altered", [delete(tables.log_readings), insert(tables.log_readings).values(name="dataset:plant/other", number=0)]
)
def test_an_index_that_hides_a_reading_or_makes_one_up_does_not_verify(read: Vault, altered) -> None:
    verify(read)
    with read.view.store.database.write() as connection:
        connection.execute(altered)
    with pytest.raises(InvalidProofError) as caught:
        verify(read)
    assert caught.value.code == "log.reading_differs"


DECRYPTING = {"open_bytes", "decrypt_chunk", "unseal"}
CIPHERS = "vault/ciphers.py"
"""Only names the primitives; `unwrap_secrets` gives keys, and no value."""

NOTHING_OF_A_DATASET = {
    "vault/uploads.py: finish_upload",  # compares an upload with the digest that its sender gave, and gives nothing out
    "vault/units.py: unit_of_each",  # which cases form a unit: their places alone, and no value
    "worker/sites/orders.py: fetch_pack",  # an application on its way to a site
    "worker/retention_dates.py: unseal",  # bundles and kits of its own making; `test_no_other_way` names who calls it
    "worker/trials/calls.py: unseal_document",  # claims and scores of a call: what teams and experts wrote
    "worker/trials/calls.py: hand_in_claim",  # the same: one that is replaced
    "worker/trials/calls.py: own_claim",  # the same, for its team
    "worker/trials/calls.py: open_claims",  # the same, once the call is closed
    "computing/what_if.py: replay_of",  # figures of a replay of jobs: no data of anybody
}


def functions(tree: ast.Module) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def called(node: ast.AST) -> set[str]:
    calls = (one.func for one in ast.walk(node) if isinstance(one, ast.Call))
    return {getattr(one, "id", getattr(one, "attr", "")) for one in calls}


def reached(name: str, within: dict[str, ast.FunctionDef]) -> set[str]:
    """Everything that a function calls, by itself or through functions of its own module."""
    found, waiting = set(), [name]
    while waiting:
        for one in called(within[waiting.pop()]) - found:
            found.add(one)
            waiting += [one] if one in within else []
    return found


def recorded(node: ast.AST, constants: dict[str, str]) -> set[str]:
    """The actions that calls of ``record`` in ``node`` name."""
    found = set()
    for one in ast.walk(node):
        if isinstance(one, ast.Call) and getattr(one.func, "attr", "") == "record" and one.args:
            first = one.args[0]
            name = getattr(first, "attr", getattr(first, "id", ""))
            spelled = first.value if isinstance(first, ast.Constant) else name
            found.add(constants.get(spelled, spelled))
    return found


def opened_without_a_line() -> list[str]:
    """Public functions, in the whole house, that come to decrypted values and write no line that tells of it."""
    from pilotbase.workspace.log import entries

    constants = {name: value for name, value in vars(entries).items() if isinstance(value, str)}
    found = []
    for file, path in files("*.py"):
        source = path.read_text("utf-8")
        within = functions(ast.parse(source)) if any(word in source for word in DECRYPTING) else {}
        for name, node in within.items():
            if file == CIPHERS or name.startswith("_"):
                continue
            calls = reached(name, within)
            told_of = recorded(node, constants).union(
                *(recorded(within[one], constants) for one in calls if one in within)
            )
            if calls & DECRYPTING and not told_of & OPENINGS:
                found.append(f"{file}: {name}")
    return found


def test_nothing_opens_sealed_bytes_without_a_line_that_the_record_shows() -> None:
    assert set(opened_without_a_line()) <= NOTHING_OF_A_DATASET


def test_a_new_opener_without_a_line_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "leak.py").write_text(
        "def leak(key, blob):\n    return _inner(key, blob)\n\n\n"
        "def _inner(key, blob):\n    return open_bytes(key, blob, [])\n"
    )
    monkeypatch.setattr("tests.packages_for_tests.PACKAGES", (tmp_path,))
    assert opened_without_a_line() == ["leak.py: leak"]


OF_SECRETS = {"notices/webhooks.py", "hub/people/adapters.py"}
"""Encrypt what is no data: a webhook's secret, a second factor."""


def test_only_the_vault_has_ciphers() -> None:
    for file, path in files("*.py"):
        assert "AESGCM" not in path.read_text("utf-8") or file in {CIPHERS, *OF_SECRETS}, file
