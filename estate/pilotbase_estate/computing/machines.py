"""Which machines of pools are present: checked before every round, logged when it changes."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from pilotbase.documents.texts import Text, text
from pilotbase.workspace.store import View
from pilotbase_estate.backends.backend import BackendAwayError, ComputeBackend
from pilotbase_estate.documents.pool import Pool
from pilotbase_estate.documents.resources import format_vector
from pilotbase_estate.queue.machines import ALL_THERE, There, held_against
from pilotbase_estate.queue.turns import keep_there, there_of

_MOST_LINES = 10
_log = logging.getLogger("pilotbase.worker")


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
