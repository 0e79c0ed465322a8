"""What a computing estate provides to the base: seats for its boxes, prices for its trials, vouchers that pay.

Without an estate, boxes use this machine directly, and nothing has a price. A plug-in's module of this name provides
its own `SEATS` and `PAYER`. Engines, the third contract, are in `sandbox.engines`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Literal, Protocol

from pilotbase.documents.api.shapes import SeatTold
from pilotbase.documents.estimate import PriceList
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.plugins import mirrored
from pilotbase.documents.progress import OnProgress
from pilotbase.documents.record import Record
from pilotbase.documents.report import Report
from pilotbase.documents.texts import Text
from pilotbase.sandbox.box.supervisor import BoxUsage
from pilotbase.trial.lab import TrialRuntime
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction


@dataclass(frozen=True)
class OwnWork:
    """Boxes that a process of the base will open."""

    kind: Literal["trial", "service"]
    subject: str
    """``commission:NAME``, or ``service:NAME@PART``."""
    organisation: str
    """The organisation that it belongs to."""
    memory_bytes: int
    """Of each box."""
    threads: Callable[[], int]
    """Threads of each box; called only if a pool seats such work."""
    boxes: int = 1
    """Boxes at the same time."""
    seconds: float | None = None
    """The longest time; None: as long as the pool permits."""


class Seat(Protocol):
    """Room for boxes: requested until it is granted, kept by signs of life, requested again when lost.

    Safe to share between threads. Nothing here waits: callers that want to wait call `tend` again.
    """

    @property
    def holds_one(self) -> bool:
        """Return whether there is a seat; False if none is needed."""
        ...

    @property
    def is_nearly_over(self) -> bool:
        """Return whether its time has nearly run out: then it is left and requested again."""
        ...

    def tend(self) -> Callable[[], Text] | None:
        """Return a function that says why the seat waits; None: it is granted, or none is needed.

        Raises:
            RefusedError, NotFoundError: it could never be granted.
        """
        ...

    def leave(self, used: BoxUsage) -> None:
        """Give the seat back, if there is one, with its usage."""
        ...


class TrialSeat(Protocol):
    """What a trial holds while it runs."""

    def watched(self, on_progress: OnProgress) -> OnProgress:
        """Return ``on_progress`` extended to end a trial that has lost its seat."""
        ...

    def count(self, report: Report) -> None:
        """Note the resources that the application's box has used, as its supplier may know them."""
        ...


class Seats(Protocol):
    """Provides room for the boxes of the base."""

    def seat_for(self, view: View, work: OwnWork, holder: str) -> Seat:
        """Return the seat of ``work``, not yet requested; ``view`` is the base's own."""
        ...

    def seat_of_trial(
        self, lab: TrialRuntime, record: Record, plan: TrialPlan, holder: str
    ) -> AbstractContextManager[TrialSeat]:
        """Hold the seat of a trial until the end of the block; raises the reason if it cannot have one."""
        ...

    def seen(self, view: View, thing: str) -> Sequence[SeatTold]:
        """Return the seats that work on a trial or service waits for or has; empty for actors who may not see it."""
        ...


@dataclass(frozen=True)
class MilestoneBill:
    """What a voucher of a team is to pay for one milestone of a call."""

    voucher: str
    call: str
    number: int
    owner: str
    """Who has the work done."""
    team: Sequence[str]
    amount: int
    """In hundredths."""
    currency: str


class Payer(Protocol):
    """What computing power costs, who sells it, and what a voucher pays."""

    def prices(self, view: View, pool: str) -> PriceList | None:
        """Return the prices for estimates of trials, of ``pool`` if one is named; None: there are none.

        Raises:
            NotFoundError: the named pool has no prices.
        """
        ...

    def pay_milestone(self, here: View, change: Transaction, bill: MilestoneBill) -> None:
        """Take what a milestone costs out of what a voucher of the team has free, within ``change``.

        ``here`` is the base's own view within it. Where there is no programme of vouchers any number is one of another
        place, and nothing moves.

        Raises:
            RefusedError: the voucher does not pay it; every reason is named.
        """
        ...


class _FreeSeat:
    holds_one = is_nearly_over = False

    def tend(self) -> None:
        return None

    def leave(self, used: BoxUsage) -> None: ...


class _FreeTrialSeat:
    def watched(self, on_progress: OnProgress) -> OnProgress:
        return on_progress

    def count(self, report: Report) -> None: ...


class OwnSeats:
    """Room on this machine, without waiting."""

    def seat_for(self, view: View, work: OwnWork, holder: str) -> Seat:
        return _FreeSeat()

    @contextmanager
    def seat_of_trial(self, lab: TrialRuntime, record: Record, plan: TrialPlan, holder: str) -> Iterator[TrialSeat]:
        yield _FreeTrialSeat()

    def seen(self, view: View, thing: str) -> Sequence[SeatTold]:
        return ()


class NoPayer:
    """Nothing has a price."""

    def prices(self, view: View, pool: str) -> PriceList | None:
        return None

    def pay_milestone(self, here: View, change: Transaction, bill: MilestoneBill) -> None: ...


SEATS: Seats = OwnSeats()
PAYER: Payer = NoPayer()


@cache
def seats() -> Seats:
    """Return the seats of the plug-in that provides them; else `OwnSeats`."""
    return next((module.SEATS for module in mirrored("worker.providers")), SEATS)


@cache
def payer() -> Payer:
    """Return the payer of the plug-in that provides one; else `NoPayer`."""
    return next((module.PAYER for module in mirrored("worker.providers")), PAYER)
