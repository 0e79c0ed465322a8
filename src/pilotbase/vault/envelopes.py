"""Encrypted blobs of an owner beside the hidden sets; the log records each opening.

They hold raw runs and per-case records, which reveal hidden cases, and public samples of closed datasets.
"""

from __future__ import annotations

from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.hashes import Digest
from pilotbase.vault.ciphers import open_bytes, seal_bytes
from pilotbase.vault.hidden import HiddenSet
from pilotbase.vault.opening import FOR_OWNER, ReaderGrant, hidden_set_of, named_by, require_leave_for, require_leave_of
from pilotbase.vault.place import Vault
from pilotbase.workspace.log.entries import RECORDS, SAMPLE
from pilotbase.workspace.transaction import Transaction


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
