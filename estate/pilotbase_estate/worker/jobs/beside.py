"""The pools of a base have their turns beside a worker, and closed hours of calls are settled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pilotbase.worker.base import Base
from pilotbase.workspace.store import View
from pilotbase_estate.computing.keeping import backend_of
from pilotbase_estate.computing.paying import paying, voucher_round
from pilotbase_estate.computing.rounds import Dispatching, dispatching
from pilotbase_estate.queue.one_engine import require_own


@dataclass(frozen=True)
class PoolsAndVouchers:
    """The rounds of all pools, and of vouchers by the clock."""

    base: Base
    name: str

    @contextmanager
    def running(self) -> Iterator[None]:
        with paying(self.base), dispatching(self.base, backend_of(self.base), self.name):
            yield

    def round(self) -> bool:
        settled = voucher_round(self.base.lab.view)
        return Dispatching(self.base, backend_of(self.base), self.name).round_alone() or settled > 0


def beside(base: Base, name: str) -> PoolsAndVouchers:
    """Return the rounds beside the worker called ``name``."""
    return PoolsAndVouchers(base, name)


def require_engine_of_jobs(view: View, engine: str) -> None:
    """Return if no job of a base runs on another engine than ``engine``; raises `OtherEngineError`."""
    with view.reading() as connection:
        require_own(connection, engine)
