"""What computing power costs: amounts of a demand over time, and the bill at a price list. Pure; whole numbers only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pilotbase.documents.errors import InputError
from pilotbase.documents.quantities import SIZES
from pilotbase_estate.documents.resources import MILLI, Vector
from pilotbase_estate.documents.voucher import (
    MOST_MONEY,
    MOST_UNITS,
    CostLine,
    PriceList,
    VoucherRules,
    category_of,
    rounded,
)

HOUR_MS = 3_600_000
_PER: Mapping[str, int] = {
    "cpu": HOUR_MS,
    "memory": HOUR_MS * 1024,
    "disk": HOUR_MS * 1024,
    "gpu": HOUR_MS,
    "licence": HOUR_MS,
    "calls": 1_000,
    "tokens": 1_000_000,
}
"""Category → how many of the units that are counted a price is for: MiB-ms in a GiB-hour."""


@dataclass(frozen=True)
class Bill:
    """What amounts cost, line by line; ``counted`` is the cost of the lines that are subsidised."""

    lines: tuple[CostLine, ...]

    @property
    def cost(self) -> int:
        return sum(line.cost for line in self.lines)

    @property
    def counted(self) -> int:
        return sum(line.cost for line in self.lines if line.counts)


def amounts_over(demand: Vector, wall_ms: int) -> dict[str, int]:
    """Return what ``demand`` comes to over ``wall_ms``: core-ms, MiB-ms, GPU-ms, licence-ms; parts are cut off."""
    return {name: amount * wall_ms // _unit(name) for name, amount in sorted(demand.items())}


def bill(prices: PriceList, amounts: Mapping[str, int], rules: VoucherRules) -> Bill:
    """Return what ``amounts`` cost; what has no price, or was not used, has no line.

    Raises:
        InputError: it is more than can be counted or paid.
    """
    costs = _costs(prices, amounts)
    return Bill(
        tuple(
            CostLine(of=name, amount=amounts[name], price=prices.prices[name], cost=cost, counts=rules.counts(name))
            for name, cost in costs.items()
        )
    )


def cost_of(prices: PriceList, amounts: Mapping[str, int]) -> int:
    """Return what ``amounts`` cost in all, whoever pays; raises as `bill`."""
    return sum(_costs(prices, amounts).values())


def _costs(prices: PriceList, amounts: Mapping[str, int]) -> dict[str, int]:
    priced = {name: amount for name, amount in sorted(amounts.items()) if amount and prices.prices.get(name)}
    costs = {name: _cost(name, amount, prices) for name, amount in priced.items()}
    if sum(costs.values()) > MOST_MONEY or max(priced.values(), default=0) > MOST_UNITS:
        raise InputError("voucher.beyond_counting", most=MOST_MONEY)
    return costs


def _cost(dimension: str, amount: int, prices: PriceList) -> int:
    return rounded(amount * prices.prices[dimension], _PER[category_of(dimension)], prices.rounding)


def _unit(dimension: str) -> int:
    category = category_of(dimension)
    if category in ("memory", "disk"):
        return SIZES["MiB"]
    return MILLI if category in ("cpu", "gpu") else 1
