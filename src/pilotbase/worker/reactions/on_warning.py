"""The reaction to a risk warning: decide by the runbook, act, open an incident, suspend, order a re-trial, notify.

Nothing is restored automatically: the end of a warning is announced, and a person restores.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from pilotbase.catalogue.advancing import Move, advance_within
from pilotbase.catalogue.records import load_record
from pilotbase.certificate.revoking import suspend
from pilotbase.certificate.status import RevocationList, revocations_of
from pilotbase.documents.certificate import RISK_WARNING
from pilotbase.documents.hashes import Digest
from pilotbase.documents.lifecycles import state_name
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import Record
from pilotbase.documents.service import CertifiedRoute, Service, ServiceStatus
from pilotbase.documents.states import BARRED, CommissionState
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Colour, Countermeasure, ServingState
from pilotbase.documents.watch import Incident, RiskWarning, RunbookRule, TimelineEntry
from pilotbase.service.known import Barred, barred, read_serving
from pilotbase.service.registry import services_of
from pilotbase.service.standing import fall_back, standing_of
from pilotbase.watch.detectors.loss import measure_in_words
from pilotbase.watch.incidents import continue_open, open_incident, rises, rule_for, runbook_of
from pilotbase.watch.standings import service_of
from pilotbase.watch.warnings import (
    DECIDED,
    REARMED,
    Done,
    ReactionDecision,
    find_step,
    is_muted,
    is_of_dialogues,
    keep_decision,
    level_of,
    signal_of,
    steps_of,
)
from pilotbase.worker.reactions.steps import (
    Cause,
    Finish,
    Reacting,
    about_incident,
    about_service,
    move_service,
    timed,
    told_to_incident,
)
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction


@dataclass(frozen=True)
class WarningCase:
    """A warning with everything that its steps need."""

    cause: Cause
    warning: RiskWarning
    service: Service
    decision: ReactionDecision
    rule: RunbookRule


Step = Callable[[], Finish]
_MOST_LINES = 64


def react_to_warning(reacting: Reacting, digest: Digest) -> None:
    """Do what the runbook says when a warning rises; notify when it is over."""
    warning = reacting.view.load(digest, RiskWarning)
    cause = Cause(digest, warning.service)
    try:
        service = service_of(reacting.view, warning.service)
    except NotFoundError:
        return
    decision = _decide(reacting, cause, warning)
    if decision.rule is not None:
        case = WarningCase(cause, warning, service, decision, decision.rule)
        for name, step in _steps(reacting, case):
            reacting.once(cause, name, step)
    elif is_of_dialogues(warning.detector) and warning.colour is not Colour.GREEN:
        reacting.once(cause, "again", lambda: partial(_count_again, reacting, cause, warning))
    elif warning.colour is Colour.GREEN and decision.before is not Colour.GREEN:
        over = partial(_over, reacting, cause, warning, service)
        reacting.once(cause, "over", lambda: told_to_incident(reacting, service.name, over))


def _decide(reacting: Reacting, cause: Cause, warning: RiskWarning) -> ReactionDecision:
    """Return the decision about a warning: made in one transaction, and never changed afterwards."""
    view = reacting.view
    with view.transaction("reaction.decided") as change:
        known = find_step(change.connection, cause.digest, DECIDED)
        if known is not None:
            return ReactionDecision.model_validate_json(known)
        here = view.within(change)
        before = level_of(change.connection, warning.service, warning.detector)
        runbook = runbook_of(here, warning.service)
        rule = rule_for(runbook, warning.signal, warning.colour) if rises(before, warning.colour) else None
        service = service_of(here, warning.service)
        route = _route_warned_of(standing_of(here, warning.service), warning)
        found = service.routes[route] if route is not None else None
        certified = found if isinstance(found, CertifiedRoute) else None
        decision = ReactionDecision(before=before, runbook=runbook, rule=rule, route=route, certified=certified)
        keep_decision(change, cause.digest, warning, decision)
    return decision


def _route_warned_of(standing: ServiceStatus, warning: RiskWarning) -> int | None:
    """Return the number of the route that a warning concerns; None: the service has moved off it since.

    A service that fell back after the first case of the warning was moved because of another detector's warning: the
    route that this detector observed no longer answers.
    """
    if standing.state in (ServingState.HUMAN, ServingState.STOPPED):
        return None
    if standing.state is ServingState.FALLEN_BACK and warning.began <= standing.at:
        return None
    return standing.route


def _steps(reacting: Reacting, case: WarningCase) -> Iterator[tuple[str, Step]]:
    """Yield the measures that the rule requires, the immediately effective ones first."""
    rule, certified = case.rule, case.decision.certified
    for measure in rule.measures:
        if measure is not Countermeasure.NOTIFY:
            yield f"measure:{measure}", partial(_take_measure, measure, reacting, case)
    if rule.incident:
        yield "incident", lambda: partial(_open_incident, reacting, case)
    confirmed = case.warning.excess is None or case.warning.excess >= rule.confirm_below
    if rule.suspend_certificate and certified is not None and not confirmed:
        yield "confirmation", lambda: told_to_incident(reacting, case.service.name, partial(_ask_confirmation, case))
    elif rule.suspend_certificate and certified is not None:
        yield "suspension", partial(_suspend, certified, reacting, case)
    if rule.ask_retrial and certified is not None and confirmed:
        ask = partial(_ask_retrial, certified, reacting, case)
        yield "retrial", lambda: told_to_incident(reacting, case.service.name, ask)
    if rule.incident or Countermeasure.NOTIFY in rule.measures:
        yield "notice", lambda: partial(_notify, reacting, case)


def _take_measure(measure: Countermeasure, reacting: Reacting, case: WarningCase) -> Finish:
    where, why = (case.service.name, case.decision.route), (_raised(case.warning), case.cause.digest)
    standing = move_service(reacting.view, measure, where, why)
    state = text(f"serving.{standing.state}")

    def finish(change: Transaction) -> Done:
        if standing.cause != case.cause.digest:
            what = text("reaction.measure_not_needed", measure=text(f"countermeasure.{measure}"), state=state)
            return Done(what=what, at=change.now)
        what = timed(state, case.warning.at, standing.at, case.rule.within_seconds)
        return Done(what=what, at=standing.at, document=standing.digest())

    return finish


def _open_incident(reacting: Reacting, case: WarningCase, change: Transaction) -> Done:
    """Open an incident, or continue the one that is open for the service."""
    view, warning, service = reacting.view, case.warning, case.service
    by = change.actor.organisation
    done = steps_of(change.connection, case.cause.digest).values()
    lines = (
        TimelineEntry(at=warning.at, what=_raised(warning), organisation=by, document=case.cause.digest),
        *(TimelineEntry(at=one.at, what=one.what, organisation=by, document=one.document) for one in done),
    )
    detector = warning.detector if is_of_dialogues(warning.detector) else None
    incident = continue_open(change, view, service.name, lines, case.rule, detector)
    if incident is None:
        incident = open_incident(change, view, _draft(case, lines, change.now))
    what = text("reaction.incident", number=incident.number)
    return Done(what=what, at=change.now, document=incident.digest())


def _count_again(reacting: Reacting, cause: Cause, warning: RiskWarning, change: Transaction) -> Done:
    """Add a further dialogue to the incident about what was found in dialogues.

    Of very many a line stands where their number has doubled: each line is another version of the whole incident.
    """
    times, what = warning.seen_to, _raised(warning)
    if times <= _MOST_LINES or times.bit_count() == 1:
        line = TimelineEntry(at=warning.at, what=what, organisation=change.actor.organisation, document=cause.digest)
        continue_open(change, reacting.view, warning.service, [line], detector=warning.detector)
    return Done(what=what, at=change.now, document=cause.digest)


def _draft(case: WarningCase, lines: tuple[TimelineEntry, ...], now: datetime) -> Incident:
    warning, runbook = case.warning, case.decision.runbook
    return Incident(
        number=1,
        service=case.service.name,
        owner=case.service.organisation,
        warning=case.cause.digest,
        title=text("incident.title", service=case.service.name, signal=signal_of(warning)),
        colour=warning.colour,
        grade=case.rule.grade,
        response=case.rule.response,
        known_at=warning.at,
        opened_at=now,
        book=runbook.book,
        reporter=runbook.reporter,
        timeline=lines,
    )


def _suspend(route: CertifiedRoute, reacting: Reacting, case: WarningCase) -> Finish:
    """Suspend what is certified: by its record, whose list a job signs; without a record, on the list itself."""
    view, service = reacting.view, case.service.name

    def by_record(change: Transaction) -> Done:
        assert route.commission is not None
        record = load_record(view.within(change), route.commission)[0]
        if record.state != CommissionState.CERTIFIED:
            standing = state_name("commission", record.state)
            return Done(what=text("reaction.not_suspended", state=standing), at=change.now)
        move = Move(note=RISK_WARNING, reason=_raised(case.warning))
        moved = advance_within(change, view, route.commission, Act.CERTIFICATE_SUSPEND, move)
        return Done(what=text("reaction.suspended"), at=change.now, document=moved.digest())

    if _has_record(reacting, route):
        return told_to_incident(reacting, service, by_record)
    base = reacting.base
    suspend(base.trust, view, base.revocations, route.serial, RISK_WARNING, view.store.clock())
    what = text("reaction.suspended")
    if barred(view, route, revocations_of(view)) == "revoked":
        what = text("reaction.not_suspended", state=state_name("commission", CommissionState.REVOKED))
    return told_to_incident(reacting, service, lambda change: Done(what=what, at=change.now))


def _ask_confirmation(case: WarningCase, change: Transaction) -> Done:
    """Leave the suspension to a person: little comes to harm while they look."""
    told = {"excess": f"{case.warning.excess:.2g}", "least": f"{case.rule.confirm_below:g}"}
    return Done(what=text("reaction.confirm_first", **told), at=change.now)


def _ask_retrial(route: CertifiedRoute, reacting: Reacting, case: WarningCase, change: Transaction) -> Done:
    if not _has_record(reacting, route):
        return Done(what=text("reaction.retrial_by_hand"), at=change.now)
    assert route.commission is not None
    move = Move(reason=_raised(case.warning))
    moved = advance_within(change, reacting.view, route.commission, Act.RETRIAL_ASK, move)
    return Done(what=text("reaction.retrial_asked"), at=change.now, document=moved.digest())


def _has_record(reacting: Reacting, route: CertifiedRoute) -> bool:
    """Return whether the hub knows the trial that the certificate came from, and has no newer one of it."""
    if route.commission is None:
        return False
    record = load_record(reacting.view, route.commission)[0]
    return record.documents.get("certificate") == route.certificate


def _notify(reacting: Reacting, case: WarningCase, change: Transaction) -> Done:
    """Notify the parties concerned; a silenced detector is heard again if something was done about it."""
    done = steps_of(change.connection, case.cause.digest)
    if not done and is_muted(reacting.view.within(change), case.warning):
        return Done(what=text("reaction.muted"), at=change.now)
    acted = [one.what for step, one in done.items() if step.startswith("measure:") or step == "confirmation"]
    said = text("reaction.told_acted", warning=_raised(case.warning), done=acted[0]) if acted else None
    told, happening = said or _raised(case.warning), f"{case.cause.digest} notice"
    if "incident" in done and done["incident"].document is not None:
        incident = reacting.view.within(change).load(done["incident"].document, Incident)
        reacting.tell(change, about_incident(incident, case.service, told, happening))
    else:
        reacting.tell(change, about_service(case.service, told, happening))
    return Done(what=text("reaction.notified"), at=change.now)


def _over(reacting: Reacting, cause: Cause, warning: RiskWarning, service: Service, change: Transaction) -> Done:
    """Announce that a warning is over; measures taken stay until a person restores."""
    done = Done(what=_why_over(reacting.view.within(change), warning), at=change.now, document=cause.digest)
    reacting.tell(change, about_service(service, done.what, f"{cause.digest} over"))
    return done


def _why_over(view: View, warning: RiskWarning) -> Text:
    """Return that the problem has passed, or only that nobody counts it any more: arming anew is no recovery."""
    if warning.reason.code != REARMED:
        return text("reaction.over", detector=_watched(warning))
    state = standing_of(view, warning.service).state
    if state is ServingState.SERVING:
        return text("reaction.rearmed", detector=_watched(warning))
    return text("reaction.rearmed_still", detector=_watched(warning), state=text(f"serving.{state}"))


def _watched(warning: RiskWarning) -> Text:
    """Return what the detector of a warning watches: its signal, and the criterion or the part that it is about."""
    _, _, of = warning.detector.partition(":")
    if is_of_dialogues(warning.detector) or not of:
        return signal_of(warning)
    return text("hub.within", section=signal_of(warning), what=measure_in_words(of))


def _raised(warning: RiskWarning) -> Text:
    colour, signal = text(f"colour.{warning.colour}"), signal_of(warning)
    return text("reaction.warned", colour=colour, signal=signal, reason=warning.reason)


_log = logging.getLogger("pilotbase.reactions")


def react_to_record(reacting: Reacting, digest: Digest) -> None:
    """Move services off a certificate that its record suspends or revokes, before the list that says so is signed."""
    record = reacting.view.load(digest, Record)
    if record.kind == "commission" and record.state in BARRED:
        move_off_barred(reacting, digest)


def move_off_barred(reacting: Reacting, digest: Digest) -> None:
    """Move every service off a version whose certificate does not hold; ``digest`` names the document that says so."""
    view = reacting.view
    listed = revocations_of(view)
    for service, standing in services_of(view):
        if standing.state in (ServingState.HUMAN, ServingState.STOPPED):
            continue
        barred = _barred(view, service, standing.route, listed)
        if barred is not None:
            cause, where = Cause(digest, service.name), (service, standing.route)
            reason = text("reaction.barred", state=text(f"state.commission.{barred}"))
            reacting.once(cause, f"measure:{service.name}", partial(_fall_back, reacting, cause, where, reason))


def _barred(view: View, service: Service, route: int, listed: RevocationList | None) -> Barred | None:
    """Return why a route may not answer; an unreadable certificate forbids it, and affects no other service."""
    try:
        serving = read_serving(view, service.name, listed)
    except NotFoundError:
        _log.warning("a route of the service %s cannot be read", service.name)
        return None
    return serving.ways[route].barred if serving is not None else None


def _fall_back(reacting: Reacting, cause: Cause, where: tuple[Service, int], reason: Text) -> Finish:
    service, off = where
    standing = fall_back(reacting.view, service.name, reason, cause.digest, off=off)

    def finish(change: Transaction) -> Done:
        what = text("reaction.moved", reason=reason, state=text(f"serving.{standing.state}"))
        done = Done(what=what, at=standing.at, document=standing.digest())
        reacting.tell(change, about_service(service, what, f"{cause.digest} {service.name}"))
        return done

    return told_to_incident(reacting, service.name, finish)
