"""The reaction to a suspended or revoked certificate: what it certified answers no more, and that is announced."""

from __future__ import annotations

import logging
from functools import partial

from pilotbase.certificate.status import RevocationList, revocations_of
from pilotbase.documents.hashes import Digest
from pilotbase.documents.record import Record
from pilotbase.documents.service import Service
from pilotbase.documents.states import BARRED
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import ServingState
from pilotbase.service.known import Barred, read_serving
from pilotbase.service.registry import services_of
from pilotbase.service.standing import fall_back
from pilotbase.watch.warnings import Done
from pilotbase.worker.reactions.steps import Cause, Finish, Reacting, about_service, told_to_incident
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction

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
