"""Measuring what a service saves: units are drawn to go today's way, outcomes compared as they were drawn.

The gateway draws a unit by HMAC-SHA256(seed, unit) (`HoldBackDraw`); the seed's digest is in the log before the first
draw, the seed is shown at the end. The interval is Hall's (1992), which corrects the studentised mean for skewness:
with costs of which one in fifty is large, the usual one covers 0.88 where 0.95 is said.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from math import cbrt, isclose
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy  # loads each of its parts when it is first used
from sqlalchemy import select

from pilotbase.catalogue.records import everything
from pilotbase.documents.api.services import BenefitTold, ValueTold
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.hashes import digest_bytes
from pilotbase.documents.permissions import ServiceAct
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.service import (
    FEWEST_HELD,
    HoldBack,
    HoldBackSeed,
    HoldBackTerms,
    Service,
    ServiceOutcomes,
    UnitOutcome,
)
from pilotbase.documents.subjects import hold_back_head, hold_back_seed_head
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import RiskLevel
from pilotbase.service.calls import HoldBackDraw
from pilotbase.service.registry import opened, seen_by, world_behind
from pilotbase.service.terms import usage_by_day
from pilotbase.workspace import tables as tables
from pilotbase.workspace.actors import BASE
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View

NOMINAL = 0.03
"""Error of the printed interval by its formula: simulated with skewed costs it is 0.05 at most (`make evidence`)."""
Costs = npt.NDArray[np.float64]
_DAYS = 400
_journeys = tables.journeys.c


def benefit(held: Costs, answered: Costs, error: float = NOMINAL) -> tuple[float, float, float]:
    """Return how much less a unit costs with the service, and its interval, by Hall's transformation."""
    mean = float(held.mean() - answered.mean())
    variance = held.var() / len(held) + answered.var() / len(answered)
    if isclose(variance, 0, abs_tol=1e-300):
        return mean, mean, mean
    third = _third(held) / len(held) ** 2 - _third(answered) / len(answered) ** 2
    spread, skew = float(np.sqrt(variance)), float(third / variance**1.5)
    quantile = float(scipy.stats.norm.isf(error / 2))
    low, high = (mean - spread * _hall(skew, value) for value in (quantile, -quantile))
    return mean, low, high


def _third(costs: Costs) -> float:
    return float(((costs - costs.mean()) ** 3).mean())


def _hall(skew: float, normal: float) -> float:
    """Return the studentised mean that Hall's transformation takes to a standard normal value."""
    if abs(skew) < 1e-9:
        return normal
    return 3 / skew * (cbrt(1 + skew * (normal - skew / 6)) - 1)


def begin_hold_back(view: View, service: str, terms: HoldBackTerms) -> HoldBack:
    """Begin to hold units back, and return what stands: terms, and the commitment to the seed.

    Raises:
        NotFoundError: there is no such service, or none that the actor may see.
        RefusedError: it is not for the actor; no person answers there; the risk is high; or one is under way.
    """
    opened(view, service, ServiceAct.CREATE)
    known = view.done(HoldBack)
    if known is not None:
        return known
    identity, seed = secrets.token_hex(16), secrets.token_hex(32)
    _keep_seed(everything(view), HoldBackSeed(identity=identity, seed=seed))
    with view.transaction("service.hold_back_begun") as change:
        here = view.within(change)
        found = opened(here, service, ServiceAct.CREATE)
        known = here.done(HoldBack)
        if known is not None:
            return known
        if not found.terms.ask_human:
            raise RefusedError("service.hold_back_no_desk", service=service)
        if any(world_behind(everything(here), route) for route in found.routes):
            raise RefusedError("service.hold_back_agent", service=service)
        scenario = everything(here).load_head(found.scenario, Scenario) if found.scenario else None
        if scenario is not None and scenario.risk is not None and scenario.risk.level is RiskLevel.HIGH:
            raise RefusedError("service.hold_back_risk", service=service)
        before = here.load_head(hold_back_head(service), HoldBack)
        if before is not None and before.ended_at is None:
            raise RefusedError("service.hold_back_running", service=service)
        made = HoldBack(
            identity=identity,
            service=service,
            terms=terms,
            commitment=digest_bytes(bytes.fromhex(seed)),
            since=change.now,
        )
        change.let_stand(hold_back_head(service), change.put(made, seen_by(found), owner=found.organisation))
        change.settle(made.digest())
    return made


def end_hold_back(view: View, service: str) -> HoldBack:
    """End it, and return it with its seed; what has ended stays so. Raises as `begin_hold_back`."""
    with view.transaction("service.hold_back_ended") as change:
        here = view.within(change)
        found = opened(here, service, ServiceAct.CREATE)
        before = _newest(here, service)
        if before.ended_at is not None:
            return before
        seed = _seed_of(here, before)
        ended = before.model_copy(update={"ended_at": change.now, "seed": seed})
        change.let_stand(hold_back_head(service), change.put(ended, seen_by(found), owner=found.organisation))
    return ended


def report_outcomes(view: View, service: str, outcomes: Sequence[UnitOutcome]) -> ValueTold:
    """Keep what units have cost, and return what the service saves by now. Raises as `begin_hold_back`."""
    with view.transaction("service.outcomes") as change:
        here = view.within(change)
        found = opened(here, service, ServiceAct.CREATE)
        of = _newest(here, service)
        if here.outcome() is None:
            kept = ServiceOutcomes(service=service, hold_back=of.identity, outcomes=tuple(outcomes))
            fields = {"service": service, "hold_back": of.identity}
            change.settle(change.put(kept, seen_by(found), owner=found.organisation, fields=fields))
    return tell_value(view, service)


def tell_value(view: View, service: str) -> ValueTold:
    """Return what a service saves, by its newest hold-back; raises `NotFoundError`, `RefusedError`."""
    found = opened(view, service, ServiceAct.INSPECT)
    of = view.load_head(hold_back_head(service), HoldBack)
    if of is None:
        nothing = {"hold_back": None, "held": 0, "answered": 0, "capped": 0, "benefit": None}
        return ValueTold(service=service, **nothing, why=text("service.value_unknown"), **costs_of(view, found, None))
    terms, draw = of.terms, HoldBackDraw(_seed_of(view, of), of.terms.share)
    costs: defaultdict[str, float] = defaultdict(float)
    for batch in view.every(ServiceOutcomes, {"service": service, "hold_back": of.identity}):
        for one in batch.outcomes:
            costs[one.unit.partition(":")[0]] += one.cost
    arms: dict[bool, list[float]] = {True: [], False: []}
    for unit, cost in costs.items():
        arms[draw.holds(unit)].append(min(cost, terms.cap))
    held, answered = np.array(arms[True]), np.array(arms[False])
    enough = len(held) >= FEWEST_HELD and len(answered) >= FEWEST_HELD
    saved = None
    if enough:
        mean, low, high = benefit(held, answered)
        saved = BenefitTold(mean=mean, low=low, high=high, cost_of_measuring=mean * len(held))
    why = None if enough else text("service.value_early", held=len(held), needed=FEWEST_HELD)
    if enough and len(costs) < terms.units:
        why = text("service.value_open", units=len(costs), planned=terms.units)
    capped = sum(cost > terms.cap for cost in costs.values())
    return ValueTold(
        service=service,
        hold_back=of,
        held=len(held),
        answered=len(answered),
        capped=capped,
        benefit=saved,
        why=why,
        **costs_of(view, found, of.since),
    )


def costs_of(view: View, service: Service, since: datetime | None) -> dict[str, Any]:
    """Return what records know of the whole way: trial as agreed and metered, models as metered since a day."""
    models: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in usage_by_day(view, service.name, _DAYS):
        if since is not None and row.currency is not None and row.day.date() >= since.date():
            models[row.currency] += row.cost
    asked = select(_journeys.amount, _journeys.currency, _journeys.cpu_ms).where(
        _journeys.subject == (service.commission or "")
    )
    with view.reading() as connection:
        trial = connection.execute(asked).one_or_none()
    return {
        "models_cost": {currency: float(cost) for currency, cost in models.items()},
        "trial_price": trial.amount / 100 if trial is not None and trial.amount is not None else None,
        "trial_currency": trial.currency if trial is not None else "",
        "trial_cpu_seconds": trial.cpu_ms / 1000 if trial is not None and trial.cpu_ms is not None else None,
    }


def _newest(view: View, service: str) -> HoldBack:
    found = view.load_head(hold_back_head(service), HoldBack)
    if found is None:
        raise NotFoundError("service.no_hold_back", service=service)
    return found


def _keep_seed(base: View, seed: HoldBackSeed) -> None:
    """Keep the seed as the base's own, which the owner can't see, before the hold-back that names it.

    A process that is killed in between leaves a seed that nothing names.
    """
    with base.transaction("service.hold_back_seeded") as change:
        change.let_stand(hold_back_seed_head(seed.identity), change.put(seed, BASE))


def _seed_of(view: View, of: HoldBack) -> str:
    if of.seed is not None:
        return of.seed
    found = everything(view).load_head(hold_back_seed_head(of.identity), HoldBackSeed)
    assert found is not None
    return found.seed
