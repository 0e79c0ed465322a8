"""The judging of an opened call: sealed scores, the tender between the teams, the gate of a trial, the standing.

Scores are encrypted as claims are, and opened all at once when the last expert's last one is in: before that the base
opens them for nobody, so no expert follows another and nobody can wait for a score that suits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from pilotbase.catalogue.records import load_record
from pilotbase.documents.board import Tender, TenderResult
from pilotbase.documents.call import (
    LEAST_AGREEMENT,
    CallStage,
    CallStanding,
    ExpertScore,
    GateFact,
    JudgedCall,
    PanelTalk,
    ReleasedReviewer,
    SealedScore,
    TeamClaim,
)
from pilotbase.documents.call_history import CallHistory
from pilotbase.documents.errors import BarredError, InputError, RefusedError
from pilotbase.documents.hashes import digest_bytes, digest_json
from pilotbase.documents.moments import format_minute
from pilotbase.documents.quality import LabelFigure
from pilotbase.documents.record import Record, Reviewer
from pilotbase.documents.report import Report
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.states import CommissionState
from pilotbase.documents.vocabularies import Role, Verdict
from pilotbase.trial.call_standing import agreement_of, are_at_odds, expert_points, standing_of
from pilotbase.worker.base import Base
from pilotbase.worker.trials.calls import (
    IsMember,
    call_head,
    calls_of,
    find_call,
    history_of,
    is_officer,
    judged_head,
    knows,
    new_salt,
    on_panel,
    own_call,
    require_operator,
    seal_document,
    taking_part,
    tie_of,
    unseal_document,
)
from pilotbase.worker.trials.tenders import Entrant, hold_tender, result_for
from pilotbase.workspace.actors import parties
from pilotbase.workspace.listings import Query, every_listing
from pilotbase.workspace.store import View

_LOST = (CommissionState.SUSPENDED, CommissionState.REVOKED)
"""States in which an accepted trial no longer counts."""


def give_score(
    base: Base, view: View, subject: str, given: tuple[str, Sequence[int], str], known: IsMember
) -> SealedScore:
    """Seal the actor's score (claim, points, words); until the last one of the call is in, another one replaces it.

    Raises:
        NotFoundError: no such call.
        RefusedError: the actor is not of the panel, or has a tie to a team by now.
        BarredError: the claims are not opened, or the scores are.
        InputError: no such claim; points that do not fit criteria and scale.
    """
    history, (claim, points, words) = find_call(base, view, subject), given
    stage = history.stage(view.store.clock())
    if history.opened is None:
        raise BarredError("calls.sealed", at=format_minute(history.shown_close(view.store.clock())))
    reviewer = on_panel(view, history)
    if reviewer is None:
        raise RefusedError("calls.not_on_panel")
    if stage is not CallStage.OPENED:
        raise BarredError("calls.not_now")
    tie = tie_of(base, reviewer, taking_part(base, history), known)
    if tie is not None:
        raise RefusedError("calls.tied", organisation=reviewer.organisation, member=tie.member)
    if claim not in history.opened.claims:
        raise InputError("calls.no_claim", found=claim)
    terms = history.terms
    if len(points) != len(terms.criteria) or not all(terms.lowest <= one <= terms.highest for one in points):
        raise InputError("calls.points", count=len(terms.criteria), lowest=terms.lowest, highest=terms.highest)
    before = own_scores(base, view, history).get(claim)
    if before is not None and (before.points, before.words) == (tuple(points), words):
        return _receipts(base, history)[(claim, reviewer)]
    score = ExpertScore(
        call=subject,
        round=history.round,
        claim=claim,
        reviewer=reviewer,
        points=tuple(points),
        words=words,
        salt=new_salt(),
    )
    sealed = seal_document(base, score, _context(subject, history.round, claim, reviewer))
    with view.transaction("call.scored") as change:
        receipt = SealedScore(
            call=subject,
            round=history.round,
            claim=claim,
            reviewer=reviewer,
            score=score.digest(),
            blob=digest_bytes(sealed),
            received_at=change.now,
        )
        digest = change.put(receipt, parties(), fields={"call": subject})
        change.let_stand(f"call-score:{digest_json(_context(subject, history.round, claim, reviewer))}", digest)
    judge_complete(base, history)
    return receipt


def own_scores(base: Base, view: View, history: CallHistory) -> dict[str, ExpertScore]:
    """Return claim → the actor's own score in this round."""
    reviewer = on_panel(view, history)
    return {
        claim: _opened_score(base, receipt)
        for (claim, given_by), receipt in _receipts(base, history).items()
        if given_by == reviewer
    }


def missing_scores(base: Base, history: CallHistory) -> dict[Reviewer, int]:
    """Return expert of the panel → how many claims are still to be scored."""
    given = _receipts(base, history)
    claims = history.opened.claims if history.opened is not None else ()
    return {one: sum((claim, one) not in given for claim in claims) for one in history.panel}


def judge_complete(base: Base, history: CallHistory) -> None:
    """Open the scores of a round once the last one is in."""
    subject = history.call.subject
    if history.judged is not None or history.opened is None or any(missing_scores(base, history).values()):
        return
    given = _receipts(base, history)
    scores = [_opened_score(base, given[(claim, one)]) for claim in history.opened.claims for one in history.panel]
    with base.lab.view.transaction("call.judged") as change:
        made = JudgedCall(call=subject, round=history.round, scores=tuple(scores), judged_at=change.now)
        seen_by = {one.organisation for one in history.panel} - {history.call.owner}
        digest = change.put(made, parties(*seen_by), owner=history.call.owner, fields={"call": subject})
        change.set_head(judged_head(subject, history.round), digest, expected=None)


def agreement_in(base: Base, history: CallHistory) -> LabelFigure | None:
    """Return how far the experts agree in the present round; None before its scores are opened."""
    if history.judged is None:
        return None
    return agreement_of(expert_points(history.terms, taking_part(base, history), history.judged.scores))


def must_talk(base: Base, history: CallHistory) -> bool:
    """Return whether the experts disagree and have not talked yet: then nothing is awarded."""
    agreement = agreement_in(base, history)
    return history.talk is None and agreement is not None and are_at_odds(agreement)


def note_talk(base: Base, view: View, subject: str, words: str) -> CallHistory:
    """Keep what a panel at odds has said, after which its experts score once more; noted again, it stays as it is.

    Raises:
        NotFoundError: no such call.
        RefusedError: the actor is not the operator.
        BarredError: the scores are not opened, an award is proposed, the experts agree, or they have talked before.
    """
    history = find_call(base, view, subject)
    require_operator(view)
    if history.talk is not None and history.talk.words == words:
        return history
    agreement = agreement_in(base, history)
    if agreement is None or history.stage(view.store.clock()) not in (CallStage.JUDGED, CallStage.STANDING):
        raise BarredError("calls.not_now")
    if not must_talk(base, history):
        raise BarredError("calls.no_second_round", least=LEAST_AGREEMENT)
    with view.transaction("call.talked") as change:
        made = PanelTalk(call=subject, round=history.round, agreement=agreement, words=words, at=change.now)
        seen_by = {one.organisation for one in history.panel} - {history.call.owner}
        digest = change.put(made, parties(*seen_by), owner=history.call.owner, fields={"call": subject})
        change.set_head(call_head("talk", subject), digest, expected=None)
    return history_of(base, subject)


def scores_of(base: Base, view: View, history: CallHistory) -> JudgedCall:
    """Return all scores of the present round to the owner, to the base and to the panel.

    Raises:
        RefusedError: the actor is none of them.
        BarredError: the last one is not in; they are sealed for everybody.
    """
    if not (knows(view, history) or on_panel(view, history) is not None):
        raise RefusedError("calls.not_yours")
    if history.judged is None:
        missing = sum(missing_scores(base, history).values()) if history.opened is not None else 0
        raise BarredError("calls.scores_sealed", missing=missing)
    return history.judged


def release_reviewer(base: Base, view: View, subject: str, reviewer: Reviewer, reason: str) -> CallHistory:
    """Let an expert drop out, so that the next one drawn takes the place; released again, it stays as it is.

    Raises:
        NotFoundError: no such call.
        RefusedError: the actor is neither the operator nor the expert.
        BarredError: it is not time for it, or nobody is left to take the place.
        InputError: no such expert is of the panel.
    """
    history = find_call(base, view, subject)
    if not (view.actor.is_operator or reviewer.person == view.actor.person):
        raise RefusedError("calls.not_on_panel")
    if any(one.reviewer == reviewer for one in history.released):
        return history
    if history.stage(view.store.clock()) is not CallStage.OPENED:
        raise BarredError("calls.not_now")
    if reviewer not in history.panel:
        raise InputError("calls.not_on_panel")
    assert history.opened is not None
    if len(history.opened.drawn) - len(history.released) <= history.terms.panel:
        raise BarredError("calls.nobody_left")
    with view.transaction("call.released") as change:
        made = ReleasedReviewer(
            call=subject, reviewer=reviewer, by=view.actor.organisation, reason=reason, at=change.now
        )
        change.put(made, parties(history.call.owner), owner=reviewer.organisation, fields={"call": subject})
    history = history_of(base, subject)
    judge_complete(base, history)
    return history_of(base, subject)


class CallWaiting(NamedTuple):
    """What a call waits for from the actor; names: text ``calls.told.<act>``."""

    subject: str
    act: str
    title: str
    since: datetime


def calls_waiting(base: Base, view: View) -> Iterator[CallWaiting]:
    """Yield what published calls wait for from the actor."""
    if not view.actor.roles & {Role.OPERATOR, Role.REGULATOR, Role.DEMAND_OWNER, Role.REVIEWER}:
        return
    for history in calls_of(base, view):
        found = _awaited(base, view, history) if history.published is not None else None
        if found is not None:
            yield CallWaiting(history.call.subject, found[0], history.terms.title, found[1])


def _awaited(base: Base, view: View, history: CallHistory) -> tuple[str, datetime] | None:
    """Return the act of the actor for which a call waits, and since when."""
    stage = history.stage(view.store.clock())
    runs, owns = view.actor.is_operator, view.actor.organisation == history.call.owner
    assert history.published is not None
    since, opened, judged = history.published.published_at, history.opened, history.judged
    if runs and history.open_appeals:
        return "decide", history.open_appeals[0].appeal.at
    if runs and judged is not None and stage in (CallStage.JUDGED, CallStage.STANDING) and must_talk(base, history):
        return "talk", judged.judged_at
    if runs and stage in (CallStage.PUBLISHED, CallStage.CLOSED) and not history.pool:
        return "reviewers", since
    if stage is CallStage.CLOSED and history.pool and is_officer(view, history):
        turned = [one.person for one in history.keys]
        if view.actor.person not in turned and (runs or turned):
            return ("second_key" if turned else "open"), history.closes_at
    reviewer = on_panel(view, history) if stage is CallStage.OPENED else None
    if reviewer is not None and opened is not None and missing_scores(base, history)[reviewer]:
        return "score", opened.opened_at
    if owns and opened is not None and stage in (CallStage.OPENED, CallStage.JUDGED):
        held = not history.compared or history.tender is not None
        if not held or judged is not None:
            return ("rank" if held else "tender"), judged.judged_at if judged is not None else opened.opened_at
    if owns and judged is not None and stage in (CallStage.STANDING, CallStage.AWARDED):
        if stage is CallStage.STANDING and must_talk(base, history):
            return None
        return ("award" if stage is CallStage.STANDING else "reached"), history.objection_ends or judged.judged_at
    return None


def order_tender(base: Base, view: View, subject: str) -> Tender:
    """Enter the applications of all teams, as they were when claimed, into one tender and order its decision.

    Raises:
        NotFoundError: the actor owns no such call.
        BarredError: its claims are not opened, or its tender has no weight.
        InputError: it has a single claim.
    """
    history = own_call(base, view, subject)
    terms = history.terms.tender
    if history.opened is None or terms is None or not history.terms.weight_tender:
        raise BarredError("calls.not_now")
    entrants = [Entrant(one.terms.application, one.version, one.leader) for one in taking_part(base, history)]
    call = history.call
    return hold_tender(base, (call.scenario, call.version, call.owner), terms, call_head("tender", subject), entrants)


def rank_call(base: Base, view: View, subject: str) -> CallStanding:
    """Find the standing of a judged call; again until an award is proposed, because trials may have ended meanwhile.

    Raises:
        NotFoundError: no such call.
        RefusedError: the actor is neither its owner nor the operator.
        BarredError: scores are missing, the tender is not decided, or an award is proposed.
    """
    history = find_call(base, view, subject)
    if not (view.actor.is_operator or view.actor.organisation == history.call.owner):
        raise RefusedError("calls.not_yours")
    stage = history.stage(view.store.clock())
    if history.judged is None or history.published is None:
        raise BarredError("calls.scores_sealed", missing=sum(missing_scores(base, history).values()))
    if stage not in (CallStage.JUDGED, CallStage.STANDING):
        raise BarredError("calls.not_now")
    claims = taking_part(base, history)
    made = standing_of(
        history.published, claims, history.judged, _decided(base, history), gates_of(base, history, claims)
    )
    seen_by = {member for one in claims for member in one.team} | {one.organisation for one in history.panel}
    with base.lab.view.transaction("call.ranked") as change:
        digest = change.put(
            made, parties(*(seen_by - {history.call.owner})), owner=history.call.owner, fields={"call": subject}
        )
        change.let_stand(call_head("standing", subject), digest)
    return made


def gates_of(base: Base, history: CallHistory, claims: Sequence[TeamClaim]) -> list[GateFact]:
    """Return of each claim whether a trial of its application on the call's scenario ended with accept."""
    return [_gate(base, history, one) for one in claims]


def _gate(base: Base, history: CallHistory, claim: TeamClaim) -> GateFact:
    view, called = base.lab.view, base.lab.view.load(history.call.version, Scenario)
    found: list[tuple[Record, Report]] = []
    query = Query("commission", scenario=history.call.scenario, application=claim.terms.application)
    for listing in every_listing(view, query):
        record = load_record(view, listing.subject)[0]
        if "report" not in record.documents or record.documents.get("application") != claim.version:
            continue
        tried = view.load(record.documents["scenario"], Scenario)
        if _asked(tried) == _asked(called):
            found.append((record, view.load(record.documents["report"], Report)))
    accepted = [one for record, one in found if one.verdict is Verdict.ACCEPT and record.state not in _LOST]
    if accepted:
        return GateFact(claim=claim.digest(), state="passed", report=accepted[0].digest())
    if found:
        return GateFact(claim=claim.digest(), state="failed", report=found[0][1].digest())
    return GateFact(claim=claim.digest(), state="untried")


def _asked(scenario: Scenario) -> tuple[object, ...]:
    """Return what a scenario asks of applications: a later version may name other files."""
    return scenario.criteria, scenario.task, scenario.data.fields, scenario.data.target


def _decided(base: Base, history: CallHistory) -> TenderResult | None:
    if not history.compared:
        return None
    result = result_for(base, history.tender) if history.tender is not None else None
    if result is None:
        raise BarredError("calls.tender_undecided")
    return result


def score_receipts(base: Base, history: CallHistory) -> list[SealedScore]:
    """Return every receipt of a score, of all rounds, oldest first."""
    return base.lab.view.every(SealedScore, {"call": history.call.subject})[::-1]


def _receipts(base: Base, history: CallHistory) -> dict[tuple[str, Reviewer], SealedScore]:
    """Return (claim, expert) → the receipt that counts in this round."""
    found = score_receipts(base, history)
    return {(one.claim, one.reviewer): one for one in found if one.round == history.round}


def _opened_score(base: Base, receipt: SealedScore) -> ExpertScore:
    context = _context(receipt.call, receipt.round, receipt.claim, receipt.reviewer)
    return unseal_document(base, ExpertScore, receipt.blob, context, receipt.reviewer.organisation)


def _context(subject: str, number: int, claim: str, reviewer: Reviewer) -> list[str]:
    return [subject, str(number), claim, reviewer.organisation, reviewer.person]
