"""The plan, looked at again when records have moved: a verdict, a stop, a date that has passed.

What would change is proposed, and operators are notified; the roadmap stays until one of them adopts it.
"""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager
from functools import partial

from pilotbase.documents.errors import InputError
from pilotbase.roadmap.proposals import review
from pilotbase.worker.base import Base
from pilotbase.worker.rounds import Pace, in_rounds

PACE = Pace(idle=120.0, rest=120.0)
_log = logging.getLogger("pilotbase.worker")


def plan_round(base: Base) -> bool:
    """Review the plan once; return that there is no more to do at once."""
    try:
        review(base.lab.view)
    except InputError as error:  # such as a sheet that leaves too little time: its operator mends it
        _log.warning("the plan was not reviewed: %s", error)
    return False


def reviewing_plans(base: Base) -> AbstractContextManager[None]:
    """Run rounds in a thread until the end of the block."""
    return in_rounds("plans", partial(plan_round, base), PACE)
