"""Encrypted blobs of an owner beside the hidden sets; the log records each opening.

They hold raw runs and per-case records, which reveal hidden cases, public samples of closed datasets, and the secret of
a base's commitments to the closed files of a dataset. For files described on a hub, that secret is here; for the
command line, it is beside the description. A hub records its commitments, so that they can be told apart from those
that somebody made elsewhere under another secret.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from typing import Literal

from pilotbase.documents.base import Document, Part
from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.subjects import Subject, holder_of
from pilotbase.vault.ciphers import KEY_BYTES, open_bytes, seal_bytes
from pilotbase.vault.opening import FOR_OWNER, ReaderGrant, hidden_set_of, named_by, require_leave_for, require_leave_of
from pilotbase.vault.place import Vault
from pilotbase.vault.sealing import HiddenSet
from pilotbase.workspace.actors import parties
from pilotbase.workspace.log.entries import RECORDS, SAMPLE
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction

_KIND = "committed-files"
_ALL = 1_000_000


def seal_envelope(vault: Vault, owner: str, context: str, plain: bytes) -> Digest:
    """Store ``plain`` (below 2 GiB) encrypted under ``owner``'s key and return the blob's digest.

    ``context`` (such as the plan's digest) is needed again to open it, so that one blob cannot replace another.

    Raises:
        RefusedError: the actor may not write for the owner.
    """
    vault.require_access(owner)
    return vault.blobs.put(seal_bytes(vault.keys.create_owner_key(owner), plain, ["envelope", owner, context]))


def open_envelope(vault: Vault, owner: str, context: str, digest: Digest, grant: ReaderGrant) -> bytes:
    """Write the opening to the log, then return the bytes given to `seal_envelope`.

    Raises:
        RefusedError: the actor is neither the operator nor the owner; the leave is for something else.
        NotFoundError: the blob or the key is not here.
        InvalidProofError: another key or context, or altered bytes.
    """
    vault.require_access(owner)
    key, sealed = vault.keys.owner_key(owner), vault.blobs.get(digest)
    with vault.view.transaction("vault.envelope_opened") as change:
        _require_leave(change, owner, context, grant)
        subjects = [digest, context, *named_by(change.connection, context)]
        change.record(RECORDS, list(dict.fromkeys(subjects)), {**grant.facts, "bytes": len(sealed)})
    plain = open_bytes(key, sealed, ["envelope", owner, context])
    if plain is None:
        raise InvalidProofError("vault.envelope_closed", digest=digest, owner=owner)
    return plain


def _require_leave(change: Transaction, owner: str, context: str, grant: ReaderGrant) -> None:
    """Check a leave against the hidden set that an envelope is about, or as one for its owner's own work."""
    hidden_set = hidden_set_of(change.connection, context)
    if hidden_set is None:
        require_leave_of(owner, grant.leave, grant.purpose in FOR_OWNER)
    else:
        require_leave_for(change.connection, hidden_set, grant.leave, grant.purpose in FOR_OWNER, change.now)


def seal_sample(vault: Vault, hidden_set: HiddenSet, plain: bytes) -> Digest:
    """Store the public sample beside ``hidden_set``, below 2 GiB, under its owner's key; return the blob's digest.

    Raises:
        RefusedError: the actor may not write for the owner.
    """
    vault.require_access(hidden_set.owner)
    key = vault.keys.create_owner_key(hidden_set.owner)
    return vault.blobs.put(seal_bytes(key, plain, _context(hidden_set)))


def open_sample(vault: Vault, hidden_set: HiddenSet, digest: Digest, grant: ReaderGrant) -> bytes:
    """Write the opening to the log, then return the bytes given to `seal_sample`.

    Raises:
        RefusedError: the actor is neither the operator nor the owner; the leave is for something else.
        NotFoundError: the blob or the key is not here.
        InvalidProofError: another key, the sample of another hidden set, or altered bytes.
    """
    vault.require_access(hidden_set.owner)
    sealed, key = vault.blobs.get(digest), vault.keys.owner_key(hidden_set.owner)
    with vault.view.transaction(SAMPLE) as change:
        require_leave_for(change.connection, hidden_set, grant.leave, grant.purpose in FOR_OWNER, change.now)
        change.record(SAMPLE, [*hidden_set.named, digest], {**grant.facts, "bytes": len(sealed)})
    plain = open_bytes(key, sealed, _context(hidden_set))
    if plain is None:
        raise InvalidProofError("vault.envelope_closed", digest=digest, owner=hidden_set.owner)
    return plain


def _context(hidden_set: HiddenSet) -> list[str]:
    return ["public-sample", hidden_set.owner, hidden_set.digest()]


class KnownBytes(Part):
    """A record that a kept file holds the bytes of a commitment."""

    tag: Digest
    """Names the sealed bytes."""
    commitment: Digest


class CommittedFiles(Document):
    """Commitments made by the base for a dataset's owner, and where their secret is. Only owner and base see them."""

    document: Literal["committed-files/1"] = "committed-files/1"
    dataset: Subject
    salt: Digest
    """The sealed secret."""
    commitments: tuple[Digest, ...]
    known: tuple[KnownBytes, ...] = ()


def create_salt(vault: Vault, dataset: Subject) -> tuple[bytes, Digest]:
    """Return the secret of a dataset's commitments (32 bytes) and its sealed place, creating it if there is none.

    Raises:
        RefusedError: the actor may not write for the owner.
    """
    vault.require_access(holder_of(dataset))
    for made in _made(vault.view, dataset):
        return _opened(vault, made), made.salt
    secret = secrets.token_bytes(KEY_BYTES)
    return secret, seal_envelope(vault, holder_of(dataset), _commitments_of(dataset), secret)


def find_salt(vault: Vault, dataset: Subject, commitment: Digest) -> bytes | None:
    """Return the secret behind a commitment made here, None for others; the opening is logged.

    Raises:
        RefusedError: the actor is neither the operator nor the owner.
    """
    vault.require_access(holder_of(dataset))
    return next((_opened(vault, made) for made in _made(vault.view, dataset) if commitment in made.commitments), None)


def keep_commitments(vault: Vault, made: CommittedFiles) -> None:
    """Record which commitments were made; repeating it changes nothing."""
    with vault.view.transaction("dataset.committed") as change:
        digest = change.put(made, parties(), owner=holder_of(made.dataset), fields={"dataset": made.dataset})
        change.record("dataset.committed", [made.dataset, digest])


def known_commitments(view: View, dataset: Subject) -> dict[Digest, set[Digest]]:
    """Return tag of kept bytes → the commitments known to be theirs."""
    found = defaultdict[Digest, set[Digest]](set)
    for made in _made(view, dataset):
        for one in made.known:
            found[one.tag].add(one.commitment)
    return found


def _made(view: View, dataset: Subject) -> list[CommittedFiles]:
    return [stored.load(CommittedFiles) for stored in view.find(_KIND, {"dataset": dataset}, _ALL)]


def _opened(vault: Vault, made: CommittedFiles) -> bytes:
    owner = holder_of(made.dataset)
    return open_envelope(vault, owner, _commitments_of(made.dataset), made.salt, ReaderGrant.of_owner(owner))


def _commitments_of(dataset: Subject) -> str:
    return f"commitments:{dataset}"
