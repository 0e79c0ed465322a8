"""What has become of a call: stage, round and panel follow from the documents of the store, and from the clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pilotbase.documents.board import Tender
from pilotbase.documents.call import (
    CallAppeal,
    CallAward,
    CallStage,
    CallStanding,
    CallTerms,
    JudgedCall,
    MilestonePayment,
    OpenedCall,
    PanelTalk,
    PublishedCall,
    ReachedMilestone,
    ReleasedReviewer,
    SealedClaim,
    SetAsideClaim,
    TaskCall,
    TeamClaim,
    TurnedKey,
)
from pilotbase.documents.hashes import digest_json
from pilotbase.documents.moments import day_end
from pilotbase.documents.record import Reviewer


@dataclass(frozen=True)
class CallHistory:
    """What has become of a call, from the documents of the store."""

    draft: TaskCall
    published: PublishedCall | None = None
    receipts: tuple[SealedClaim, ...] = ()
    """All of them, oldest first; the last of each leader counts."""
    pool: tuple[Reviewer, ...] = ()
    """The named experts; empty until they are named."""
    keys: tuple[TurnedKey, ...] = ()
    """Of the officers who have asked for the opening, oldest first."""
    opened: OpenedCall | None = None
    released: tuple[ReleasedReviewer, ...] = ()
    tender: Tender | None = None
    """Between the teams; None before it is ordered."""
    judged: JudgedCall | None = None
    """Of the present round."""
    earlier: tuple[JudgedCall, ...] = ()
    """The scores of earlier rounds, oldest first."""
    talk: PanelTalk | None = None
    """After which the experts score once more."""
    standing: CallStanding | None = None
    award: CallAward | None = None
    appeals: tuple[CallAppeal, ...] = ()
    reached: tuple[ReachedMilestone, ...] = ()
    payments: tuple[MilestonePayment, ...] = ()

    @property
    def call(self) -> TaskCall:
        """Return the call: as published, or as drafted."""
        return self.published.call if self.published is not None else self.draft

    @property
    def terms(self) -> CallTerms:
        return self.call.terms

    @property
    def round(self) -> int:
        """Return the number of the round of scores."""
        return 1 + (self.talk is not None) + sum(one.outcome == "score_again" for one in self.appeals)

    @property
    def newest(self) -> Mapping[str, SealedClaim]:
        """Return leader → the receipt that counts."""
        return {one.leader: one for one in self.receipts}

    @property
    def open_appeals(self) -> tuple[CallAppeal, ...]:
        return tuple(one for one in self.appeals if one.outcome is None)

    @property
    def compared(self) -> bool:
        """Return whether a tender compares the teams: it has a weight, and more than one of them takes part."""
        return self.terms.weight_tender > 0 and self.opened is not None and len(self.opened.claims) > 1

    @property
    def panel(self) -> tuple[Reviewer, ...]:
        """Return the experts who score: the first of the drawn order who have not dropped out."""
        out = {one.reviewer for one in self.released}
        drawn = self.opened.drawn if self.opened is not None else ()
        return tuple(one for one in drawn if one not in out)[: self.terms.panel]

    @property
    def closes_at(self) -> datetime:
        """Return when the call takes no more claims: its last day, or the extension if too few had come by then."""
        first = day_end(self.terms.closes)
        in_time = {one.leader for one in self.receipts if one.received_at <= first}
        return first if len(in_time) >= self.terms.fewest else first + timedelta(days=self.terms.extension_days)

    @property
    def objection_ends(self) -> datetime | None:
        """Return when the days for objections end; None before an award is proposed."""
        return self.award.proposed_at + timedelta(days=self.terms.objection_days) if self.award is not None else None

    def stage(self, now: datetime) -> CallStage:
        """Return the stage of the call at ``now``."""
        if self.published is None:
            return CallStage.DRAFT
        if any(one.outcome == "void" for one in self.appeals):
            return CallStage.VOID
        if now <= self.shown_close(now):
            return CallStage.PUBLISHED
        if len(self.newest) < self.terms.fewest:
            return CallStage.VOID
        if self.opened is None:
            return CallStage.CLOSED
        if not self.opened.claims:
            return CallStage.VOID
        if self.judged is None:
            return CallStage.OPENED
        if self.standing is None:
            return CallStage.JUDGED
        ends = self.objection_ends
        if ends is None:
            return CallStage.STANDING
        if now <= ends or self.open_appeals:
            return CallStage.OBJECTION
        return CallStage.FINISHED if len(self.reached) == len(self.terms.milestones) else CallStage.AWARDED

    def shown_close(self, now: datetime) -> datetime:
        """Return when the call closes, as everybody may know it: until then nobody learns how many claims there are."""
        first = day_end(self.terms.closes)
        return self.closes_at if now > first else first


def drawn_order(reviewers: Sequence[Reviewer], salts: Sequence[str]) -> tuple[Reviewer, ...]:
    """Return the experts in an order that nobody could know before the claims were opened: their salts decide."""
    seed = sorted(salts)
    return tuple(sorted(reviewers, key=lambda one: digest_json([seed, one.organisation, one.person])))


def set_aside(claims: Sequence[TeamClaim]) -> Iterator[SetAsideClaim]:
    """Yield the claims with a partner who leads another team or is in another one; a leader's own claim stands."""
    for claim in claims:
        others = [member for one in claims if one is not claim for member in one.team]
        twice = next((one.organisation for one in claim.terms.partners if one.organisation in others), None)
        if twice is not None:
            yield SetAsideClaim(leader=claim.leader, member=twice)
