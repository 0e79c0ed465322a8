"""Prices: what computing power costs, and the bill for a price list. Pure; whole numbers only.

Money is in whole hundredths of its currency (fen 分 for CNY). Time on a resource is in whole milliseconds of one unit
of it: core-ms, GPU-ms, licence-ms, MiB-ms for memory and disk; calls and tokens are in pieces.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from pilotbase.documents.base import Document, Name
from pilotbase.documents.errors import InputError

MOST_MONEY = 10**13
"""A hundred billion yuan, in fen."""
MOST_UNITS = 2**53 - 1
"""The largest whole number that JSON carries."""
HOUR_MS = 3_600_000
Money = Annotated[int, Field(strict=True, ge=0, le=MOST_MONEY)]
"""Whole hundredths of a currency; never a fraction of one."""
Count = Annotated[int, Field(strict=True, ge=0, le=MOST_UNITS)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Rounding = Literal["down", "half_up", "up"]
_MONEY = re.compile(r"([0-9]{1,11})(?:\.([0-9]{1,2}))?")
_PRICED = re.compile(r"^(cpu|memory|disk|calls|tokens|(?:gpu|licence)/[a-z0-9][a-z0-9._-]{0,40})$")
_PER: Mapping[str, int] = {
    "cpu": HOUR_MS,
    "memory": HOUR_MS * 1024,
    "disk": HOUR_MS * 1024,
    "gpu": HOUR_MS,
    "licence": HOUR_MS,
    "calls": 1_000,
    "tokens": 1_000_000,
}
"""Category → counted units per priced unit: MiB-ms in a GiB-hour."""


def _require_priced(amounts: Mapping[str, int]) -> Mapping[str, int]:
    for name in amounts:
        if _PRICED.fullmatch(name) is None:
            raise InputError("voucher.unknown_price", found=name[:60])
    return amounts


Prices = Annotated[Mapping[str, Money], AfterValidator(_require_priced)]
Amounts = Annotated[Mapping[str, Count], AfterValidator(_require_priced)]
"""Dimension → amount used, in the units above."""


class PriceList(Document, published=True):
    """What a pool's computing power costs."""

    document: Literal["price-list/1"] = "price-list/1"
    pool: Name
    supplier: Name
    """Who sells it."""
    currency: Currency = "CNY"
    rounding: Rounding = "half_up"
    """How the cost of each line is rounded to a whole hundredth; a cost is the sum of its lines."""
    prices: Prices = Field(min_length=1, max_length=100)
    """Per core-hour (``cpu``), GiB-hour (``memory``, ``disk``), GPU-hour (``gpu/KIND``), licence-hour
    (``licence/NAME``), thousand ``calls``, million ``tokens``. What is not listed costs nothing."""


def cost_of(prices: PriceList, amounts: Mapping[str, int]) -> int:
    """Return the total cost of ``amounts``, regardless of the payer; raises as `costs_of`."""
    return sum(costs_of(prices, amounts).values())


def costs_of(prices: PriceList, amounts: Mapping[str, int]) -> dict[str, int]:
    """Return dimension → cost; leaves out what has no price or was not used.

    Raises:
        InputError: it is more than can be counted or paid.
    """
    priced = {name: amount for name, amount in sorted(amounts.items()) if amount and prices.prices.get(name)}
    costs = {name: _cost(name, amount, prices) for name, amount in priced.items()}
    if sum(costs.values()) > MOST_MONEY or max(priced.values(), default=0) > MOST_UNITS:
        raise InputError("voucher.beyond_counting", most=MOST_MONEY)
    return costs


def _cost(dimension: str, amount: int, prices: PriceList) -> int:
    return rounded(amount * prices.prices[dimension], _PER[category_of(dimension)], prices.rounding)


def rounded(numerator: int, denominator: int, how: Rounding) -> int:
    """Return ``numerator / denominator``, neither negative, as a whole number, rounded according to ``how``."""
    if how == "down":
        return numerator // denominator
    return -(-numerator // denominator) if how == "up" else (2 * numerator + denominator) // (2 * denominator)


def format_money(amount: int, currency: str) -> str:
    """Format an amount in hundredths of a currency for people: ``1,234.50 CNY``."""
    return f"{format_plain(amount)} {currency}"


def format_plain(amount: int) -> str:
    """Format hundredths of a currency that is named elsewhere: ``1,234.50``."""
    return f"{'-' if amount < 0 else ''}{abs(amount) // 100:,}.{abs(amount) % 100:02d}"


def read_money(written: str) -> int:
    """Parse an amount such as ``1234.50`` into hundredths; raises `InputError`."""
    found = _MONEY.fullmatch(written.strip().replace(",", ""))
    if found is None:
        raise InputError("voucher.bad_money", found=written[:40])
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))


def category_of(dimension: str) -> str:
    """Return the category of cost that a dimension belongs to: ``gpu`` of ``gpu/t4``."""
    return dimension.partition("/")[0]
