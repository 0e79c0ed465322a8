"""The duty desk on a terminal."""

from __future__ import annotations

from pilotbase.cli.edge.terminal import language, say
from pilotbase.documents.api.watch import DeskClock, DeskService, DutyDesk
from pilotbase.documents.base import localized
from pilotbase.documents.moments import format_minute, format_second
from pilotbase.documents.texts import Text, text


def print_desk(desk: DutyDesk) -> None:
    """Print a few lines for every service, the most serious first."""
    for one in desk.items:
        _print_service(one)
    if not desk.items:
        say(text("incident.no_services"))


def _print_service(one: DeskService) -> None:
    known = one.watched or one.warnings
    colour = Text(code=f"colour.{one.colour}") if known else text("incident.unwatched")
    state, since = Text(code=f"serving.{one.state}"), format_minute(one.state_since)
    say(text("cli.desk_service", service=one.service, colour=colour, state=state, since=since, reason=one.reason))
    for warning in one.warnings:
        began = format_minute(warning.since, zone=False)
        colour = Text(code=f"colour.{warning.colour}")
        say(text("watching.line", colour=colour, detector=warning.detector, began=began, reason=warning.reason))
    for done in one.done:
        say(text("cli.desk_done", done=done))
    if one.incidents:
        say(text("cli.desk_incidents", numbers=" ".join(map(str, one.incidents))))
    for clock in one.clocks:
        _print_clock(clock)


def _print_clock(one: DeskClock) -> None:
    said = {"number": one.incident, "clock": one.clock, "to": localized(one.to, language())}
    code = "cli.desk_overdue" if one.overdue else "cli.desk_due"
    say(text(code, **said, due=format_second(one.due)))
