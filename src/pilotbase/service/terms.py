"""Keys, budgets, exposure and usage of a service, as those to whom they are open make and see them."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import Connection, insert, select, update

from pilotbase.catalogue.records import everything
from pilotbase.documents.api.services import BudgetView, ExposureTold, KeyView, UsageRow
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.errors import InputError
from pilotbase.documents.permissions import ServiceAct
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.service import CertifiedRoute, ExposureGrant, ExposureTerms, Service
from pilotbase.documents.subjects import exposure_head
from pilotbase.documents.vocabularies import CallEnd
from pilotbase.operations.services import NewBudget, NewExposure, NewKey
from pilotbase.service import budgets
from pilotbase.service.budgets import ServiceBudget, Spending
from pilotbase.service.calls import in_billionths, in_money
from pilotbase.service.registry import ServiceKey, keys_of, opened, seen_by, services_of, withdraw_key, write_key
from pilotbase.workspace import tables as tables
from pilotbase.workspace.failures import ConflictError
from pilotbase.workspace.store import View

_rows = tables.service_meters.c


@dataclass(frozen=True)
class MeterKey:
    """What is counted together."""

    service: str
    hour: datetime
    """The hour, in UTC, in which the calls ended."""
    key: str
    version: str
    """Digest of the application that answered; '': none, or an endpoint without one."""
    end: CallEnd


@dataclass(frozen=True)
class ServiceUsage:
    """How much there was."""

    calls: int = 0
    cases: int = 0
    tokens: int = 0
    microseconds: int = 0
    billionths: int = 0
    """What models cost, in billionths of the currency of their prices."""

    def __add__(self, other: ServiceUsage) -> ServiceUsage:
        return ServiceUsage(
            self.calls + other.calls,
            self.cases + other.cases,
            self.tokens + other.tokens,
            self.microseconds + other.microseconds,
            self.billionths + other.billionths,
        )


def add_up(items: Iterable[tuple[MeterKey, ServiceUsage]]) -> Mapping[MeterKey, ServiceUsage]:
    """Return the sum for each meter."""
    found: defaultdict[MeterKey, ServiceUsage] = defaultdict(ServiceUsage)
    for meter, usage in items:
        found[meter] = found[meter] + usage
    return found


def write_usage(connection: Connection, counted: Mapping[MeterKey, ServiceUsage]) -> None:
    """Add to the rows of the meters; the caller makes sure that nothing is counted twice."""
    for meter, usage in counted.items():
        here = [_rows[name] == value for name, value in vars(meter).items()]
        more = {_rows[name]: _rows[name] + value for name, value in vars(usage).items()}
        if connection.execute(update(tables.service_meters).where(*here).values(more)).rowcount == 0:
            connection.execute(insert(tables.service_meters).values({**vars(meter), **vars(usage)}))


def usage_of(view: View, service: str, days: int = 30) -> Mapping[MeterKey, ServiceUsage]:
    """Return what was used of a service in the last ``days``; the caller may look into the service."""
    since = view.store.clock() - timedelta(days=days)
    rows = select(tables.service_meters).where(_rows.service == service, _rows.hour >= since).order_by(_rows.hour)
    with view.reading() as connection:
        found = connection.execute(rows).all()
    return {
        MeterKey(row.service, row.hour, row.key, row.version, CallEnd(row.end)): ServiceUsage(
            row.calls, row.cases, row.tokens, row.microseconds, row.billionths
        )
        for row in found
    }


def create_key(view: View, wanted: NewKey) -> KeyView:
    """Make a key and return it with its secret, which nobody can be told again.

    Raises as everything here:
        NotFoundError: there is no such service (or budget), or none that the actor may see.
        RefusedError: it is not for the actor to do this.
        ConflictError: this very request has made a key before, whose secret is kept nowhere.
    """
    with view.transaction("service.key_made") as change:
        here = view.within(change)
        found = opened(here, wanted.service, ServiceAct.KEYS)
        made = here.outcome()
        if made is not None:
            raise ConflictError("service.key_made_before", key=made)
        key, secret = write_key(change, found.organisation, wanted)
        change.settle(key.identity)
    return _seen_key(key, secret)


def revoke_key(view: View, service: str, identity: str) -> None:
    """Let a key open nothing from its next call on."""
    with view.transaction("service.key_revoked") as change:
        opened(view.within(change), service, ServiceAct.KEYS)
        withdraw_key(change, service, identity)


def list_keys(view: View, service: str) -> list[KeyView]:
    """Return the keys of a service, newest first, without their secrets."""
    opened(view, service, ServiceAct.INSPECT)
    return [_seen_key(key) for key in keys_of(view, service)]


def set_budget(view: View, wanted: NewBudget) -> BudgetView:
    """Set a budget, new or changed, and return where it stands.

    Raises `InputError` for one that bounds nothing, or money where no model of the service has a price.
    """
    service, name = wanted.service, wanted.budget
    with view.transaction("service.budget_set") as change:
        here = view.within(change)
        found = opened(here, service, ServiceAct.BUDGET)
        if wanted.cost is not None and _currency(found) is None:
            raise InputError("service.no_prices", service=service)
        if here.outcome() is None:
            money = None if wanted.cost is None else in_billionths(wanted.cost)
            budget = ServiceBudget(service, name, wanted.period, wanted.calls, wanted.tokens, money)
            budgets.write_budget(change, budget)
            change.settle(name)
    return next(one for one in list_budgets(view, service) if one.name == name)


def list_budgets(view: View, service: str) -> list[BudgetView]:
    """Return where each budget of a service stands, by name."""
    currency = _currency(opened(view, service, ServiceAct.INSPECT))
    return [_seen_budget(spending, currency) for spending in budgets.spending_of(view, service)]


def grant_exposure(view: View, wanted: NewExposure) -> ExposureTold:
    """Grant the scenario of a service an exposure limit, of which nothing is used yet.

    Raises `InputError` for a loss where no cost of an error is known, or which no case fits.
    """
    with view.transaction("service.exposure_granted") as change:
        here = view.within(change)
        found = opened(here, wanted.service, ServiceAct.BUDGET)
        if here.outcome() is None:
            granted = ExposureGrant(
                identity=secrets.token_hex(16),
                exposed=found.exposed,
                organisation=view.actor.organisation,
                terms=_with_error_cost(here, found, filled(ExposureTerms, wanted)),
                since=change.now,
            )
            if granted.bound[1] < 1:
                raise InputError("service.exposure_too_small")
            made = change.put(granted, seen_by(found), owner=found.organisation, fields={"exposed": found.exposed})
            change.let_stand(exposure_head(found.exposed), made)
            change.settle(made)
    return tell_exposure(view, wanted.service)


NEARLY = 0.8
"""The share of an exposure limit at which owner and operator are notified."""


def nearly_exposed(view: View) -> Iterator[tuple[Service, ExposureGrant, int]]:
    """Yield each exposure limit in force of which `NEARLY` is used, with one of its services and the cases used."""
    exposed = {one.exposed: one for one, _ in services_of(view)}
    for name, service in exposed.items():
        granted = view.load_head(exposure_head(name), ExposureGrant)
        if granted is not None:
            standing = budgets.standing_of(view, ServiceBudget.of_exposure(granted))
            used = standing.used.calls + standing.held.calls
            if used >= NEARLY * granted.bound[1]:
                yield service, granted, used


def tell_exposure(view: View, service: str) -> ExposureTold:
    """Return the exposure limit of the scenario of a service, and how much of it is used."""
    found = opened(view, service, ServiceAct.INSPECT)
    granted = view.load_head(exposure_head(found.exposed), ExposureGrant)
    standing = budgets.standing_of(view, ServiceBudget.of_exposure(granted)) if granted is not None else None
    others = [one for one in view.every(ExposureGrant, {"exposed": found.exposed}) if one != granted]
    return ExposureTold(
        service=service,
        exposed=found.exposed,
        exposure=granted,
        bound=granted.bound[0] if granted is not None else None,
        cases=granted.bound[1] if granted is not None else None,
        used=standing.used.calls if standing is not None else 0,
        held=standing.held.calls if standing is not None else 0,
        services=tuple(one.name for one, _ in services_of(view) if one.exposed == found.exposed),
        earlier=tuple(sorted(others, key=lambda one: one.since, reverse=True)),
    )


def _with_error_cost(view: View, service: Service, terms: ExposureTerms) -> ExposureTerms:
    """Return the terms with the cost of an error: as given, or the scenario's costliest; raises `InputError`."""
    if terms.loss is None or terms.error_cost is not None:
        return terms
    scenario = everything(view).load_head(service.scenario, Scenario) if service.scenario is not None else None
    costs = scenario.costs if scenario is not None else None
    if costs is None:
        raise InputError("service.exposure_no_error_cost")
    mistakes = costs.rule.mistakes.values() if costs.rule is not None else (costs.miss or 0, costs.false_alarm or 0)
    return terms.model_copy(update={"error_cost": Decimal(str(max(mistakes))), "currency": costs.currency})


def usage_by_day(view: View, service: str, days: int = 30) -> list[UsageRow]:
    """Return what was used by day (UTC), key, version and end, oldest first."""
    found = opened(view, service, ServiceAct.INSPECT)
    hours = usage_of(view, service, days)
    counted = add_up((replace(meter, hour=meter.hour.replace(hour=0)), used) for meter, used in hours.items())
    paid_in = _currencies(found)
    return [
        filled(
            UsageRow,
            meter,
            used,
            day=meter.hour,
            milliseconds=used.microseconds / 1000,
            cost=in_money(used.billionths),
            currency=paid_in.get(meter.version),
        )
        for meter, used in counted.items()
    ]


def _currencies(service: Service) -> Mapping[str, str]:
    """Return version → the currency of what its model costs."""
    certified = [route for route in service.routes if isinstance(route, CertifiedRoute)]
    return {
        route.application.digest: route.door.model.prices.currency
        for route in certified
        if route.door is not None and route.door.model.prices is not None
    }


def _currency(service: Service) -> str | None:
    """Return the one currency in which models of a service are paid for; None: there is none, or there are several."""
    found = set(_currencies(service).values())
    return found.pop() if len(found) == 1 else None


def _seen_key(key: ServiceKey, secret: str | None = None) -> KeyView:
    return filled(KeyView, key, scopes=tuple(sorted(key.scopes)), secret=secret)


def _seen_budget(spending: Spending, currency: str | None) -> BudgetView:
    bound = spending.budget.billionths
    return filled(
        BudgetView,
        spending.budget,
        cost=None if bound is None else in_money(bound),
        currency=currency,
        used_cost=in_money(spending.used.billionths),
        held_cost=in_money(spending.held.billionths),
        current=spending.account.period,
        used_calls=spending.used.calls,
        used_tokens=spending.used.tokens,
        held_calls=spending.held.calls,
        held_tokens=spending.held.tokens,
    )
