"""Services of a base, as an actor works with them: what command line, pages and API all call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pilotbase.certificate.status import revocations_of
from pilotbase.documents.api.services import (
    HeldRoute,
    ListedService,
    NewBudget,
    NewKey,
    NewOverride,
    NewService,
    SeenBudget,
    SeenKey,
    SeenService,
    ServiceMove,
    UsageRow,
)
from pilotbase.documents.certificate import Certificate
from pilotbase.documents.permissions import Acting, ServiceAct, Stands, permitted
from pilotbase.documents.service import Service, ServiceStanding, ServiceTerms
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import ServingState, Verdict
from pilotbase.service import registry, standing, terms
from pilotbase.service.admission import Premises
from pilotbase.service.creating import admit_endpoint, create_service, set_terms
from pilotbase.service.known import read_serving
from pilotbase.worker.base import Base
from pilotbase.workspace.store import View

_MOVES: Mapping[ServiceMove, Callable[[View, str, Text], ServiceStanding]] = {
    ServiceMove.STOP: standing.take_offline,
    ServiceMove.START: standing.restore,
    ServiceMove.FALL_BACK: standing.fall_back,
    ServiceMove.ASK_HUMAN: standing.ask_human,
}
_ANSWERED = (ServingState.SERVING, ServingState.FALLEN_BACK)


@dataclass(frozen=True)
class BaseServices:
    """The services of ``base`` that the actor of ``view`` sees; what is raised, the functions in service/ say."""

    base: Base
    view: View

    def all(self) -> list[ListedService]:
        """Return the services, by name."""
        return [_listed(service, stands) for service, stands in registry.services_of(self.view)]

    def show(self, name: str) -> SeenService:
        """Return a service and where it stands."""
        service = registry.load_service(self.view, name)
        return _seen(service, standing.standing_of(self.view, name), self.base.lab.view)

    def create(self, wanted: NewService) -> SeenService:
        """Put a certified application into service."""
        return self.show(create_service(self.view, premises_of(self.base), wanted).name)

    def override(self, wanted: NewOverride) -> SeenService:
        """Admit an endpoint for a time, on the operator's signed word."""
        return self.show(admit_endpoint(self.view, self.base.trust, wanted).name)

    def set_terms(self, name: str, wanted: ServiceTerms) -> SeenService:
        """Let a service answer on other terms."""
        return self.show(set_terms(self.view, name, wanted).name)

    def move(self, name: str, move: ServiceMove, reason: str) -> SeenService:
        """Stop, start, fall back or hand over to a person; moving to where it stands changes nothing."""
        _MOVES[move](self.view, name, text("service.reason.by_hand", reason=reason))
        return self.show(name)

    def history(self, name: str) -> list[ServiceStanding]:
        """Return how a service has stood, newest first."""
        registry.load_service(self.view, name)
        return standing.history_of(self.view, name)

    def keys(self, name: str) -> list[SeenKey]:
        """Return the keys of a service, newest first, without their secrets."""
        return terms.list_keys(self.view, name)

    def create_key(self, name: str, wanted: NewKey) -> SeenKey:
        """Make a key; its secret is in the answer and nowhere else."""
        return terms.create_key(self.view, name, wanted)

    def revoke_key(self, name: str, key: str) -> None:
        """Let a key open nothing more."""
        terms.revoke_key(self.view, name, key)

    def budgets(self, name: str) -> list[SeenBudget]:
        """Return where each budget of a service stands."""
        return terms.list_budgets(self.view, name)

    def set_budget(self, name: str, budget: str, wanted: NewBudget) -> SeenBudget:
        """Set a budget, new or changed."""
        return terms.set_budget(self.view, name, budget, wanted)

    def usage(self, name: str, days: int = 30) -> list[UsageRow]:
        """Return what was used in the last days."""
        return terms.usage_by_day(self.view, name, days)

    def may(self, act: ServiceAct, service: Service) -> bool:
        """Tell whether the actor may do ``act`` to the service: for the buttons of a page."""
        return permitted(act, self.view.actor, Stands(demand_owner=service.organisation))


def premises_of(base: Base) -> Premises:
    """Return what ``base`` holds of applications."""
    return Premises.of_home(base.home.path, base.trust.roots())


def may_put_into_service(actor: Acting, certificate: Certificate) -> bool:
    """Tell whether it is for ``actor`` to put what the certificate speaks of into service, once nothing is against it.

    What is, says `pilotbase.service.admission.why_not_admitted`.
    """
    owner = certificate.scenario.owner.organisation
    return certificate.verdict is Verdict.ACCEPT and permitted(ServiceAct.CREATE, actor, Stands(demand_owner=owner))


def _seen(service: Service, stands: ServiceStanding, own: View) -> SeenService:
    """Return a service with what may not answer and what does; ``own``: the base's view, that sees its certificates."""
    serving, now = read_serving(own, service.name, revocations_of(own)), own.store.clock()
    ways = serving.ways if serving is not None else ()
    why = [way.why_not(now) for way in ways]
    held = tuple(HeldRoute(route=number, why=one) for number, one in enumerate(why) if one is not None)
    may = (number for number in range(stands.route, len(why)) if why[number] is None)
    answering = next(may, None) if stands.state in _ANSWERED else None
    return SeenService(service=service, standing=stands, held=held, answering=answering)


def _listed(service: Service, stands: ServiceStanding) -> ListedService:
    return ListedService(
        name=service.name,
        title=service.title,
        organisation=service.organisation,
        state=stands.state,
        application=service.answers(stands.route),
        since=stands.at,
    )
