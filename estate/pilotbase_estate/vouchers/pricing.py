"""What computing power costs: amounts of a demand over time, and the bill at a price list. Pure; whole numbers only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pilotbase.documents.prices import PriceList, category_of, costs_of
from pilotbase.documents.quantities import SIZES
from pilotbase_estate.documents.resources import MILLI, Vector
from pilotbase_estate.documents.voucher import CostLine, VoucherRules


@dataclass(frozen=True)
class Bill:
    """The cost of amounts, line by line; ``counted`` is the cost of the lines that are subsidised."""

    lines: tuple[CostLine, ...]

    @property
    def cost(self) -> int:
        return sum(line.cost for line in self.lines)

    @property
    def counted(self) -> int:
        return sum(line.cost for line in self.lines if line.counts)


def amounts_over(demand: Vector, wall_ms: int) -> dict[str, int]:
    """Return the amounts of ``demand`` over ``wall_ms``: core-ms, MiB-ms, GPU-ms, licence-ms; fractions are cut off."""
    return {name: amount * wall_ms // _unit(name) for name, amount in sorted(demand.items())}


def bill(prices: PriceList, amounts: Mapping[str, int], rules: VoucherRules) -> Bill:
    """Return the cost of ``amounts``; what has no price, or was not used, has no line.

    Raises:
        InputError: the amount is too large to be counted or paid.
    """
    costs = costs_of(prices, amounts)
    return Bill(
        tuple(
            CostLine(of=name, amount=amounts[name], price=prices.prices[name], cost=cost, counts=rules.counts(name))
            for name, cost in costs.items()
        )
    )


def _unit(dimension: str) -> int:
    category = category_of(dimension)
    if category in ("memory", "disk"):
        return SIZES["MiB"]
    return MILLI if category in ("cpu", "gpu") else 1
