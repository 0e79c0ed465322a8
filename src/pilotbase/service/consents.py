"""Consents to acts of agents in service: asked by the gateway, decided once by a person of the service's owner.

Neither the agent nor its caller takes part: the gateway writes the act down, a page of the base shows it, and the
gateway reads what was decided.
"""

from __future__ import annotations

from pilotbase.documents.errors import RefusedError
from pilotbase.documents.permissions import ServiceAct
from pilotbase.documents.service import ActConsent, Service
from pilotbase.documents.subjects import consent_head
from pilotbase.documents.vocabularies import ConsentState
from pilotbase.operations.services import ConsentDecision
from pilotbase.service.registry import load_service, may_act, opened
from pilotbase.workspace.actors import parties
from pilotbase.workspace.failures import ConflictError, NotFoundError
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction


def ask_consent(view: View, service: Service, consent: ActConsent) -> None:
    """Put an act before its principal; ``view``: the base's own."""
    with view.transaction("consent.asked") as change:
        _write(change, service, consent)


def consent_of(view: View, service: str, identity: str) -> ActConsent:
    """Return a consent of ``service``; raises `NotFoundError` where there is none that the actor may see."""
    found = view.load_head(consent_head(identity), ActConsent)
    if found is None or found.service != service:
        raise NotFoundError("service.no_consent", service=service, consent=identity)
    return found


def show_consent(view: View, service: str, identity: str) -> ActConsent:
    """Return a consent to whom a service is open; raises `NotFoundError` and `RefusedError`."""
    opened(view, service, ServiceAct.INSPECT)
    return consent_of(view, service, identity)


def consents_of(view: View, service: str, most: int = 50) -> list[ActConsent]:
    """Return the newest consents of a service, newest first, each as it stands; raises as `opened`."""
    opened(view, service, ServiceAct.INSPECT)
    return _newest(view, most, service=service)


def waiting_consents(view: View, most: int = 50) -> list[ActConsent]:
    """Return the newest consents that the actor can still decide, newest first; none where they may not."""
    waiting = (one for one in _newest(view, most) if one.waits(view.store.clock()))
    return [one for one in waiting if may_act(view, ServiceAct.CONSENT, load_service(view, one.service))]


def _newest(view: View, most: int, **fields: str) -> list[ActConsent]:
    """Return the consents last asked for, each as it stands, newest first."""
    newest: dict[str, ActConsent] = {}
    for found in view.find("act-consent", fields, limit=2 * most):
        consent = found.load(ActConsent)
        newest.setdefault(consent.consent, consent)
    return sorted(newest.values(), key=lambda one: one.asked_at, reverse=True)[:most]


def decide_consent(view: View, asked: ConsentDecision) -> ActConsent:
    """Grant or decline one act, once, and return the consent as it then stands.

    Raises:
        NotFoundError: there is no such service or consent, or none that the actor may see.
        RefusedError: it is not for the actor to decide, or no person acts, or the time for it is over.
        ConflictError: it was decided before.
    """
    with view.transaction("consent.decided") as change:
        here = view.within(change)
        service = opened(here, asked.service, ServiceAct.CONSENT)
        known = here.done(ActConsent)
        if known is not None:
            return known
        consent = consent_of(here, asked.service, asked.consent)
        if change.actor.person is None:
            raise RefusedError("service.consent_needs_person")
        if consent.decided is not ConsentState.UNDECIDED:
            raise ConflictError("service.consent_decided", consent=asked.consent)
        if not consent.waits(change.now):
            raise RefusedError("service.consent_expired", expired=consent.expires_at)
        decided = ConsentState.GRANTED if asked.granted else ConsentState.DECLINED
        told = consent.model_copy(
            update={"decided": decided, "decided_by": change.actor.person, "decided_at": change.now}
        )
        change.settle(_write(change, service, told))
    return told


def _write(change: Transaction, service: Service, consent: ActConsent) -> str:
    made = change.put(
        consent, parties(), owner=service.organisation, fields={"service": service.name, "act": consent.act}
    )
    change.let_stand(consent_head(consent.consent), made)
    return made
