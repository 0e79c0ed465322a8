"""Files of claims on vouchers: invoices and receipts, encrypted under their claimant's key, kept as long as the claim.

The claimant and those who decide can read them. The other party to a use sees that files exist, but not their content.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pilotbase.documents.base import Document
from pilotbase.documents.hashes import Digest
from pilotbase.vault.envelopes import open_envelope, seal_envelope
from pilotbase.vault.opening import ReaderGrant
from pilotbase.worker.base import Base, vault_of
from pilotbase.workspace.actors import parties
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction
from pilotbase_estate.documents.voucher import ClaimFile, VoucherClaim
from pilotbase_estate.vouchers.rows import find_claim

_KIND = "kept-claim-file"


class KeptClaimFile(Document):
    """A record that the base keeps a file of a claim: an encrypted blob."""

    document: Literal["kept-claim-file/1"] = "kept-claim-file/1"
    file: Digest
    blob: Digest
    size: int


def seal_claim_file(base: Base, view: View, content: bytes, file: Digest) -> KeptClaimFile:
    """Keep a file for the organisation of the actor and return its record, for `put_kept`."""
    blob = seal_envelope(vault_of(base, view), view.actor.organisation, file, content)
    return KeptClaimFile(file=file, blob=blob, size=len(content))


def put_kept(change: Transaction, kept: KeptClaimFile) -> None:
    """Record that a file is kept, with the claim that names it."""
    change.put(kept, parties(), fields={"file": kept.file})


def take_claim_file(base: Base, view: View, claim: Digest, file: Digest) -> tuple[ClaimFile, bytes]:
    """Return a file of a claim to its claimant, operator or regulator; the log records that it was opened.

    Raises:
        NotFoundError: the actor may not read it, or it is not there.
    """
    with view.reading() as connection:
        row = find_claim(connection, claim)
    may_read = row is not None and (view.actor.sees_all or row.claimant == view.actor.organisation)
    files = view.load(claim, VoucherClaim).files if may_read else None
    named = next((one for one in files or () if one.digest == file), None)
    if named is None or row is None:
        raise NotFoundError("voucher.no_file", file=file)
    with view.transaction("voucher.file_taken") as change:
        change.record("voucher.file_taken", [claim, file])
    return named, _open(base, row.claimant, file)


def files_of(base: Base, claims: Iterator[VoucherClaim]) -> Iterator[tuple[ClaimFile, bytes]]:
    """Yield the files of claims with their content, each once."""
    told: set[Digest] = set()
    for one in claims:
        for file in one.files or ():
            if file.digest not in told:
                told.add(file.digest)
                yield file, _open(base, one.claimant, file.digest)


def _open(base: Base, claimant: str, file: Digest) -> bytes:
    kept = [stored for stored in base.lab.view.find(_KIND, {"file": file}) if stored.owner == claimant]
    if not kept:
        raise NotFoundError("voucher.no_file", file=file)
    blob = kept[0].load(KeptClaimFile).blob
    return open_envelope(base.lab.vault, claimant, file, blob, ReaderGrant.of_owner(claimant))
