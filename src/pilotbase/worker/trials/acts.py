"""What an actor may do to a record now: what its state leaves open, and what the hidden data of a trial still allow."""

from __future__ import annotations

from dataclasses import replace

from pilotbase.catalogue.advancing import Possible, possible_acts
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import Record
from pilotbase.worker.base import Base
from pilotbase.worker.trials.hidden_budgets import why_not_again
from pilotbase.workspace.store import View


def acts_on(base: Base, view: View, record: Record) -> list[Possible]:
    """Return what the actor of ``view`` may do to ``record`` now, each with what can be told to stand against it."""
    return [_judged(base, record, one) for one in possible_acts(view, record)]


def _judged(base: Base, record: Record, possible: Possible) -> Possible:
    used_up = why_not_again(base, record) if possible.act is Act.TRIAL_REPEAT else None
    return possible if used_up is None else replace(possible, obstacle=used_up)
