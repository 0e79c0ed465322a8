"""``pilotbase incident``: what happened to services, what was done, who must be told until when; here or on a hub."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotbase.cli.framework.declared import Command, OptionSpelling, add, call
from pilotbase.cli.framework.driving import Noun
from pilotbase.cli.framework.terminal import each, language, print_value, say, say_all
from pilotbase.documents.api.watch import DeskClock, DeskService, DraftedReport
from pilotbase.documents.base import localized
from pilotbase.documents.moments import format_minute, format_second
from pilotbase.documents.texts import Text, text
from pilotbase.operations import incidents

if TYPE_CHECKING:
    from pilotbase.documents.watch import Incident


app = Noun()


@app.anywhere("runbook")
def runbook(service: str, source: Annotated[Path | None, typer.Option("--from")] = None) -> None:
    """Print the runbook of a service as JSON; with a file, set it first."""
    from pilotbase.documents.loading import load_document
    from pilotbase.documents.watch import Runbook

    if source is None:
        print_value(call(incidents.RUNBOOK, service=service))
    else:
        print_value(call(incidents.SET_RUNBOOK, service=service, sent=load_document(Runbook, source)))


def _print(incident: Incident) -> None:
    _say_head(incident)
    say(text("incident.colour_line", colour=text(f"colour.{incident.colour}"), at=format_second(incident.known_at)))
    for number, line in enumerate(incident.timeline, 1):
        code = "incident.timeline_said" if line.said else "incident.timeline_line"
        said = {"said": line.said} if line.said else {}
        say(text(code, number=number, at=format_second(line.at), what=line.what, **said))
    for clock in incident.clocks:
        done = clock.done_at
        code = "incident.clock_done" if done else "incident.clock_due"
        say(text(code, clock=clock.clock, at=format_second(done or clock.due)))
    say_all(text("incident.unknown_line", words=words) for words in incident.unknown)


def _print_service(one: DeskService) -> None:
    known = one.watched or one.warnings
    colour = Text(code=f"colour.{one.colour}") if known else text("incident.unwatched")
    state, since = Text(code=f"serving.{one.state}"), format_minute(one.state_since)
    say(text("cli.desk_service", service=one.service, colour=colour, state=state, since=since, reason=one.reason))
    for warning in one.warnings:
        began = format_minute(warning.since, zone=False)
        colour = Text(code=f"colour.{warning.colour}")
        say(text("watching.line", colour=colour, detector=warning.detector, began=began, reason=warning.reason))
    say_all(text("cli.desk_done", done=done) for done in one.done)
    if one.incidents:
        say(text("cli.desk_incidents", numbers=" ".join(map(str, one.incidents))))
    for clock in one.clocks:
        _print_clock(clock)


def _print_clock(one: DeskClock) -> None:
    said = {"number": one.incident, "clock": one.clock, "to": localized(one.to, language())}
    code = "cli.desk_overdue" if one.overdue else "cli.desk_due"
    say(text(code, **said, due=format_second(one.due)))


def _print_draft(found: DraftedReport) -> None:
    say(text("incident.draft.plain", said=found.title))
    for section in found.sections:
        say(text("incident.draft.heading", heading=section.heading))
        say_all(text("incident.draft.item", said=line) for line in section.lines)


def _say_head(incident: Incident) -> None:
    state, grade = text(f"incident.state.{incident.state}"), text(f"grade.{incident.grade}")
    said = {"title": incident.title, "state": state, "grade": grade}
    say(text("incident.list_line", number=incident.number, response=text(f"response.{incident.response}"), **said))


_FIRST = OptionSpelling(positional=True)
add(
    app,
    Command(
        "list",
        incidents.LIST,
        show=each(_say_head, text("incident.none")),
        spelled={"closed": OptionSpelling(flag="--all", default=False)},
        given={"limit": 100},
        of=lambda found: found.items,
    ),
    Command("show", incidents.SHOW, show=_print),
    Command("draft", incidents.DRAFT, show=_print_draft),
    Command("note", incidents.NOTE, show=_print, spelled={"text": _FIRST}),
    Command("grade", incidents.GRADE, show=_print, spelled={"grade": _FIRST, "response": _FIRST}),
    Command("report", incidents.REPORT, show=_print, spelled={"clock": _FIRST}),
    Command("mitigate", incidents.MITIGATE, show=_print),
    Command("close", incidents.CLOSE, show=_print, spelled={"summary": _FIRST}),
    Command("correct", incidents.CORRECT, show=_print, spelled={"line": _FIRST, "text": _FIRST}),
    Command("desk", incidents.DESK, show=lambda desk: each(_print_service, text("incident.no_services"))(desk.items)),
)
