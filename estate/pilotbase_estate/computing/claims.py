"""Claims on vouchers as organisations make them on a hub, and what operator and regulator do with them.

Files of claims on vouchers: invoices and receipts, encrypted under their claimant's key, kept as long as the claim.

The claimant and those who decide can read them. The other party to a use sees that files exist, but not their content.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal

from pilotbase.catalogue.records import declared_ties
from pilotbase.documents.base import Document
from pilotbase.documents.errors import InputError
from pilotbase.documents.files import File
from pilotbase.documents.hashes import Digest, hex_of
from pilotbase.documents.quantities import format_bytes
from pilotbase.vault.envelopes import open_envelope, seal_envelope
from pilotbase.vault.opening import ReaderGrant
from pilotbase.vault.uploads import erase_upload, find_upload, read_upload
from pilotbase.worker.base import Base, vault_of
from pilotbase.workspace.actors import parties
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction
from pilotbase_estate.documents.api.vouchers import NewClaim
from pilotbase_estate.documents.voucher import ClaimDecision, ClaimFile, Payment, VoucherClaim
from pilotbase_estate.vouchers import claiming
from pilotbase_estate.vouchers.claiming import ClaimRuling
from pilotbase_estate.vouchers.exporting import FILES, export_programme
from pilotbase_estate.vouchers.rows import find_claim, seen_claims

MOST_BYTES = 20 << 20
"""Of one file of a claim."""


def submit_claim(base: Base, view: View, given: NewClaim) -> ClaimDecision:
    """Claim for the actor's organisation, keep the files and erase their uploads; a repeated request changes nothing.

    Raises:
        NotFoundError: the actor knows no such use, or no such upload.
        ConflictError: the use is not settled.
        InputError: a file is too large; a payment without the file that shows it, or a file without the payment.
    """
    known = view.done(ClaimDecision)
    if known is None:
        known = _claimed(base, view, given)
    vault = vault_of(base, view)
    for one in given.files:
        with suppress(NotFoundError):
            find_upload(vault, one.upload)
            erase_upload(vault, one.upload)
    return known


def decide_claim(base: Base, view: View, verdict: ClaimRuling) -> ClaimDecision:
    """Let operator or regulator grant or refuse a claim that waits; raises as `claiming.decide`."""
    ties = declared_ties(base.lab.view)
    with view.transaction("voucher.decided") as change:
        return claiming.decide(view.within(change), change, verdict, ties)


def pay_claim(view: View, claim: Digest, reference: str) -> bool:
    """Say that a granted claim was paid out; raises as `claiming.pay`."""
    with view.transaction("voucher.claim_paid") as change:
        return claiming.pay(view.within(change), change, claim, reference)


def export_evidence(base: Base, view: View, programme: str, folder: Path) -> int:
    """Write the auditor's folder of a programme with the files of its claims, and return how many movements it has.

    Raises:
        RefusedError, NotFoundError, InputError: as `export_programme`.
    """
    moves = export_programme(view, programme, folder)
    with view.reading() as connection:
        rows = seen_claims(connection, view.actor, programme)
    place = folder / FILES
    for file, content in files_of(base, (view.load(row.identity, VoucherClaim) for row in rows)):
        place.mkdir(exist_ok=True)
        (place / f"{hex_of(file.digest)}{Path(file.name).suffix[:12]}").write_bytes(content)
    return moves


def zipped_evidence(base: Base, view: View, programme: str) -> File:
    """Return a zip of what `export_evidence` writes, to operator and regulator; removed once it was read."""
    if not view.actor.sees_all:
        raise NotFoundError("hub.not_found")
    scratch = tempfile.TemporaryDirectory(dir=base.home.scratch)
    folder = Path(scratch.name, programme)
    export_evidence(base, view, programme, folder)
    archive = Path(shutil.make_archive(str(folder), "zip", scratch.name, programme))

    def pieces() -> Iterator[bytes]:
        with scratch, archive.open("rb") as stream:
            while piece := stream.read(1 << 20):
                yield piece

    return File(f"{programme}-evidence.zip", archive.stat().st_size, pieces())


def _claimed(base: Base, view: View, given: NewClaim) -> ClaimDecision:
    own, vault = view.actor.organisation, vault_of(base, view)
    files, kept = [], []
    for one in given.files:
        upload = find_upload(vault, one.upload)
        if upload.size > MOST_BYTES:
            raise InputError("voucher.file_too_large", file=upload.name, most=format_bytes(MOST_BYTES))
        content = b"".join(read_upload(vault, one.upload, ReaderGrant.of_owner(own)))
        files.append(ClaimFile(kind=one.kind, name=upload.name, digest=upload.digest, size=upload.size))
        kept.append(seal_claim_file(base, view, content, upload.digest))
    ties = declared_ties(base.lab.view)
    with view.transaction("voucher.claimed") as change:
        made = VoucherClaim(
            job=given.job,
            attempt=given.attempt,
            claimant=own,
            side=given.side,
            payment=_payment(given, files),
            other_subsidies=given.other_subsidies,
            files=tuple(files) or None,
            made_at=change.now,
            note=given.note,
        )
        decision = claiming.claim(view.within(change), change, made, ties)
        for kept_file in kept:
            put_kept(change, kept_file)
        change.settle(decision.digest())
    return decision


def _payment(given: NewClaim, files: list[ClaimFile]) -> Payment | None:
    """Return the payment that the claim states, with the file that shows it."""
    receipt = next((one.digest for one in files if one.kind == "receipt"), None)
    if (receipt is None) != (given.payment is None):
        raise InputError("voucher.no_receipt")
    if receipt is None or given.payment is None:
        return None
    return Payment(evidence=receipt, **given.payment.model_dump())


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
