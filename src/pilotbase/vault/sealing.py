"""Sealing hidden rows: encrypted chunks in the blob store, wrapped secrets and the record in the store."""

from __future__ import annotations

import hashlib
import io
import secrets
from collections.abc import Iterator

import numpy as np
import polars as pl
from sqlalchemy import insert, select

from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import digest_bytes, digest_of
from pilotbase.vault.ciphers import ChunkId, SetSecrets, encrypt_chunk, unwrap_secrets, wrap_secrets
from pilotbase.vault.hidden import Chunk, HiddenSet, SealTerms
from pilotbase.vault.place import Vault
from pilotbase.workspace import tables
from pilotbase.workspace.actors import Visibility, parties
from pilotbase.workspace.checks.proofs import case_fact
from pilotbase.workspace.failures import NotFoundError


def seal(vault: Vault, frame: pl.DataFrame, terms: SealTerms, visibility: Visibility | None = None) -> HiddenSet:
    """Encrypt ``frame`` (all columns, labels included) and return its record, stored and logged as ``vault.sealed``.

    By default, the owner and the base may see the record; ``visibility`` changes that. After a crash, only encrypted
    blobs whose key is gone may remain. Sealing the same rows again makes a new hidden-set version.

    Raises:
        InputError: there are no rows.
        RefusedError: the actor may not write for the owner.
    """
    vault.require_access(terms.owner)
    if frame.height == 0:
        raise InputError("vault.empty", scenario=terms.scenario)
    bundle, identity = SetSecrets.generate(), secrets.token_hex(16)
    hashes, chunks = hashlib.sha256(bundle.salt), []
    for place, plain in _pieces(frame, terms, identity):
        hashes.update(hashlib.sha256(plain).digest())
        chunks.append(Chunk(blob=vault.blobs.put(encrypt_chunk(bundle.data_key, place, plain)), rows=place.rows))
    wrapped = wrap_secrets(vault.keys.create_owner_key(terms.owner), identity, terms.owner, bundle)
    with vault.view.transaction("vault.sealed") as change:
        record = HiddenSet(
            identity=identity,
            scenario=terms.scenario,
            owner=terms.owner,
            rows=frame.height,
            alpha=terms.alpha,
            attempts=terms.attempts,
            attempts_before=terms.attempts_before,
            chunks=tuple(chunks),
            commitment=digest_of(hashes.hexdigest()),
            secret_commitment=digest_bytes(bundle.master),
            sealed_at=change.now,
            dataset=terms.dataset,
            suppliers=terms.suppliers,
        )
        change.put(record, visibility or parties(), owner=terms.owner, fields={"scenario": terms.scenario})
        scored = np.zeros((frame.height + 7) // 8, dtype=np.uint8).tobytes()
        row = {"digest": record.digest(), "owner": terms.owner, "rows": frame.height}
        change.connection.execute(insert(tables.hidden_sets).values(**row, wrapped=wrapped, scored=scored))
        change.facts |= {"rows": frame.height, **case_fact(change.connection, record.digest())}
    return record


def secrets_of(vault: Vault, hidden_set: HiddenSet) -> SetSecrets:
    """Return the unwrapped secrets of ``hidden_set``: for the scorer process and the owner's jobs only.

    Raises:
        NotFoundError: the store has no such hidden set, or its owner's key is not here.
        InvalidProofError: the owner's key is another one, or the secrets were altered.
    """
    vault.require_access(hidden_set.owner)
    row = tables.hidden_sets.c
    with vault.view.store.database.read() as connection:
        wrapped = connection.scalar(select(row.wrapped).where(row.digest == hidden_set.digest()))
    if wrapped is None:
        raise NotFoundError("vault.unknown_set", digest=hidden_set.digest())
    owner = hidden_set.owner
    return unwrap_secrets(vault.keys.owner_key(owner), hidden_set.identity, owner, wrapped)


def _pieces(frame: pl.DataFrame, terms: SealTerms, identity: str) -> Iterator[tuple[ChunkId, bytes]]:
    count = -(-frame.height // terms.chunk_rows)
    for number, piece in enumerate(frame.iter_slices(terms.chunk_rows)):
        plain = io.BytesIO()
        piece.write_ipc(plain, compression="zstd")
        yield ChunkId(identity, terms.scenario, number, count, piece.height), plain.getvalue()
