"""One step that is about to be taken: by whom, which transition, on which record, with what handed in.

And the separation of duties, by person: nobody who submitted an application approves its plan or signs for it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from pilotbase.documents.base import Document, Part
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.lifecycles import INCOMPATIBLE, Transition, duty_name
from pilotbase.documents.permissions import Act, act_name
from pilotbase.documents.record import DutyDone, Record
from pilotbase.documents.texts import Text
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.store import View

P = TypeVar("P", bound=Part)
D = TypeVar("D", bound=Document)
AttemptsLeft = Callable[[View, Record, Act], None]
"""Returns if the hidden data allow the trial after ``act``; raises `BarredError`. The vault is a layer above."""


@dataclass(frozen=True)
class Move:
    """What a person hands in with a step."""

    brings: Part | None = None
    """What the transition needs (`Transition.brings`), such as a `Commission`."""
    note: str = ""
    seen: Digest | None = None
    """The version of the record that the person has seen; a newer one refuses the step."""
    reason: Text | None = None
    """The reason, in a sentence of ours, if the base itself takes the step."""
    why_holds: bool = False
    """The reasons beside changed criteria hold for the new ones too."""
    key: Digest | None = None
    """Names this very request: repeated because its answer was lost, it is not taken twice."""


def unlimited(base: View, record: Record, act: Act) -> None:
    """Allow every attempt: for acts that involve no hidden data."""


@dataclass(frozen=True)
class Situation:
    """Everything that needs and effects look at; ``base`` sees every document."""

    base: View
    actor: Actor
    row: Transition
    record: Record
    move: Move
    now: datetime
    attempts: AttemptsLeft = unlimited

    def brought(self, kind: type[P]) -> P:
        """Return what was handed in; the engine has already checked its kind."""
        assert isinstance(self.move.brings, kind)
        return self.move.brings

    def document(self, name: str, model: type[D]) -> D:
        """Return a document that the record is about."""
        return self.base.load(self.record.documents[name], model)

    def on(self, record: Record) -> Situation:
        """Return the same step on another version of the record."""
        return dataclasses.replace(self, record=record)


def require_separation(actor: Actor, row: Transition, record: Record) -> None:
    """Return if the person may have this duty here.

    Counts the person's acts in this record and in those it builds on, for any organisation.

    Raises:
        RefusedError: the person had a duty that excludes this one, or it is unknown which person acts.
    """
    if row.duty is None:
        return
    if actor.person is None:
        raise RefusedError("record.person_unknown", act=act_name(row.act))
    for done in record.duties:
        if done.person == actor.person and frozenset({done.duty, row.duty}) in INCOMPATIBLE:
            raise RefusedError("record.duties_mixed", act=act_name(row.act), duty=duty_name(done.duty))


def with_duty(duties: tuple[DutyDone, ...], actor: Actor, row: Transition) -> tuple[DutyDone, ...]:
    """Return ``duties`` with the one that the actor fulfils in this step."""
    if row.duty is None or actor.person is None:
        return duties
    return _without_doubles((*duties, DutyDone(person=actor.person, duty=row.duty)))


def inherited(duties: tuple[DutyDone, ...], other: Record) -> tuple[DutyDone, ...]:
    """Return ``duties`` with those of the record that this one builds on."""
    return _without_doubles((*duties, *other.duties))


def _without_doubles(duties: tuple[DutyDone, ...]) -> tuple[DutyDone, ...]:
    return tuple(dict.fromkeys(duties))
