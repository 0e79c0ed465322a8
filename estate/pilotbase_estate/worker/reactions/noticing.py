"""Who is notified of claims on vouchers: both sides of the use, and those who decide if a claim waits for a person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pilotbase.documents.base import Localized
from pilotbase.documents.hashes import Digest
from pilotbase.documents.notice import Address, NoticeBody, NoticeKind
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Role
from pilotbase.notices.rows import NoticeDraft
from pilotbase.workspace.store import Change, View
from pilotbase_estate.documents.voucher import ClaimDecision, ClaimPayout, Settlement, VoucherClaim, claim_subject


def of_changes(view: View, changes: Iterable[Change]) -> Iterator[NoticeDraft]:
    """Yield the notices of claims that were made, decided or paid out; ``view`` must see them all."""
    for change in changes:
        if change.event != "stored":
            continue
        if change.kind == "voucher-decision":
            decision = view.load(change.digest, ClaimDecision)
            state = "waiting" if decision.waits else "granted" if decision.granted else "refused"
            yield from _of(view, decision.claim, state, change.digest)
        elif change.kind == "voucher-payout":
            yield from _of(view, view.load(change.digest, ClaimPayout).claim, "paid", change.digest)


def _of(view: View, claim: Digest, state: str, happening: Digest) -> Iterator[NoticeDraft]:
    made = view.load(claim, VoucherClaim)
    said = text("voucher.notice", claimant=made.claimant, job=made.job, state=Text(code=f"voucher.claim.{state}"))
    body = NoticeBody(title=Localized(en=made.job, zh=made.job), record="voucher-claim", said=said)
    told = [Address(organisation=name) for name in _sides(view, made)]
    if state == "waiting":
        told += [Address(role=Role.OPERATOR), Address(role=Role.REGULATOR)]
    for address in told:
        yield NoticeDraft(NoticeKind("claim"), claim_subject(claim), address, body, f"claim {happening}")


def _sides(view: View, made: VoucherClaim) -> list[str]:
    """Return who is notified: only the claimant, if it is not a party to the use, as nobody else sees that claim."""
    settled = view.find("voucher-settlement", {"job": made.job}, limit=1)
    both = {settled[0].load(Settlement).organisation, settled[0].load(Settlement).supplier} if settled else set()
    return sorted({made.claimant} | (both if made.claimant in both else set()))
