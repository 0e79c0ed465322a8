"""When waiting jobs will start, roughly: if all that runs and all that goes before takes its full time.

Machines are treated as one, and the organisations' lines as served in turn by weight. So it is an estimate. The start
kept for the first job, and the latest restoration of a guarantee, are known and reported instead.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from pilotbase_estate.documents.resources import counted
from pilotbase_estate.sharing.books import Accounts
from pilotbase_estate.sharing.jobs import Pending

_Whole = npt.NDArray[np.int64]


def estimates(books: Accounts, now: float) -> Mapping[str, float]:
    """Return job → roughly when it starts, for all that wait."""
    waiting = _dealt(books, now)
    if not waiting:
        return {}
    names = tuple(counted(books.pool.capacity))
    runs = list(books.by_end())
    needed = np.cumsum([[pending.job.total.get(name, 0) for name in names] for pending in waiting], axis=0)
    given = [[running.job.total.get(name, 0) for name in names] for running in runs]
    free = [books.machines.free_in_all.get(name, 0) for name in names]
    there = np.cumsum(np.array([free, *given], dtype=np.int64), axis=0)
    times = np.array([now, *(max(running.ends, now) for running in runs)])
    length = float(np.mean([pending.job.max_seconds for pending in waiting]))
    found = np.full(len(waiting), now)
    for column, name in enumerate(names):
        asked = np.array([pending.job.total.get(name, 0) > 0 for pending in waiting])
        at = _reached(needed[:, column], there[:, column], times, length)
        found = np.where(asked, np.maximum(found, at), found)
    return {pending.job.name: float(at) for pending, at in zip(waiting, found, strict=True)}


def _reached(needed: _Whole, there: _Whole, times: npt.NDArray[np.float64], length: float) -> npt.NDArray[np.float64]:
    """Return when so much has been given back; any need beyond all of it comes round after round."""
    index = np.searchsorted(there, needed)
    rounds = np.ceil(np.maximum(needed - there[-1], 0) / max(int(there[-1]), 1))
    reached: npt.NDArray[np.float64] = times[np.minimum(index, len(times) - 1)] + rounds * length
    return reached


def _dealt(books: Accounts, now: float) -> list[Pending]:
    """Return all that wait in the rough order of their starts."""
    keyed = [
        ((place + 1) / account.weight, account.turn(now), place, pending)
        for account in books.accounts.values()
        for place, pending in enumerate(account.line.in_order())
    ]
    return [pending for *_, pending in sorted(keyed, key=lambda entry: entry[:3])]
