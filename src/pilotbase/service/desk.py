"""The desk: admits every call of a service and settles it; one a gateway process, safe to share between threads.

    admit   who asks, what stands now, what may answer, is there budget?  → journal: reserved → the call goes out
    settle  the answer is there                                           → journal: settled  → the answer goes back

Budgets: a call is paid before it goes out, from an allotment that the desk has taken out of the budget in the store.
The rest of it comes back when the desk closes, or when somebody reads what a killed one has left (`journal.recover`).
"""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

from pilotbase.documents.errors import PilotbaseError, RefusedError
from pilotbase.documents.hashes import hash_secret
from pilotbase.documents.service import Route, Service
from pilotbase.documents.vocabularies import CallEnd, Scope, ServingState
from pilotbase.service import budgets
from pilotbase.service.budgets import ServiceBudget
from pilotbase.service.calls import (
    NOTHING,
    Admission,
    BudgetHold,
    BudgetPeriod,
    CallObservation,
    Cost,
    ModelSpending,
    ShadowOutcome,
    in_billionths,
)
from pilotbase.service.journal import Journal, recover
from pilotbase.service.known import Barred, KeyAccess, KnownServices, Serving
from pilotbase.service.registry import MARK, ServiceKey, require_open
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View

_AT_ONCE = 6
"""A sixth of a minute's calls may come at once; the others wait for their share of the minute."""


class TooManyCallsError(RefusedError):
    """The key has made its calls of this minute; ask again in ``seconds``."""

    def __init__(self, key: ServiceKey, seconds: int) -> None:
        super().__init__("service.rate_limited", key=key.prefix, calls=key.calls_a_minute, seconds=seconds)
        self.seconds = seconds


class CallRates:
    """The generic cell rate algorithm (ITU-T I.371, Annex A): all it keeps of a key is when its next call is due."""

    def __init__(self) -> None:
        self._due: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def take(self, key: ServiceKey, now: datetime) -> None:
        """Count one call of ``key``; raises `TooManyCallsError`."""
        if key.calls_a_minute is None:
            return
        apart = timedelta(minutes=1) / key.calls_a_minute
        with self._lock:
            due = max(self._due.get(key.identity, now), now)
            early = due - now - (math.ceil(key.calls_a_minute / _AT_ONCE) - 1) * apart
            if early > timedelta():
                raise TooManyCallsError(key, math.ceil(early.total_seconds()))
            self._due[key.identity] = due + apart

    def give_back(self, key: ServiceKey) -> None:
        """Forget a call that was not admitted after all."""
        if key.calls_a_minute is not None:
            with self._lock:
                self._due[key.identity] -= timedelta(minutes=1) / key.calls_a_minute


__all__ = ["Admission", "CallDispatcher", "CallObservation", "Cost", "MustWaitError"]


@dataclass
class _Pool:
    """What is left of an allotment in the hands of this desk."""

    budget: ServiceBudget
    account: BudgetPeriod
    left: Cost = NOTHING
    lock: threading.Lock = field(default_factory=threading.Lock)
    """Held for moments only, but where an allotment is emptied."""
    leasing: threading.Lock = field(default_factory=threading.Lock)
    """Held while more is taken out of the store; others take and settle meanwhile."""


class MustWaitError(PilotbaseError):
    """More has to be taken out of the store before the call can be admitted: ask again where that may take a while."""


class CallDispatcher:
    """Admits and settles calls. Made by `open`; what it holds is given back by `close`."""

    def __init__(self, view: View, journal: Journal) -> None:
        self._view = view
        self._journal = journal
        self._known = KnownServices(view)
        self._numbers = count(1)
        self._pools: dict[BudgetPeriod, _Pool] = {}
        self._accounts: dict[str, BudgetPeriod | None] = {}
        self._tests: set[str] = set()
        """Keys of tests."""
        self._open: dict[int, Admission] = {}
        self._rates = CallRates()
        self._lock = threading.Lock()
        self._latest = view.store.clock()

    @classmethod
    def open(cls, view: View, folder: Path) -> CallDispatcher:
        """Return a new desk of the base that ``view`` (its operator's) sees, with its journal under ``folder``.

        What killed desks have left there goes back to its budgets first.

        Raises:
            DiskFullError: no journal can be kept.
            PilotbaseError: the store cannot be asked.
        """
        recover(view, folder)
        return cls(view, Journal.begin(folder))

    @property
    def identity(self) -> str:
        """What its journal and its allotments are called."""
        return self._journal.desk

    def admit(
        self,
        secret: str,
        service: str,
        cost: Cost,
        scope: Scope = Scope.INFER,
        *,
        cases: Callable[[], int] = lambda: 1,
        waiting: bool = True,
    ) -> Admission:
        """Admit one call of ``service`` that costs at most ``cost``; it is reserved until it is settled.

        ``cases``: counts the cases of the call if its scenario has an exposure limit. Once that is used up, a person
        takes over. ``waiting=False``: not at the price of waiting for whoever writes to the store, for an event loop.

        Raises:
            MustWaitError: with ``waiting=False`` only.
            RefusedError: ``service.unknown_key``, ``key_revoked``, ``key_expired``, ``wrong_scope``, ``stopped``,
                ``certificate_revoked``, ``_suspended`` or ``_expired`` where no person takes over, nor then
                ``exposure_spent``; ``budget_spent``; ``budget_held`` where calls under way hold what may come back.
            TooManyCallsError: the key has made its calls of this minute.
            NotFoundError: ``service.unknown_service``: there is none, or not for this key.
            DiskFullError: ``service.journal_full``: what cannot be written down is not done.
            PilotbaseError: the store cannot be asked; then nothing is admitted.
        """
        self._known.refresh()
        now = self._now()
        access = self._access(secret, scope, now)
        serving = self._serving(access.key, service)
        route = _route(serving, now)
        self._rates.take(access.key, now)
        try:
            exposed, route = self._expose(serving, route, cases, waiting)
            return self._reserve(access, serving, route, cost, exposed, waiting)
        except BaseException:
            self._rates.give_back(access.key)
            raise

    def may_go_on(self, admission: Admission) -> bool:
        """Return whether an admitted call may still be answered as it was admitted, for calls that take long.

        Not where its service was stopped or handed over to a person since, or what answers may not any more.
        """
        self._known.refresh()
        serving = self._known.serving(admission.service.name)
        if serving is None or serving.standing.state is ServingState.STOPPED:
            return False
        if admission.route is None:
            return True
        if serving.standing.state is ServingState.HUMAN:
            return False
        now = self._now()
        return any(way.route == admission.route and way.why_not(now) is None for way in serving.ways)

    def may_answer(self, service: str) -> tuple[Route, ...]:
        """Return the routes that a call of ``service`` would be asked of now, in that order.

        None where it is stopped or handed over, and none that is barred or has expired.
        """
        self._known.refresh()
        serving, now = self._known.serving(service), self._now()
        if serving is None or serving.standing.state in (ServingState.STOPPED, ServingState.HUMAN):
            return ()
        way = serving.way(now)
        return () if way is None else (way.route, *serving.after(way.route, now))

    def services(self, secret: str, *, fresh: bool = True) -> list[Service]:
        """Return what a key may call; raises `RefusedError` as `admit` does.

        ``fresh=False``: as it was known last, for callers who go on to `admit`.
        """
        if fresh:
            self._known.refresh()
        serving = self._known.serving(self.key(secret).service)
        return [] if serving is None else [serving.service]

    def key(self, secret: str) -> ServiceKey:
        """Return the key of a secret, as it was known last; raises `RefusedError` as `admit` does."""
        return self._access(secret, None, self._now()).key

    def settle(self, admission: Admission, used: Cost, observed: CallObservation | None = None) -> None:
        """Say what a call has used and what was observed of it, before its answer goes back; what is left goes back.

        ``observed=None``: nobody answered. More than was reserved is paid as far as this desk's allotment reaches:
        the meter shows all of it, the budget is never overspent.

        Raises:
            ValueError: it was settled before, or by another desk.
            DiskFullError: it cannot be written down. The call stays open: settle again, or it counts as reserved.
        """
        with self._lock:
            if self._open.pop(admission.number, None) is not admission:
                raise ValueError(f"call {admission.number} is not open at this desk")
        try:
            self._settle(admission, used, observed)
        except BaseException:
            self._open[admission.number] = admission
            raise

    def observe(self, key: str, service: str, observed: CallObservation, spent: ModelSpending) -> None:
        """Say what was observed of a case that took several calls of ``key``.

        What was ``spent`` is paid from the budget of the key's last call, as `settle` pays more than was reserved.

        Raises:
            DiskFullError: it cannot be written down, and nothing was paid.
        """
        used = Cost(0, spent.tokens, in_billionths(spent.cost))
        account = self._accounts.get(key)
        observed = observed.as_test() if key in self._tests else observed
        number, caller = next(self._numbers), (key, service)
        if account is None:
            self._journal.observe(number, caller, observed, used, ())
            return
        pool = self._pools[account]
        with pool.lock:
            charged = pool.budget.bounded(used).at_most(pool.left)
            self._journal.observe(number, caller, observed, used, (BudgetHold(account, charged),))
            pool.left = pool.left - charged

    def compare(self, outcome: ShadowOutcome) -> None:
        """Say what a shadow call has shown; it costs nobody anything. Raises `DiskFullError`."""
        self._journal.compare(outcome)

    def give_back(self) -> None:
        """Return what is left of every allotment to its budget; the next call takes a new one."""
        self._give_back(list(self._pools.values()))

    def close(self) -> None:
        """Give back what is left and let the journal go; open calls count as reserved. Admit nothing after it."""
        try:
            self.give_back()
        finally:
            self._journal.close()
            self._known.close()

    def _now(self) -> datetime:
        """Return the time, which never goes back here: a key that has expired does not come to life again."""
        self._latest = max(self._latest, self._view.store.clock())
        return self._latest

    def _access(self, secret: str, scope: Scope | None, now: datetime) -> KeyAccess:
        access = self._known.access(hash_secret(secret)) if secret.startswith(MARK) else None
        require_open(access.key if access is not None else None, scope, now)
        assert access is not None
        return access

    def _serving(self, key: ServiceKey, name: str) -> Serving:
        serving = self._known.serving(name) if key.service == name else None
        if serving is None:
            raise NotFoundError("service.unknown_service", service=name)
        return serving

    def _expose(
        self, serving: Serving, route: Route | None, cases: Callable[[], int], waiting: bool
    ) -> tuple[list[BudgetHold], Route | None]:
        """Take the cases of a call from the exposure limit and return them with the route, None once it is used up.

        Raises `RefusedError` where no person takes over then; `MustWaitError`.
        """
        if route is None or serving.exposure is None:
            return [], route
        try:
            return [self._hold(serving.exposure, Cost(cases()), waiting)], route
        except RefusedError:
            if serving.service.terms.ask_human:
                return [], None
            raise RefusedError("service.exposure_spent", service=serving.service.name) from None

    def _reserve(
        self,
        access: KeyAccess,
        serving: Serving,
        route: Route | None,
        cost: Cost,
        holds: list[BudgetHold],
        waiting: bool,
    ) -> Admission:
        """Take what the key's budget bounds, beside ``holds``, and write the admission down, or put all of it back."""
        account = None
        try:
            if access.budget is not None:
                holds.append(self._hold(access.budget, cost, waiting))
                account = holds[-1].account
            admission = Admission(
                next(self._numbers),
                access.key.identity,
                serving.service,
                serving.standing,
                route,
                cost,
                tuple(holds),
                serving.after(route, self._latest),
                None if access.key.is_test else serving.hold_back,
                access.key.is_test,
            )
            self._journal.reserve(admission)
        except BaseException:
            for hold in holds:
                self._put_back(hold)
            raise
        self._open[admission.number] = admission
        self._accounts[access.key.identity] = account
        if admission.test:
            self._tests.add(access.key.identity)
        return admission

    def _hold(self, budget: ServiceBudget, cost: Cost, waiting: bool) -> BudgetHold:
        """Take what of ``cost`` a budget bounds; raises as `_take`."""
        hold = BudgetHold(budget.account(self._latest), budget.bounded(cost))
        self._take(self._pool(budget, hold.account, waiting), hold.cost, waiting)
        return hold

    def _pool(self, budget: ServiceBudget, account: BudgetPeriod, waiting: bool) -> _Pool:
        """Return what the desk holds of ``account``, under its bounds as they are now."""
        pool = self._pools.get(account)
        if pool is not None and pool.budget == budget:
            return pool
        if not waiting:
            raise MustWaitError("service.must_wait")
        if pool is None:
            named = [(one, (one.account.service, one.account.budget)) for one in list(self._pools.values())]
            self._give_back(one for one, name in named if name == (account.service, account.budget))
            with self._lock:
                pool = self._pools.setdefault(account, _Pool(budget, account))
        with pool.lock:
            if pool.budget != budget:  # its bounds were changed: what was taken under the old ones goes back
                self._empty(pool)
                pool.budget = budget
        return pool

    def _give_back(self, pools: Iterable[_Pool]) -> None:
        for pool in pools:
            with pool.lock:
                self._empty(pool)

    def _take(self, pool: _Pool, cost: Cost, waiting: bool) -> None:
        """Take ``cost`` out of what this desk holds, once more was taken out of the store where that is too little.

        Raises `RefusedError`: the budget has not so much left; `MustWaitError`.
        """
        while True:
            with pool.lock:
                if pool.left.covers(cost):
                    pool.left = pool.left - cost
                    return
            if not waiting:
                raise MustWaitError("service.must_wait")
            with pool.leasing:
                need = (cost - pool.left).at_least(NOTHING)
                granted = self._lease(pool, need) if need != NOTHING else NOTHING
                with pool.lock:
                    pool.left = pool.left + granted

    def _lease(self, pool: _Pool, need: Cost) -> Cost:
        now = self._view.store.clock()
        with self._view.store.database.write() as connection:
            granted = budgets.lease(connection, self.identity, pool.budget, pool.account, need, now)
            if granted is not None:
                return granted
            holds = [hold for one in list(self._open.values()) for hold in one.holds]
            under_way = sum((one.cost for one in holds if one.account == pool.account), start=NOTHING)
            raise budgets.shortage(connection, self.identity, pool.budget, pool.account, need, under_way)

    def _settle(self, admission: Admission, used: Cost, observed: CallObservation | None) -> None:
        if observed is not None and admission.test:
            observed = observed.as_test()
        came = observed or self._view.store.clock()
        with contextlib.ExitStack() as locked:
            held = [(self._pools[hold.account], hold) for hold in admission.holds]
            for pool, _ in held:
                locked.enter_context(pool.lock)
            charged = [BudgetHold(hold.account, _charge(pool, hold.cost, used, observed)) for pool, hold in held]
            self._journal.settle(admission, used, charged, came)
            for (pool, hold), charge in zip(held, charged, strict=True):
                pool.left = pool.left + hold.cost - charge.cost

    def _put_back(self, hold: BudgetHold) -> None:
        pool = self._pools[hold.account]
        with pool.lock:
            pool.left = pool.left + hold.cost

    def _empty(self, pool: _Pool) -> None:
        if pool.left != NOTHING:
            now = self._view.store.clock()
            with self._view.store.database.write() as connection:
                budgets.give_back(connection, self.identity, pool.account, pool.left, now)
            pool.left = NOTHING


def _charge(pool: _Pool, held: Cost, used: Cost, observed: CallObservation | None) -> Cost:
    """Return what a call is charged to a budget from which ``held`` was taken.

    An exposure is charged with every case, unless no application was asked, or a person has decided.
    """
    if not pool.budget.exposes:
        return pool.budget.bounded(used).at_most(held + pool.left)
    asked = observed is not None and used.calls > 0 and observed.end is not CallEnd.HUMAN
    return held if asked else NOTHING


def _route(serving: Serving, now: datetime) -> Route | None:
    """Return what may answer now, None for a person; raises `RefusedError` where nobody may."""
    name, state = serving.service.name, serving.standing.state
    asks = serving.service.terms.ask_human
    if state is ServingState.STOPPED or (state is ServingState.HUMAN and not asks):
        raise RefusedError("service.stopped", service=name, reason=serving.standing.reason)
    if state is ServingState.HUMAN:
        return None
    way = serving.way(now)
    if way is not None:
        return way.route
    if asks:
        return None
    raise _barred(name, serving.ways[serving.standing.route].why_not(now))


def _barred(service: str, why: Barred | None) -> PilotbaseError:
    if why == "revoked":
        return RefusedError("service.certificate_revoked", service=service)
    if why == "suspended":
        return RefusedError("service.certificate_suspended", service=service)
    return RefusedError("service.certificate_expired", service=service)
