"""Services, standings and warnings as the rooms of services and watch store them."""

from pilotbase.documents.service import CertifiedRoute, Service, ServiceStatus
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Colour, ServingState, Signal
from pilotbase.documents.watch import RiskWarning
from pilotbase.workspace.actors import parties
from tests.catalogue.records_for_tests import COMMISSION, MACHINE, SCENARIO


def admit(trial, name="mill-watch", **changes):
    """Put the certified application of ``trial`` into service, without a standing yet."""
    route = route_of(trial, None)
    value = {"name": name, "title": "Mill watch", "organisation": "plant", "routes": (route,)}
    value |= {"scenario": SCENARIO, "commission": COMMISSION}
    _put(trial.store, Service.model_validate({**value, **changes}), f"service:{name}")


def route_of(trial, commission=COMMISSION):
    """Return the route on which the application of ``trial`` answers, as that of the trial ``commission``."""
    return CertifiedRoute(
        certificate=trial.certificate.digest(),
        serial=trial.report.digest(),
        application=trial.plan.application,
        plan=trial.plan.digest(),
        commission=commission,
    )


def stand(store, state: ServingState, at, name="mill-watch"):
    """Let a service stand so."""
    standing = ServiceStatus(service=name, state=state, reason=text("verdict.accept"), at=at)
    _put(store, standing, f"service-standing:{name}")


def warn(store, colour: Colour, at, name="mill-watch"):
    """Raise a warning of a service."""
    sentence = text("verdict.accept")
    warning = RiskWarning(
        service=name,
        signal=Signal.SILENCE,
        detector="silence",
        colour=colour,
        reason=sentence,
        promise=sentence,
        seen_to=7,
        began=at,
        at=at,
    )
    _put(store, warning, f"warning:{name}/silence")


def _put(store, document, head):
    view = store.as_actor(MACHINE)
    with view.transaction("test.put") as change:
        digest = change.put(document, parties("acme"), owner="plant")
        change.set_head(head, digest, expected=view.within(change).head(head))
