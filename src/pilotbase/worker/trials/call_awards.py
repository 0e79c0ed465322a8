"""The end of a call: the proposed award, appeals against it, milestones, and the file by which all can be checked."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from pilotbase.catalogue.records import load_record
from pilotbase.documents.call import (
    LEAST_AGREEMENT,
    AppealOutcome,
    CallAppeal,
    CallAward,
    CallFile,
    CallStage,
    MilestonePayment,
    PaidMilestone,
    PaymentWay,
    ReachedMilestone,
    TeamClaim,
)
from pilotbase.documents.call_history import CallHistory
from pilotbase.documents.errors import BarredError, InputError, RefusedError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.lifecycles import APPEAL_DAYS
from pilotbase.documents.record import AppealDecision, FiledAppeal
from pilotbase.documents.states import CommissionState
from pilotbase.service.registry import services_behind
from pilotbase.worker.base import Base
from pilotbase.worker.providers import MilestoneBill, payer
from pilotbase.worker.trials.call_judging import must_talk, score_receipts
from pilotbase.worker.trials.calls import (
    call_head,
    find_call,
    history_of,
    knows,
    own_call,
    require_may_bid,
    require_operator,
)
from pilotbase.worker.trials.tenders import result_for
from pilotbase.workspace.actors import PUBLIC, parties
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.listings import Query, every_listing
from pilotbase.workspace.store import View


def propose_award(base: Base, view: View, subject: str, leader: str, grounds: str) -> CallAward:
    """Propose in public to award the actor's own call to a team; it holds when the days for objections are over.

    Raises:
        NotFoundError: the actor owns no such call.
        InputError: no such team, or no grounds although another team is first.
        RefusedError: the team has not passed the gate, or has declared a tie to the owner.
        BarredError: there is no standing, an appeal is open, another award is proposed, or the experts disagree and
            have not talked.
    """
    history = own_call(base, view, subject)
    if history.award is not None and (history.award.team[0], history.award.grounds) == (leader, grounds):
        return history.award
    standing = history.standing
    if standing is None or history.stage(view.store.clock()) is not CallStage.STANDING:
        raise BarredError("calls.not_now")
    if history.open_appeals:
        raise BarredError("calls.appeal_open")
    if must_talk(base, history):
        raise BarredError("calls.talk_first", least=LEAST_AGREEMENT)
    line = next((one for one in standing.lines if one.leader == leader), None)
    if line is None:
        raise InputError("calls.no_team", found=leader)
    if line.place is None or line.report is None:
        raise RefusedError("calls.gate", organisation=leader)
    if line.place > 1 and not grounds.strip():
        raise InputError("calls.award_differs", organisation=leader, place=line.place)
    claim = base.lab.view.load(line.claim, TeamClaim)
    require_may_bid(base, history, claim.team)
    with view.transaction("call.award_proposed") as change:
        made = CallAward(
            call=subject,
            standing=standing.digest(),
            claim=line.claim,
            team=claim.team,
            application=line.application,
            place=line.place,
            price=claim.terms.price,
            report=line.report,
            grounds=grounds.strip(),
            proposed_at=change.now,
        )
        digest = change.put(made, PUBLIC, fields={"call": subject})
        change.let_stand(call_head("award", subject), digest)
    return made


def file_appeal(base: Base, view: View, subject: str, grounds: str) -> CallAppeal:
    """File an appeal of the actor's team against standing or award; the award waits until it is decided.

    Raises:
        NotFoundError: no such call.
        RefusedError: the actor leads no team of it.
        BarredError: there is no standing yet, or the days for objections are over.
    """
    history, now = find_call(base, view, subject), view.store.clock()
    organisation = view.actor.organisation
    if organisation not in history.newest:
        raise RefusedError("calls.not_yours")
    known = next((one for one in history.open_appeals if one.appeal.organisation == organisation), None)
    if known is not None and known.appeal.grounds == grounds:
        return known
    ends = history.objection_ends
    if history.stage(now) not in (CallStage.STANDING, CallStage.OBJECTION) or (ends is not None and now > ends):
        raise BarredError("calls.not_now")
    with view.transaction("call.appealed") as change:
        appeal = FiledAppeal(
            grounds=grounds,
            number=len(history.appeals) + 1,
            organisation=organisation,
            at=change.now,
            due=change.now + timedelta(days=APPEAL_DAYS),
        )
        made = CallAppeal(call=subject, appeal=appeal)
        digest = change.put(made, parties(history.call.owner), fields={"call": subject})
        change.set_head(_appeal_head(subject, appeal.number), digest, expected=None)
    return made


def decide_appeal(
    base: Base, view: View, subject: str, number: int, outcome: AppealOutcome, reasons: str
) -> CallAppeal:
    """Decide an appeal: dismiss it, have the award proposed again, the claims scored again, or end the call.

    Raises:
        NotFoundError: no such call or appeal.
        RefusedError: the actor is not the operator, or was one of the experts.
        BarredError: it was decided otherwise.
    """
    history = find_call(base, view, subject)
    require_operator(view)
    opened = history.opened
    if opened is not None and view.actor.person in {one.person for one in opened.drawn}:
        raise RefusedError("calls.judged_by_you")
    found = next((one for one in history.appeals if one.appeal.number == number), None)
    if found is None:
        raise NotFoundError("hub.not_found")
    decision = AppealDecision(number=number, upheld=outcome != "dismissed", reasons=reasons)
    if found.outcome is not None:
        if (found.outcome, found.appeal.decision) == (outcome, decision):
            return found
        raise BarredError("calls.not_now")
    decided = found.appeal.model_copy(update={"decision": decision})
    made = found.model_copy(update={"appeal": decided, "outcome": outcome})
    with view.transaction("call.appeal_decided") as change:
        owner = found.appeal.organisation
        digest = change.put(made, parties(history.call.owner), owner=owner, fields={"call": subject})
        change.let_stand(_appeal_head(subject, number), digest)
    return made


def accept_milestone(base: Base, view: View, subject: str, number: int, words: str) -> CallHistory:
    """Accept that the winner of the actor's own call has reached a milestone; accepted again, it stays as it is.

    Raises:
        NotFoundError: the actor owns no such call, or it has no such milestone.
        BarredError: the call is not awarded, or what shows the milestone is not on the base yet.
    """
    history = own_call(base, view, subject)
    if not 1 <= number <= len(history.terms.milestones):
        raise NotFoundError("hub.not_found")
    if any(one.number == number for one in history.reached):
        return history
    if history.stage(view.store.clock()) is not CallStage.AWARDED or history.award is None:
        raise BarredError("calls.not_now")
    milestone = history.terms.milestones[number - 1]
    evidence = _evidence(base, milestone, history.award)
    if milestone.evidence != "statement" and evidence is None:
        raise BarredError("calls.no_evidence", milestone=milestone.title)
    with view.transaction("call.milestone_reached") as change:
        made = ReachedMilestone(call=subject, number=number, words=words, evidence=evidence, reached_at=change.now)
        change.put(made, parties(*history.award.team), fields={"call": subject})
    return history_of(base, subject)


def pay_milestone(base: Base, view: View, subject: str, number: int, way: PaymentWay, reference: str) -> CallHistory:
    """Note how the actor has paid for a milestone of its own call, and take it from the voucher, if one pays.

    Noted again, it stays as it is.

    Raises:
        NotFoundError: the actor owns no such call, or it has no such milestone.
        BarredError: the milestone is not accepted, or its payment is noted otherwise.
        RefusedError: the base has vouchers, and this one does not pay it.
        ConflictError: it was paid in this very moment.
    """
    history = own_call(base, view, subject)
    if not 1 <= number <= len(history.terms.milestones):
        raise NotFoundError("hub.not_found")
    noted = next((one for one in history.payments if one.number == number), None)
    if noted is not None and (noted.way, noted.reference) == (way, reference):
        return history
    if noted is not None or history.award is None or all(one.number != number for one in history.reached):
        raise BarredError("calls.not_payable", number=number)
    share = Decimal(history.award.price) * history.terms.milestones[number - 1].share / 100
    with view.transaction("call.milestone_paid") as change:
        made = MilestonePayment(
            call=subject,
            number=number,
            way=way,
            reference=reference,
            amount=f"{share:.2f}".removesuffix(".00"),
            currency=history.terms.currency,
            paid_at=change.now,
        )
        digest = change.put(made, parties(*history.award.team), fields={"call": subject})
        change.set_head(f"{call_head('payment', subject)}:{number}", digest, expected=None)
        if way == "voucher":
            bill = _bill(made, history.call.owner, history.award)
            payer().pay_milestone(base.lab.view.within(change), change, bill)
    return history_of(base, subject)


def file_of(base: Base, view: View, subject: str) -> CallFile:
    """Return what the standing of a call follows from, to its owner and to the base.

    Raises:
        NotFoundError: no such call.
        RefusedError: the actor is neither.
        BarredError: there is no standing yet.
    """
    history = find_call(base, view, subject)
    if not knows(view, history):
        raise RefusedError("calls.not_yours")
    if history.published is None or history.opened is None or history.judged is None or history.standing is None:
        raise BarredError("calls.not_now")
    return CallFile(
        published=history.published,
        receipts=history.receipts,
        opened=history.opened,
        claims=tuple(base.lab.view.every(TeamClaim, {"call": subject})),
        released=history.released,
        score_receipts=tuple(score_receipts(base, history)),
        judged=history.judged,
        earlier=history.earlier,
        talk=history.talk,
        tender=result_for(base, history.tender) if history.tender is not None else None,
        standing=history.standing,
    )


def _bill(payment: MilestonePayment, owner: str, award: CallAward) -> MilestoneBill:
    hundredths = int(Decimal(payment.amount) * 100)
    return MilestoneBill(
        payment.reference, payment.call, payment.number, owner, award.team, hundredths, payment.currency
    )


def _evidence(base: Base, milestone: PaidMilestone, award: CallAward) -> Digest | None:
    """Return the certificate of the winner's application, or the service with it; None if there is none."""
    view = base.lab.view
    certified = Query("commission", states=[CommissionState.CERTIFIED], application=award.application)
    for listing in every_listing(view, certified):
        certificate = load_record(view, listing.subject)[0].documents["certificate"]
        if milestone.evidence == "certificate":
            return certificate
        service = next(iter(services_behind(view, certificate)), None)
        if service is not None:
            return service.digest()
    return None


def _appeal_head(subject: str, number: int) -> str:
    return f"{call_head('appeal', subject)}:{number}"
