"""The duty desk as the API and the command line tell it: in the words of one language."""

from __future__ import annotations

from pilotbase.catalogue.records import both_languages
from pilotbase.documents.api.watch import DeskClock, DeskService, DeskWarning, DutyDesk
from pilotbase.documents.texts import Language
from pilotbase.documents.watch import RiskWarning
from pilotbase.worker.services.duty_desk import DeskLine, RunningClock, duty_desk
from pilotbase.workspace.store import View


def told_desk(view: View, reader: Language) -> DutyDesk:
    """Return where every service stands whose desk the actor's is, in the words of ``reader``."""
    return DutyDesk(items=[_service(line, reader) for line in duty_desk(view)])


def _service(line: DeskLine, reader: Language) -> DeskService:
    standing = line.standing
    return DeskService(
        service=line.service.name,
        title=both_languages(line.service.title),
        organisation=line.service.organisation,
        state=standing.state,
        state_since=standing.at,
        reason=standing.reason.render(reader),
        watched=line.watched,
        has_data=line.has_data,
        colour=line.colour,
        since=line.since,
        warnings=[_warning(one, reader) for one in line.warnings],
        done=[act.what.render(reader) for act in line.done],
        incidents=[incident.number for incident in line.incidents],
        clocks=[_clock(one) for one in line.clocks],
    )


def _warning(one: RiskWarning, reader: Language) -> DeskWarning:
    reason = one.reason.render(reader)
    return DeskWarning(detector=one.detector, signal=one.signal, colour=one.colour, since=one.at, reason=reason)


def _clock(running: RunningClock) -> DeskClock:
    clock = running.clock
    return DeskClock(incident=running.incident, clock=clock.clock, to=clock.to, due=clock.due, overdue=running.overdue)
