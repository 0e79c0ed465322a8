"""Calls for a task: drafted and published by an owner, claimed under seal by teams, opened by the operator.

A claim is encrypted when it comes in, under a key of the base, and its digest enters the log. The base opens it for
nobody but its team before the operator opens the call, which the store's clock allows after the last day only. So
neither owner nor operator nor regulator learns anything through the base; who reads the key on the machine itself can.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from pilotbase.catalogue.records import are_tied, organisation_of
from pilotbase.documents.base import Document
from pilotbase.documents.board import Tender
from pilotbase.documents.call import (
    BarredReviewer,
    CallAppeal,
    CallAward,
    CallStage,
    CallStanding,
    CallTerms,
    ClaimTerms,
    JudgedCall,
    MilestonePayment,
    OpenedCall,
    PanelTalk,
    PublishedCall,
    ReachedMilestone,
    ReleasedReviewer,
    ReviewerPool,
    SealedClaim,
    TaskCall,
    TeamClaim,
    TurnedKey,
)
from pilotbase.documents.call_history import CallHistory, drawn_order, set_aside
from pilotbase.documents.errors import BarredError, InputError, RefusedError
from pilotbase.documents.hashes import digest_bytes
from pilotbase.documents.moments import day_end, format_minute
from pilotbase.documents.record import ApplicationVersion, Reviewer
from pilotbase.documents.states import ApplicationState, ScenarioState
from pilotbase.documents.subjects import holder_of, name_of
from pilotbase.documents.vocabularies import Role
from pilotbase.worker.base import Base
from pilotbase.worker.retention_dates import seal, unseal
from pilotbase.workspace.actors import PUBLIC, parties
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.listings import require_listing
from pilotbase.workspace.records import Fields, Stored
from pilotbase.workspace.store import View

IsMember = Callable[[str, str], bool]
"""Returns whether a person (by identifier) acts for an organisation."""
_KEY_FILE = "calls.key"
_Kind = TypeVar("_Kind", bound=Document)
_Part = TypeVar("_Part", SealedClaim, ReleasedReviewer, CallAppeal, ReachedMilestone, TurnedKey, MilestonePayment)


def draft_call(base: Base, view: View, subject: str, scenario: str, terms: CallTerms) -> CallHistory:
    """Draft a call on the actor's own scenario, or change the draft.

    Raises:
        NotFoundError: the actor owns no such scenario, or may not own such a call.
        BarredError: the call is published.
    """
    listing = require_listing(view, scenario)
    if not view.actor.organisation == listing.owner == holder_of(subject) or Role.DEMAND_OWNER not in view.actor.roles:
        raise NotFoundError("record.not_found", subject=scenario)
    if view.head(subject) is not None:
        raise BarredError("calls.published", call=name_of(subject))
    made = TaskCall(subject=subject, scenario=scenario, version=listing.digest, owner=listing.owner, terms=terms)
    with view.transaction("call.drafted") as change:
        digest = change.put(made, parties(), fields={"call": subject})
        change.let_stand(call_head("draft", subject), digest)
    return history_of(base, subject)


def publish_call(base: Base, view: View, subject: str) -> CallHistory:
    """Publish the actor's own draft, from when on its terms are fixed; published again, it stays as it is.

    Raises:
        NotFoundError: the actor owns no such call.
        RefusedError: the scenario is not open, or the last day for claims is over.
    """
    history = own_call(base, view, subject)
    if history.published is not None:
        return history
    listing, now = require_listing(view, history.draft.scenario), view.store.clock()
    if listing.state != ScenarioState.OPEN:
        raise RefusedError("tender.scenario_not_open", scenario=history.draft.scenario)
    if now > day_end(history.terms.closes):
        raise RefusedError("calls.day_over", day=history.terms.closes)
    call = history.draft.model_copy(update={"version": listing.digest})
    with view.transaction("call.published") as change:
        digest = change.put(PublishedCall(call=call, published_at=change.now), PUBLIC, fields={"call": subject})
        change.set_head(subject, digest, expected=None)
    return history_of(base, subject)


def hand_in_claim(base: Base, view: View, subject: str, terms: ClaimTerms) -> SealedClaim:
    """Seal the claim of the actor's team; until the call closes another one replaces it, and every digest stays.

    Raises:
        NotFoundError: no such call, application or partner.
        RefusedError: the actor is no supplier; the call is closed by the clock of the store; a member of the team is
            excluded or tied to the owner, or owns the call; the application is not the leader's, or not submitted for
            the scenario.
        InputError: too many partners, one of them twice, or a price above the prize.
    """
    history, now, leader = find_call(base, view, subject), view.store.clock(), view.actor.organisation
    if Role.SUPPLIER not in view.actor.roles:
        raise RefusedError("hub.role_missing", needed=Role.SUPPLIER)
    if history.stage(now) is not CallStage.PUBLISHED:
        raise BarredError("calls.closed", at=format_minute(history.shown_close(now)))
    before = own_claim(base, view, history)
    if before is not None and before.terms == terms:
        return history.newest[leader]
    _require_fit(base, history, leader, terms)
    claim = TeamClaim(
        call=subject, leader=leader, version=_version(view, history, terms.application), terms=terms, salt=new_salt()
    )
    sealed = seal_document(base, claim, [subject, leader])
    with view.transaction("call.claimed") as change:
        if change.now > history.shown_close(change.now):  # the clock may have passed the last day meanwhile
            raise BarredError("calls.closed", at=format_minute(history.shown_close(now)))
        receipt = SealedClaim(
            call=subject, leader=leader, claim=claim.digest(), blob=digest_bytes(sealed), received_at=change.now
        )
        digest = change.put(receipt, parties(), fields={"call": subject})
        change.let_stand(f"call-claim:{name_of(subject)}/{leader}", digest)
    return receipt


def own_claim(base: Base, view: View, history: CallHistory) -> TeamClaim | None:
    """Return the claim of the actor's own team, or None: its leader may read it at any time."""
    receipt = history.newest.get(view.actor.organisation)
    return _opened_claim(base, receipt) if receipt is not None else None


def name_reviewers(base: Base, view: View, subject: str, people: Sequence[Reviewer], known: IsMember) -> CallHistory:
    """Name the experts from among whom the panel is drawn when the claims are opened; until then others may be named.

    Raises:
        NotFoundError: no such call.
        RefusedError: the actor is not the operator.
        InputError: an expert who is no member of the organisation, a person named twice, or too few of them.
        BarredError: the call is not published, or its claims are opened.
    """
    history = find_call(base, view, subject)
    require_operator(view)
    if history.stage(view.store.clock()) not in (CallStage.PUBLISHED, CallStage.CLOSED):
        raise BarredError("calls.not_now")
    if len({one.person for one in people}) < len(people):
        raise InputError("labelling.one_person_twice")
    for one in people:
        if not known(one.organisation, one.person):
            raise InputError("labelling.not_a_member", organisation=one.organisation, found=one.person)
    if len(people) < history.terms.panel:
        raise InputError("calls.few_reviewers", least=history.terms.panel, found=len(people))
    pool = ReviewerPool(call=subject, reviewers=tuple(people))
    with view.transaction("call.reviewers_named") as change:
        digest = change.put(pool, parties(), owner=history.call.owner, fields={"call": subject})
        change.let_stand(call_head("reviewers", subject), digest)
    return history


def open_claims(base: Base, view: View, subject: str, known: IsMember) -> CallHistory:
    """Open all claims of a closed call, once a second officer asks for it; the first one's key is kept until then.

    The experts with a tie to any team are barred, and the panel is drawn from the others.

    Raises:
        NotFoundError: no such call.
        RefusedError: the actor is no officer.
        BarredError: claims are still taken, the call is void, or too few experts without a tie are named.
    """
    history = find_call(base, view, subject)
    if not is_officer(view, history):
        raise RefusedError("hub.role_missing", needed=Role.OPERATOR)
    if history.opened is not None:
        return history
    if history.stage(view.store.clock()) is not CallStage.CLOSED:
        raise BarredError("calls.sealed", at=format_minute(history.shown_close(view.store.clock())))
    if not _is_second(view, history):
        return _turn_key(base, view, history)
    claims = [_opened_claim(base, history.newest[leader]) for leader in sorted(history.newest)]
    aside = tuple(set_aside(claims))
    barred = [found for one in history.pool if (found := tie_of(base, one, claims, known)) is not None]
    tied = {one.reviewer for one in barred}
    free = [one for one in history.pool if one not in tied]
    if len(free) < history.terms.panel:
        raise BarredError("calls.few_reviewers", least=history.terms.panel, found=len(free))
    taking_part = [one for one in claims if one.leader not in {out.leader for out in aside}]
    with view.transaction("call.opened") as change:
        for one in claims:
            outside = {*one.team, history.call.owner} - {one.leader}
            change.put(one, parties(*outside), owner=one.leader, fields={"call": subject})
        made = OpenedCall(
            call=subject,
            claims=tuple(one.digest() for one in taking_part),
            aside=aside,
            drawn=drawn_order(free, [one.salt for one in claims]),
            barred=tuple(barred),
            opened_at=change.now,
        )
        digest = change.put(made, parties(), owner=history.call.owner, fields={"call": subject})
        change.set_head(call_head("opened", subject), digest, expected=None)
    return history_of(base, subject)


def is_officer(view: View, history: CallHistory) -> bool:
    """Return whether the actor may turn one of the two keys: an operator, the regulator, or the call's owner.

    One of the two is an operator; so a base with a single operator can open its calls, and the operator no call alone.
    """
    roles, owns = view.actor.roles, view.actor.organisation == history.call.owner
    return bool(roles & {Role.OPERATOR, Role.REGULATOR}) or (owns and Role.DEMAND_OWNER in roles)


def _is_second(view: View, history: CallHistory) -> bool:
    """Return whether the actor's key opens the claims with another person's: one of both is an operator's.

    At the command line of the base's own machine one opens: whoever has the machine has its keys.
    """
    actor = view.actor
    return actor.person is None or any(
        one.person != actor.person and (one.operator or actor.is_operator) for one in history.keys
    )


def _turn_key(base: Base, view: View, history: CallHistory) -> CallHistory:
    """Keep the actor's key until another officer turns one."""
    subject, actor = history.call.subject, view.actor
    if any(one.person == actor.person for one in history.keys):
        return history
    with view.transaction("call.key_turned") as change:
        assert actor.person is not None
        made = TurnedKey(
            call=subject,
            organisation=actor.organisation,
            person=actor.person,
            operator=actor.is_operator,
            at=change.now,
        )
        change.put(made, parties(history.call.owner), fields={"call": subject})
    return history_of(base, subject)


def tie_of(base: Base, reviewer: Reviewer, claims: Sequence[TeamClaim], known: IsMember) -> BarredReviewer | None:
    """Return the tie of an expert to a team, declared by either side, or None.

    It bars from the whole call: scores are relative, so who may not score one team may not score its rivals.
    """
    for claim in claims:
        for member in claim.team:
            tied = are_tied(base.lab.view, reviewer.organisation, member) or known(member, reviewer.person)
            if tied or reviewer.organisation in claim.terms.ties:
                return BarredReviewer(reviewer=reviewer, team=claim.leader, member=member)
    return None


def claims_of(base: Base, view: View, history: CallHistory) -> list[TeamClaim]:
    """Return the opened claims that take part, by leader, to those who may read them.

    Raises:
        BarredError: they are sealed, for everybody.
        RefusedError: the actor is neither owner nor operator, regulator or of the panel.
    """
    if history.opened is None:
        raise BarredError("calls.sealed", at=format_minute(history.shown_close(view.store.clock())))
    if not (knows(view, history) or on_panel(view, history) is not None):
        raise RefusedError("calls.not_yours")
    return taking_part(base, history)


def taking_part(base: Base, history: CallHistory) -> list[TeamClaim]:
    """Return the opened claims that take part, by leader; whoever calls this has checked who reads them."""
    opened = history.opened
    return [base.lab.view.load(digest, TeamClaim) for digest in (opened.claims if opened is not None else ())]


def calls_of(base: Base, view: View) -> list[CallHistory]:
    """Return the published calls, and the drafts that the actor may see, newest first."""
    drafts, published = view.every(TaskCall), view.every(PublishedCall)
    subjects = dict.fromkeys([one.subject for one in drafts] + [one.call.subject for one in published])
    now = view.store.clock()
    found = _histories_of(base, list(subjects))
    return sorted(found, key=lambda one: one.published.published_at if one.published else now, reverse=True)


def find_call(base: Base, view: View, subject: str) -> CallHistory:
    """Return a call that is published, or a draft to its owner and the base; raises `NotFoundError`."""
    if view.head(subject) is None and view.head(call_head("draft", subject)) is None:
        raise NotFoundError("record.not_found", subject=subject)
    return history_of(base, subject)


def own_call(base: Base, view: View, subject: str) -> CallHistory:
    """Return the actor's own call; raises `NotFoundError`."""
    history = find_call(base, view, subject)
    if view.actor.organisation != history.call.owner:
        raise NotFoundError("record.not_found", subject=subject)
    return history


def history_of(base: Base, subject: str) -> CallHistory:
    """Return what has become of a call, whoever asks."""
    return _histories_of(base, [subject])[0]


def _histories_of(base: Base, subjects: Sequence[str]) -> list[CallHistory]:
    """Return what has become of each call, in as many queries as for one."""
    view, only = base.lab.view, {"call": subjects[0]} if len(subjects) == 1 else None
    appeals = _oldest_first(view, CallAppeal, only)
    receipts, released = _oldest_first(view, SealedClaim, only), _oldest_first(view, ReleasedReviewer, only)
    reached, paid = _oldest_first(view, ReachedMilestone, only), _oldest_first(view, MilestonePayment, only)
    keys = _oldest_first(view, TurnedKey, only)
    newest = {one: {each.appeal.number: each for each in appeals[one]} for one in subjects}
    heads = view.named([head for one in subjects for head in _heads_of(one, len(newest[one]))])
    return [
        _with_heads(
            heads,
            CallHistory(
                heads[call_head("draft", one)].load(TaskCall),
                receipts=tuple(receipts[one]),
                released=tuple(released[one]),
                appeals=tuple(newest[one].values()),
                reached=tuple(reached[one]),
                payments=tuple(paid[one]),
                keys=tuple(keys[one]),
            ),
        )
        for one in subjects
    ]


def _heads_of(subject: str, appeals: int) -> list[str]:
    """Return the heads of what there is one of; each appeal and a talk may have started another round of scores."""
    parts = ("draft", "reviewers", "opened", "talk", "tender", "standing", "award")
    once = [call_head(part, subject) for part in parts]
    return [subject, *once, *(judged_head(subject, number) for number in range(1, appeals + 3))]


def _with_heads(heads: Mapping[str, Stored], history: CallHistory) -> CallHistory:
    """Return the history with what holds in its present round: an upheld appeal takes scores or award back."""
    subject = history.draft.subject
    history = replace(history, talk=_loaded(heads, call_head("talk", subject), PanelTalk))
    *earlier, judged = (_loaded(heads, judged_head(subject, one + 1), JudgedCall) for one in range(history.round))
    pool = _loaded(heads, call_head("reviewers", subject), ReviewerPool)
    standing = _loaded(heads, call_head("standing", subject), CallStanding)
    award = _loaded(heads, call_head("award", subject), CallAward)
    since = [one for one in history.appeals if award is not None and one.appeal.at >= award.proposed_at]
    withdrawn = any(one.outcome in ("award_again", "score_again") for one in since)
    return replace(
        history,
        published=_loaded(heads, subject, PublishedCall),
        pool=pool.reviewers if pool is not None else (),
        opened=_loaded(heads, call_head("opened", subject), OpenedCall),
        tender=_loaded(heads, call_head("tender", subject), Tender),
        judged=judged,
        earlier=tuple(one for one in earlier if one is not None),
        standing=standing if standing is not None and standing.round == history.round else None,
        award=None if withdrawn else award,
    )


def knows(view: View, history: CallHistory) -> bool:
    """Return whether the actor is the owner of the call, or of the base."""
    return view.actor.sees_all or view.actor.organisation == history.call.owner


def on_panel(view: View, history: CallHistory) -> Reviewer | None:
    """Return the actor as an expert of the panel, or None."""
    actor = view.actor
    return next(
        (one for one in history.panel if (one.organisation, one.person) == (actor.organisation, actor.person)), None
    )


def require_operator(view: View) -> None:
    """Return if the actor is the operator; raises `RefusedError`."""
    if not view.actor.is_operator:
        raise RefusedError("hub.role_missing", needed=Role.OPERATOR)


def seal_document(base: Base, document: Document, context: Sequence[str]) -> bytes:
    """Keep a document encrypted, bound to ``context``, and return the blob that is kept."""
    sealed = seal(base, _KEY_FILE, document.canonical(), ["call", *context])
    base.lab.vault.blobs.put(sealed)
    return sealed


def unseal_document(base: Base, model: type[_Kind], blob: str, context: Sequence[str], owner: str) -> _Kind:
    """Return what `seal_document` keeps; raises `InvalidProofError` if it was altered."""
    plain = unseal(base, _KEY_FILE, base.lab.vault.blobs.get(blob), ["call", *context], (blob, owner))
    return model.model_validate_json(plain)


def new_salt() -> str:
    """Return a salt that nobody can guess."""
    return secrets.token_hex(32)


def _opened_claim(base: Base, receipt: SealedClaim) -> TeamClaim:
    return unseal_document(base, TeamClaim, receipt.blob, [receipt.call, receipt.leader], receipt.leader)


def _require_fit(base: Base, history: CallHistory, leader: str, claim: ClaimTerms) -> None:
    terms, partners = history.terms, [one.organisation for one in claim.partners]
    if len(partners) > terms.most_partners:
        raise InputError("calls.many_partners", most=terms.most_partners, found=len(partners))
    if len({leader, *partners}) <= len(partners):
        raise InputError("calls.partner_twice")
    for one in partners:
        if organisation_of(base.lab.view, one) is None:
            raise InputError("calls.unknown_partner", organisation=one)
    require_may_bid(base, history, (leader, *partners))
    if not 0 < float(claim.price) <= float(terms.prize):
        raise InputError("calls.price", price=claim.price, prize=terms.prize, currency=terms.currency)


def require_may_bid(base: Base, history: CallHistory, team: Iterable[str]) -> None:
    """Return if a team may bid for a call; raises `RefusedError`: a member is excluded, or tied to the owner."""
    owner = history.call.owner
    for one in team:
        if one in history.terms.excluded or are_tied(base.lab.view, one, owner):
            raise RefusedError("calls.excluded", organisation=one)


def _version(view: View, history: CallHistory, application: str) -> str:
    """Return the version of the leader's application; raises `RefusedError` if it does not fit the call."""
    listing = require_listing(view, application)
    view.actor.require_is(listing.owner)
    fits = listing.kind == "application" and listing.state == ApplicationState.SUBMITTED
    if not fits or view.load(listing.digest, ApplicationVersion).scenario != history.call.scenario:
        raise RefusedError("tender.other_application", application=application, scenario=history.call.scenario)
    return listing.digest


def _oldest_first(view: View, model: type[_Part], only: Fields | None) -> Mapping[str, list[_Part]]:
    """Return subject of a call → its documents of ``model``, oldest first."""
    found: dict[str, list[_Part]] = defaultdict(list)
    for one in reversed(view.every(model, only)):
        found[one.call].append(one)
    return found


def _loaded(heads: Mapping[str, Stored], name: str, model: type[_Kind]) -> _Kind | None:
    return heads[name].load(model) if name in heads else None


def call_head(part: str, subject: str) -> str:
    """Return the head of one part of a call, such as its opening."""
    return f"call-{part}:{name_of(subject)}"


def judged_head(subject: str, number: int) -> str:
    """Return the head of the opened scores of a round."""
    return f"{call_head('judged', subject)}:{number}"
