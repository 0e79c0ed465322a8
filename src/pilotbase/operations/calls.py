"""Calls for a task: published by an owner, claimed by teams, scored by experts, awarded."""

from __future__ import annotations

from typing import Annotated

import pydantic

from pilotbase.documents.api.calls import CallDetail, CallTold, NewCall
from pilotbase.documents.base import Name, Note, Sentence
from pilotbase.documents.call import (
    FEWEST_REVIEWERS,
    AppealOutcome,
    CallAppeal,
    CallAward,
    CallFile,
    CallStanding,
    ClaimTerms,
    JudgedCall,
    Line,
    PaymentWay,
    SealedClaim,
    SealedScore,
    TeamClaim,
)
from pilotbase.documents.hashes import Digest
from pilotbase.documents.record import PersonId, Reviewer
from pilotbase.operations.matches import OfRecord, OfRecordWith
from pilotbase.operations.operation import PATH, Callers, NoInput, Operation, Repeated


class NewExperts(OfRecord):
    """The experts from among whom a panel is drawn."""

    reviewers: list[Reviewer] = pydantic.Field(min_length=FEWEST_REVIEWERS, max_length=100)


class NewScore(OfRecord):
    """An expert's score of a claim."""

    claim: Digest
    points: list[int] = pydantic.Field(min_length=1, max_length=12)
    """In the order of the criteria."""
    words: Sentence


class NewTalk(OfRecord):
    """What a panel has said to each other."""

    words: Sentence


class NewRelease(OfRecord):
    """An expert who drops out, and why."""

    organisation: Name
    person: PersonId
    reason: Sentence


class NewAward(OfRecord):
    """To whom a call is to be awarded."""

    leader: Name
    grounds: Note = ""


class NewAppeal(OfRecord):
    """Why a team does not accept standing or award."""

    grounds: Sentence


class NewOutcome(OfRecord):
    """The decision on an appeal."""

    number: Annotated[int, pydantic.Field(ge=1, le=10_000), PATH]
    outcome: AppealOutcome
    reasons: Sentence


class PaidMilestoneNoted(OfRecord):
    """How a milestone was paid."""

    number: Annotated[int, pydantic.Field(ge=1, le=12), PATH]
    way: PaymentWay
    reference: Line
    """Of the contract's payment, or the voucher."""


class NewReached(OfRecord):
    """A milestone that was reached, in the owner's words."""

    number: Annotated[int, pydantic.Field(ge=1, le=12), PATH]
    words: Sentence


_CALL, _HARMLESS = "/calls/{owner}/{name}", Repeated.HARMLESS
_OWNER, _OPERATOR, _PANEL = "owner of the scenario", "operator", "experts of the panel"
_READ = frozenset({403, 409})
_TERMS = {
    "scenario": "scenario:plant/milling",
    "title": "Fewer broken spindles",
    "task": "Warn the shift ten minutes before a spindle breaks.",
    "weight_tender": 40,
    "weight_experts": 40,
    "weight_price": 20,
    "tender": {"measure": "accuracy", "cases": 2000, "margin": 0.01},
    "criteria": [{"title": "Plan", "weight": 60}, {"title": "Team", "weight": 40}],
    "prize": "1000000",
    "milestones": [{"title": "In service", "due": "2027-06-30", "share": 100, "evidence": "service"}],
    "closes": "2027-01-31",
}
LIST = Operation("calls.list", "GET /calls", NoInput, list[CallTold], callers=Callers.EVERYBODY)
SHOW = Operation("calls.show", f"GET {_CALL}", OfRecord, CallDetail, callers=Callers.EVERYBODY)
DRAFT = Operation(
    "calls.draft",
    f"PUT {_CALL}",
    OfRecordWith[NewCall],
    CallDetail,
    only=_OWNER,
    repeated=_HARMLESS,
    example=_TERMS,
)
PUBLISH = Operation("calls.publish", f"POST {_CALL}/publish", OfRecord, CallDetail, only=_OWNER, repeated=_HARMLESS)
CLAIM = Operation(
    "calls.claim",
    f"PUT {_CALL}/claim",
    OfRecordWith[ClaimTerms],
    SealedClaim,
    only="suppliers",
    repeated=_HARMLESS,
    example={
        "application": "application:acme/forest",
        "partners": [{"organisation": "globex", "part": "Sensors"}],
        "plan": "Six weeks at the first site, then two more sites.",
        "price": "900000",
        "commitment": True,
    },
)
REVIEWERS = Operation(
    "calls.reviewers",
    f"POST {_CALL}/reviewers",
    NewExperts,
    CallDetail,
    only=_OPERATOR,
    repeated=_HARMLESS,
    example={
        "reviewers": [
            {"organisation": "institute", "person": "p-reviewer"},
            {"organisation": "academy", "person": "p-other-reviewer"},
            {"organisation": "academy", "person": "p-third-reviewer"},
        ]
    },
)
OPEN = Operation(
    "calls.open",
    f"POST {_CALL}/open",
    OfRecord,
    CallDetail,
    only=f"two of them, one an operator: {_OPERATOR}, regulator, {_OWNER}",
    repeated=_HARMLESS,
)
CLAIMS = Operation(
    "calls.claims",
    f"GET {_CALL}/claims",
    OfRecord,
    list[TeamClaim],
    only=f"{_OWNER}, operator, regulator, {_PANEL}",
    refuses=_READ,
)
SCORE = Operation(
    "calls.score",
    f"POST {_CALL}/scores",
    NewScore,
    SealedScore,
    only=_PANEL,
    repeated=_HARMLESS,
    example={"claim": f"sha256:{'0' * 64}", "points": [4, 5], "words": "A plan that can be kept."},
)
SCORES = Operation(
    "calls.scores",
    f"GET {_CALL}/scores",
    OfRecord,
    JudgedCall,
    only=f"{_OWNER}, operator, regulator, {_PANEL}",
    refuses=_READ,
)
RELEASE = Operation(
    "calls.release",
    f"POST {_CALL}/release",
    NewRelease,
    CallDetail,
    only="operator; experts of the panel, for themselves",
    repeated=_HARMLESS,
    example={"organisation": "institute", "person": "p-reviewer", "reason": "Works with a team since May."},
)
TALK = Operation(
    "calls.talk",
    f"POST {_CALL}/talk",
    NewTalk,
    CallDetail,
    only=_OPERATOR,
    repeated=_HARMLESS,
    example={"words": "Two experts had read the plan as a pilot, not as a roll-out."},
)
TENDER = Operation("calls.tender", f"POST {_CALL}/tender", OfRecord, CallDetail, only=_OWNER, repeated=_HARMLESS)
RANK = Operation(
    "calls.rank",
    f"POST {_CALL}/standing",
    OfRecord,
    CallStanding,
    only=f"{_OWNER}, operator",
    repeated=_HARMLESS,
)
AWARD = Operation(
    "calls.award",
    f"POST {_CALL}/award",
    NewAward,
    CallAward,
    only=_OWNER,
    repeated=_HARMLESS,
    example={"leader": "acme"},
)
APPEAL = Operation(
    "calls.appeal",
    f"POST {_CALL}/appeals",
    NewAppeal,
    CallAppeal,
    only="leaders of the teams",
    repeated=_HARMLESS,
    example={"grounds": "An expert works for another team."},
)
DECIDE = Operation(
    "calls.decide",
    f"POST {_CALL}/appeals/{{number}}/decision",
    NewOutcome,
    CallAppeal,
    only=_OPERATOR,
    repeated=_HARMLESS,
    example={"outcome": "score_again", "reasons": "The expert had a tie that was not declared."},
)
REACHED = Operation(
    "calls.reached",
    f"POST {_CALL}/milestones/{{number}}",
    NewReached,
    CallDetail,
    only=_OWNER,
    repeated=_HARMLESS,
    example={"words": "Runs at the first site since March."},
)
PAID = Operation(
    "calls.paid",
    f"POST {_CALL}/milestones/{{number}}/payment",
    PaidMilestoneNoted,
    CallDetail,
    only=_OWNER,
    repeated=_HARMLESS,
    example={"way": "contract", "reference": "Invoice 2027-118"},
)
FILE = Operation(
    "calls.file", f"GET {_CALL}/file", OfRecord, CallFile, only=f"{_OWNER}, operator, regulator", refuses=_READ
)
