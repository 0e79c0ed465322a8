"""Reporting clocks: who must be told of an incident until when, by the rule of a clock book."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from importlib import resources

from pilotbase.documents.errors import InputError
from pilotbase.documents.loading import build_document
from pilotbase.documents.nearest import offer
from pilotbase.documents.vocabularies import EventGrade
from pilotbase.documents.watch import ClockBook, ClockRule, Incident, ReportingClock
from pilotbase.documents.yaml_reader import parse_yaml

_GRADES = {grade: place for place, grade in enumerate(EventGrade)}


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


def clocks_at(incident: Incident, book: ClockBook) -> tuple[ReportingClock, ...]:
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
