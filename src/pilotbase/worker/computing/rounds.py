"""The pools of a base at work: every pool has its turns, as long as somebody waits for it or runs in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pilotbase.catalogue.ties import declared_ties
from pilotbase.compute.backends.backend import ComputeBackend
from pilotbase.compute.backends.local import LocalBackend
from pilotbase.compute.queue.dispatching import Dispatcher, Means
from pilotbase.compute.queue.pools import pools
from pilotbase.worker.base import Base
from pilotbase.worker.computing.works import forget_data, works_of
from pilotbase.worker.rounds import Pace, in_rounds

PACE = Pace(idle=1.0, rest=5.0)


class Dispatching:
    """The dispatchers of all pools, under one name."""

    def __init__(self, base: Base, backend: ComputeBackend, name: str) -> None:
        self._base, self._name = base, f"{name}/pools"
        self._means = Means(backend, works_of(base), lambda: declared_ties(base.lab.view))
        self._dispatchers: dict[str, Dispatcher] = {}

    def round(self) -> bool:
        """Give every pool its turn and return whether anything was done."""
        done = False
        for pool in pools(self._base.lab.view):
            dispatcher = self._dispatchers.get(pool.name)
            if dispatcher is None:
                dispatcher = Dispatcher(self._base.lab.view, pool.name, self._means, self._name)
                self._dispatchers[pool.name] = dispatcher
            turned = dispatcher.turn()
            for job in turned.ended if turned is not None else ():
                forget_data(self._base, job)
            done = done or (turned is not None and bool(turned.ended or turned.started or turned.evicted))
        return done

    def leave(self) -> None:
        """Let others have the pools at once."""
        for dispatcher in self._dispatchers.values():
            dispatcher.leave()


def local_backend(base: Base) -> LocalBackend:
    """Return the backend of this machine, whose attempts are kept in the base's home."""
    return LocalBackend(base.lab.folder("compute-attempts"))


@contextmanager
def dispatching(base: Base, backend: ComputeBackend, name: str) -> Iterator[None]:
    """Go a round every second, in a thread, until the end of the block."""
    ours = Dispatching(base, backend, name)
    try:
        with in_rounds("pools", ours.round, PACE):
            yield
    finally:
        ours.leave()
