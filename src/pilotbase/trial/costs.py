"""What a run in a box costs: processor seconds at the price that the scenario states."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from pilotbase.documents.endpoint import Spent
from pilotbase.documents.scenario import HourPrice
from pilotbase.trial.running import Run

_HOUR = 3600
_PLACES = Decimal("1e-9")


def with_cost(run: Run, price: HourPrice | None) -> Run:
    """Return ``run`` with what 1,000 of its cases cost; as it is where no price is stated, or an endpoint was paid.

    The processor seconds are those of the whole box, loading included: whoever answers few cases pays for it, too.
    """
    load = run.load
    if price is None or run.use is not None or load.cpu_seconds is None or not load.cases:
        return run
    of_thousand = Decimal(repr(load.cpu_seconds)) / load.cases * 1000 / _HOUR * price.amount
    spent = Spent(
        cases=load.cases,
        cost_per_thousand=min(of_thousand, Decimal(10**9) - 1).quantize(_PLACES),
        currency=price.currency,
    )
    return replace(run, load=replace(load, spent=spent))
