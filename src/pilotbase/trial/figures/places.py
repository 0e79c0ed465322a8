"""At which place of a ranking stands the first of what was wanted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pilotbase.documents.criteria import Rule
from pilotbase.documents.figures import Places
from pilotbase.measures import Cases
from pilotbase.measures.cases import Ints

MOST_PLACES = 10


def places(cases: Cases, rules: Sequence[Rule]) -> Places:
    """Return how often the first wanted name stood at each place."""
    found = first_places(cases)
    counts = np.bincount(found[(found >= 0) & (found < MOST_PLACES)], minlength=MOST_PLACES)
    later = int((found >= MOST_PLACES).sum())
    return Places(counts=tuple(counts.tolist()), later=later, never=int((found < 0).sum()))


def first_places(cases: Cases) -> Ints:
    """Return the place of the first wanted name of each case, from 0; -1 where none is among the answers."""
    wanted = cases.truth.reshape(len(cases), -1)
    found = np.full(len(cases), -1, dtype=np.int64)
    for place in reversed(range(cases.answers.shape[1])):
        answered = cases.answers[:, place]
        among = ((answered[:, None] == wanted) & (answered[:, None] >= 0)).any(axis=1)
        found[among] = place
    return found
