"""Estimate 预估: time and cost of a run before most of it is done; prices, bills, and the limit that needs consent.

Money is in whole hundredths of its currency (fen 分 for CNY). Time on a resource is in whole milliseconds of one unit:
core-ms, GPU-ms, licence-ms, MiB-ms for memory and disk; calls and tokens are counted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints

from pilotbase.documents.base import Document, Moment, Name, Part
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest, hex_of
from pilotbase.documents.quantities import Duration, format_duration, format_span, read_duration
from pilotbase.documents.texts import Text, text

MOST_MONEY = 10**13
"""A hundred billion yuan, in fen."""
MOST_UNITS = 2**53 - 1
"""The largest whole number that JSON carries."""
HOUR_MS = 3_600_000
IN_HUNDREDTHS = "hundredths"
"""Mark of a whole number that people write with two decimals: an amount of money, or basis points as percent."""
Money = Annotated[int, Field(strict=True, ge=0, le=MOST_MONEY), IN_HUNDREDTHS]
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


NEVER = "never"
DEFAULT = "4 h"
"""Consent is required above this, unless another limit is set."""
_PRICE = re.compile(r"^\s*([0-9][0-9.,]{0,20})\s*([A-Z]{3})\s*$")
_STEPS = (1, 2, 5, 10)
_TIMES = tuple(
    step * unit
    for unit, steps in (
        (1, (1, 2, 5, 10, 20, 30)),
        (60, (1, 2, 5, 10, 20, 30)),
        (3600, (1, 2, 5, 10)),
        (86_400, (1, 2, 5, 10)),
    )
    for step in steps
)
"""Seconds in human steps: up to 30 s, up to 30 min, 1, 2, 5, 10 h, 1, 2, 5, 10 d."""
Amount = Annotated[float, Field(ge=0)]
Payer = Literal["demand_owner", "supplier", "base"]


class Ceiling(Part):
    """The limit that requires consent: an elapsed time, a price, or neither."""

    seconds: Duration | None = None
    money: Money | None = None
    currency: Currency = "CNY"

    @property
    def asks(self) -> bool:
        """Return whether there is any limit."""
        return self.seconds is not None or self.money is not None

    def spelled(self) -> str:
        """Return the limit for people, in the form that `read_ceiling` parses: ``4 h, 50.00 CNY``."""
        parts = [] if self.seconds is None else [format_duration(math.ceil(self.seconds))]
        if self.money is not None:
            parts.append(format_money(self.money, self.currency))
        return ", ".join(parts) or NEVER


def read_ceiling(written: Sequence[str]) -> Ceiling:
    """Parse a limit from parts such as ``30 min`` and ``50 CNY``, or ``never``.

    Raises:
        InputError: ``estimate.bad_limit``: it is neither a time nor a price, or there are two of one.
    """
    parts = [part.strip() for one in written for part in re.split(r",(?!\d{3})|[;，；]", one) if part.strip()]
    found: dict[str, object] = {}
    for part in parts:
        read = _limit(part)
        if not read or read.keys() & found.keys() or (part == NEVER and len(parts) > 1):
            raise InputError("estimate.bad_limit", found=part[:40])
        found |= {name: value for name, value in read.items() if value is not None}
    return Ceiling.model_validate(found)


def _limit(part: str) -> Mapping[str, object]:
    if part == NEVER:
        return {"seconds": None}
    price = _PRICE.match(part)
    if price is not None:
        return {"money": read_money(price[1]), "currency": price[2]}
    length = read_duration(part)
    return {} if length is None else {"seconds": length}


class Span(Part):
    """Bounds of a figure, and its expected value; None: not disclosed."""

    low: Amount
    expected: Amount | None = None
    high: Amount

    def rounded(self) -> Self:
        """Return it in two digits, its ends rounded outwards."""
        expected = None if self.expected is None else _rounded(self.expected, round)
        ends = {"low": _rounded(self.low, math.floor), "high": _rounded(self.high, math.ceil)}
        return self.model_copy(update={**ends, "expected": expected})

    def coarse(self) -> Self:
        """Return the steps of 1, 2, 5, 10 … that enclose it, without the expected value."""
        ends = {"low": _step(self.low, up=False), "high": _step(self.high, up=True)}
        return self.model_copy(update={**ends, "expected": None})

    def coarse_time(self) -> Self:
        """Return the same for seconds, in steps of seconds, minutes, hours and days."""
        low = next((step for step in reversed(_TIMES) if step <= self.low), 0)
        high = next((step for step in _TIMES if step >= self.high), math.ceil(self.high / 86_400) * 86_400)
        return self.model_copy(update={"low": float(low), "high": float(high), "expected": None})


class RunEstimate(Document):
    """Time and cost of a whole trial, estimated from its first batches while it runs."""

    document: Literal["run-estimate/1"] = "run-estimate/1"
    plan: Digest
    cases: int = Field(ge=1)
    """Cases to be answered, including those under perturbations."""
    seen: int = Field(ge=0)
    """Cases answered when the estimate was made; none of them was answered just for it."""
    confidence: float = Field(gt=0, lt=1)
    wall: Span
    """Elapsed seconds, including loading."""
    cpu: Span | None = None
    """Core-seconds; None: not disclosed."""
    memory: Span | None = None
    """MiB-seconds; None: not disclosed."""
    money: Span | None = None
    """In whole hundredths of ``currency``; None: no price."""
    most_money: Amount | None = None
    """The most that the budgets of all episodes allow, where an application may use a model; None: no such bound."""
    currency: Currency = "CNY"
    ceiling: Ceiling
    made_at: Moment

    @property
    def above(self) -> bool:
        """Return whether it may exceed the limit."""
        return exceeds(self.ceiling, self.wall.high, None if self.money is None else self.money.high, self.currency)

    def coarse(self) -> Self:
        """Return what a supplier may see of a run on cases hidden from them: steps, and no detail."""
        money = None if self.money is None else self.money.coarse()
        return self.model_copy(
            update={"wall": self.wall.coarse_time(), "cpu": None, "memory": None, "money": money, "seen": 0}
        )


class RunConsent(Document):
    """Consent to continue a run above the limit."""

    document: Literal["run-consent/1"] = "run-consent/1"
    plan: Digest
    organisation: Name
    person: str | None = None
    """None: given on the base's own command line."""
    at: Moment


class ConsentAsked(Document):
    """Why a trial waits for consent, and whose, as shown to its parties in coarse figures."""

    document: Literal["consent-asked/1"] = "consent-asked/1"
    estimate: RunEstimate
    payer: Payer


def exceeds(ceiling: Ceiling, seconds: float, money: float | None, currency: str) -> bool:
    """Return whether a run may exceed a limit; a price in a currency other than the limit's cannot be compared."""
    late = ceiling.seconds is not None and seconds > ceiling.seconds
    return late or (
        ceiling.money is not None and money is not None and currency == ceiling.currency and money > ceiling.money
    )


def estimate_head(plan: Digest) -> str:
    """Return the head of the newest estimate of a plan's run."""
    return f"run-estimate:{hex_of(plan)}"


def consent_head(plan: Digest) -> str:
    """Return the head of the consent to a plan's run."""
    return f"run-consent:{hex_of(plan)}"


def format_time(span: Span) -> str:
    """Format a time for people: ``3.1 h (2.8 h – 3.6 h)``."""
    return _spelled(span, format_span)


def format_price(span: Span, currency: str) -> str:
    """Format a price for people: ``12.40 CNY (11.00 CNY – 14.00 CNY)``."""
    return _spelled(span, lambda amount: format_money(round(amount), currency))


def format_run(estimate: RunEstimate) -> str:
    """Format the time, and the price and the most that it can be if there are any, for people."""
    price = [] if estimate.money is None else [format_price(estimate.money, estimate.currency)]
    most = [] if estimate.most_money is None else [f"≤ {format_money(round(estimate.most_money), estimate.currency)}"]
    return "; ".join([format_time(estimate.wall), *price, *most])


def estimate_line(estimate: RunEstimate) -> Text:
    """Return the estimate in a sentence."""
    share = round(100 * estimate.confidence)
    return text("estimate.line", figures=format_run(estimate), confidence=share, limit=estimate.ceiling.spelled())


def _spelled(span: Span, spell: Callable[[float], str]) -> str:
    between = f"{spell(span.low)} – {spell(span.high)}"
    return between if span.expected is None else f"{spell(span.expected)} ({between})"


def _rounded(amount: float, whole: Callable[[float], int]) -> float:
    """Return ``amount`` rounded to two digits; an amount of two digits is unchanged."""
    if amount == 0:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(amount)) - 1)
    return float(f"{whole(round(amount / unit, 6)) * unit:.6g}")


def _step(amount: float, *, up: bool) -> float:
    if amount == 0:
        return 0.0
    decade = 10.0 ** math.floor(math.log10(amount))
    if up:
        return next(step for step in _STEPS if step * decade >= amount * (1 - 1e-9)) * decade
    return next(step for step in reversed(_STEPS) if step * decade <= amount * (1 + 1e-9)) * decade
