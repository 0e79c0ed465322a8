"""Hidden rows: unreadable at rest, opened only by who may and with a line in the log, tampering named."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sqlalchemy import select, update

from pilotbase.documents.errors import InputError, InvalidProofError, RefusedError
from pilotbase.documents.hashes import digest_bytes
from pilotbase.vault.envelopes import open_envelope, seal_envelope
from pilotbase.vault.opening import OpeningPurpose, ReaderGrant, open_hidden
from pilotbase.vault.place import Vault
from pilotbase.vault.sealing import Chunk, HiddenSet, SealTerms, seal, secrets_of
from pilotbase.workspace import tables
from pilotbase.workspace.actors import Role, actor
from pilotbase.workspace.blobs.objects import name_of
from pilotbase.workspace.blobs.store import OWN as BLOB_OWN
from pilotbase.workspace.failures import NotFoundError

SCENARIO = digest_bytes(b"scenario")
OWN = ReaderGrant.of_owner("plant")


def everything(vault: Vault, hidden_set: HiddenSet) -> pl.DataFrame:
    return pl.concat([part.frame for part in open_hidden(vault, hidden_set, OWN)])


def acting(vault: Vault, organisation: str, role: Role) -> Vault:
    return dataclasses.replace(vault, view=vault.view.store.as_actor(actor(organisation, role)))


def test_rows_come_back_as_they_were_sealed(vault: Vault, sealed: HiddenSet, rows: pl.DataFrame) -> None:
    assert everything(vault, sealed).equals(rows)
    assert [chunk.rows for chunk in sealed.chunks] == [300, 300, 300, 100]
    parts = list(open_hidden(vault, sealed, OWN))
    assert [int(part.cases[0]) for part in parts] == [0, 300, 600, 900]


def test_chosen_cases_come_in_ascending_order_and_other_chunks_are_not_even_read(
    vault: Vault, sealed: HiddenSet, rows: pl.DataFrame
) -> None:
    vault.blobs.remove(sealed.chunks[1].blob)
    chosen = np.array([999, 2, 700, 299], dtype=np.int64)
    parts = list(open_hidden(vault, sealed, OWN, chosen))
    cases = np.concatenate([part.cases for part in parts])
    assert cases.tolist() == [2, 299, 700, 999]
    assert pl.concat([part.frame for part in parts]).equals(rows[cases])


def test_nothing_of_the_rows_can_be_read_at_rest(vault: Vault, tmp_path: Path) -> None:
    marked = pl.DataFrame({"label": ["SECRET-LABEL"] * 50, "秘密": ["绝密"] * 50})
    hidden_set = seal(vault, marked, SealTerms(SCENARIO, "plant", alpha=0.05, attempts=5))
    vault.view.store.close()
    at_rest = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for word in ("SECRET-LABEL", "绝密", "秘密"):
        assert word.encode() not in at_rest
    assert everything(vault, hidden_set)["label"][0] == "SECRET-LABEL"


def test_the_record_tells_no_row_and_equal_rows_give_different_records(
    vault: Vault, sealed: HiddenSet, rows: pl.DataFrame
) -> None:
    again = seal(vault, rows, SealTerms(SCENARIO, "plant", alpha=0.05, attempts=5, chunk_rows=300))
    assert again.commitment != sealed.commitment
    assert {chunk.blob for chunk in again.chunks}.isdisjoint({chunk.blob for chunk in sealed.chunks})


def test_each_opening_stands_in_the_log_before_a_row_is_seen(vault: Vault, sealed: HiddenSet) -> None:
    opening = open_hidden(vault, sealed, ReaderGrant.of_owner("plant", OpeningPurpose.PROFILE), np.arange(40))
    entry = vault.view.log_entries()[-1]
    assert (entry.action, entry.subjects) == ("vault.opened", (sealed.digest(),))
    assert entry.facts == {"purpose": "profile", "ground": "plant", "rows": 40}
    assert entry.actor.organisation == "base"
    next(opening)


@pytest.mark.parametrize("role", [Role.SUPPLIER, Role.REVIEWER, Role.REGULATOR, Role.DEMAND_OWNER])
def test_only_owner_and_operator_open(vault: Vault, sealed: HiddenSet, role: Role) -> None:
    before = len(vault.view.log_entries())
    with pytest.raises(RefusedError):
        open_hidden(acting(vault, "acme", role), sealed, OWN)
    assert len(vault.view.log_entries()) == before
    assert next(open_hidden(acting(vault, "plant", Role.DEMAND_OWNER), sealed, OWN))


def test_another_owner_cannot_seal_in_this_ones_name(vault: Vault, rows: pl.DataFrame) -> None:
    with pytest.raises(RefusedError):
        seal(acting(vault, "acme", Role.SUPPLIER), rows, SealTerms(SCENARIO, "plant", alpha=0.05, attempts=5))
    with pytest.raises(InputError) as caught:
        seal(vault, rows.clear(), SealTerms(SCENARIO, "plant", alpha=0.05, attempts=5))
    assert caught.value.code == "vault.empty"
    assert seal(vault, rows.head(1), SealTerms(SCENARIO, "plant", alpha=0.05, attempts=5)).rows == 1


def test_the_wrong_key_opens_nothing_and_a_missing_one_is_named(vault: Vault, sealed: HiddenSet) -> None:
    key = vault.keys.path / "owners" / "plant.key"
    right = key.read_bytes()
    key.write_bytes(bytes(32))
    with pytest.raises(InvalidProofError) as caught:
        everything(vault, sealed)
    assert caught.value.code == "vault.wrong_key"
    assert caught.value.text.params["owner"] == "plant"
    key.unlink()
    with pytest.raises(NotFoundError) as missing:
        everything(vault, sealed)
    assert "plant.key" in str(missing.value)
    key.write_bytes(right)
    key.chmod(0o600)
    assert everything(vault, sealed).height == 1000


def blob_file(vault: Vault, chunk: Chunk) -> Path:
    return Path(vault.blobs.objects.root, name_of(BLOB_OWN, chunk.blob))


def flip(path: Path, position: int) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("position", [0, 100, -1])
def test_a_flipped_bit_is_named(vault: Vault, sealed: HiddenSet, position: int) -> None:
    flip(blob_file(vault, sealed.chunks[2]), position)
    opening = open_hidden(vault, sealed, OWN)
    next(opening)
    next(opening)
    with pytest.raises(InvalidProofError) as caught:
        next(opening)
    assert caught.value.code == "vault.chunk_altered"
    assert caught.value.text.params["chunk"] == 2


def test_a_cut_and_a_missing_chunk_are_named(vault: Vault, sealed: HiddenSet) -> None:
    blob = blob_file(vault, sealed.chunks[3])
    blob.write_bytes(blob.read_bytes()[:-20])
    with pytest.raises(InvalidProofError) as caught:
        everything(vault, sealed)
    assert caught.value.code == "vault.chunk_altered"
    blob.unlink()
    with pytest.raises(InvalidProofError) as missing:
        everything(vault, sealed)
    assert missing.value.code == "vault.chunk_missing"
    assert missing.value.text.params["chunk"] == 3


def chunks_of(*numbers: int) -> Callable[[HiddenSet], dict[str, object]]:
    return lambda record: {"chunks": tuple(record.chunks[number] for number in numbers)}


def reweighed(record: HiddenSet) -> dict[str, object]:
    first, second, *rest = record.chunks
    return {"chunks": (Chunk(blob=first.blob, rows=200), Chunk(blob=second.blob, rows=400), *rest)}


REWRITES: dict[str, Callable[[HiddenSet], dict[str, object]]] = {
    "two chunks swapped": chunks_of(1, 0, 2, 3),
    "last chunk dropped": chunks_of(0, 1, 2),
    "first chunk dropped": chunks_of(1, 2, 3),
    "chunk repeated": chunks_of(0, 1, 1, 3),
    "rows counted otherwise": reweighed,
    "another scenario": lambda record: {"scenario": digest_bytes(b"another")},
}


@pytest.mark.parametrize("way", REWRITES)
def test_whoever_rewrites_the_record_still_cannot_move_or_drop_a_chunk(
    vault: Vault, sealed: HiddenSet, way: str
) -> None:
    """The database is in the attacker's hand: the rewritten record has a row of its own with the true secrets."""
    forged = HiddenSet.model_validate({**dict(sealed), **REWRITES[way](sealed)})
    with pytest.raises(NotFoundError):
        everything(vault, forged)
    with vault.view.store.database.write() as connection:
        connection.execute(update(tables.hidden_sets).values(digest=forged.digest()))
    with pytest.raises(InvalidProofError) as caught:
        everything(vault, forged)
    assert caught.value.code == "vault.chunk_misplaced"


def test_a_chunk_of_another_set_does_not_open_here(vault: Vault, sealed: HiddenSet, rows: pl.DataFrame) -> None:
    other = seal(vault, rows, SealTerms(SCENARIO, "plant", alpha=0.05, attempts=5, chunk_rows=300))
    forged = sealed.model_copy(update={"chunks": (other.chunks[0], *sealed.chunks[1:])})
    with vault.view.store.database.write() as connection:
        row = tables.hidden_sets.c
        connection.execute(
            update(tables.hidden_sets).where(row.digest == sealed.digest()).values(digest=forged.digest())
        )
    with pytest.raises(InvalidProofError) as caught:
        everything(vault, forged)
    assert caught.value.text.params["chunk"] == 0


def test_wrapped_secrets_of_one_set_do_not_serve_another(vault: Vault, sealed: HiddenSet, rows: pl.DataFrame) -> None:
    other = seal(vault, rows, SealTerms(SCENARIO, "plant", alpha=0.05, attempts=5))
    row = tables.hidden_sets.c
    with vault.view.store.database.write() as connection:
        wrapped = connection.scalar(select(row.wrapped).where(row.digest == other.digest()))
        connection.execute(update(tables.hidden_sets).where(row.digest == sealed.digest()).values(wrapped=wrapped))
    with pytest.raises(InvalidProofError) as caught:
        secrets_of(vault, sealed)
    assert caught.value.code == "vault.wrong_key"


def test_secrets_do_not_slip_out_by_printing(vault: Vault, sealed: HiddenSet) -> None:
    bundle = secrets_of(vault, sealed)
    for secret in vars(bundle).values():
        assert repr(secret) not in repr(bundle)
        assert secret.hex() not in json.dumps(sealed.to_json_value())
    assert bundle.derive("leaf", "1") != bundle.derive("leaf", "2")
    assert bundle.derive("a", "bc") != bundle.derive("ab", "c")


def test_an_envelope_opens_only_in_its_context_and_is_logged(vault: Vault, sealed: HiddenSet) -> None:
    plan = digest_bytes(b"plan")
    digest = seal_envelope(vault, "plant", plan, b"case,answer\n1,1\n")
    assert b"case" not in vault.blobs.get(digest)
    assert open_envelope(vault, "plant", plan, digest, OWN) == b"case,answer\n1,1\n"
    assert vault.view.log_entries()[-1].action == "vault.envelope_opened"
    with pytest.raises(InvalidProofError):
        open_envelope(vault, "plant", digest_bytes(b"other plan"), digest, OWN)
    with pytest.raises(RefusedError):
        open_envelope(acting(vault, "acme", Role.SUPPLIER), "plant", plan, digest, OWN)
