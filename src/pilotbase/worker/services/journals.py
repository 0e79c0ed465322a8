"""Journals of gateways taken into the store: meters, and observations for the watch."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager

from pilotbase.service.draining import Drained, Take, drain, expire_allotments
from pilotbase.service.journal import journals_of
from pilotbase.worker.base import Base
from pilotbase.worker.rounds import Pace, in_rounds

PACE = Pace(idle=1.0, rest=1.0)
_log = logging.getLogger("pilotbase.worker")


def take_in(base: Base, take: Take = lambda _: None) -> Drained:
    """Take in what the gateways of this machine have written by now, and say what came of it; see `drain`."""
    expire_allotments(base.lab.view)
    return drain(base.lab.view, journals_of(base.home.path), take)


def taking_in(base: Base, take: Take = lambda _: None) -> AbstractContextManager[None]:
    """Take in every second, in a thread, until the end of the block."""

    def once() -> bool:
        found = take_in(base, take)
        if found.unfit:
            _log.warning("%d records of gateways were damaged or unfit", found.unfit)
        return False

    return in_rounds("journals", once, PACE)
