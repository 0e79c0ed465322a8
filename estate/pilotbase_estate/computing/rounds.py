"""The pools of a base at work: every pool gets its turns, and its machines are checked, as long as any job is there."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from pilotbase.catalogue.records import declared_ties
from pilotbase.documents.texts import Text, text
from pilotbase.worker.base import Base
from pilotbase.worker.rounds import Pace, in_rounds
from pilotbase.workspace.store import View
from pilotbase_estate.backends.backend import BackendAwayError, ComputeBackend
from pilotbase_estate.computing.orders import forget_data, jobs_with_data, works_of
from pilotbase_estate.computing.seats import forgo_unasked
from pilotbase_estate.documents.pool import Pool
from pilotbase_estate.documents.resources import format_vector
from pilotbase_estate.queue import rows
from pilotbase_estate.queue.dispatching import Dispatcher
from pilotbase_estate.queue.pools import pools
from pilotbase_estate.queue.rows import OtherEngineError, QueueState
from pilotbase_estate.queue.turns import ALL_THERE, Members, There, held_against, keep_there, there_of

_MOST_LINES = 10


class MachinesThere:
    """Checks a backend's nodes against the pools' documents, and keeps the result for the pages that show it."""

    def __init__(self, view: View, backend: ComputeBackend) -> None:
        self._view, self._backend = view, backend
        self._told: dict[str, There] = {}

    def look(self, pools: Sequence[Pool]) -> Mapping[str, There]:
        """Return what is missing of each pool's machines; raises `BackendAwayError`."""
        nodes = self._backend.capacity() if self._backend.holds_room else None
        found = {pool.name: ALL_THERE if nodes is None else held_against(pool, nodes) for pool in pools}
        for pool in pools:
            self._tell(pool, found[pool.name])
        return found

    def are_away(self, pools: Sequence[Pool], error: BackendAwayError) -> None:
        """Record that nothing answers; what was missing before still is."""
        if not all(self._of(pool).away for pool in pools):
            _log.warning("%s; jobs wait, and none of them is called lost", error)
        for pool in pools:
            self._tell(pool, replace(self._of(pool), away=True))

    def _tell(self, pool: Pool, there: There) -> None:
        before = self._of(pool)
        if there == before:
            return
        if not there.away:
            for line in _lines(pool, there):
                _log.warning("%s", line.render())
        with self._view.store.database.write() as connection:
            keep_there(connection, pool.name, there)
        self._told[pool.name] = there

    def _of(self, pool: Pool) -> There:
        if pool.name not in self._told:
            with self._view.reading() as connection:
                self._told[pool.name] = there_of(connection, pool.name)
        return self._told[pool.name]


def _lines(pool: Pool, there: There) -> Iterator[Text]:
    """Yield what to report about a pool, the first machines alone."""
    said = pool.capacities
    short = [(name, there.smaller.get(name)) for name in said if name in there.missing or name in there.smaller]
    if not short:
        yield text("pool.machines_there", pool=pool.name)
    for name, has in short[:_MOST_LINES]:
        if has is None:
            yield text("pool.machine_missing", machine=name, pool=pool.name)
        else:
            of = {one: said[name][one] for one in has}
            told = format_vector(has) or "0"
            yield text("pool.machine_smaller", machine=name, pool=pool.name, has=told, said=format_vector(of))
    if len(short) > _MOST_LINES:
        yield text("pool.machines_more", pool=pool.name, count=len(short) - _MOST_LINES)


PACE = Pace(idle=1.0, rest=5.0)
_log = logging.getLogger("pilotbase.worker")


class Dispatching:
    """The dispatchers of all pools, under one name."""

    def __init__(self, base: Base, backend: ComputeBackend, name: str) -> None:
        self._base, self._name = base, f"{name}/pools"
        self._members = Members(backend, works_of(base))
        self._machines = MachinesThere(base.lab.view, backend)
        self._dispatchers: dict[str, Dispatcher] = {}
        self._left: dict[str, str] = {}
        """Pools whose jobs run on another engine → the reason given."""

    def round(self) -> bool:
        """Give every pool its turn and return whether anything was done; while the backend is away nothing is."""
        done, found = False, list(pools(self._base.lab.view))
        try:
            there = self._machines.look(found)
            for pool in found:
                done = self._turn(pool.name, there[pool.name]) or done
        except BackendAwayError as error:
            self._machines.are_away(found, error)
        self._forget()
        return done

    def round_alone(self) -> bool:
        """Run one round and release the pools at once; returns whether anything was done."""
        try:
            return self.round()
        finally:
            self.leave()

    def _turn(self, pool: str, there: There) -> bool:
        """Give a pool its turn, and return whether anything was done; jobs on another engine are left alone."""
        try:
            turned = self._dispatcher(pool).turn(there)
        except OtherEngineError as error:
            if self._left.get(pool) != str(error):
                _log.warning("%s", error.render())
            self._left[pool] = str(error)
            return False
        self._left.pop(pool, None)
        return turned is not None and turned.did_anything

    def _dispatcher(self, pool: str) -> Dispatcher:
        if pool not in self._dispatchers:
            view = self._base.lab.view
            self._dispatchers[pool] = Dispatcher(
                view, pool, self._members, self._name, lambda: declared_ties(self._base.lab.view)
            )
        return self._dispatchers[pool]

    def _forget(self) -> None:
        """Remove the data of jobs that have stopped for any reason, and seats that nobody waits for any more."""
        for name in jobs_with_data(self._base):
            with self._base.lab.view.reading() as connection:
                job = rows.find_job(connection, name)
            if job is None or job.state not in (QueueState.RUNNING, QueueState.STOPPING):
                forget_data(self._base, name)
        forgo_unasked(self._base)

    def leave(self) -> None:
        """Release the pools at once."""
        for dispatcher in self._dispatchers.values():
            dispatcher.leave()


@contextmanager
def dispatching(base: Base, backend: ComputeBackend, name: str) -> Iterator[None]:
    """Run a round every second, in a thread, until the end of the block."""
    ours = Dispatching(base, backend, name)
    try:
        with in_rounds("pools", ours.round, PACE):
            yield
    finally:
        ours.leave()
