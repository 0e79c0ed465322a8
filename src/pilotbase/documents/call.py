"""Call for a task 揭榜挂帅: teams hand in sealed claims, experts score them blind of each other, one is awarded.

What moves a call is in documents of the store; its stage is derived from them and the store's clock.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

import pydantic
from pydantic import StringConstraints, model_validator

from pilotbase.documents.base import Day, Document, Moment, Name, Note, Part, Sentence
from pilotbase.documents.board import MOST_ENTRANTS, TenderResult, TenderTerms
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.quality import LabelFigure
from pilotbase.documents.record import Amount, FiledAppeal, PersonId, Reviewer
from pilotbase.documents.subjects import Subject

MOST_PARTNERS = 4
FEWEST_REVIEWERS, MOST_REVIEWERS = 3, 15
LEAST_AGREEMENT = 0.4
"""Krippendorff's alpha below which a panel talks and scores once more before an award."""
Line = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Salt = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""Sealed with its document, so that nobody can guess the document from its digest."""
Weight = Annotated[int, pydantic.Field(ge=0, le=100)]
"""Percent."""


class CallStage(StrEnum):
    """The stage of a call; names: text ``calls.stage.<value>``."""

    DRAFT = "draft"
    PUBLISHED = "published"
    CLOSED = "closed"
    """The last day for claims is over, and they are still sealed."""
    OPENED = "opened"
    """The claims are opened, and experts score them."""
    JUDGED = "judged"
    STANDING = "standing"
    OBJECTION = "objection"
    """An award is proposed in public, and teams may appeal."""
    AWARDED = "awarded"
    FINISHED = "finished"
    VOID = "void"


class ScoredCriterion(Part):
    """What experts score, and how much of their score it is."""

    title: Line
    weight: int = pydantic.Field(ge=1, le=100)
    """Relative to the other criteria."""


class PaidMilestone(Part):
    """What the winner is to reach, by when, and the share of the price that is then paid."""

    title: Line
    due: Day
    share: Weight
    evidence: Literal["statement", "certificate", "service"] = "statement"
    """What shows it: the owner's statement, a certificate of the application, or a service with it."""


class CallTerms(Part):
    """The conditions of a call. They are fixed when it is published."""

    title: Line
    task: Sentence
    """What is wanted, in words."""
    eligibility: Note = ""
    """Who may take part, in words."""
    excluded: tuple[Name, ...] = pydantic.Field(default=(), max_length=200)
    """Organisations that may not take part, such as earlier winners."""
    most_partners: int = pydantic.Field(default=MOST_PARTNERS, ge=0, le=MOST_PARTNERS)
    weight_tender: Weight = 40
    weight_experts: Weight = 40
    weight_price: Weight = 20
    tender: TenderTerms | None = None
    """The terms on which the teams' applications are compared; needed if the tender has a weight."""
    criteria: tuple[ScoredCriterion, ...] = pydantic.Field(min_length=1, max_length=12)
    lowest: int = pydantic.Field(default=1, ge=0, le=100)
    highest: int = pydantic.Field(default=5, ge=1, le=100)
    """The ends of the scale on which experts score."""
    panel: int = pydantic.Field(default=FEWEST_REVIEWERS, ge=FEWEST_REVIEWERS, le=MOST_REVIEWERS)
    """Number of experts, each of whom scores all claims."""
    fewest: int = pydantic.Field(default=3, ge=1, le=MOST_ENTRANTS)
    """With fewer claims the call is extended once, then it is void."""
    prize: Amount
    """The most that is paid; a claim may ask for less."""
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = "CNY"
    milestones: tuple[PaidMilestone, ...] = pydantic.Field(default=(), max_length=12)
    closes: Day
    """The last day for claims."""
    extension_days: int = pydantic.Field(default=14, ge=1, le=90)
    objection_days: int = pydantic.Field(default=7, ge=1, le=60)
    """Days between the proposed award and the award, in which teams may appeal."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        total = self.weight_tender + self.weight_experts + self.weight_price
        if total != 100:
            raise InputError("calls.weights", total=total)
        if self.weight_tender and self.tender is None:
            raise InputError("calls.no_tender_terms", weight=self.weight_tender)
        if self.lowest >= self.highest:
            raise InputError("calls.scale", lowest=self.lowest, highest=self.highest)
        shares = sum(one.share for one in self.milestones)
        if self.milestones and shares != 100:
            raise InputError("calls.shares", total=shares)
        if float(self.prize) <= 0:
            raise InputError("calls.no_prize")
        return self


class TaskCall(Document):
    """A call on one version of a scenario, as its owner has drafted it."""

    document: Literal["call/1"] = "call/1"
    subject: Subject
    """``call:<owner>/<name>``."""
    scenario: Subject
    version: Digest
    """Of the scenario."""
    owner: Name
    terms: CallTerms


class PublishedCall(Document, published=True):
    """A call that everybody may read; its terms do not change any more."""

    document: Literal["published-call/1"] = "published-call/1"
    call: TaskCall
    published_at: Moment


class TeamPartner(Part):
    """A partner of a team, and its part in the work."""

    organisation: Name
    part: Line


class ClaimTerms(Part):
    """What a team promises."""

    application: Subject
    """The leader's submitted application for the scenario of the call."""
    partners: tuple[TeamPartner, ...] = pydantic.Field(default=(), max_length=MOST_PARTNERS)
    plan: Annotated[str, StringConstraints(min_length=1, max_length=60_000)]
    price: Amount
    commitment: Literal[True]
    """The team commits to its plan and its price if the call is awarded to it, and enters the tender."""
    ties: tuple[Name, ...] = pydantic.Field(default=(), max_length=100)
    """Organisations that a member of the team owns, employs, or has worked with in the past three years."""


class TeamClaim(Document, published=True):
    """A team's claim. It is sealed until the call is opened."""

    document: Literal["claim/1"] = "claim/1"
    call: Subject
    leader: Name
    version: Digest
    """Of the application."""
    terms: ClaimTerms
    salt: Salt

    @property
    def team(self) -> tuple[str, ...]:
        """Return the leader and the partners."""
        return (self.leader, *(one.organisation for one in self.terms.partners))


class SealedClaim(Document, published=True):
    """The receipt of a claim. Its digest is in the log from now on; what the claim says is encrypted."""

    document: Literal["sealed-claim/1"] = "sealed-claim/1"
    call: Subject
    leader: Name
    claim: Digest
    """Digest of the claim; its salt keeps it from being guessed."""
    blob: Digest
    received_at: Moment


class ReviewerPool(Document):
    """The experts from among whom the panel of a call is drawn."""

    document: Literal["call-reviewers/1"] = "call-reviewers/1"
    call: Subject
    reviewers: tuple[Reviewer, ...] = pydantic.Field(min_length=FEWEST_REVIEWERS, max_length=100)


class TurnedKey(Document):
    """An officer's part in the opening of the claims: two officers open them, neither alone."""

    document: Literal["call-key/1"] = "call-key/1"
    call: Subject
    organisation: Name
    person: PersonId
    operator: bool
    """Whether it was turned as the operator."""
    at: Moment


class BarredReviewer(Part):
    """An expert who may not score any claim of a call, and why."""

    reviewer: Reviewer
    team: Name
    """Leader of the team to which there is a tie."""
    member: Name
    """The member of the team that the expert's organisation is tied to."""


class SetAsideClaim(Part):
    """A claim that does not take part: one of its partners is in another team too."""

    leader: Name
    member: Name


class OpenedCall(Document, published=True):
    """The opening of the claims: which they are, which experts are barred, and the order in which they are drawn."""

    document: Literal["opened-call/1"] = "opened-call/1"
    call: Subject
    claims: tuple[Digest, ...]
    """Of those that take part, by leader."""
    aside: tuple[SetAsideClaim, ...]
    drawn: tuple[Reviewer, ...]
    """Experts without a tie, in the drawn order: the first form the panel, the others replace who drops out."""
    barred: tuple[BarredReviewer, ...]
    opened_at: Moment


class ReleasedReviewer(Document):
    """An expert who has dropped out of the panel: declared an interest, or was released by the operator."""

    document: Literal["call-released/1"] = "call-released/1"
    call: Subject
    reviewer: Reviewer
    by: Name
    reason: Sentence
    at: Moment


class ExpertScore(Document, published=True):
    """One expert's points for one claim. It is sealed until the last one is in."""

    document: Literal["score/1"] = "score/1"
    call: Subject
    round: int = pydantic.Field(ge=1)
    claim: Digest
    reviewer: Reviewer
    points: tuple[int, ...] = pydantic.Field(min_length=1, max_length=12)
    """In the order of the criteria."""
    words: Sentence
    salt: Salt


class SealedScore(Document, published=True):
    """The receipt of a score."""

    document: Literal["sealed-score/1"] = "sealed-score/1"
    call: Subject
    round: int
    claim: Digest
    reviewer: Reviewer
    score: Digest
    blob: Digest
    received_at: Moment


class JudgedCall(Document, published=True):
    """All scores of a round, opened at once when the last one came in."""

    document: Literal["judged-call/1"] = "judged-call/1"
    call: Subject
    round: int
    scores: tuple[ExpertScore, ...]
    judged_at: Moment


class PanelTalk(Document, published=True):
    """A panel that did not agree has talked, and each expert scores once more under seal. It happens once in a call."""

    document: Literal["call-talk/1"] = "call-talk/1"
    call: Subject
    round: int = pydantic.Field(ge=1)
    """The round whose scores were talked about."""
    agreement: LabelFigure
    """Of these scores."""
    words: Sentence
    """What was said."""
    at: Moment


class GateFact(Part):
    """Whether the trial of a team's application on the scenario of the call ended with accept."""

    claim: Digest
    state: Literal["passed", "failed", "untried"]
    report: Digest | None = None


class StandingLine(Part):
    """One team in the standing; points are from 0 to 100."""

    claim: Digest
    leader: Name
    application: Subject
    gate: Literal["passed", "failed", "untried"]
    report: Digest | None = None
    tender: float | None = None
    """None: the tender has no weight."""
    experts: float
    price: float
    total: float
    place: int | None = None
    """None: it has not passed the gate."""


class CallStanding(Document, published=True):
    """The standing of a call: what follows from gate, tender, scores and prices."""

    document: Literal["call-standing/1"] = "call-standing/1"
    call: Subject
    terms: Digest
    """Of the published call."""
    round: int
    judged: Digest
    tender: Digest | None = None
    """The result of the tender."""
    lines: tuple[StandingLine, ...]
    """By place; who has not passed the gate comes last."""
    agreement: LabelFigure
    """Krippendorff's alpha of the experts' points (interval scale), claims being the items."""
    stays_first: float | None = None
    """Share of resampled panels in which the first stays first; None: nobody has passed the gate."""

    def line(self, claim: str) -> StandingLine:
        """Return the line of a claim; raises `KeyError`."""
        return {one.claim: one for one in self.lines}[claim]


class CallAward(Document, published=True):
    """To whom a call is awarded, on what grounds. It holds when the days for objections are over."""

    document: Literal["award/1"] = "award/1"
    call: Subject
    standing: Digest
    claim: Digest
    team: tuple[Name, ...]
    """The leader first."""
    application: Subject
    place: int
    price: Amount
    report: Digest
    """Of the trial of the winner's application."""
    grounds: Note
    proposed_at: Moment


AppealOutcome = Literal["dismissed", "award_again", "score_again", "void"]


class CallAppeal(Document):
    """An appeal of a team, and how it was decided."""

    document: Literal["call-appeal/1"] = "call-appeal/1"
    call: Subject
    appeal: FiledAppeal
    outcome: AppealOutcome | None = None


class ReachedMilestone(Document, published=True):
    """A milestone that the owner has accepted."""

    document: Literal["milestone/1"] = "milestone/1"
    call: Subject
    number: int = pydantic.Field(ge=1)
    words: Sentence
    evidence: Digest | None = None
    """Of the certificate, or of the service."""
    reached_at: Moment


PaymentWay = Literal["contract", "voucher"]
"""How a milestone is paid; names: text ``calls.way_paid.<value>``."""


class MilestonePayment(Document, published=True):
    """What the owner has paid for an accepted milestone, as the owner says."""

    document: Literal["milestone-payment/1"] = "milestone-payment/1"
    call: Subject
    number: int = pydantic.Field(ge=1)
    way: PaymentWay
    reference: Line
    """Of the contract's payment, or the voucher."""
    amount: Amount
    """The share of the price that the milestone stands for."""
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    paid_at: Moment


class CallFile(Document, published=True):
    """Everything that a standing follows from, for a check away from the base."""

    document: Literal["call-file/1"] = "call-file/1"
    published: PublishedCall
    receipts: tuple[SealedClaim, ...]
    opened: OpenedCall
    claims: tuple[TeamClaim, ...]
    released: tuple[ReleasedReviewer, ...]
    score_receipts: tuple[SealedScore, ...]
    judged: JudgedCall
    earlier: tuple[JudgedCall, ...] = ()
    """The scores of earlier rounds."""
    talk: PanelTalk | None = None
    tender: TenderResult | None = None
    standing: CallStanding
