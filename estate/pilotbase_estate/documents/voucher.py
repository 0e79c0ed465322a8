"""Voucher 算力券: a subsidy of computing power under rules of a city or programme, from issue to claim.

A voucher pays; a quota caps; fair share orders: three separate things. Money is in whole hundredths of its currency
(fen 分 for CNY). Time on a resource is in whole milliseconds of one unit of it: core-ms, GPU-ms, licence-ms, MiB-ms for
memory and disk; calls and tokens are in pieces. So sums are exact, and anyone can compute them again.

Rules differ by city (`reference/policy.md`), so none are built in. Each set of rules is a document, and a voucher names
the digest of the one that it was issued under.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from pilotbase.documents.base import Day, Document, Localized, Moment, Name, Note, Part
from pilotbase.documents.errors import InputError
from pilotbase.documents.estimate import (
    IN_HUNDREDTHS,
    Amounts,
    Count,
    Currency,
    Money,
    Rounding,
    category_of,
    format_money,
    rounded,
)
from pilotbase.documents.hashes import Digest
from pilotbase.documents.moments import format_day
from pilotbase.documents.permissions import EVERYBODY, MACHINE, OPERATOR, REGULATOR, PluginAct
from pilotbase.documents.texts import Text
from pilotbase_estate.documents.resources import Demand, Resources

WHOLE_RATE = 10_000
"""Basis points: all of it."""
Word = Annotated[str, StringConstraints(min_length=1, max_length=200)]
JobName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][A-Za-z0-9_.:@/-]{0,99}$")]
"""A job's name in every step of its payment: ``job:41``, ``service:pump-alarm@2027-03-01T09``."""
VoucherName = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
FileKind = Literal["invoice", "receipt"]
"""What a file of a claim is: the bill, or the proof that it was paid."""
Side = Literal["supplier", "consumer"]
"""Who sold the computing power, or who used it."""
Category = Literal["cpu", "memory", "disk", "gpu", "licence", "calls", "tokens"]


class VoucherAct(PluginAct):
    """Acts on vouchers."""

    CLAIM = "voucher.claim", *EVERYBODY, MACHINE
    DECIDE = "voucher.decide", OPERATOR, MACHINE, REGULATOR
    PAY = "voucher.pay", OPERATOR, MACHINE
    SET_RULES = "voucher.set-rules", OPERATOR, MACHINE


class MeteringTerms(Part):
    """How far the backend's own counters may be from our clock times the amount requested.

    The smaller of the two is always settled; beyond the tolerance, the settlement also says so and names the node.
    """

    tolerance: Annotated[int, IN_HUNDREDTHS] = Field(default=500, ge=0, le=WHOLE_RATE)
    """In basis points of our clock's figure."""
    tolerance_ms: int = Field(default=2_000, ge=0, le=3_600_000)
    """Milliseconds of one unit that are always allowed: a short job's clocks start and stop at slightly different
    times."""


class VoucherRules(Document, published=True):
    """The rules of one programme of vouchers, as published by its authority."""

    document: Literal["voucher-rules/1"] = "voucher-rules/1"
    name: Name
    """The programme; changed rules are a new version under the same name, and apply to vouchers issued from then on."""
    title: Localized | str
    issuer: Name
    """Whose fund it is."""
    currency: Currency = "CNY"
    begins: Day
    ends: Day
    """The last day on which a voucher is issued or pays anything new."""
    utc_offset_minutes: int = Field(default=480, ge=-720, le=840)
    """Days and years of the programme are those of this offset from UTC."""
    claimed_by: tuple[Side, ...] = Field(min_length=1, max_length=2)
    """Who may claim. If both may, the first to claim a use gets it, and the other cannot."""
    rate: Annotated[int, IN_HUNDREDTHS] = Field(strict=True, ge=1, le=WHOLE_RATE)
    """How much of a counted fee the voucher pays, in basis points: 3000 is 30 %."""
    rounding: Rounding = "down"
    """How the paid share is rounded to a whole hundredth, once for each use."""
    cap_voucher: Money
    """The most that one voucher is issued for."""
    cap_year: Money
    """The most that one organisation is paid, or claims, in a year of the programme."""
    total: Money
    """All that the programme can issue."""
    minimum: Money = 0
    """The lowest counted fee of a use that is subsidised at all."""
    uncounted: tuple[Category, ...] = ()
    """Categories of cost that are not subsidised."""
    unrelated: bool = True
    """Supplier and consumer may have no tie of ownership, direct or through others."""
    paid: bool = True
    """A claim needs evidence that the fee was paid."""
    once: bool = True
    """A fee that another programme subsidises is not subsidised again."""
    valid_days: int = Field(ge=1, le=3660)
    """How many days from its issue a voucher takes new holds."""
    hold_hours: int = Field(default=72, ge=1, le=24 * 92)
    """The longest that a hold is honoured: a hold made while its voucher was valid pays for work until the hold's own
    deadline, even if the voucher has expired since."""
    settle_hours: int = Field(default=24, ge=1, le=24 * 92)
    """How long after its deadline a hold waits to be settled; then it is released."""
    claim_days: int = Field(default=180, ge=1, le=3660)
    """Within how many days after its settlement a use can be claimed."""
    reviewed_from: Money | None = None
    """A claim of at least this amount that meets every rule waits for a person, who looks at its evidence and grants or
    refuses it; none: no claim does, 0: every claim does."""
    metering: MeteringTerms = MeteringTerms()
    note: Note = ""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.begins > self.ends:
            raise InputError("voucher.ends_before", begins=self.begins, ends=self.ends)
        if not 0 < self.cap_voucher <= self.total or self.cap_year == 0:
            raise InputError("voucher.caps_disagree", cap=self.cap_voucher, total=self.total, year=self.cap_year)
        return self

    def day(self, at: datetime) -> str:
        """Return the programme's day at a moment."""
        return format_day(self._local(at))

    def year(self, at: datetime) -> int:
        """Return the programme's year at a moment."""
        return self._local(at).year

    def spell(self, amount: int) -> str:
        """Return an amount of the programme's money in readable form: ``1,234.50 CNY``."""
        return format_money(amount, self.currency)

    def counts(self, dimension: str) -> bool:
        """Return whether the cost of a dimension is subsidised."""
        return category_of(dimension) not in self.uncounted

    def share(self, counted: int) -> int:
        """Return what is paid of a counted fee: nothing for one below the minimum."""
        return 0 if counted < self.minimum else rounded(counted * self.rate, WHOLE_RATE, self.rounding)

    def _local(self, at: datetime) -> datetime:
        return at + timedelta(minutes=self.utc_offset_minutes)


class Usage(Part):
    """A backend's own counters for one attempt."""

    source: Word
    """Which counters: ``cgroup v2``, ``proc``, ``ray``, ``gateway``."""
    node: Word
    wall_ms: Count
    cpu_ms: Count | None = None
    """Core-milliseconds; None: the backend does not count them, and nothing is settled for them."""
    memory_mib_ms: Count | None = None
    disk_mib_ms: Count | None = None
    gpu_ms: Mapping[Name, Count] = Field(default_factory=dict, max_length=40)
    licence_ms: Mapping[Name, Count] = Field(default_factory=dict, max_length=40)
    calls: Count = 0
    tokens: Count = 0

    @property
    def counted(self) -> Mapping[str, int]:
        """Return dimension → amount, for what is counted."""
        plain = {"cpu": self.cpu_ms, "memory": self.memory_mib_ms, "disk": self.disk_mib_ms}
        found = {name: amount for name, amount in plain.items() if amount is not None}
        found |= {f"gpu/{kind}": amount for kind, amount in self.gpu_ms.items()}
        found |= {f"licence/{name}": amount for name, amount in self.licence_ms.items()}
        return found | {name: amount for name, amount in (("calls", self.calls), ("tokens", self.tokens)) if amount}


class UsageSheet(Document, published=True):
    """What one attempt used 用量单: when it ran by our own clock, and what its backend counted."""

    document: Literal["usage-sheet/1"] = "usage-sheet/1"
    job: JobName
    attempt: int = Field(ge=0)
    started_at: Moment
    ended_at: Moment
    usage: Usage
    capacity: Resources | None = None
    """What its node declares to have; None: not known."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.ended_at < self.started_at:
            raise InputError("voucher.ended_before", job=self.job, attempt=self.attempt)
        return self


class CostLine(Part):
    """One line of a bill."""

    of: Word
    amount: Count
    price: Money
    """For a thousand calls, a million tokens, or an hour of one unit."""
    cost: Money
    counts: bool
    """Whether it is subsidised."""


class Voucher(Document, published=True):
    """A voucher given to an organisation."""

    document: Literal["voucher/1"] = "voucher/1"
    identity: VoucherName
    programme: Name
    rules: Digest
    organisation: Name
    amount: Money
    issued_at: Moment
    expires_at: Moment
    """From this moment on it takes no new holds."""


class VoucherHold(Document, published=True):
    """What was set aside from a voucher for one attempt of a job, when it was submitted."""

    document: Literal["voucher-hold/1"] = "voucher-hold/1"
    job: JobName
    attempt: int = Field(ge=0)
    voucher: VoucherName
    organisation: Name
    pool: Name
    supplier: Name
    rules: Digest
    prices: Digest
    demand: Demand = Resources({})
    seconds: int = Field(ge=1, le=24 * 92 * 3600)
    """The longest that it may run."""
    calls: Count = 0
    tokens: Count = 0
    cost: Money
    """At the most."""
    wanted: Money
    """The voucher's share of that."""
    held: Money
    """What the voucher had: it pays no more than that."""
    held_at: Moment
    deadline: Moment
    """Work up to this time is paid."""
    lapses_at: Moment
    """If it is not settled by then, it is released."""


class Settlement(Document, published=True):
    """What one attempt used, what it costs, and how much of that the voucher pays."""

    document: Literal["voucher-settlement/1"] = "voucher-settlement/1"
    job: JobName
    attempt: int = Field(ge=0)
    voucher: VoucherName
    hold: Digest
    organisation: Name
    supplier: Name
    started_at: Moment
    ended_at: Moment
    """By our own clock."""
    settled_at: Moment
    usage: Usage
    capacity: Resources | None = None
    """What the node declares to have."""
    settled: Amounts
    """What is billed: the smaller of counters and clock, for the time up to the hold's deadline."""
    findings: tuple[Text, ...] = ()
    """Where counters and clock disagree, or a node reports something impossible."""
    lines: tuple[CostLine, ...]
    cost: Money
    counted: Money
    """Cost of the lines that are subsidised."""
    subsidy: Money
    """What the voucher pays."""
    reason: Text | None = None
    """Why the voucher pays less than its share, or nothing."""

    @property
    def own(self) -> int:
        """What the organisation pays itself."""
        return self.cost - self.subsidy


class Payment(Part):
    """Evidence that a fee was paid: an invoice with its bank receipt."""

    reference: Word
    """Number of invoice or receipt."""
    evidence: Digest
    """Of the file that shows it."""
    amount: Money
    paid_on: Day
    payer: Name
    payee: Name


class ClaimFile(Part):
    """A file that a claimant handed in with a claim."""

    kind: FileKind
    name: Word
    digest: Digest
    size: int = Field(ge=0)


class VoucherClaim(Document, published=True):
    """What an organisation claims of a settled use; the claim states no amount: it is what the voucher paid."""

    document: Literal["voucher-claim/1"] = "voucher-claim/1"
    job: JobName
    attempt: int = Field(ge=0)
    claimant: Name
    side: Side
    payment: Payment | None = None
    other_subsidies: tuple[Word, ...] = Field(default=(), max_length=20)
    """Other programmes that subsidise the same fee, as declared by the claimant."""
    files: tuple[ClaimFile, ...] | None = Field(default=None, max_length=10)
    """The files handed in with it; the file that shows the payment is `Payment.evidence`."""
    made_at: Moment
    note: Note = ""


class ReviewedEvidence(Part):
    """Who looked at the evidence of a claim, and their decision."""

    organisation: Name
    note: Note = ""


class ClaimDecision(Document, published=True):
    """Whether a claim is granted, and every rule that it does not meet."""

    document: Literal["voucher-decision/1"] = "voucher-decision/1"
    claim: Digest
    rules: Digest
    settlement: Digest | None = None
    granted: bool
    failed: tuple[Text, ...] = ()
    amount: Money = 0
    fee: Money = 0
    """What had to be paid, and was."""
    waits: Literal[True] | None = None
    """It meets every rule, and waits for a person to look at its evidence."""
    looked_at: ReviewedEvidence | None = None
    """Who decided it, if the rules require a person."""
    decided_at: Moment

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if [self.granted, bool(self.failed), bool(self.waits)].count(True) != 1:
            raise ValueError("a claim is granted, or waits for a person, or says why not")
        return self


class ClaimPayout(Document, published=True):
    """A record that a granted claim was paid out."""

    document: Literal["voucher-payout/1"] = "voucher-payout/1"
    claim: Digest
    amount: Money
    reference: Word
    """Number of the transfer."""
    paid_at: Moment


def claim_subject(claim: Digest) -> str:
    """Return the subject of a claim on a voucher, by its digest; it is in the store under the same name."""
    return f"voucher-claim:{claim.partition(':')[2]}"
