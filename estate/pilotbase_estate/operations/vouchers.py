"""Vouchers: wallets, claims on what was paid, and programmes."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from pilotbase.documents.api.shapes import RequestModel
from pilotbase.documents.base import Name, Note, Sentence
from pilotbase.documents.files import File
from pilotbase.documents.hashes import HEX, Digest
from pilotbase.operations.operation import BODY, PATH, Callers, NoInput, Operation
from pilotbase_estate.documents.api.vouchers import (
    ClaimDetail,
    ClaimTold,
    NewClaim,
    ProgrammeListed,
    ReconciliationTold,
    UseTold,
    WalletListed,
    WalletTold,
)
from pilotbase_estate.documents.voucher import VoucherAct, VoucherRules


class OfOrganisation(RequestModel):
    """The owner of the wallet."""

    organisation: Annotated[Name, PATH]


class OfClaim(RequestModel):
    """Which claim."""

    asked: Annotated[str, StringConstraints(pattern=f"^{HEX}$"), PATH]


class OfClaimFile(OfClaim):
    """Which file of a claim."""

    digest: Annotated[Digest, PATH]


class NewVerdict(OfClaim):
    """What a person says of a claim that waits for one."""

    granted: bool
    note: Note = ""
    """Why; a refusal needs it."""


class NewPayout(OfClaim):
    """That a granted claim was paid out."""

    reference: Sentence
    """Number of the transfer."""


class OfProgramme(RequestModel):
    """Which programme."""

    programme: Annotated[Name, PATH]


class OnRules(OfProgramme):
    """The rules of a programme."""

    rules: Annotated[VoucherRules, BODY]


_OWN = "members, of their own; operator and regulator of all"
_CLAIM, _PROGRAMME = "/voucher-claims/{asked}", "/voucher-programmes/{programme}"
WALLETS = Operation("vouchers.wallets", "GET /vouchers", NoInput, list[WalletListed], only=_OWN)
WALLET = Operation("vouchers.wallet", "GET /vouchers/{organisation}", OfOrganisation, WalletTold, only=_OWN)
USES = Operation("vouchers.uses", "GET /voucher-uses", NoInput, list[UseTold])
CLAIMS = Operation("vouchers.claims", "GET /voucher-claims", NoInput, list[ClaimTold])
MAKE_CLAIM = Operation(
    "vouchers.make_claim",
    "POST /voucher-claims",
    NewClaim,
    ClaimDetail,
    who=VoucherAct.CLAIM,
    location="/api/voucher-claims/{given.number}",
)
CLAIM = Operation("vouchers.claim", f"GET {_CLAIM}", OfClaim, ClaimDetail)
DECIDE = Operation("vouchers.decide", f"POST {_CLAIM}/decision", NewVerdict, ClaimDetail, who=VoucherAct.DECIDE)
PAY = Operation("vouchers.pay", f"POST {_CLAIM}/payout", NewPayout, ClaimDetail, who=VoucherAct.PAY)
CLAIM_FILE = Operation("vouchers.claim_file", f"GET {_CLAIM}/files/{{digest}}", OfClaimFile, File)
METERING = Operation(
    "vouchers.metering", "GET /voucher-metering", NoInput, ReconciliationTold, refuses=frozenset({404})
)
PROGRAMMES = Operation(
    "vouchers.programmes", "GET /voucher-programmes", NoInput, list[ProgrammeListed], callers=Callers.EVERYBODY
)
PROGRAMME = Operation(
    "vouchers.programme", f"GET {_PROGRAMME}", OfProgramme, VoucherRules, callers=Callers.EVERYBODY, marked=True
)
EVIDENCE = Operation("vouchers.evidence", f"GET {_PROGRAMME}/evidence", OfProgramme, File, only="operator, regulator")
SET_RULES = Operation(
    "vouchers.set_rules", f"PUT {_PROGRAMME}", OnRules, VoucherRules, who=VoucherAct.SET_RULES, marked=True
)
