"""Separation of duties, by person: whoever submitted an application neither approves its plan nor signs for it."""

from __future__ import annotations

from pilotbase.documents.errors import RefusedError
from pilotbase.documents.lifecycles import INCOMPATIBLE, Transition, duty_name
from pilotbase.documents.permissions import act_name
from pilotbase.documents.record import DutyDone, Record
from pilotbase.workspace.actors import Actor


def require_separation(actor: Actor, row: Transition, record: Record) -> None:
    """Return if the person may have this duty here.

    It counts what the person did in this record and in those it builds on, for whatever organisation.

    Raises:
        RefusedError: the person had a duty that does not go with it, or it is not known which person acts.
    """
    if row.duty is None:
        return
    if actor.person is None:
        raise RefusedError("record.person_unknown", act=act_name(row.act))
    for done in record.duties:
        if done.person == actor.person and frozenset({done.duty, row.duty}) in INCOMPATIBLE:
            raise RefusedError("record.duties_mixed", act=act_name(row.act), duty=duty_name(done.duty))


def with_duty(duties: tuple[DutyDone, ...], actor: Actor, row: Transition) -> tuple[DutyDone, ...]:
    """Return ``duties`` and the one that the actor has had with this step."""
    if row.duty is None or actor.person is None:
        return duties
    return _without_doubles((*duties, DutyDone(person=actor.person, duty=row.duty)))


def inherited(duties: tuple[DutyDone, ...], other: Record) -> tuple[DutyDone, ...]:
    """Return ``duties`` and those of the record that this one builds on."""
    return _without_doubles((*duties, *other.duties))


def _without_doubles(duties: tuple[DutyDone, ...]) -> tuple[DutyDone, ...]:
    return tuple(dict.fromkeys(duties))
