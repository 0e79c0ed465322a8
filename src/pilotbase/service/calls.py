"""What passes between gateway and desk: the cost of a call, its admission, what was observed of it."""

from __future__ import annotations

import hmac
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from pilotbase.documents.observation import Scalar
from pilotbase.documents.service import Route, Service, ServiceStatus
from pilotbase.documents.vocabularies import CallEnd

BILLION = 10**9


@dataclass(frozen=True)
class Cost:
    """So many calls, tokens, and billionths of the currency in which models are paid for."""

    calls: int = 1
    tokens: int = 0
    billionths: int = 0

    def __add__(self, other: Cost) -> Cost:
        return self._with(other, int.__add__)

    def __sub__(self, other: Cost) -> Cost:
        return self._with(other, int.__sub__)

    def covers(self, other: Cost) -> bool:
        """Return whether ``other`` can be taken from this."""
        return self.at_most(other) == other

    def at_most(self, other: Cost) -> Cost:
        """Return the smaller of the two, each part for itself."""
        return self._with(other, min)

    def at_least(self, other: Cost) -> Cost:
        """Return the larger of the two, each part for itself."""
        return self._with(other, max)

    def _with(self, other: Cost, of: Callable[[int, int], int]) -> Cost:
        return Cost(of(self.calls, other.calls), of(self.tokens, other.tokens), of(self.billionths, other.billionths))


NOTHING = Cost(0)


def in_billionths(money: Decimal) -> int:
    """Return an amount in billionths, rounded up."""
    return math.ceil(money * BILLION)


def in_money(billionths: int) -> Decimal:
    """Return so many billionths as an amount."""
    return Decimal(billionths) / BILLION


@dataclass(frozen=True)
class BudgetPeriod:
    """A budget of a service in one period: what is counted together."""

    service: str
    budget: str
    period: str


@dataclass(frozen=True)
class BudgetHold:
    """What was taken out of a budget, or charged to it."""

    account: BudgetPeriod
    cost: Cost


@dataclass(frozen=True)
class HoldBackDraw:
    """By what units of a service are drawn to go today's way."""

    seed: str
    share: float

    def holds(self, call: str) -> bool:
        """Return whether a call goes today's way: its unit is what stands before the first colon of its name."""
        drawn = hmac.digest(bytes.fromhex(self.seed), call.partition(":")[0].encode(), "sha256")
        return int.from_bytes(drawn[:8]) < self.share * 2**64


@dataclass(frozen=True)
class Admission:
    """One admitted call; held until it is settled."""

    number: int
    """Counts up within a desk."""
    key: str
    """Identity of the key, not the secret."""
    service: Service
    standing: ServiceStatus
    route: Route | None
    """What may answer now. None: hand over to a person."""
    reserved: Cost
    holds: tuple[BudgetHold, ...] = ()
    """What was taken for it: cases from the exposure of the scenario, and what the budget of the key bounds."""
    further: tuple[Route, ...] = ()
    """What else may answer now, in this order, where ``route`` does not."""
    hold_back: HoldBackDraw | None = None
    """None: every call goes to the service."""
    test: bool = False
    """A test: paid and counted, and nothing is observed of it."""


@dataclass(frozen=True)
class ModelSpending:
    """What a case of several calls used of a model beside what its calls have settled."""

    tokens: int = 0
    cost: Decimal = Decimal(0)
    """In the currency of the model's prices."""


@dataclass(frozen=True)
class ShadowOutcome:
    """How a call ended that was sent to both versions."""

    release: str
    old_failed: bool
    failed: bool
    alike: bool
    """Both gave the same answer."""


@dataclass(frozen=True)
class ReleaseOutcome:
    """What a call says about the release of a new version."""

    release: str
    new: bool
    """The new version was to answer."""
    failed: bool


@dataclass(frozen=True)
class CallObservation:
    """What the journal keeps of a call; no pydantic on the way of an answer."""

    ids: Sequence[str]
    """One a case; empty where there is nothing to observe."""
    inputs: Mapping[str, Sequence[Scalar]]
    answers: Sequence[Scalar]
    end: CallEnd
    version: str | None
    """Digest of the application that answered."""
    milliseconds: float
    at: datetime
    outcome: ReleaseOutcome | None = None
    """None: no release is under way, or the call says nothing about it."""

    def as_test(self) -> CallObservation:
        """Return what is kept of a test: how it ended, and no case."""
        return replace(self, ids=(), inputs={}, answers=(), outcome=None)
