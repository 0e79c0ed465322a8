"""Vouchers over the API: what an organisation has, what moved, what it claimed. Money is in hundredths."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from pilotbase.documents.api.shapes import RequestModel, ResponseModel
from pilotbase.documents.api.uploads import UploadId
from pilotbase.documents.base import Day, Name, Note
from pilotbase.documents.estimate import Money
from pilotbase.documents.hashes import hex_of
from pilotbase_estate.documents.voucher import FileKind, JobName, Side, Word


class NewClaimFile(RequestModel):
    """A file of a claim that was uploaded."""

    upload: UploadId
    kind: FileKind


class NewPayment(RequestModel):
    """A payment of a fee; the receipt among the files shows it."""

    reference: Word
    """Number of invoice or receipt."""
    amount: Money
    paid_on: Day
    payer: Name
    payee: Name


class NewClaim(RequestModel):
    """What the caller's organisation claims of a settled use: what the voucher has paid of it."""

    job: JobName
    attempt: int = Field(ge=0, le=2**31 - 1)
    side: Side
    payment: NewPayment | None = None
    files: tuple[NewClaimFile, ...] = Field(default=(), max_length=10)
    other_subsidies: tuple[Word, ...] = Field(default=(), max_length=20)
    """Other programmes that subsidise the same fee."""
    note: Note = ""


class VoucherTold(ResponseModel):
    """What one voucher has."""

    identity: str
    programme: str
    state: str
    amount: int
    free: int
    held: int
    used: int
    """Paid for use, and not yet granted to anyone."""
    currency: str
    pays: bool
    """Whether it takes new holds now."""
    expires_at: datetime


class HoldTold(ResponseModel):
    """What a voucher has on hold for one attempt of a job."""

    job: str
    attempt: int
    voucher: str
    supplier: str
    held: int
    currency: str
    lapses_at: datetime


class MovementTold(ResponseModel):
    """One movement of money."""

    step: str
    voucher: str
    job: str
    attempt: int
    amount: int
    currency: str
    at: datetime


class YearTold(ResponseModel):
    """How far an organisation is from the year's cap of a programme."""

    programme: str
    currency: str
    year: int
    cap: int
    taken: int
    """Held or paid this year."""
    left: int
    granted: int
    """Claims that are granted and not paid out."""
    paid: int


class UseTold(ResponseModel):
    """What a voucher has paid of one attempt of a job, or of an hour of a service's calls."""

    job: str
    attempt: int
    programme: str
    organisation: str
    """The consumer, whose voucher pays."""
    supplier: str
    state: str
    cost: int
    subsidy: int
    currency: str
    settled_at: datetime
    claimed_by: str
    """The organisation with a claim on it, granted or waiting; empty: none."""
    needs_payment: bool
    """Whether the programme requires that the fee was paid."""
    sides: list[str]
    """On which side the caller may claim it, by the rules of its programme."""


class ClaimTold(ResponseModel):
    """A claim, and every rule that it did not meet."""

    identity: str
    job: str
    attempt: int
    programme: str
    claimant: str
    side: str
    state: str
    amount: int
    currency: str
    failed: list[str]
    claimed_at: datetime

    @property
    def number(self) -> str:
        """Return its identity as it appears in URLs."""
        return hex_of(self.identity)


class ClaimRuleTold(ResponseModel):
    """The result of one rule for a claim."""

    rule: str
    state: str
    """``met``, ``broken``, ``waiting``, ``not_asked``."""
    why: str
    """Why it is broken, in the language of the request."""


class ClaimFileTold(ResponseModel):
    """A file of a claim; its claimant and those who decide may download it."""

    kind: str
    name: str
    digest: str
    size: int


class ClaimStepTold(ResponseModel):
    """One event of a claim, and when it happened."""

    state: str
    organisation: str
    """Who did it; empty: the rules, at once."""
    note: str
    at: datetime


class ClaimDetail(ClaimTold):
    """A claim with every rule, its payment, its files and its history."""

    organisation: str
    """The consumer."""
    supplier: str
    fee: int
    """What had to be paid; zero while it is refused."""
    reference: str
    """Number of the invoice or receipt; empty: no payment was shown."""
    paid: int
    """The amount that it states as paid."""
    other_subsidies: list[str]
    note: str
    rules: list[ClaimRuleTold]
    files: list[ClaimFileTold]
    history: list[ClaimStepTold]
    may_read_files: bool
    may_decide: bool
    may_pay: bool


class ProgrammeListed(ResponseModel):
    """A programme of vouchers as it is today."""

    name: str
    title: str
    issuer: str
    currency: str
    begins: str
    ends: str
    rate: int
    """In basis points: 3000 is 30 %."""
    version: str
    """The digest of its rules."""


class MeteredTold(ResponseModel):
    """What was metered of one use beside what was settled of it, in one dimension."""

    job: str
    attempt: int
    dimension: str
    metered: int
    """By the backend's own counters, or the gateway's meters."""
    settled: int
    difference: int
    currency: str
    subsidy: int
    """What the voucher pays according to the settlement, for all dimensions."""
    posted: int
    """What was posted for it."""
    findings: list[str]


class HourTold(ResponseModel):
    """The gateway's meters for a closed hour of calls, beside what was settled of it."""

    job: str
    attempts: int
    """How many settlements it has."""
    dimension: str
    metered: int
    settled: int
    difference: int


class ReconciliationTold(ResponseModel):
    """What was metered beside what was settled and posted."""

    uses: list[MeteredTold]
    """Settled uses by the backend's own counters, newest first."""
    hours: list[HourTold]
    """Hours of calls by the gateway's meters now, of the last days."""


class WalletTold(ResponseModel):
    """All that an organisation has of vouchers."""

    organisation: str
    balance: dict[str, int]
    """Currency → what is free in vouchers that pay."""
    vouchers: list[VoucherTold]
    holds: list[HoldTold]
    movements: list[MovementTold]
    """The newest ones, newest first."""
    years: list[YearTold]
    claims: list[ClaimTold]
    """Newest first."""


class WalletListed(ResponseModel):
    """An organisation that has vouchers, or has claimed."""

    organisation: str
    vouchers: int
    balance: dict[str, int]
