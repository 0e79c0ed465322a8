"""Incidents: opened by the base's own process, kept by people; each change is a new version that nobody overwrites."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from pilotbase.documents.api.watch import DraftedReport, DraftedSection
from pilotbase.documents.errors import BarredError, InputError, RefusedError, offer
from pilotbase.documents.hashes import Digest
from pilotbase.documents.loading import build_document
from pilotbase.documents.moments import format_minute
from pilotbase.documents.permissions import IncidentAct, SubjectRelation, act_name, permitted
from pilotbase.documents.service import Service
from pilotbase.documents.subjects import incident_subject
from pilotbase.documents.texts import Language, Text, text
from pilotbase.documents.vocabularies import Colour, EventGrade, ResponseLevel, Signal
from pilotbase.documents.watch import (
    ClockBook,
    ClockRule,
    Incident,
    ReportingClock,
    RiskWarning,
    Runbook,
    RunbookRule,
    TimelineEntry,
)
from pilotbase.documents.yaml_reader import parse_yaml
from pilotbase.watch.standings import service_of
from pilotbase.watch.warnings import KIND, end_dialogue_warning, sure_of
from pilotbase.workspace import tables
from pilotbase.workspace.actors import parties
from pilotbase.workspace.columns import set_row
from pilotbase.workspace.failures import ConflictError, NotFoundError
from pilotbase.workspace.store import View
from pilotbase.workspace.tables import watch_tables
from pilotbase.workspace.transaction import Transaction

_SEVERITY = {colour: place for place, colour in enumerate(Colour)}


def default_runbook(service: str) -> Runbook:
    """Return the runbook of a service that has none of its own."""
    return Runbook(service=service, rules=_default_rules())


@cache
def _default_rules() -> tuple[RunbookRule, ...]:
    written = resources.files("pilotbase.watch").joinpath("runbook.yaml").read_bytes()
    rules: Any = parse_yaml(written, "runbook.yaml").value["rules"]
    return tuple(map(RunbookRule.model_validate, rules))


def rule_for(runbook: Runbook, signal: Signal, colour: Colour) -> RunbookRule | None:
    """Return the first rule that fits a warning of ``signal`` at ``colour``, or None: nothing is done. Green: None."""
    if colour is Colour.GREEN:
        return None
    fitting = (rule for rule in runbook.rules if rule.signal in (None, signal) and not rises(colour, rule.colour))
    return next(fitting, None)


def rises(before: Colour, after: Colour) -> bool:
    """Return whether ``after`` is the more serious colour."""
    return _SEVERITY[after] > _SEVERITY[before]


def read_runbook(view: View, name: str) -> tuple[Service, Runbook]:
    """Return a service and the runbook that it has: to the operator, its owner and the regulator.

    Raises:
        NotFoundError: the actor sees no such service, or is its supplier.
    """
    service = service_of(view, name)
    if not (view.actor.sees_all or view.actor.organisation == service.organisation):
        raise NotFoundError("workspace.not_found", name=name)
    return service, runbook_of(view, name)


def runbook_of(view: View, service: str) -> Runbook:
    """Return the runbook that a service has, or the default."""
    head = view.head(_head_of(service))
    return view.load(head, Runbook) if head is not None else default_runbook(service)


def may_edit(view: View, service: Service) -> bool:
    """Return whether the actor may change the runbook of a service."""
    return permitted(IncidentAct.RUNBOOK, view.actor, SubjectRelation(demand_owner=service.organisation))


def keep_runbook(view: View, service: Service, runbook: Runbook, seen: Digest | None = None) -> Digest:
    """Let a service be run by ``runbook`` from now on and return its digest; the log keeps who has changed it.

    Raises:
        InputError: it names a clock book, or a reporter of it, that is not known.
        RefusedError: the actor is neither the service's owner nor the operator, or it is another service's.
        ConflictError: the service has another runbook than the one ``seen`` now.
    """
    if not may_edit(view, service):
        raise RefusedError("incident.not_permitted", act=act_name(IncidentAct.RUNBOOK))
    if runbook.service != service.name:
        raise RefusedError("incident.other_service", found=runbook.service, service=service.name)
    load_book(runbook.book, runbook.reporter)
    with view.transaction("runbook.edited") as change:
        known = view.within(change).outcome()
        if known is not None:
            return known
        head = view.within(change).head(_head_of(service.name))
        if seen not in (None, head or default_runbook(service.name).digest()):
            raise ConflictError("incident.runbook_moved", service=service.name)
        digest = change.put(runbook, parties(), owner=service.organisation, fields={"service": service.name})
        change.set_head(_head_of(service.name), digest, expected=head)
        change.settle(digest)
    return digest


def _head_of(service: str) -> str:
    return f"runbook:{service}"


_rows = tables.watch_tables.incidents.c
_AFTER_CLOSING = (IncidentAct.NOTE, IncidentAct.REPORT, IncidentAct.CORRECT)
Change = Callable[[Incident, TimelineEntry], Incident]
"""What an act makes of an incident, and of the line that says so."""
_clocks = watch_tables.incident_clocks.c
_GRADES = {grade: place for place, grade in enumerate(EventGrade)}


def load_incident(view: View, number: int) -> tuple[Incident, Digest]:
    """Return an incident and the digest of this version; raises `NotFoundError` where none is seen."""
    head = view.head(incident_subject(number))
    if head is None:
        raise NotFoundError("incident.not_found", number=number)
    return view.load(head, Incident), head


def list_incidents(view: View, service: str = "", closed: bool = True, limit: int = 100) -> list[Incident]:
    """Return the incidents that the actor sees, newest first: of one service or all, the closed among them or not."""
    rows = select(_rows.digest).order_by(_rows.number.desc()).limit(limit)
    if service:
        rows = rows.where(_rows.service == service)
    if not closed:
        rows = rows.where(_rows.state != "closed")
    with view.reading() as connection:
        digests = list(connection.scalars(rows))
    found = view.get_all(digests)
    return [found[digest].load(Incident) for digest in digests if digest in found]


def draft_report(view: View, number: int, reader: Language) -> DraftedReport:
    """Return what the next report about an incident says; raises `NotFoundError` where none is seen."""
    incident, version = load_incident(view, number)
    reported = any(clock.done_at is not None for clock in incident.clocks)
    kind = "final" if incident.state == "closed" else "follow_up" if reported else "first"
    stored = view.get(incident.warning)
    warning = stored.load(RiskWarning) if stored is not None and stored.kind == KIND else None
    sections = {name: list(lines) for name, lines in _drafted(incident, warning).items()}
    return DraftedReport(
        number=number,
        kind=kind,
        title=text(f"incident.draft.{kind}", number=number, title=incident.title).render(reader),
        version=version,
        sections=[
            DraftedSection(
                heading=text(f"incident.draft.{name}").render(reader),
                lines=[line.render(reader) for line in lines] or [text("incident.draft.nothing").render(reader)],
            )
            for name, lines in sections.items()
        ],
    )


def _drafted(incident: Incident, warning: RiskWarning | None) -> dict[str, Iterable[Text]]:
    """Return the lines of each section of a report, in its order."""
    colour, grade, response = (
        text(f"{domain}.{value}")
        for domain, value in (("colour", incident.colour), ("grade", incident.grade), ("response", incident.response))
    )
    moments = {"known": incident.known_at, "opened": incident.opened_at, "handled": incident.handled_at}
    extent = warning.excess if warning is not None else None
    return {
        "what": [text("incident.draft.whose", title=incident.title, service=incident.service, owner=incident.owner)]
        + ([text("incident.drill")] if incident.drill else []),
        "when": [
            text(f"incident.draft.{name}", at=format_minute(at)) for name, at in moments.items() if at is not None
        ],
        "how_serious": [text("incident.draft.levels", colour=colour, grade=grade, response=response)]
        + ([text("watching.excess", count=f"{extent:.1f}")] if extent is not None else []),
        "why": [warning.reason, sure_of(warning) or text("watching.next_over")] if warning is not None else [],
        "done": [_told(number, line) for number, line in enumerate(incident.timeline, 1)],
        "told": [_clock_told(clock) for clock in incident.clocks],
        "unknown": [text("incident.draft.plain", said=said) for said in incident.unknown],
        "lesson": [text("incident.draft.plain", said=incident.summary)] if incident.summary else [],
    }


def _told(number: int, line: TimelineEntry) -> Text:
    code = "incident.timeline_said" if line.said else "incident.timeline_line"
    return text(code, number=number, at=format_minute(line.at), what=line.what, said=line.said)


def _clock_told(clock: ReportingClock) -> Text:
    at, done = clock.done_at or clock.due, clock.done_at is not None
    return text("incident.clock_done" if done else "incident.clock_due", clock=clock.to, at=format_minute(at))


def open_incident(change: Transaction, view: View, draft: Incident) -> Incident:
    """Open an incident within ``change`` under the next number and return it; ``draft`` says all but that."""
    number = change.add(f"{change.actor.organisation}/incidents", 1)
    incident = draft.model_copy(update={"number": number})
    return _write(change, incident, None)


def continue_open(
    change: Transaction,
    view: View,
    service: str,
    lines: Iterable[TimelineEntry],
    rule: RunbookRule | None = None,
    detector: str | None = None,
) -> Incident | None:
    """Add ``lines`` to the newest incident of ``service`` that is not closed, and return it; None where none is.

    While no person has set grade and response level, they are at least what ``rule`` proposes. ``detector``: only an
    incident that was opened for one of its warnings.
    """
    here = view.within(change)
    found = (load_incident(here, number) for number in reversed(_open_numbers(change.connection, service)))
    known = next(
        (one for one in found if detector is None or here.load(one[0].warning, RiskWarning).detector == detector), None
    )
    if known is None:
        return None
    incident, head = known
    changed: dict[str, object] = {"timeline": (*incident.timeline, *lines)}
    if rule is not None and incident.graded_at is None:
        changed["grade"] = max(incident.grade, rule.grade, key=list(EventGrade).index)
        changed["response"] = max(incident.response, rule.response, key=list(ResponseLevel).index)
    return _write(change, incident.model_copy(update=changed), head)


def add_note(
    view: View, number: int, said: str, unknown: tuple[str, ...] | None = None, seen: Digest | None = None
) -> Incident:
    """Add a note; ``unknown`` says anew what is not known yet. Raises as `_amend`."""

    def change(incident: Incident, line: TimelineEntry) -> Incident:
        left = incident.unknown if unknown is None else unknown
        return _with_line(incident.model_copy(update={"unknown": left}), line)

    return _amend(view, number, IncidentAct.NOTE, (text("incident.noted"), said), change, seen)


def set_grade(
    view: View, number: int, levels: tuple[EventGrade, ResponseLevel], said: str = "", seen: Digest | None = None
) -> Incident:
    """Set grade and response level, which start or end reporting clocks. Raises as `_amend`."""
    grade, response = levels
    what = text("incident.graded", grade=text(f"grade.{grade}"), response=text(f"response.{response}"))

    def change(incident: Incident, line: TimelineEntry) -> Incident:
        levels = {"grade": grade, "response": response, "graded_at": line.at}
        return _with_line(incident.model_copy(update=levels), line)

    return _amend(view, number, IncidentAct.GRADE, (what, said), change, seen)


def mark_reported(view: View, number: int, clock: str, said: str = "", seen: Digest | None = None) -> Incident:
    """Say that a report was made, now and by the actor; clocks that follow it begin.

    Raises as `_amend`, and:
        InputError: no such clock runs for the incident.
        ConflictError: it was reported before.
    """

    def change(incident: Incident, line: TimelineEntry) -> Incident:
        found = next((one for one in incident.clocks if one.clock == clock), None)
        if found is None:
            running = [one.clock for one in incident.clocks if one.done_at is None]
            raise InputError("incident.no_clock", found=clock, number=number, allowed=offer(clock, running))
        if found.done_at is not None:
            raise ConflictError("incident.already_reported", clock=clock, at=format_minute(found.done_at))
        done = found.model_copy(update={"done_at": line.at, "done_by": line.person})
        clocks = tuple(done if one is found else one for one in incident.clocks)
        line = line.model_copy(update={"clock": clock})
        return _with_line(incident.model_copy(update={"clocks": clocks}), line)

    return _amend(view, number, IncidentAct.REPORT, (text("incident.reported"), said), change, seen)


def mitigate(view: View, number: int, said: str = "", seen: Digest | None = None) -> Incident:
    """Say that the harm has been stopped. Raises as `_amend`."""

    def change(incident: Incident, line: TimelineEntry) -> Incident:
        handled = {"state": "mitigated", "handled_at": incident.handled_at or line.at}
        return _with_line(incident.model_copy(update=handled), line)

    return _amend(view, number, IncidentAct.MITIGATE, (text("incident.mitigated"), said), change, seen)


def close(view: View, number: int, summary: str, seen: Digest | None = None) -> Incident:
    """Close an incident with its summary; reports that are still due stay due. Raises as `_amend`."""

    def change(incident: Incident, line: TimelineEntry) -> Incident:
        closed = {"state": "closed", "summary": summary, "handled_at": incident.handled_at or line.at}
        return _with_line(incident.model_copy(update=closed), line)

    return _amend(view, number, IncidentAct.CLOSE, (text("incident.closed_line"), summary), change, seen)


def correct(view: View, number: int, line_number: int, said: str, seen: Digest | None = None) -> Incident:
    """Set a line of the timeline right, which stays as it was; raises as `_amend`, and `InputError`: no such line."""

    def change(incident: Incident, line: TimelineEntry) -> Incident:
        if not 1 <= line_number <= len(incident.timeline):
            raise InputError("incident.no_line", found=line_number, lines=len(incident.timeline))
        return _with_line(incident, line.model_copy(update={"corrects": line_number}))

    what = text("incident.corrected", line=line_number)
    return _amend(view, number, IncidentAct.CORRECT, (what, said), change, seen)


def may_act(view: View, incident: Incident, act: IncidentAct) -> bool:
    """Return whether the actor may do ``act`` to the incident as it stands."""
    open_for_it = incident.state != "closed" or act in _AFTER_CLOSING
    done_already = act is IncidentAct.MITIGATE and incident.state == "mitigated"
    return open_for_it and not done_already and permitted(act, view.actor, SubjectRelation(demand_owner=incident.owner))


def possible_acts(view: View, incident: Incident) -> list[IncidentAct]:
    """Return what the actor may do to the incident as it stands, as far as there is anything to do it to."""
    objects = {
        IncidentAct.REPORT: any(clock.done_at is None for clock in incident.clocks),
        IncidentAct.CORRECT: bool(incident.timeline),
        IncidentAct.RUNBOOK: False,  # a service's
    }
    return [act for act in IncidentAct if objects.get(act, True) and may_act(view, incident, act)]


@dataclass(frozen=True)
class PassedClock:
    """A report that was not made in time."""

    incident: int
    clock: str
    due: datetime


def _keep_rows(connection: Connection, incident: Incident, digest: str) -> None:
    """Let the rows say what this version says; what was told about a clock stays told."""
    values = {"service": incident.service, "state": incident.state, "digest": digest}
    set_row(connection, watch_tables.incidents, {"number": incident.number}, values)
    running = {clock.clock: clock.due for clock in incident.clocks if clock.done_at is None}
    known = set(connection.scalars(select(_clocks.clock).where(_clocks.incident == incident.number)))
    for name in known - running.keys():
        connection.execute(
            delete(watch_tables.incident_clocks).where(_clocks.incident == incident.number, _clocks.clock == name)
        )
    for name in running.keys() - known:
        row = {"incident": incident.number, "clock": name, "due": running[name], "told": 0}
        connection.execute(insert(watch_tables.incident_clocks).values(row))


def _open_numbers(connection: Connection, service: str) -> list[int]:
    """Return the numbers of the incidents of a service that are not closed, oldest first."""
    rows = select(_rows.number).where(_rows.service == service, _rows.state != "closed")
    return list(connection.scalars(rows.order_by(_rows.number)))


def passed_clocks(connection: Connection, now: datetime) -> list[PassedClock]:
    """Return the clocks that have ended without a report, and of which that was not told yet."""
    rows = select(_clocks.incident, _clocks.clock, _clocks.due).where(_clocks.told == 0, _clocks.due < now)
    return [PassedClock(*row) for row in connection.execute(rows.order_by(_clocks.due, _clocks.incident))]


def note_told(connection: Connection, clock: PassedClock) -> bool:
    """Note that it was told and return True; False where another worker has, or a report was made meanwhile."""
    same = (_clocks.incident == clock.incident, _clocks.clock == clock.clock, _clocks.told == 0)
    return connection.execute(update(watch_tables.incident_clocks).where(*same).values(told=1)).rowcount == 1


def load_book(name: str, reporter: str | None = None) -> ClockBook:
    """Return the clock book ``name`` that this software carries.

    Raises:
        InputError: there is none, or it knows no such ``reporter``.
    """
    known = _books()
    if name not in known:
        raise InputError("incident.no_book", found=name, allowed=offer(name, sorted(known)))
    reporters = [one.name for one in known[name].reporters]
    if reporter is not None and reporter not in reporters:
        raise InputError("incident.no_reporter", found=reporter, book=name, allowed=offer(reporter, reporters))
    return known[name]


def _clocks_at(incident: Incident, book: ClockBook) -> tuple[ReportingClock, ...]:
    """Return the clocks that run or have run for ``incident`` as it stands, in the order of the book.

    What was reported stays, whatever the grade is now; what was not, and need not be any more, is gone.
    """
    clocks: dict[str, ReportingClock] = {}
    known = {clock.clock: clock for clock in incident.clocks}
    for rule in book.clocks:
        before = known.get(rule.clock)
        if before is not None and before.done_at is not None:
            clocks[rule.clock] = before
        elif _binds(rule, incident):
            began = _began(rule, incident, clocks)
            if began is not None:
                clocks[rule.clock] = before or _clock(rule, book, began)
    return tuple(clocks.values())


def _amend(
    view: View, number: int, act: IncidentAct, said: tuple[Text, str], change: Change, seen: Digest | None
) -> Incident:
    """Let ``change`` make the next version of an incident and return it; as it stands where this request did before.

    Raises:
        NotFoundError: there is no such incident for this actor.
        ConflictError: it is not the version ``seen`` any more, where one is given.
        RefusedError: the table does not let the actor do it, or the incident is closed.
    """
    what, words = said
    with view.transaction(act.value) as transaction:
        incident, head = load_incident(view.within(transaction), number)
        if not permitted(act, view.actor, SubjectRelation(demand_owner=incident.owner)):
            raise RefusedError("incident.not_permitted", act=act_name(act))
        if view.request is not None and any(line.request == view.request for line in incident.timeline):
            return incident
        if not may_act(view, incident, act):
            raise BarredError("incident.wrong_state", act=act_name(act), number=number)
        if seen not in (None, head):
            raise ConflictError("incident.moved", number=number)
        line = TimelineEntry(
            at=transaction.now,
            what=what,
            said=words,
            organisation=view.actor.organisation,
            person=view.actor.person,
            request=view.request,
        )
        if act is IncidentAct.CLOSE:
            end_dialogue_warning(transaction, view, incident.warning)
        return _write(transaction, change(incident, line), head)


def _with_line(incident: Incident, line: TimelineEntry) -> Incident:
    return incident.model_copy(update={"timeline": (*incident.timeline, line)})


def _write(change: Transaction, incident: Incident, head: Digest | None) -> Incident:
    """Store the next version of an incident, its clocks as they are now."""
    clocks = _clocks_at(incident, load_book(incident.book))
    incident = Incident.model_validate(incident.model_copy(update={"clocks": clocks}).to_json_value())
    fields = {"incident": str(incident.number), "service": incident.service}
    digest = change.put(incident, parties(), owner=incident.owner, fields=fields)
    change.set_head(incident_subject(incident.number), digest, expected=head)
    _keep_rows(change.connection, incident, digest)
    return incident


def _binds(rule: ClockRule, incident: Incident) -> bool:
    return incident.reporter in rule.reporters and _GRADES[incident.grade] >= _GRADES[rule.least]


def _began(rule: ClockRule, incident: Incident, before: dict[str, ReportingClock]) -> datetime | None:
    """Return from when a clock runs, or None while it does not run yet."""
    if rule.runs_from == "discovery":
        return incident.known_at
    if rule.runs_from == "handling":
        return incident.handled_at
    followed = before.get(rule.after or "")
    return followed.done_at if followed is not None else None


def _clock(rule: ClockRule, book: ClockBook, began: datetime) -> ReportingClock:
    due = began + timedelta(minutes=rule.minutes)
    return ReportingClock(clock=rule.clock, book=book.name, to=rule.to, began=began, due=due)


@cache
def _books() -> dict[str, ClockBook]:
    folder = resources.files("pilotbase.watch") / "reporting_rules"
    files = [file for file in folder.iterdir() if file.name.endswith(".yaml")]
    books = [build_document(ClockBook, parse_yaml(file.read_bytes(), file.name)) for file in files]
    return {book.name: book for book in books}
