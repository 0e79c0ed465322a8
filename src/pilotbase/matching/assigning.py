"""Who takes which demand, under the places that each supplier has: the most valuable and the stable assignment.

The most valuable one is a linear program (HiGHS): its matrix is totally unimodular, so a vertex is an assignment. It is
solved over a few pairs of each demand, and those are added that its prices show to be missing, until none is: exact,
without ever holding millions of columns. The stable one is deferred acceptance (Gale and Shapley): no demand and
supplier prefer each other to what they get, and no demand fares better in another stable one.
"""

from __future__ import annotations

from heapq import heappush, heapreplace

import numpy as np
import numpy.typing as npt
import scipy  # loads each of its parts when it is first used

from pilotbase.matching.words import Values

NOBODY = -1
_FIRST_PAIRS = 20
"""Of each demand, in the first program and in each later one."""
_TINY = 1e-9
_Places = npt.NDArray[np.int64]
_Mask = npt.NDArray[np.bool_]


def assign_best(values: Values, places: _Places) -> _Places:
    """Return for each demand the number of its supplier, or `NOBODY`, so that the total value is largest.

    ``values``: one row a demand, one column a supplier, positive; NaN: this pair must not be. ``places``: how many
    demands each supplier can take.
    """
    worth = np.where(np.isnan(values), 0.0, values)
    prices, costs = np.zeros(len(places)), np.zeros(len(values))
    chosen = np.zeros(values.shape, bool)
    taken = np.full(len(values), NOBODY)
    while (missing := _missing(worth, chosen, costs, prices)).any():
        chosen |= missing
        taken, costs, prices = _solve(worth, chosen, places)
    return taken


def _missing(worth: Values, chosen: _Mask, costs: Values, prices: Values) -> _Mask:
    """Return of each demand the first pairs that would pay at these prices and aren't in the program."""
    gains = worth - costs[:, None] - prices
    gains[chosen | (worth <= 0)] = 0.0
    first = min(_FIRST_PAIRS, gains.shape[1])
    least = -np.partition(-gains, first - 1, axis=1)[:, first - 1, None] if gains.size else gains
    missing: _Mask = (gains > _TINY) & (gains >= least)
    return missing


def _solve(worth: Values, chosen: _Mask, places: _Places) -> tuple[_Places, Values, Values]:
    """Return who takes each demand, and the dual prices of demands and of places."""
    demands, suppliers = np.nonzero(chosen)
    number = len(demands)
    rows = np.concatenate([demands, len(worth) + suppliers])
    columns = np.tile(np.arange(number), 2)
    limits = scipy.sparse.csr_array((np.ones(2 * number), (rows, columns)), shape=(sum(worth.shape), number))
    most = np.concatenate([np.ones(len(worth)), places])
    found = scipy.optimize.linprog(-worth[chosen], A_ub=limits, b_ub=most, bounds=(0, None), method="highs-ds")
    taken, held = np.full(len(worth), NOBODY), found.x > 0.5
    taken[demands[held]] = suppliers[held]
    duals = -found.ineqlin.marginals
    return taken, duals[: len(worth)], duals[len(worth) :]


def worth_of_one_more(values: Values, taken: _Places) -> Values:
    """Return how much one more place of each supplier adds to the largest total, which ``taken`` reaches.

    It takes the demand that gains most by it, whose old place, if it leaves one, is worth something in turn.
    """
    worth, there = np.zeros(values.shape[1]), taken != NOBODY
    own = np.where(there, values[np.arange(len(values)), taken], 0.0)
    moves = np.nan_to_num(values, nan=-np.inf) - own[:, None]
    while True:
        left = np.where(there, worth[taken], 0.0)
        more = (moves + left[:, None]).max(axis=0, initial=0.0)
        if (more <= worth + _TINY).all():
            return worth
        worth = more


def assign_stably(values: Values, wishes: Values, places: _Places) -> _Places:
    """Return for each demand its supplier in the stable assignment that is best for the demands.

    Demands prefer the larger of ``values``, suppliers the larger of ``wishes`` (same shape), of equal ones the first.
    """
    orders = np.argsort(-values, axis=1, kind="stable")
    known = (~np.isnan(values)).sum(axis=1)
    asked, taken = np.zeros(len(values), int), np.full(len(values), NOBODY)
    held: list[list[tuple[float, int]]] = [[] for _ in places]
    free = list(range(len(values)))[::-1]
    while free:
        demand = free.pop()
        if asked[demand] == known[demand]:
            continue
        supplier = int(orders[demand, asked[demand]])
        asked[demand] += 1
        bid = (float(wishes[demand, supplier]), -demand)
        if len(held[supplier]) < places[supplier]:
            heappush(held[supplier], bid)
        elif places[supplier] and bid > held[supplier][0]:
            left = -heapreplace(held[supplier], bid)[1]
            taken[left] = NOBODY
            free.append(left)
        else:
            free.append(demand)
            continue
        taken[demand] = supplier
    return taken


def blocking_pairs(values: Values, wishes: Values, places: _Places, taken: _Places) -> _Mask:
    """Return the pairs that prefer each other to what ``taken`` gives them.

    A supplier prefers a demand to a free place.
    """
    numbers = np.arange(len(values))
    there = taken != NOBODY
    own = np.where(there, values[numbers, taken], -np.inf)
    worst = np.where(np.bincount(taken[there], minlength=len(places)) < places, -np.inf, np.inf)
    full = worst[taken[there]] == np.inf
    np.minimum.at(worst, taken[there][full], wishes[numbers[there], taken[there]][full])
    blocking: _Mask = (values > own[:, None]) & (wishes > worst)
    return blocking
