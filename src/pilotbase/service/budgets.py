"""Budgets of services in calls, tokens and money, and the allotments of them that desks hold: never overspent.

A desk takes an allotment out of the budget in a transaction before it spends from it, and accounts for it afterwards:

    limit ≥ service_spending = accounted for as used + Σ allotments

An allotment that nobody accounts for stays spent. So a desk that is lost with its journal costs what it held, and no
clock and no race can make a budget give more than it has.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Table, delete, func, select, update

from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.service import ExposureGrant
from pilotbase.documents.subjects import service_subject
from pilotbase.documents.texts import Text, text
from pilotbase.service.calls import NOTHING, BudgetPeriod, Cost, in_money
from pilotbase.workspace import tables as tables
from pilotbase.workspace.columns import set_row
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction

Period = Literal["month", "total"]
MAXIMUM = 10**15
SHARE = 16
"""A desk takes at most this part of what is left, so that the last calls are not tied up elsewhere."""
ROUNDS = 1024
"""A desk takes at most so many times the call that made it ask."""
SILENT_DAYS = 1
"""After so long an allotment of a desk that was not heard of is counted as used."""
_budgets, _spending, _held = tables.service_budgets.c, tables.service_spending.c, tables.allotments.c


@dataclass(frozen=True)
class ServiceBudget:
    """How much may be used of a service in each period; None: as much as is asked for."""

    service: str
    name: str
    period: Period = "month"
    calls: int | None = None
    tokens: int | None = None
    billionths: int | None = None
    """Of the currency in which the models of the service are paid for."""
    exposes: bool = False
    """An exposure: ``calls`` counts cases that no person decides."""

    @classmethod
    def of_exposure(cls, exposure: ExposureGrant) -> ServiceBudget:
        """Return the budget of cases that an exposure allows."""
        return cls(f"exposure:{exposure.identity}", "cases", "total", calls=exposure.bound[1], exposes=True)

    def account(self, now: datetime) -> BudgetPeriod:
        """Return what is counted together at ``now``: the month in UTC, or all."""
        return BudgetPeriod(self.service, self.name, f"{now:%Y-%m}" if self.period == "month" else "total")

    def bounded(self, cost: Cost) -> Cost:
        """Return what of ``cost`` this budget bounds."""
        return Cost(
            0 if self.calls is None else cost.calls,
            0 if self.tokens is None else cost.tokens,
            0 if self.billionths is None else cost.billionths,
        )

    def left(self, gone: Cost) -> Cost:
        """Return what remains after ``gone`` is spent; nothing without a bound."""
        return self.bounded(Cost(self.calls or 0, self.tokens or 0, self.billionths or 0) - gone)


@dataclass(frozen=True)
class Spending:
    """Where a budget stands in its period."""

    budget: ServiceBudget
    account: BudgetPeriod
    used: Cost
    """Accounted for as used."""
    held: Cost
    """In the hands of desks: in use, or to come back."""


def write_budget(change: Transaction, budget: ServiceBudget) -> None:
    """Set ``budget``, new or changed, and record it; raises `InputError` for one that bounds nothing or too much."""
    bounds = {"calls": budget.calls, "tokens": budget.tokens, "billionths": budget.billionths}
    counts = [bound for bound in (budget.calls, budget.tokens) if bound is not None]
    if not any(bound is not None for bound in bounds.values()) or not all(0 <= one <= MAXIMUM for one in counts):
        raise InputError("service.bad_budget", maximum=MAXIMUM)
    values = {"period": budget.period, **bounds}
    set_row(change.connection, tables.service_budgets, {"service": budget.service, "name": budget.name}, values)
    facts = {name: value for name, value in values.items() if value is not None}
    change.record("service.budget_set", [service_subject(budget.service), f"budget:{budget.name}"], facts)


def find_budget(connection: Connection, service: str, name: str) -> ServiceBudget | None:
    """Return a budget of a service, or None."""
    rows = select(tables.service_budgets).where(_budgets.service == service, _budgets.name == name)
    row = connection.execute(rows).one_or_none()
    return None if row is None else ServiceBudget(*row)


def require_budget(connection: Connection, service: str, name: str) -> None:
    """Return if the service has a budget of that name; raises `NotFoundError`."""
    if find_budget(connection, service, name) is None:
        raise NotFoundError("service.no_budget", service=service, budget=name)


def spending_of(view: View, service: str) -> list[Spending]:
    """Return where each budget of a service stands in its present period, by name; the caller may see the service."""
    rows = select(_budgets.name).where(_budgets.service == service).order_by(_budgets.name)
    with view.reading() as connection:
        budgets = [find_budget(connection, service, name) for name in connection.scalars(rows).all()]
        now = view.store.clock()
        return [_spending_of(connection, budget, budget.account(now)) for budget in budgets if budget is not None]


def standing_of(view: View, budget: ServiceBudget) -> Spending:
    """Return where a budget stands in its present period; the caller may see it."""
    with view.reading() as connection:
        return _spending_of(connection, budget, budget.account(view.store.clock()))


def lease(
    connection: Connection, desk: str, budget: ServiceBudget, account: BudgetPeriod, need: Cost, now: datetime
) -> Cost | None:
    """Take an allotment that covers ``need`` out of ``budget``, in the period of ``account``, and return it.

    None: so much is not left; nothing was taken. `shortage` says why.
    """
    gone, need = _gone(connection, account), budget.bounded(need)
    left = budget.left(gone)
    if not left.covers(need):
        return None
    part = Cost(left.calls // SHARE, left.tokens // SHARE, left.billionths // SHARE)
    share = part.at_most(Cost(need.calls * ROUNDS, need.tokens * ROUNDS, need.billionths * ROUNDS))
    granted = share.at_least(need)
    _set(connection, tables.service_spending, _key_of(account), gone + granted)
    held = held_by(connection, desk, account) or NOTHING
    _set(connection, tables.allotments, {"desk": desk, **_key_of(account)}, held + granted, now)
    return granted


def shortage(
    connection: Connection, desk: str, budget: ServiceBudget, account: BudgetPeriod, need: Cost, under_way: Cost
) -> RefusedError:
    """Return why ``need`` is not to be had: it is spent, or held for the moment by calls that may use less.

    ``under_way``: what calls of this desk hold. Of other desks it is known only what they were allotted.
    """
    left, others = budget.left(_gone(connection, account)), _held_by_all(connection, account, but=desk)
    code = "service.budget_held" if (left + others + under_way).covers(budget.bounded(need)) else "service.budget_spent"
    return RefusedError(code, service=budget.service, budget=budget.name, left=_lacking(left, budget.bounded(need)))


def _lacking(left: Cost, need: Cost) -> Text:
    """Return how much is left of what there is too little of."""
    if left.calls < need.calls:
        return text("service.left_calls", calls=left.calls)
    if left.tokens < need.tokens:
        return text("service.left_tokens", tokens=left.tokens)
    return text("service.left_cost", cost=f"{in_money(left.billionths):f}")


def give_back(connection: Connection, desk: str, account: BudgetPeriod, rest: Cost, now: datetime) -> None:
    """Return ``rest`` of an allotment to its budget, as far as the desk still holds it."""
    held = held_by(connection, desk, account)
    if held is None:
        return  # counted as used meanwhile
    rest = rest.at_most(held).at_least(NOTHING)
    _set(connection, tables.service_spending, _key_of(account), _gone(connection, account) - rest)
    _set(connection, tables.allotments, {"desk": desk, **_key_of(account)}, held - rest, now)


def account_for(connection: Connection, desk: str, account: BudgetPeriod, used: Cost, now: datetime) -> None:
    """Write ``used`` off an allotment: it stays spent."""
    held = held_by(connection, desk, account)
    if held is not None:
        _set(connection, tables.allotments, {"desk": desk, **_key_of(account)}, (held - used).at_least(NOTHING), now)


def held_by(connection: Connection, desk: str, account: BudgetPeriod) -> Cost | None:
    """Return what a desk has not accounted for, or None where it holds nothing of this account."""
    row = connection.execute(
        select(_held.calls, _held.tokens, _held.billionths).where(_held.desk == desk, *_is(tables.allotments, account))
    ).one_or_none()
    return None if row is None else Cost(*row)


def accounts_of(connection: Connection, desk: str) -> list[BudgetPeriod]:
    """Return the accounts of which a desk holds allotments."""
    rows = select(_held.service, _held.budget, _held.period).where(_held.desk == desk)
    return [BudgetPeriod(*row) for row in connection.execute(rows)]


def count_as_used(connection: Connection, desk: str) -> None:
    """Count whatever a desk holds as used."""
    connection.execute(delete(tables.allotments).where(_held.desk == desk))


def expire(connection: Connection, now: datetime) -> int:
    """Count allotments of desks that have been silent for `SILENT_DAYS` as used; return how many."""
    silent = _held.renewed_at < now - timedelta(days=SILENT_DAYS)
    return connection.execute(delete(tables.allotments).where(silent)).rowcount


def renew(connection: Connection, desk: str, now: datetime) -> None:
    """Say that a desk lives; writes once an hour."""
    old = (_held.desk == desk, _held.renewed_at < now - timedelta(hours=1))
    connection.execute(update(tables.allotments).where(*old).values(renewed_at=now))


def _held_by_all(connection: Connection, account: BudgetPeriod, but: str = "") -> Cost:
    sums = [func.coalesce(func.sum(column), 0) for column in (_held.calls, _held.tokens, _held.billionths)]
    row = connection.execute(select(*sums).where(_held.desk != but, *_is(tables.allotments, account))).one()
    return Cost(*map(int, row))


def _spending_of(connection: Connection, budget: ServiceBudget, account: BudgetPeriod) -> Spending:
    held = _held_by_all(connection, account)
    return Spending(budget, account, _gone(connection, account) - held, held)


def _gone(connection: Connection, account: BudgetPeriod) -> Cost:
    rows = select(_spending.calls, _spending.tokens, _spending.billionths).where(*_is(tables.service_spending, account))
    row = connection.execute(rows).one_or_none()
    return NOTHING if row is None else Cost(*row)


def _is(table: Table, account: BudgetPeriod) -> tuple[Any, ...]:
    return tuple(table.c[name] == value for name, value in _key_of(account).items())


def _key_of(account: BudgetPeriod) -> dict[str, str]:
    return {"service": account.service, "budget": account.budget, "period": account.period}


def _set(
    connection: Connection, table: Table, key: dict[str, str], cost: Cost, renewed_at: datetime | None = None
) -> None:
    values: dict[str, Any] = {**vars(cost)}
    set_row(connection, table, key, values if renewed_at is None else {**values, "renewed_at": renewed_at})
