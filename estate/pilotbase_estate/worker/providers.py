"""Pools give the base seats for its boxes, their prices, and profiles of themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from pilotbase.catalogue.records import declared_ties
from pilotbase.documents.api.shapes import SeatTold
from pilotbase.documents.capability import Claim, Fact, Profile
from pilotbase.documents.estimate import PriceList
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.record import Record
from pilotbase.documents.subjects import name_of
from pilotbase.documents.texts import Text, percent, text
from pilotbase.sandbox.box.supervisor import BoxUsage
from pilotbase.trial.lab import TrialRuntime
from pilotbase.worker.providers import MilestoneBill, OwnWork, Payer, Seat, Seats, TrialSeat
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction
from pilotbase_estate.backends.backend import Metered
from pilotbase_estate.computing.seats import seat_of_trial
from pilotbase_estate.computing.told_pools import wait_told
from pilotbase_estate.documents.resources import format_amount
from pilotbase_estate.queue.pools import pools
from pilotbase_estate.queue.showing import seats_of, standing, usage, why_seat_waits
from pilotbase_estate.queue.sitting import SeatHolder, place_for
from pilotbase_estate.vouchers.ledger import pay_milestone
from pilotbase_estate.vouchers.wallet import prices_of, programmes

_USED_OVER = timedelta(days=30)


@dataclass(frozen=True)
class PoolSeat:
    """A seat in a pool; ``view`` is the base's own."""

    view: View
    holder: SeatHolder

    @property
    def holds_one(self) -> bool:
        return self.holder.holds_one

    @property
    def is_nearly_over(self) -> bool:
        return self.holder.is_nearly_over

    def tend(self) -> Callable[[], Text] | None:
        awaited = self.holder.tend()
        return None if awaited is None else partial(why_seat_waits, self.view, awaited.asking.subject)

    def leave(self, used: BoxUsage) -> None:
        self.holder.leave(
            Metered(
                _milli(used.wall_seconds),
                _milli(used.cpu_seconds),
                _milli(used.memory_byte_seconds / (1 << 20)),
                used.memory_peak_bytes,
            )
        )


class PoolSeats:
    """Room in the pools that the operator has set to seat such work."""

    def seat_for(self, view: View, work: OwnWork, holder: str) -> Seat:
        return PoolSeat(view, SeatHolder(lambda: place_for(view, work), holder))

    def seat_of_trial(
        self, lab: TrialRuntime, record: Record, plan: TrialPlan, holder: str
    ) -> AbstractContextManager[TrialSeat]:
        return seat_of_trial(lab, record, plan, holder)

    def seen(self, view: View, thing: str) -> Sequence[SeatTold]:
        return [
            SeatTold(
                pool=one.job.asked.pool,
                state=one.job.state.value,
                wait=wait_told(one.wait) if one.wait is not None else None,
            )
            for one in seats_of(view, thing)
        ]


class PoolPrices:
    """The prices of a pool, the named one or otherwise the first that seats trials and has any; and vouchers."""

    def prices(self, view: View, pool: str) -> PriceList | None:
        if pool:
            return prices_of(view, pool)[1]
        for seating in (one for one in pools(view) if one.seats is not None and one.seats.trials is not None):
            with suppress(NotFoundError):
                return prices_of(view, seating.name)[1]
        return None

    def pay_milestone(self, here: View, change: Transaction, bill: MilestoneBill) -> None:
        if programmes(here):
            pay_milestone(here, change, bill, declared_ties(here))


SEATS: Seats = PoolSeats()
PAYER: Payer = PoolPrices()


def _milli(amount: float) -> int:
    return max(round(amount * 1000), 0)


def _profile(view: View, subject: str) -> Profile:
    """Return the profile of a pool: the capacity that its operator states, and what answered and was used."""
    name, now = name_of(subject), view.store.clock()
    found = standing(view, name)
    machines = len(found.pool.capacities)
    used = sum(sum(shares) for shares in usage(view, name, now - _USED_OVER, now, 1).values())
    return Profile(
        subject=subject,
        kind="pool",
        title=found.pool.title,
        as_of=now,
        claims=tuple(
            Claim(what=text("pool.profile.capacity"), value=f"{dimension}: {format_amount(dimension, amount)}")
            for dimension, amount in found.pool.capacity.items()
        ),
        facts=(
            Fact(what=text("pool.profile.answering"), value=f"{machines - len(found.there.missing)} / {machines}"),
            Fact(what=text("pool.profile.used"), value=percent(used)),
        ),
    )


PROFILES = {"pool": _profile}
