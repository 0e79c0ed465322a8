"""The rounds of the estate beside a worker's jobs: pools take their turns, vouchers are settled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from pilotbase.sandbox.engines import LOCAL
from pilotbase.worker.base import Base
from pilotbase.worker.rounds import Rounds
from pilotbase_estate.computing.rounds import Dispatching, dispatching
from pilotbase_estate.computing.told_pools import backend_of, require_engine_of_jobs
from pilotbase_estate.computing.told_vouchers import paying, voucher_round

require_engine = require_engine_of_jobs


def rounds_of(base: Base, name: str) -> Rounds:
    """Return the rounds of a worker called ``name``; raises as `require_engine`."""
    require_engine(base.lab.view, (base.lab.engine or LOCAL).name)
    return _EstateRounds(base, name)


@dataclass
class _EstateRounds:
    base: Base
    name: str

    @cached_property
    def _shared(self) -> Dispatching:
        return Dispatching(self.base, backend_of(self.base), self.name)

    @contextmanager
    def running(self) -> Iterator[None]:
        with paying(self.base), dispatching(self.base, backend_of(self.base), self.name):
            yield

    def once(self) -> bool:
        voucher_round(self.base.lab.view)
        return self._shared.round_alone()
