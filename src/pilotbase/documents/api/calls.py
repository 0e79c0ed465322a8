"""Calls for a task over the API: their terms, and what each caller may see of them."""

from __future__ import annotations

from datetime import datetime

from pilotbase.documents.api.shapes import ResponseModel
from pilotbase.documents.call import (
    BarredReviewer,
    CallAppeal,
    CallAward,
    CallStage,
    CallStanding,
    CallTerms,
    ExpertScore,
    JudgedCall,
    MilestonePayment,
    PanelTalk,
    ReachedMilestone,
    ReleasedReviewer,
    SealedClaim,
    SetAsideClaim,
    TeamClaim,
    TurnedKey,
)
from pilotbase.documents.quality import LabelFigure
from pilotbase.documents.record import Reviewer
from pilotbase.documents.subjects import Subject


class NewCall(CallTerms):
    """The terms of a call, and its scenario."""

    scenario: Subject


class CallTold(ResponseModel):
    """A call in a list."""

    subject: str
    owner: str
    name: str
    title: str
    scenario: str
    stage: CallStage
    closes_at: datetime
    prize: str
    currency: str
    published_at: datetime | None
    """None: a draft, which only its owner and the base see."""


class ExpertTold(ResponseModel):
    """An expert of the panel, and how many claims are still to be scored."""

    reviewer: Reviewer
    missing: int


class CallDetail(CallTold):
    """A call, as far as the caller may see it. What is sealed is missing for everybody."""

    terms: CallTerms
    extended: bool
    """Too few claims had come by the last day, so it takes claims for some days more."""
    opened_at: datetime | None
    judged_at: datetime | None
    objection_ends: datetime | None
    own: TeamClaim | None
    """The claim of the caller's team."""
    receipts: list[SealedClaim]
    """The receipts of the caller's team, oldest first."""
    pool: list[Reviewer]
    """Named experts, for the owner and the base."""
    panel: list[ExpertTold]
    """The drawn experts, for the owner, the base and the panel."""
    barred: list[BarredReviewer]
    aside: list[SetAsideClaim]
    released: list[ReleasedReviewer]
    claims: list[TeamClaim]
    """The opened claims, for the owner, the base and the panel."""
    scored: list[ExpertScore]
    """The caller's own scores in this round."""
    round: int
    """Of scores; the first is 1."""
    agreement: LabelFigure | None
    """Of the opened scores of this round, for the owner, the base and the panel, as the next three."""
    must_talk: bool
    """Whether they disagree and have not talked yet: until they score once more, nothing is awarded."""
    talk: PanelTalk | None
    """The panel's talk, after which the experts score once more."""
    earlier: list[JudgedCall]
    """The scores of earlier rounds."""
    tender: str | None
    """Identifier of the tender between the teams."""
    standing: CallStanding | None
    """For the owner, the base, the panel and the teams."""
    award: CallAward | None
    appeals: list[CallAppeal]
    """A team sees its own."""
    reached: list[ReachedMilestone]
    payments: list[MilestonePayment]
    """For the owner, the base and the teams."""
    keys: list[TurnedKey]
    """Of the officers who have asked for the opening, for the owner and the base."""
