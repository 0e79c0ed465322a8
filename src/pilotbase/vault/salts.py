"""The secret of a base's commitments to the closed files of a dataset, sealed under their owner's key.

For files described on a hub, the secret is here; for the command line, it is beside the description. A hub records its
commitments, so that they can be told apart from those that somebody made elsewhere under another secret.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from typing import Literal

from pilotbase.documents.base import Document, Part
from pilotbase.documents.hashes import Digest
from pilotbase.documents.subjects import Subject, holder_of
from pilotbase.vault.ciphers import KEY_BYTES
from pilotbase.vault.envelopes import open_envelope, seal_envelope
from pilotbase.vault.opening import ReaderGrant
from pilotbase.vault.place import Vault
from pilotbase.workspace.actors import parties
from pilotbase.workspace.store import View

_KIND = "committed-files"
_ALL = 1_000_000


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
    return secret, seal_envelope(vault, holder_of(dataset), _context(dataset), secret)


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
    return open_envelope(vault, owner, _context(made.dataset), made.salt, ReaderGrant.of_owner(owner))


def _context(dataset: Subject) -> str:
    return f"commitments:{dataset}"
