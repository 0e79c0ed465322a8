"""Whether two organisations belong together, and through which others. Pure: the declared ties are passed in."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping, Set

Ties = Mapping[str, Set[str]]
"""Organisation → those to which it has declared a tie of ownership; one that is not named has declared none."""


def way_between(ties: Ties, one: str, other: str) -> tuple[str, ...]:
    """Return the shortest path from one to the other over ties that either end has declared; empty: they are unrelated.

    Two subsidiaries of one parent are related although neither has named the other; an organisation is related to
    itself.
    """
    beside: defaultdict[str, set[str]] = defaultdict(set)
    for organisation, declared in ties.items():
        for tied in declared:
            beside[organisation].add(tied)
            beside[tied].add(organisation)
    came_from: dict[str, str] = {one: ""}
    queue = deque([one])
    while queue and other not in came_from:
        here = queue.popleft()
        for there in sorted(beside[here] - came_from.keys()):
            came_from[there] = here
            queue.append(there)
    way, step = [], other if other in came_from else ""
    while step:
        way.append(step)
        step = came_from[step]
    return tuple(reversed(way))
