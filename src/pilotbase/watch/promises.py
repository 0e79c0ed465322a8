"""What the certificate of a service promises: the plan that it was given on, as the watch reads it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pilotbase.certificate.status import IssuedCertificate
from pilotbase.documents.criteria import Rule
from pilotbase.documents.hashes import Digest
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.service import CertifiedRoute, Route, Service, ServiceStatus
from pilotbase.documents.subjects import standing_head
from pilotbase.documents.vocabularies import Verdict
from pilotbase.documents.watch import Watch
from pilotbase.measures import RuleContext, is_resource
from pilotbase.trial.sealed import SealedScenario
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View

_LATENCY = re.compile(r"latency\.p(\d+)")


@dataclass(frozen=True)
class Promised:
    """An application of the service, and the plan on which it was accepted."""

    certificate: Digest
    version: Digest
    """Digest of the application."""
    plan: TrialPlan
    may_miss: frozenset[str] = frozenset()
    """Fields that lacked a value somewhere in the data of the trial."""

    @property
    def setting(self) -> RuleContext:
        """Return what a service offers to criteria: the answers, and as columns what it is asked with."""
        return setting_of(self.plan)


@dataclass(frozen=True)
class LatencyPromise:
    """So many milliseconds at most, for this share of calls."""

    milliseconds: float
    quantile: float


def setting_of(plan: TrialPlan) -> RuleContext:
    """Return what a service that was accepted on ``plan`` offers to criteria."""
    prediction, features = plan.contract.prediction, plan.contract.features
    columns = frozenset(field.name for field in features)
    return RuleContext(prediction.kind, prediction.classes, plan.positive, columns, features=features)


def settings_of(view: View, service: Service) -> tuple[RuleContext, ...]:
    """Return the setting of each version of ``service``; none where one is an endpoint, or its plan is not seen."""
    routes = [route for route in service.routes if isinstance(route, CertifiedRoute)]
    if len(routes) < len(service.routes):
        return ()
    try:
        return tuple(setting_of(view.load(route.plan, TrialPlan)) for route in routes)
    except NotFoundError:
        return ()


def promised_of(view: View, service: Service) -> Promised | None:
    """Return what the route that answers now promises; None where no certificate accepts it.

    Raises:
        NotFoundError: the actor does not see certificate or plan.
    """
    return _promise(view, service.routes[_answering(view, service)])


def promised_to(view: View, service: Service, watch: Watch) -> Promised | None:
    """Return the promise that ``watch`` was made of, whatever answers now; raises as `promised_of`."""
    routes = [route for route in service.routes if isinstance(route, CertifiedRoute)]
    named = next((route for route in routes if route.certificate == watch.certificate), None)
    return None if named is None else _promise(view, named)


def _answering(view: View, service: Service) -> int:
    head = standing_head(service.name)
    found = view.named([head]).get(head)
    return 0 if found is None else min(found.load(ServiceStatus).route, len(service.routes) - 1)


def _promise(view: View, route: Route) -> Promised | None:
    if not isinstance(route, CertifiedRoute):
        return None
    issued = view.load(route.certificate, IssuedCertificate)
    if issued.certificate.verdict is not Verdict.ACCEPT:
        return None
    plan = view.load(route.plan, TrialPlan)
    if plan.release is not None:
        raise NotFoundError("site.no_watch", application=route.application.name)
    sealed = view.load(plan.sealed, SealedScenario)
    return Promised(route.certificate, route.application.digest, plan, frozenset(sealed.may_miss))


def latency_promised(plan: TrialPlan) -> LatencyPromise | None:
    """Return the strictest bound on a quantile of latency among the criteria of ``plan``, or None."""
    found = [_latency(rule) for rule in (criterion.parsed() for criterion in plan.criteria) if is_resource(rule)]
    return min((one for one in found if one is not None), key=lambda one: one.milliseconds, default=None)


def _latency(rule: Rule) -> LatencyPromise | None:
    """Return the bound that a rule such as ``latency.p95 <= 250 ms`` sets."""
    named = _LATENCY.fullmatch(rule.measure)
    if named is None or rule.comparison != "<=":
        return None
    digits = named.group(1)
    return LatencyPromise(float(rule.threshold) * 1000, int(digits) / 10 ** len(digits))
