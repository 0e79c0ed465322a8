"""What the signed log says of the store: whoever has the database, but no key, can make it say nothing else."""

from __future__ import annotations

from sqlalchemy import Connection, select

from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.hashes import Digest, canonical_json
from pilotbase.workspace import tables
from pilotbase.workspace.log import entries as log
from pilotbase.workspace.log.merkle import verify_inclusion
from pilotbase.workspace.log.notes import LogVerifier
from pilotbase.workspace.store import Store


def proven_head(store: Store, name: str, action: str) -> Digest | None:
    """Return what ``name`` stands for, as an entry of the log under ``action`` says too that a checkpoint has signed.

    None: neither store nor log knows the name.

    Raises:
        InvalidProofError: the store says one thing and the log another, or nothing; or the entry was not signed.
    """
    with store.database.read() as connection:
        stored = connection.scalar(select(tables.heads.c.digest).where(tables.heads.c.name == name))
        logged = _signed_fact(connection, store.key.verifier, f"{log.HEAD}{name}", action)
    if stored != logged:
        raise InvalidProofError("log.head_differs", name=name, stored=stored or "–", logged=logged or "–")
    return stored


def require_stored(store: Store, digest: Digest, kind: str, action: str) -> None:
    """Return if a signed entry under ``action`` says that the document ``digest`` was stored.

    Raises:
        InvalidProofError: there is none, or it was not signed.
    """
    with store.database.read() as connection:
        if _signed_fact(connection, store.key.verifier, f"{log.STORED}{digest}", action) != kind:
            raise InvalidProofError("log.document_unlogged", kind=kind, digest=digest)


def _signed_fact(connection: Connection, verifier: LogVerifier, fact: str, action: str) -> log.Fact | None:
    """Return what the newest entry with ``fact`` says, or None where it is not of ``action`` or there is none."""
    entry = log.newest_with(connection, fact).get(fact)
    if entry is None or entry.action != action:
        return None
    require_signed(connection, verifier, entry)
    return entry.facts[fact]


def require_signed(connection: Connection, verifier: LogVerifier, entry: log.LogEntry) -> None:
    """Return if a checkpoint has signed ``entry``, as it was read; raises `InvalidProofError`."""
    number, note = entry.number, log.latest_checkpoint(connection)
    signed = verifier.open(note) if note is not None else None
    if signed is None or number >= signed.size:
        raise InvalidProofError("log.unsigned", number=number)
    path = log.prove_inclusion(connection, number, signed).path
    body = canonical_json(entry.to_json_value())  # the very entry that was read: a forged one may claim a true number
    if not verify_inclusion(body, number, signed.size, path, signed.root):
        raise InvalidProofError("log.entry_altered", first=number, last=number)
