"""Public samples of closed datasets: sealed at rest as the hidden rows beside them are, each opening in the log."""

from __future__ import annotations

from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.hashes import Digest
from pilotbase.vault.ciphers import open_bytes, seal_bytes
from pilotbase.vault.hidden import HiddenSet
from pilotbase.vault.leaves import require_leave_for
from pilotbase.vault.opening import FOR_OWNER, ReaderGrant
from pilotbase.vault.place import Vault
from pilotbase.workspace.log.entries import SAMPLE


def seal_sample(vault: Vault, hidden_set: HiddenSet, plain: bytes) -> Digest:
    """Store the public sample beside ``hidden_set``, below 2 GiB, under its owner's key; return the blob's digest.

    Raises:
        RefusedError: the actor may not write for the owner.
    """
    vault.require_access(hidden_set.owner)
    key = vault.keys.create_owner_key(hidden_set.owner)
    return vault.blobs.put(seal_bytes(key, plain, _context(hidden_set)))


def open_sample(vault: Vault, hidden_set: HiddenSet, digest: Digest, grant: ReaderGrant) -> bytes:
    """Write the opening to the log, then return the bytes that `seal_sample` took.

    Raises:
        RefusedError: the actor is neither the operator nor the owner; the leave is for something else.
        NotFoundError: blob or key are not here.
        InvalidProofError: another key, the sample of another hidden set, or altered bytes.
    """
    vault.require_access(hidden_set.owner)
    sealed, key = vault.blobs.get(digest), vault.keys.owner_key(hidden_set.owner)
    with vault.transaction(SAMPLE) as change:
        require_leave_for(change.connection, hidden_set, grant.leave, grant.purpose in FOR_OWNER, change.now)
        change.record(SAMPLE, [*hidden_set.named, digest], {**grant.facts, "bytes": len(sealed)})
    plain = open_bytes(key, sealed, _context(hidden_set))
    if plain is None:
        raise InvalidProofError("vault.envelope_closed", digest=digest, owner=hidden_set.owner)
    return plain


def _context(hidden_set: HiddenSet) -> list[str]:
    return ["public-sample", hidden_set.owner, hidden_set.digest()]
