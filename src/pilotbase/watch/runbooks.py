"""Runbooks: what is done when a warning reaches a colour, per service; a service without one has the default."""

from __future__ import annotations

from pilotbase.documents.errors import RefusedError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.permissions import IncidentAct, Stands, act_name, permitted
from pilotbase.documents.service import Service
from pilotbase.documents.vocabularies import Colour, Countermeasure, EventGrade, ResponseLevel, Signal
from pilotbase.documents.watch import Runbook, RunbookRule
from pilotbase.watch.clocks import load_book
from pilotbase.workspace.actors import parties
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
"""A broken bound ends the service of what broke it; whatever else is red is looked at by a person first."""


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
    """Tell whether ``after`` is the more serious colour."""
    return _SEVERITY[after] > _SEVERITY[before]


def runbook_of(view: View, service: str) -> Runbook:
    """Return the runbook that a service has, or the default."""
    head = view.head(_head_of(service))
    return view.load(head, Runbook) if head is not None else default_runbook(service)


def keep_runbook(view: View, service: Service, runbook: Runbook) -> Digest:
    """Let a service be run by ``runbook`` from now on and return its digest; the log keeps who has changed it.

    Raises:
        InputError: it names a clock book, or a reporter of it, that is not known.
        RefusedError: the actor is neither the service's owner nor the operator, or it is another service's.
    """
    if not permitted(IncidentAct.RUNBOOK, view.actor, Stands(demand_owner=service.organisation)):
        raise RefusedError("incident.not_permitted", act=act_name(IncidentAct.RUNBOOK))
    if runbook.service != service.name:
        raise RefusedError("incident.other_service", found=runbook.service, service=service.name)
    load_book(runbook.book, runbook.reporter)
    with view.transaction("runbook.edited") as change:
        head = view.within(change).head(_head_of(service.name))
        digest = change.put(runbook, parties(), owner=service.organisation, fields={"service": service.name})
        change.set_head(_head_of(service.name), digest, expected=head)
    return digest


def _head_of(service: str) -> str:
    return f"runbook:{service}"
