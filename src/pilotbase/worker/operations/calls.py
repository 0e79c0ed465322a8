"""Calls for a task."""

from __future__ import annotations

from typing import Any, TypeVar

from pilotbase.documents.api.calls import CallDetail, CallTold, ExpertTold
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.call import CallTerms
from pilotbase.documents.call_history import CallHistory
from pilotbase.documents.moments import day_end
from pilotbase.documents.record import Reviewer
from pilotbase.documents.subjects import name_of
from pilotbase.operations import calls as declared
from pilotbase.operations.matches import OfRecord
from pilotbase.operations.operation import NoInput
from pilotbase.worker.operations.binding import Caller, does
from pilotbase.worker.trials import call_awards, call_judging, calls

_Told = TypeVar("_Told", bound=CallTold)


def _subject(asked: OfRecord) -> str:
    return f"call:{asked.owner}/{asked.name}"


def _found(caller: Caller, asked: OfRecord) -> CallHistory:
    return calls.find_call(caller.base, caller.view, _subject(asked))


does(declared.PUBLISH)(
    lambda caller, asked: detail_told(caller, calls.publish_call(caller.base, caller.view, _subject(asked)))
)
does(declared.CLAIM)(lambda caller, asked: calls.hand_in_claim(caller.base, caller.view, _subject(asked), asked.sent))
does(declared.REVIEWERS)(
    lambda caller, asked: detail_told(
        caller, calls.name_reviewers(caller.base, caller.view, _subject(asked), asked.reviewers, caller.is_member)
    )
)
does(declared.OPEN)(
    lambda caller, asked: detail_told(
        caller, calls.open_claims(caller.base, caller.view, _subject(asked), caller.is_member)
    )
)
does(declared.CLAIMS)(lambda caller, asked: calls.claims_of(caller.base, caller.view, _found(caller, asked)))
does(declared.SCORES)(lambda caller, asked: call_judging.scores_of(caller.base, caller.view, _found(caller, asked)))
does(declared.SCORE)(
    lambda caller, asked: call_judging.give_score(
        caller.base, caller.view, _subject(asked), (asked.claim, asked.points, asked.words), caller.is_member
    )
)
does(declared.TALK)(
    lambda caller, asked: detail_told(
        caller, call_judging.note_talk(caller.base, caller.view, _subject(asked), asked.words)
    )
)
does(declared.RANK)(lambda caller, asked: call_judging.rank_call(caller.base, caller.view, _subject(asked)))
does(declared.AWARD)(
    lambda caller, asked: call_awards.propose_award(
        caller.base, caller.view, _subject(asked), asked.leader, asked.grounds
    )
)
does(declared.APPEAL)(
    lambda caller, asked: call_awards.file_appeal(caller.base, caller.view, _subject(asked), asked.grounds)
)
does(declared.DECIDE)(
    lambda caller, asked: call_awards.decide_appeal(
        caller.base, caller.view, _subject(asked), asked.number, asked.outcome, asked.reasons
    )
)
does(declared.REACHED)(
    lambda caller, asked: detail_told(
        caller, call_awards.accept_milestone(caller.base, caller.view, _subject(asked), asked.number, asked.words)
    )
)
does(declared.PAID)(
    lambda caller, asked: detail_told(
        caller,
        call_awards.pay_milestone(caller.base, caller.view, _subject(asked), asked.number, asked.way, asked.reference),
    )
)
does(declared.FILE)(lambda caller, asked: call_awards.file_of(caller.base, caller.view, _subject(asked)))
does(declared.SHOW)(lambda caller, asked: detail_told(caller, _found(caller, asked)))


@does(declared.LIST)
def list_calls(caller: Caller, asked: NoInput) -> list[CallTold]:
    """Return the published calls and the caller's drafts."""
    return [_told(CallTold, caller, one) for one in calls.calls_of(caller.base, caller.view)]


@does(declared.DRAFT)
def draft(caller: Caller, asked: Any) -> CallDetail:
    """Draft a call on the caller's own scenario, or change the draft."""
    terms = filled(CallTerms, asked.sent)
    return detail_told(caller, calls.draft_call(caller.base, caller.view, _subject(asked), asked.sent.scenario, terms))


@does(declared.RELEASE)
def release(caller: Caller, asked: declared.NewRelease) -> CallDetail:
    """Let an expert drop out of the panel."""
    expert = Reviewer(organisation=asked.organisation, person=asked.person)
    return detail_told(
        caller, call_judging.release_reviewer(caller.base, caller.view, _subject(asked), expert, asked.reason)
    )


@does(declared.TENDER)
def tender(caller: Caller, asked: OfRecord) -> CallDetail:
    """Order the tender between the teams."""
    call_judging.order_tender(caller.base, caller.view, _subject(asked))
    return detail_told(caller, _found(caller, asked))


def detail_told(caller: Caller, history: CallHistory) -> CallDetail:
    """Return a call as far as the caller may see it."""
    base, view, opened = caller.base, caller.view, history.opened
    knows, judges = calls.knows(view, history), calls.on_panel(view, history) is not None
    organisation = view.actor.organisation
    opened_claims = calls.taking_part(base, history)
    in_team = any(organisation in one.team for one in opened_claims)
    missing = call_judging.missing_scores(base, history)
    return _told(
        CallDetail,
        caller,
        history,
        terms=history.terms,
        extended=history.shown_close(view.store.clock()) > day_end(history.terms.closes),
        opened_at=opened.opened_at if opened is not None else None,
        judged_at=history.judged.judged_at if history.judged is not None else None,
        objection_ends=history.objection_ends,
        own=calls.own_claim(base, view, history),
        receipts=[one for one in history.receipts if one.leader == organisation],
        pool=list(history.pool) if knows else [],
        panel=[ExpertTold(reviewer=one, missing=count) for one, count in missing.items()] if knows or judges else [],
        barred=list(opened.barred) if opened is not None and knows else [],
        aside=list(opened.aside) if opened is not None and knows else [],
        released=list(history.released) if knows else [],
        claims=opened_claims if knows or judges else [],
        scored=list(call_judging.own_scores(base, view, history).values()) if judges else [],
        round=history.round,
        agreement=call_judging.agreement_in(base, history) if knows or judges else None,
        must_talk=(knows or judges) and call_judging.must_talk(base, history),
        talk=history.talk if knows or judges else None,
        earlier=list(history.earlier) if knows or judges else [],
        tender=history.tender.identity if history.tender is not None else None,
        standing=history.standing if knows or judges or in_team else None,
        award=history.award,
        appeals=[one for one in history.appeals if knows or one.appeal.organisation == organisation],
        reached=list(history.reached),
        payments=list(history.payments) if knows or in_team else [],
        keys=list(history.keys) if knows else [],
    )


def _told(model: type[_Told], caller: Caller, history: CallHistory, **more: object) -> _Told:
    now, published = caller.view.store.clock(), history.published
    owner, _, name = name_of(history.call.subject).partition("/")
    return filled(
        model,
        history.call,
        history.terms,
        owner=owner,
        name=name,
        stage=history.stage(now),
        closes_at=history.shown_close(now),
        published_at=published.published_at if published is not None else None,
        **more,
    )
