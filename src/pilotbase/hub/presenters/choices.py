"""What the reader may do to a record: what waits for them first, what ends something last, what is barred and why."""

from __future__ import annotations

from dataclasses import dataclass

from pilotbase.catalogue.advancing import Possible
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import Record, Waiting
from pilotbase.hub.base import base
from pilotbase.worker.trials.acts import acts_on
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.store import View

_ENDS = frozenset(
    {
        Act.SCENARIO_CLOSE,
        Act.SCENARIO_WITHDRAW,
        Act.APPLICATION_STOP,
        Act.APPLICATION_WITHDRAW,
        Act.COMMISSION_DECLINE,
        Act.COMMISSION_CANCEL,
        Act.REVIEWER_RELEASE,
        Act.TRIAL_STOP,
        Act.CONSENT_REFUSE,
        Act.ACCEPTANCE_REFUSE,
        Act.CERTIFICATE_SUSPEND,
        Act.CERTIFICATE_REVOKE,
        Act.DATASET_WITHDRAW,
        Act.AGREEMENT_REVOKE,
        Act.AGREEMENT_RELEASE,
        Act.AGREEMENT_END,
    }
)
"""Acts that end or undo something: their buttons look so."""
_ABOUT_NOTHING = frozenset({"record.no_open_appeal", "record.no_such_order", "record.no_work"})
"""What stands against an act that has nothing to be done to: no page speaks of it."""


@dataclass(frozen=True)
class Choice:
    """One act: whether it waits for the reader, whether it ends something, and what else stands against it."""

    possible: Possible
    turn: bool
    ends: bool

    @property
    def act(self) -> Act:
        return self.possible.act

    @property
    def barred(self) -> bool:
        return self.possible.obstacle is not None


def choices(view: View, record: Record) -> list[Choice]:
    """Return what the actor of ``view`` may do to ``record`` now, in the order in which a page offers it."""
    possible = [one for one in acts_on(base(), view, record) if _has_object(one)]
    waiting = {wait.act for wait in record.waits if _mine(wait, view.actor)}
    bars = [one.bar for one in possible if one.act in waiting and one.bar is not None]
    remedies = [one for bar in bars for one in bar.remedies if one.is_for(view.actor) and one.subject == record.subject]
    turn = waiting | {one.act for one in remedies}
    found = [Choice(one, one.act in turn, one.act in _ENDS) for one in possible]
    return sorted(found, key=lambda one: (one.barred, one.ends, not one.turn))


def _has_object(possible: Possible) -> bool:
    return possible.obstacle is None or possible.obstacle.code not in _ABOUT_NOTHING


def _mine(wait: Waiting, actor: Actor) -> bool:
    """Tell whether a piece of work waits for this actor."""
    mine = wait.organisation in (None, actor.organisation) and wait.person in (None, actor.person)
    return mine and wait.role in actor.roles
