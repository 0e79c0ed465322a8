"""Keys, budgets and usage of a service, as those to whom they are open make and see them."""

from __future__ import annotations

from dataclasses import replace

from pilotbase.documents.api.services import BudgetView, KeyView, UsageRow
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.permissions import ServiceAct
from pilotbase.operations.services import NewBudget, NewKey
from pilotbase.service import budgets, keys, metering
from pilotbase.service.budgets import ServiceBudget, Spending
from pilotbase.service.keys import ServiceKey
from pilotbase.service.registry import opened
from pilotbase.workspace.failures import ConflictError
from pilotbase.workspace.store import View


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
        key, secret = keys.write_key(change, found.organisation, wanted)
        change.settle(key.identity)
    return _seen_key(key, secret)


def revoke_key(view: View, service: str, identity: str) -> None:
    """Let a key open nothing from its next call on."""
    with view.transaction("service.key_revoked") as change:
        opened(view.within(change), service, ServiceAct.KEYS)
        keys.withdraw_key(change, service, identity)


def list_keys(view: View, service: str) -> list[KeyView]:
    """Return the keys of a service, newest first, without their secrets."""
    opened(view, service, ServiceAct.INSPECT)
    return [_seen_key(key) for key in keys.keys_of(view, service)]


def set_budget(view: View, wanted: NewBudget) -> BudgetView:
    """Set a budget, new or changed, and return where it stands; raises `InputError` for one that bounds nothing."""
    service, name = wanted.service, wanted.budget
    with view.transaction("service.budget_set") as change:
        here = view.within(change)
        opened(here, service, ServiceAct.BUDGET)
        if here.outcome() is None:
            budgets.write_budget(change, ServiceBudget(service, name, wanted.period, wanted.calls, wanted.tokens))
            change.settle(name)
    return next(one for one in list_budgets(view, service) if one.name == name)


def list_budgets(view: View, service: str) -> list[BudgetView]:
    """Return where each budget of a service stands, by name."""
    opened(view, service, ServiceAct.INSPECT)
    return [_seen_budget(spending) for spending in budgets.spending_of(view, service)]


def usage_by_day(view: View, service: str, days: int = 30) -> list[UsageRow]:
    """Return what was used by day (UTC), key, version and end, oldest first."""
    opened(view, service, ServiceAct.INSPECT)
    hours = metering.usage_of(view, service, days)
    counted = metering.add_up((replace(meter, hour=meter.hour.replace(hour=0)), used) for meter, used in hours.items())
    return [
        filled(UsageRow, meter, used, day=meter.hour, milliseconds=used.microseconds / 1000)
        for meter, used in counted.items()
    ]


def _seen_key(key: ServiceKey, secret: str | None = None) -> KeyView:
    return filled(KeyView, key, scopes=tuple(sorted(key.scopes)), secret=secret)


def _seen_budget(spending: Spending) -> BudgetView:
    return filled(
        BudgetView,
        spending.budget,
        current=spending.account.period,
        used_calls=spending.used.calls,
        used_tokens=spending.used.tokens,
        held_calls=spending.held.calls,
        held_tokens=spending.held.tokens,
    )
