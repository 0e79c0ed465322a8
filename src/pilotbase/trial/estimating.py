"""Estimates the time and cost of a run from its first batches, and holds the run if nobody has consented to that much.

Nothing extra runs for an estimate: it uses batches that are answered anyway, in the plan's order. The estimate is
checked after the first ones, after twice as many, and so on, and whenever the limit is passed. Above the limit the run
is held: committed answers stay, the attempt stays open, and the same plan continues from there after consent.

Only figures with two digits leave the scorer, and a supplier gets steps of 1, 2, 5 (`RunEstimate.coarse`): none of them
reveals the time of a single batch of hidden cases, which an application could manipulate.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from pilotbase.documents.base import Part
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.estimate import (
    MOST_MONEY,
    Ceiling,
    PriceList,
    RunConsent,
    RunEstimate,
    Span,
    consent_head,
    cost_of,
    estimate_head,
    estimate_line,
    exceeds,
    format_run,
)
from pilotbase.documents.hashes import Digest
from pilotbase.documents.limits import Limits
from pilotbase.documents.progress import OnProgress, Progress, ignore_progress
from pilotbase.evidence.remaining import CONFIDENCE, Predicted, predict_sum
from pilotbase.sandbox.box.supervisor import BoxUsage
from pilotbase.trial.lab import TrialRuntime
from pilotbase.workspace.actors import parties

FIRST_BATCHES = 30
FEWEST_BATCHES = 5
"""A short run is looked at after a tenth of its batches, and never after fewer than so many."""
CODE = "estimate.consent_needed"
_WORTH_TELLING = 10.0
"""Seconds of a run that costs nothing from which on its estimate is told: nobody plans for less."""
_MIB = 1 << 20
_NOTHING = BoxUsage(0.0, 0.0, 0)


class SpendingLimit(Part):
    """The limit above which a run is held, the prices of its cost, and whether progress includes the estimate.

    Progress includes it only where no one watches from whom the cases are hidden: on the base's own command line.
    """

    ceiling: Ceiling
    prices: PriceList | None = None
    tells: bool = False


NO_LIMIT = SpendingLimit(ceiling=Ceiling())
"""The estimate is made, and nobody is asked."""


@dataclass(frozen=True)
class RunSize:
    """How much a run is: boxes one after the other, cases that each answers, in so many batches, within limits.

    ``again``: how many cases each box is asked that asks some of them again. ``paid_in``: the currency of an endpoint
    or a model that states prices; what its calls cost is then the cost of the run. ``most_paid``: what one case can
    cost at most, in hundredths; None: there is no bound.
    """

    boxes: int
    cases: int
    batches_each: int
    limits: Limits
    again: tuple[int, ...] = ()
    paid_in: str | None = None
    most_paid: float | None = None

    @property
    def started(self) -> int:
        """Return how many boxes are started in all."""
        return self.boxes + len(self.again)

    @property
    def asked(self) -> int:
        """Return how many answers are asked for in all."""
        return self.boxes * self.cases + sum(self.again)

    @property
    def batches(self) -> float:
        """Return the batches; a case asked alone is the share of one that it is of a batch."""
        return self.asked / max(self.cases, 1) * self.batches_each

    @property
    def costliest(self) -> float:
        """Return what the calls of the whole run can cost at most, in hundredths."""
        return math.inf if self.most_paid is None else self.asked * self.most_paid

    @property
    def longest(self) -> float:
        """Return the maximum seconds that the boxes' limits allow."""
        return self.started * self.limits.wall_seconds


@dataclass
class BoxMeter:
    """Resource use of this process's boxes, batch by batch.

    The first batch of a box, which includes loading, is kept apart: it is known for each box, and unlike the others.
    """

    firsts: list[BoxUsage] = field(default_factory=list)
    batches: list[BoxUsage] = field(default_factory=list)
    used: BoxUsage = _NOTHING
    """In all."""
    _last: BoxUsage | None = None

    def begin_box(self) -> None:
        """Take what comes as used by another box."""
        self._last = None

    def take(self, usage: BoxUsage) -> None:
        step = usage if self._last is None else _difference(usage, self._last)
        (self.firsts if self._last is None else self.batches).append(step)
        self.used, self._last = _sum(self.used, step), usage

    def predict(self, size: RunSize, figure: Callable[[BoxUsage], float]) -> Predicted:
        """Return the use of the whole run for one figure: measured so far, loading, and the prediction for the rest."""
        firsts, seen = [figure(one) for one in self.firsts], [figure(one) for one in self.batches]
        known = sum(firsts) + sum(seen) + max(size.started - len(firsts), 0) * sum(firsts) / len(firsts)
        boxes = max(size.boxes, len(firsts))
        rest = predict_sum(seen or firsts[-1:], max(size.batches - boxes - len(seen), 0.0))
        return Predicted(known + rest.low, known + rest.expected, known + rest.high)


class RunEstimator:
    """Looks at one run of a plan as it goes; raises `RefusedError` (`CODE`) to hold it."""

    def __init__(self, lab: TrialRuntime, plan: Digest, owner: str, limit: SpendingLimit, size: RunSize) -> None:
        """Watch the run of ``plan``; ``owner`` is whose cases are answered: they and the base see the estimate."""
        self._lab, self._plan, self._owner, self._limit, self._size = lab, plan, owner, limit, size
        self.meter = BoxMeter()
        self._consented = consent_of(lab, plan) is not None
        self._look_at = min(FIRST_BATCHES, max(FEWEST_BATCHES, int(size.batches / 10)))

    def on_batch(self, answered: int, on_progress: OnProgress = ignore_progress) -> None:
        """Make a new estimate where one is due; raises `RefusedError` where it is above the limit."""
        due = len(self.meter.batches) >= self._look_at
        if not (due or self._passed()):
            return
        self._look_at = max(2 * self._look_at, 2 * len(self.meter.batches))
        found = self._estimate(answered)
        if not self._consented:
            self._consented = consent_of(self._lab, self._plan) is not None
        self._keep(found)
        if self._limit.tells and (found.wall.high >= _WORTH_TELLING or found.money is not None or found.above):
            on_progress(Progress(estimate_line(found), stays=True))
        if not self._consented:
            _hold(found)

    def ask_more(self, boxes: int, cases: int) -> None:
        """Count so many more boxes, with so many cases each, from the next batch on: a new estimate is due then."""
        self._size = replace(self._size, again=(*self._size.again, *[cases] * boxes))
        self._look_at = len(self.meter.batches)

    def _passed(self) -> bool:
        """Return whether this process alone has used more than the limit."""
        if self._consented:
            return False
        used, prices = self.meter.used, self._limit.prices
        money = None if prices is None else _cost(prices, used.cpu_seconds, used.memory_byte_seconds / _MIB)
        if self._size.paid_in is not None:
            money = used.paid
        return exceeds(self._limit.ceiling, used.wall_seconds, money, self._currency or "")

    @property
    def _currency(self) -> str | None:
        prices = self._limit.prices
        return self._size.paid_in or (None if prices is None else prices.currency)

    def _estimate(self, answered: int) -> RunEstimate:
        size, prices, limits = self._size, self._limit.prices, self._size.limits
        wall = self._told(lambda one: one.wall_seconds, size.longest)
        cpu = self._told(lambda one: one.cpu_seconds, float(size.started * limits.cpu_seconds))
        memory = self._told(lambda one: one.memory_byte_seconds / _MIB, size.longest * limits.memory_bytes / _MIB)
        money = _price(prices, cpu, memory)
        if self._size.paid_in is not None:
            money = self._told(lambda one: one.paid, size.costliest)
        return RunEstimate(
            plan=self._plan,
            cases=size.asked,
            seen=answered,
            confidence=CONFIDENCE,
            wall=wall,
            cpu=cpu,
            memory=memory,
            money=money,
            most_money=None if size.most_paid is None else size.costliest,
            currency=self._currency or "CNY",
            ceiling=self._limit.ceiling,
            made_at=self._lab.store.clock().replace(second=0, microsecond=0),
        )

    def _told(self, figure: Callable[[BoxUsage], float], most: float) -> Span:
        """Return a figure of the whole run with two digits: at most what limits allow, at least what was used."""
        found, most = self.meter.predict(self._size, figure), max(most, figure(self.meter.used))
        ends = Span(low=min(found.low, most), expected=min(found.expected, most), high=min(found.high, most))
        return ends.rounded()

    def _keep(self, found: RunEstimate) -> None:
        head = estimate_head(self._plan)
        with self._lab.view.transaction("trial.estimated") as change:
            digest = change.put(found, parties(), owner=self._owner)
            before = self._lab.view.within(change).head(head)
            if before != digest:
                change.set_head(head, digest, expected=before)


def require_consent(lab: TrialRuntime, plan: Digest, limit: SpendingLimit) -> None:
    """Check that a run may begin or continue.

    Raises:
        RefusedError: it was held before, and nobody has consented since (`CODE`).
    """
    known = estimate_of(lab, plan)
    if known is not None and consent_of(lab, plan) is None:
        _hold(known.model_copy(update={"ceiling": limit.ceiling}))


def estimate_of(lab: TrialRuntime, plan: Digest) -> RunEstimate | None:
    """Return the newest estimate of a plan's run; None: there is none yet."""
    return lab.view.load_head(estimate_head(plan), RunEstimate)


def consent_of(lab: TrialRuntime, plan: Digest) -> RunConsent | None:
    """Return the consent to a plan's run; None: nobody has given it."""
    return lab.view.load_head(consent_head(plan), RunConsent)


def note_consent(lab: TrialRuntime, plan: Digest, organisation: str, person: str | None = None) -> None:
    """Let a plan's run continue above the limit, and record who consented; only the first consent counts."""
    head = consent_head(plan)
    with lab.view.transaction("trial.consented") as change:
        if lab.view.within(change).head(head) is None:
            given = RunConsent(plan=plan, organisation=organisation, person=person, at=change.now)
            change.set_head(head, change.put(given, parties()), expected=None)


def _sum(one: BoxUsage, other: BoxUsage) -> BoxUsage:
    return BoxUsage(
        one.wall_seconds + other.wall_seconds,
        one.cpu_seconds + other.cpu_seconds,
        max(one.memory_peak_bytes, other.memory_peak_bytes),
        one.memory_byte_seconds + other.memory_byte_seconds,
        one.paid + other.paid,
    )


def _difference(now: BoxUsage, before: BoxUsage) -> BoxUsage:
    return BoxUsage(
        now.wall_seconds - before.wall_seconds,
        max(now.cpu_seconds - before.cpu_seconds, 0.0),
        now.memory_peak_bytes,
        max(now.memory_byte_seconds - before.memory_byte_seconds, 0.0),
        max(now.paid - before.paid, 0.0),
    )


def _hold(found: RunEstimate) -> None:
    if found.above:
        raise RefusedError("estimate.consent_needed", figures=format_run(found), limit=found.ceiling.spelled())


def _price(prices: PriceList | None, cpu: Span, memory: Span) -> Span | None:
    """Return the cost of both: its bounds are the sums of theirs, so it covers at least as often."""
    if prices is None:
        return None
    ends = ("low", "expected", "high")
    return Span.model_validate({end: _cost(prices, getattr(cpu, end), getattr(memory, end)) for end in ends})


def _cost(prices: PriceList, cpu_seconds: float, mib_seconds: float) -> float:
    """Return the cost; an amount too large to represent becomes the largest that can be."""
    amounts = {"cpu": math.ceil(1000 * cpu_seconds), "memory": math.ceil(1000 * mib_seconds)}
    try:
        return float(cost_of(prices, amounts))
    except InputError:
        return float(MOST_MONEY)
