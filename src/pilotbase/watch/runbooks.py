"""Runbooks: what is done when a warning reaches a colour, per service; a service without one has the default."""

from __future__ import annotations

from pilotbase.documents.errors import RefusedError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.permissions import IncidentAct, SubjectRelation, act_name, permitted
from pilotbase.documents.service import Service
from pilotbase.documents.vocabularies import Colour, Countermeasure, EventGrade, ResponseLevel, Signal
from pilotbase.documents.watch import Runbook, RunbookRule
from pilotbase.watch.incidents import load_book
from pilotbase.watch.subjects import service_of
from pilotbase.workspace.actors import parties
from pilotbase.workspace.failures import ConflictError, NotFoundError
from pilotbase.workspace.store import View

_SEVERITY = {colour: place for place, colour in enumerate(Colour)}
DEFAULT_RULES = (
    RunbookRule(
        signal=Signal.RISK,
        colour=Colour.RED,
        measures=(Countermeasure.FALL_BACK, Countermeasure.NOTIFY),
        within_seconds=60,
        incident=True,
        grade=EventGrade.GENERAL,
        response=ResponseLevel.III,
        suspend_certificate=True,
        ask_retrial=True,
    ),
    RunbookRule(
        signal=Signal.AVAILABILITY,
        colour=Colour.ORANGE,
        measures=(Countermeasure.NOTIFY,),
        within_seconds=300,
        incident=True,
    ),
    RunbookRule(signal=Signal.SILENCE, colour=Colour.BLUE, measures=(Countermeasure.NOTIFY,), within_seconds=300),
    RunbookRule(colour=Colour.RED, measures=(Countermeasure.NOTIFY,), within_seconds=300, incident=True),
    RunbookRule(
        signal=Signal.RISK,
        colour=Colour.ORANGE,
        measures=(Countermeasure.NOTIFY,),
        within_seconds=300,
        incident=True,
    ),
    RunbookRule(colour=Colour.YELLOW, measures=(Countermeasure.NOTIFY,), within_seconds=3600),
)
"""A broken bound ends the service of what broke it; an outage is an incident at once; whatever else is red is looked at
by a person first."""


def default_runbook(service: str) -> Runbook:
    """Return the runbook of a service that has none of its own."""
    return Runbook(service=service, rules=DEFAULT_RULES)


def rule_for(runbook: Runbook, signal: Signal, colour: Colour) -> RunbookRule | None:
    """Return the first rule that fits a warning of ``signal`` at ``colour``, or None: nothing is done. Green: None."""
    if colour is Colour.GREEN:
        return None
    fitting = (rule for rule in runbook.rules if rule.signal in (None, signal) and not rises(colour, rule.colour))
    return next(fitting, None)


def rises(before: Colour, after: Colour) -> bool:
    """Return whether ``after`` is the more serious colour."""
    return _SEVERITY[after] > _SEVERITY[before]


def read_runbook(view: View, name: str) -> tuple[Service, Runbook]:
    """Return a service and the runbook that it has: to the operator, its owner and the regulator.

    Raises:
        NotFoundError: the actor sees no such service, or is its supplier.
    """
    service = service_of(view, name)
    if not (view.actor.sees_all or view.actor.organisation == service.organisation):
        raise NotFoundError("workspace.not_found", name=name)
    return service, runbook_of(view, name)


def runbook_of(view: View, service: str) -> Runbook:
    """Return the runbook that a service has, or the default."""
    head = view.head(_head_of(service))
    return view.load(head, Runbook) if head is not None else default_runbook(service)


def may_edit(view: View, service: Service) -> bool:
    """Return whether the actor may change the runbook of a service."""
    return permitted(IncidentAct.RUNBOOK, view.actor, SubjectRelation(demand_owner=service.organisation))


def keep_runbook(view: View, service: Service, runbook: Runbook, seen: Digest | None = None) -> Digest:
    """Let a service be run by ``runbook`` from now on and return its digest; the log keeps who has changed it.

    Raises:
        InputError: it names a clock book, or a reporter of it, that is not known.
        RefusedError: the actor is neither the service's owner nor the operator, or it is another service's.
        ConflictError: the service has another runbook than the one ``seen`` now.
    """
    if not may_edit(view, service):
        raise RefusedError("incident.not_permitted", act=act_name(IncidentAct.RUNBOOK))
    if runbook.service != service.name:
        raise RefusedError("incident.other_service", found=runbook.service, service=service.name)
    load_book(runbook.book, runbook.reporter)
    with view.transaction("runbook.edited") as change:
        known = view.within(change).outcome()
        if known is not None:
            return known
        head = view.within(change).head(_head_of(service.name))
        if seen not in (None, head or default_runbook(service.name).digest()):
            raise ConflictError("incident.runbook_moved", service=service.name)
        digest = change.put(runbook, parties(), owner=service.organisation, fields={"service": service.name})
        change.set_head(_head_of(service.name), digest, expected=head)
        change.settle(digest)
    return digest


def _head_of(service: str) -> str:
    return f"runbook:{service}"
