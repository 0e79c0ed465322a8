"""Vouchers, claims and programmes."""

from __future__ import annotations

from pilotbase.documents.files import File
from pilotbase.documents.hashes import Digest, digest_of
from pilotbase.worker.operations.binding import Caller, Versioned, does
from pilotbase_estate.computing import told_vouchers
from pilotbase_estate.computing.claims import decide_claim, pay_claim, submit_claim, take_claim_file, zipped_evidence
from pilotbase_estate.documents.api.vouchers import ClaimDetail, NewClaim
from pilotbase_estate.documents.voucher import VoucherRules
from pilotbase_estate.operations import vouchers as declared
from pilotbase_estate.vouchers.claiming import ClaimRuling
from pilotbase_estate.vouchers.wallet import rules_of, set_rules

does(declared.WALLETS)(lambda caller, asked: told_vouchers.wallets_listed(caller.view))
does(declared.WALLET)(lambda caller, asked: told_vouchers.wallet_told(caller.view, caller.language, asked.organisation))
does(declared.USES)(lambda caller, asked: told_vouchers.uses_to_claim(caller.view))
does(declared.CLAIMS)(lambda caller, asked: told_vouchers.claims_told(caller.view, caller.language))
does(declared.CLAIM)(lambda caller, asked: _detail(caller, digest_of(asked.asked)))
does(declared.METERING)(lambda caller, asked: told_vouchers.reconciliation_told(caller.view, caller.language))
does(declared.PROGRAMMES)(lambda caller, asked: told_vouchers.programmes_told(caller.view, caller.language))


@does(declared.MAKE_CLAIM)
def make_claim(caller: Caller, asked: NewClaim) -> ClaimDetail:
    """Claim what a voucher has paid."""
    return _detail(caller, submit_claim(caller.base, caller.view, asked).claim)


@does(declared.DECIDE)
def decide(caller: Caller, asked: declared.NewVerdict) -> ClaimDetail:
    """Grant or refuse a claim that waits for a person."""
    claim = digest_of(asked.asked)
    decide_claim(caller.base, caller.view, ClaimRuling(claim, asked.granted, asked.note))
    return _detail(caller, claim)


@does(declared.PAY)
def pay(caller: Caller, asked: declared.NewPayout) -> ClaimDetail:
    """Record that a granted claim was paid."""
    pay_claim(caller.view, digest_of(asked.asked), asked.reference)
    return _detail(caller, digest_of(asked.asked))


@does(declared.CLAIM_FILE)
def claim_file(caller: Caller, asked: declared.OfClaimFile) -> File:
    """Return a file of a claim."""
    found, content = take_claim_file(caller.base, caller.view, digest_of(asked.asked), asked.digest)
    return File.of(found.name, content)


does(declared.EVIDENCE)(lambda caller, asked: zipped_evidence(caller.base, caller.view, asked.programme))


@does(declared.PROGRAMME)
def programme(caller: Caller, asked: declared.OfProgramme) -> Versioned[VoucherRules]:
    """Return the rules of a programme."""
    digest, found = rules_of(caller.view, asked.programme)
    return Versioned(found, digest)


@does(declared.SET_RULES)
def rules(caller: Caller, asked: declared.OnRules) -> Versioned[VoucherRules]:
    """Replace the rules of a programme."""
    told_vouchers.require_named(asked.rules, asked.programme)
    return Versioned(asked.rules, set_rules(caller.view, asked.rules))


def _detail(caller: Caller, claim: Digest) -> ClaimDetail:
    return told_vouchers.claim_detail(caller.view, caller.language, claim)
