"""Drills: a red warning without a cause, to measure how soon the base decides, acts and notifies.

Unless it is for real, nothing is moved: the record only states what would be done. No certificate is touched, and its
record is an incident that is marked as a drill and closed.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial

from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.service import Service
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Colour, Countermeasure, Signal
from pilotbase.documents.watch import Drill, Incident, Runbook, RunbookRule, TimelineEntry
from pilotbase.service.standing import standing_of
from pilotbase.watch.incidents import open_incident, rule_for, runbook_of
from pilotbase.watch.standings import service_of
from pilotbase.watch.warnings import Done, steps_of
from pilotbase.worker.reactions.steps import Cause, Finish, Reacting, about_incident, move_service, timed
from pilotbase.workspace.actors import parties
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction

LAST_STEP = "notice"
_LOOK_SECONDS = 0.1


def start_drill(view: View, name: str, for_real: bool = False) -> tuple[Digest, Drill]:
    """Begin a drill of a service and return it with its digest; raises `NotFoundError`, and `RefusedError` to others.

    The process that reacts to warnings answers it.
    """
    service = service_of(view, name)
    with view.transaction("drill.started") as change:
        drill = Drill(service=name, for_real=for_real, at=change.now)
        digest = change.put(drill, parties(), owner=service.organisation, fields={"service": name})
        change.let_stand(f"drill:{name}", digest)
    return digest, drill


def await_drill(view: View, drill: Digest, patience: float) -> Mapping[str, Done]:
    """Return what was done about a drill, step by step, as soon as everything is done.

    Raises:
        PilotbaseError: nobody has reacted to all of it within ``patience`` seconds.
    """
    deadline = time.monotonic() + patience
    while True:
        with view.reading() as connection:
            done = steps_of(connection, drill)
        if LAST_STEP in done:
            return done
        if time.monotonic() > deadline:
            raise PilotbaseError("reaction.drill_unanswered", seconds=f"{patience:g}")
        time.sleep(_LOOK_SECONDS)


def react_to_drill(reacting: Reacting, digest: Digest) -> None:
    """Decide what a red risk warning would require; do it if it is for real; record it and notify."""
    view = reacting.view
    drill = view.load(digest, Drill)
    service, runbook = service_of(view, drill.service), runbook_of(view, drill.service)
    rule, cause = rule_for(runbook, Signal.RISK, Colour.RED), Cause(digest, drill.service)
    for measure in rule.measures if rule is not None else ():
        if rule is not None and measure is not Countermeasure.NOTIFY:
            reacting.once(cause, f"measure:{measure}", partial(_take, reacting, cause, drill, (rule, measure)))
    reacting.once(cause, "incident", lambda: partial(_write_down, reacting, cause, drill, (service, runbook)))
    reacting.once(cause, LAST_STEP, lambda: partial(_tell, reacting, cause, service))


def _take(reacting: Reacting, cause: Cause, drill: Drill, what: tuple[RunbookRule, Countermeasure]) -> Finish:
    rule, measure = what
    view, name = reacting.view, drill.service
    if not drill.for_real:
        would = text("reaction.would", measure=text(f"countermeasure.{measure}"))
        return lambda change: Done(what=timed(would, drill.at, change.now, rule.within_seconds), at=change.now)
    reason = (text("reaction.drill"), cause.digest)
    standing = move_service(view, measure, (name, standing_of(view, name).route), reason)
    state = text(f"serving.{standing.state}")
    done = Done(what=timed(state, drill.at, standing.at, rule.within_seconds), at=standing.at)
    return lambda _: done


def _write_down(
    reacting: Reacting, cause: Cause, drill: Drill, of: tuple[Service, Runbook], change: Transaction
) -> Done:
    service, runbook = of
    by = change.actor.organisation
    done = steps_of(change.connection, cause.digest).values()
    incident = Incident(
        number=1,
        service=service.name,
        owner=service.organisation,
        warning=cause.digest,
        title=text("incident.title", service=service.name, signal=text("reaction.drill")),
        colour=Colour.RED,
        grade="general",
        response="IV",
        state="closed",
        known_at=drill.at,
        opened_at=change.now,
        handled_at=change.now,
        book=runbook.book,
        reporter=runbook.reporter,
        timeline=(
            TimelineEntry(at=drill.at, what=text("reaction.drill"), organisation=by, document=cause.digest),
            *(TimelineEntry(at=one.at, what=one.what, organisation=by) for one in done),
        ),
        drill=True,
    )
    opened = open_incident(change, reacting.view, incident)
    what = text("reaction.incident", number=opened.number)
    return Done(what=what, at=change.now, document=opened.digest())


def _tell(reacting: Reacting, cause: Cause, service: Service, change: Transaction) -> Done:
    kept = steps_of(change.connection, cause.digest)["incident"].document
    incident = reacting.view.within(change).load(kept or "", Incident)
    told = text("reaction.drill_told", colour=text(f"colour.{incident.colour}"), number=incident.number)
    reacting.tell(change, about_incident(incident, service, told, f"{cause.digest} drill"))
    return Done(what=text("reaction.notified"), at=change.now)
