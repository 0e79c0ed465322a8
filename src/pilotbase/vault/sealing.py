"""Sealing a hidden set: encrypted chunks in the blob store, wrapped secrets in the store, and the record of it.

The record holds everything about the set that is not secret.
"""

from __future__ import annotations

import hashlib
import io
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
import pydantic
from sqlalchemy import insert, select

from pilotbase.documents.base import Document, Moment, Part
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest, digest_bytes, digest_of
from pilotbase.documents.subjects import Subject
from pilotbase.vault.ciphers import ChunkId, SetSecrets, encrypt_chunk, unwrap_secrets, wrap_secrets
from pilotbase.vault.place import Vault
from pilotbase.workspace import tables
from pilotbase.workspace.actors import Visibility, parties
from pilotbase.workspace.checks.proofs import case_fact
from pilotbase.workspace.failures import NotFoundError


@dataclass(frozen=True)
class SealTerms:
    """The owner's settings for sealing hidden rows.

    ``alpha`` bounds the probability of any false certificate over all ``attempts`` on this hidden-set version.
    """

    scenario: Digest
    owner: str
    alpha: float
    attempts: int
    chunk_rows: int = 65_536
    dataset: str | None = None
    """Subject of the dataset that contains the rows."""
    attempts_before: int = 0
    suppliers: tuple[str, ...] | None = None
    """Among whom α is split equally, each with attempts of its own, in the order of their names; None: nobody."""


class Chunk(Part):
    """One encrypted piece, in order."""

    blob: Digest
    rows: int = pydantic.Field(ge=1)


class HiddenSet(Document):
    """A hidden-set version. Its rows are numbered from 0 in the order of sealing: a case is its row number."""

    document: Literal["hidden-set/1"] = "hidden-set/1"
    identity: str = pydantic.Field(pattern=r"^[0-9a-f]{32}$")
    scenario: Digest
    owner: str
    rows: int = pydantic.Field(ge=1)
    alpha: float = pydantic.Field(gt=0, lt=1)
    attempts: int = pydantic.Field(ge=1)
    attempts_before: int = pydantic.Field(default=0, ge=0)
    """Attempts on earlier sets that hold some of these cases: numbers, and with them α, go on from there."""
    chunks: tuple[Chunk, ...] = pydantic.Field(min_length=1)
    commitment: Digest
    """SHA-256(secret salt ‖ SHA-256 of each plaintext chunk): proves what was sealed, once it may be shown."""
    secret_commitment: Digest
    """SHA-256 of the master secret from which draws and orders are derived: the base cannot choose them afterwards."""
    sealed_at: Moment
    suppliers: tuple[str, ...] | None = None
    """The only suppliers admitted, if α is split among them."""
    dataset: Subject | None = None
    """The dataset that contains the rows: they open under its terms."""

    @property
    def named(self) -> list[str]:
        """Return the names under which the log mentions it: its own, and that of its dataset."""
        return [self.digest(), *([self.dataset] if self.dataset is not None else [])]


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
