"""The seat of a trial: if the base's operator says so, a trial takes room in a shared pool before it opens boxes.

A trial that waits for its seat goes back into the queue with the reason, so that its worker can do other work. The
seat's usage is shown no more precisely than in the supplier's report, because each figure could carry cases out.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.progress import OnProgress, Progress
from pilotbase.documents.record import Commission, Record
from pilotbase.documents.report import Report
from pilotbase.trial.lab import TrialRuntime
from pilotbase.trial.running import threads_of
from pilotbase.trial.scoring import perturbations_of
from pilotbase.worker.base import Base
from pilotbase.worker.providers import OwnWork
from pilotbase.worker.rounds import PASSING
from pilotbase.workspace.jobs import jobs_of
from pilotbase.workspace.store import View
from pilotbase_estate.backends.backend import Metered
from pilotbase_estate.documents.vocabularies import JobKind
from pilotbase_estate.queue import rows, sitting
from pilotbase_estate.queue.pools import pools
from pilotbase_estate.queue.rows import Ending, JobRow
from pilotbase_estate.queue.showing import why_seat_waits
from pilotbase_estate.queue.sitting import KEEP_SECONDS, SeatHolder, place_for

BESIDES_SECONDS = 600
"""The most that a trial takes besides its boxes: data are opened, answers scored."""
_log = logging.getLogger("pilotbase.worker")


class SeatAwaitedError(PilotbaseError):
    """A trial waits for its seat: it is tried again, with the same attempt."""


class SeatLostError(PilotbaseError):
    """The seat of a trial went to others while it ran: it asks again, and continues where it was."""


class TrialSeat:
    """What a trial holds while it runs."""

    def __init__(self, sitter: SeatHolder) -> None:
        self._sitter = sitter
        self._failure: PilotbaseError | None = None
        self.used = Metered()

    def watched(self, on_progress: OnProgress) -> OnProgress:
        """Return ``on_progress``, which also ends a trial without its seat; raises `SeatLostError`, or why it ended."""

        def tell(progress: Progress) -> None:
            if self._failure is not None:
                raise self._failure
            on_progress(progress)

        return tell

    def count(self, report: Report) -> None:
        """Note the usage of the application's box, as its supplier sees it."""
        told = report.supplier_view().performance
        if told is not None:
            wall_ms, peak = round(told.wall_seconds * 1000), told.memory_peak_bytes or 0
            cpu_ms = round((told.cpu_seconds or 0) * 1000)
            self.used = Metered(wall_ms, cpu_ms, (peak >> 20) * wall_ms, peak)

    @contextmanager
    def kept(self, subject: str) -> Iterator[None]:
        """Send signs of life from a thread until the end of the block."""
        ended = threading.Event()
        keeper = threading.Thread(target=self._keep, args=(ended,), name=f"seat of {subject}", daemon=True)
        keeper.start()
        try:
            yield
        finally:
            ended.set()
            keeper.join()

    def _keep(self, ended: threading.Event) -> None:
        while self._failure is None and not ended.wait(KEEP_SECONDS):
            try:
                place = self._sitter.tend()
                if place is not None:
                    self._failure = SeatLostError("pool.seat_lost", pool=place.asking.pool)
            except PASSING as error:
                _log.warning("seats: %s", error)
            except PilotbaseError as error:
                self._failure = error


@contextmanager
def seat_of_trial(lab: TrialRuntime, record: Record, plan: TrialPlan, holder: str) -> Iterator[TrialSeat]:
    """Yield the seat of a trial, kept by signs of life and given up at the end; none if no pool seats trials.

    Raises:
        SeatAwaitedError: it is not its turn yet.
        RefusedError: it needs more than it could ever get (``pool.*``).
    """
    work, view = _work(lab, record, plan), lab.view
    sitter = SeatHolder(lambda: place_for(view, work), holder)
    waits_at = sitter.tend()
    if waits_at is not None:
        raise SeatAwaitedError("pool.seat_awaited", pool=waits_at.asking.pool, why=why_seat_waits(view, record.subject))
    seat, done = TrialSeat(sitter), False
    try:
        with seat.kept(record.subject) if sitter.holds_one else nullcontext():
            yield seat
        done = True
    finally:
        sitter.leave(seat.used, Ending.DONE if done else Ending.CANCELLED)


def forgo_unasked(base: Base) -> int:
    """Withdraw the requests for seats of work that was given up since; return how many there were."""
    view = base.lab.view
    with view.reading() as connection:
        names = [name for pool in pools(view) for name in sitting.unasked(connection, pool.name, view.store.clock())]
        found = [rows.find_job(connection, name) for name in names]
    return sum(sitting.forgo(view, job.name) for job in found if job is not None and not _is_ordered(view, job))


def _is_ordered(view: View, seat: JobRow) -> bool:
    """Return whether a worker still has to do the work of a seat; a live gateway asks all the time."""
    if seat.asked.kind is not JobKind.TRIAL:
        return False
    return any(job.kind == "trial" and not job.ended for job in jobs_of(view, seat.thing))


def _work(lab: TrialRuntime, record: Record, plan: TrialPlan) -> OwnWork:
    boxes_in_turn = 2 + len(perturbations_of(plan.criteria))  # the baseline's, the application's, one an arm
    return OwnWork(
        kind="trial",
        subject=record.subject,
        organisation=_payer(lab, record),
        memory_bytes=plan.limits.memory_bytes,
        threads=lambda: threads_of(lab.application_folder(plan.application.digest)),
        seconds=boxes_in_turn * float(plan.limits.wall_seconds) + BESIDES_SECONDS,
    )


def _payer(lab: TrialRuntime, record: Record) -> str:
    """Return who pays for a trial; its seat counts against that organisation's quota."""
    terms = record.documents.get("commission")
    paid_by = lab.view.load(terms, Commission).price.paid_by if terms is not None else "supplier"
    known = {"supplier": record.supplier, "demand_owner": record.demand_owner}
    return known.get(paid_by) or lab.actor.organisation
