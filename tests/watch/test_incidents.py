"""Incidents: who may do what, clocks by the grade, and a timeline in which nothing is overwritten."""

from datetime import timedelta

import pytest

from pilotbase.documents.errors import InputError, PilotbaseError, RefusedError
from pilotbase.documents.permissions import IncidentAct
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import EventGrade, ResponseLevel
from pilotbase.documents.watch import ClockBook, Incident, TimelineEntry
from pilotbase.watch.incidents import (
    add_note,
    close,
    continue_open,
    correct,
    draft_report,
    list_incidents,
    load_book,
    load_incident,
    mark_reported,
    mitigate,
    note_told,
    passed_clocks,
    possible_acts,
    set_grade,
)
from pilotbase.workspace.failures import ConflictError, NotFoundError
from tests.watch.incidents_for_tests import BASE, DESK, OTHER_OWNER, OWNER, REGULATOR, SUPPLIER, keep_service, open_one

MAJOR = (EventGrade.MAJOR, ResponseLevel.II)
LARGER = (EventGrade.LARGER, ResponseLevel.III)
GENERAL = (EventGrade.GENERAL, ResponseLevel.IV)


@pytest.fixture
def desk(store):
    keep_service(store)
    return store.as_actor(DESK)


def due(incident: Incident) -> dict[str, timedelta]:
    return {clock.clock: clock.due - clock.began for clock in incident.clocks}


@pytest.mark.parametrize(
    ("reporter", "first", "limit"),
    [
        ("critical_infrastructure", "operator_to_protection_department", timedelta(hours=1)),
        ("central_organ", "organ_to_own_office", timedelta(hours=2)),
        ("other_operator", "operator_to_province", timedelta(hours=4)),
    ],
)
def test_a_clock_runs_for_each_kind_of_operator_from_the_grade_larger_up(store, desk, reporter, first, limit):
    opened = open_one(store, reporter=reporter)
    assert opened.clocks == ()
    assert due(set_grade(desk, 1, LARGER)) == {first: limit}


def test_a_clock_counts_from_when_the_incident_was_known(store, desk, clock):
    known = open_one(store).known_at
    clock.step(3 * 3600)
    graded = set_grade(desk, 1, LARGER)
    assert (graded.clocks[0].began, graded.graded_at) == (known, known + timedelta(hours=3))
    assert graded.clocks[0].due == known + timedelta(hours=4)


def test_the_protection_department_has_thirty_minutes_from_the_first_report(store, desk, clock):
    open_one(store, reporter="critical_infrastructure")
    assert list(due(set_grade(desk, 1, MAJOR))) == ["operator_to_protection_department"]
    clock.step(600)
    told = mark_reported(desk, 1, "operator_to_protection_department", "Reference 2026-17")
    first, second = told.clocks
    assert (first.done_at, first.done_by) == (clock.now, "p-desk")
    assert (second.began, second.due) == (clock.now, clock.now + timedelta(minutes=30))
    assert (told.timeline[-1].clock, told.timeline[-1].said) == (first.clock, "Reference 2026-17")


def test_a_lower_grade_ends_what_need_not_be_reported_and_keeps_what_was(store, desk):
    open_one(store, reporter="critical_infrastructure")
    set_grade(desk, 1, MAJOR)
    mark_reported(desk, 1, "operator_to_protection_department")
    lowered = set_grade(desk, 1, GENERAL)
    assert [(clock.clock, clock.done_at is not None) for clock in lowered.clocks] == [
        ("operator_to_protection_department", True)
    ]


def test_the_summary_is_due_thirty_days_after_the_harm_was_stopped(store, desk, clock):
    open_one(store, EventGrade.LARGER)
    clock.step(3600)
    handled = mitigate(desk, 1)
    assert due(handled)["closing_summary"] == timedelta(days=30)
    clock.step(3600)
    closed = close(desk, 1, "A worn sensor. Exchanged.")
    assert closed.clocks[-1].began == handled.handled_at == closed.handled_at
    assert mark_reported(desk, 1, "closing_summary").clocks[-1].done_at == clock.now


def test_what_is_overdue_is_found_once_and_what_was_reported_never(store, desk, clock):
    open_one(store, EventGrade.LARGER)
    open_one(store, EventGrade.LARGER)
    mark_reported(desk, 2, "operator_to_province")
    passed = lambda connection: passed_clocks(connection, clock.now)  # noqa: E731
    with store.database.write() as connection:
        clock.step(4 * 3600)
        assert passed(connection) == []
        clock.step(1)
        (found,) = passed(connection)
        assert (found.incident, found.clock) == (1, "operator_to_province")
        assert note_told(connection, found) and not note_told(connection, found)
        assert passed(connection) == []
    set_grade(desk, 1, MAJOR)
    with store.database.write() as connection:
        assert passed(connection) == []


def test_reporting_again_or_what_need_not_be_reported_is_told(store, desk):
    open_one(store, EventGrade.LARGER)
    mark_reported(desk, 1, "operator_to_province")
    with pytest.raises(ConflictError) as again:
        mark_reported(desk, 1, "operator_to_province")
    with pytest.raises(InputError) as unknown:
        mark_reported(desk, 1, "province_to_cac")
    assert (again.value.code, unknown.value.code) == ("incident.already_reported", "incident.no_clock")


def test_every_change_is_a_new_line_and_a_new_version(store, desk, clock):
    open_one(store)
    clock.step(60)
    add_note(desk, 1, "The night shift saw it, too.", ("Cause", "Extent"))
    set_grade(store.as_actor(OWNER), 1, LARGER, "Two lines stood still.")
    mitigate(desk, 1, "Hand over to people.")
    correct(desk, 1, 1, "It was the late shift.")
    known = add_note(desk, 1, "Cause: a worn sensor.", ("Extent",))
    close(desk, 1, "A worn sensor. Exchanged.")
    incident = load_incident(desk, 1)[0]
    assert [line.what.code for line in incident.timeline] == [
        "incident.noted",
        "incident.graded",
        "incident.mitigated",
        "incident.corrected",
        "incident.noted",
        "incident.closed_line",
    ]
    assert incident.timeline[0].said == "The night shift saw it, too." and incident.timeline[3].corrects == 1
    assert [line.person for line in incident.timeline[:2]] == ["p-desk", "p-owner"]
    assert (incident.grade, incident.response, incident.colour) == (EventGrade.LARGER, ResponseLevel.III, "red")
    assert (known.unknown, incident.state) == (("Extent",), "closed")


def test_a_closed_incident_takes_notes_reports_and_corrections_only(store, desk):
    open_one(store, EventGrade.LARGER)
    close(desk, 1, "Nothing was wrong.")
    for act in (lambda: set_grade(desk, 1, MAJOR), lambda: mitigate(desk, 1), lambda: close(desk, 1, "Again.")):
        with pytest.raises(RefusedError) as caught:
            act()
        assert caught.value.code == "incident.wrong_state"
    add_note(desk, 1, "Found later.")
    correct(desk, 1, 1, "Something was wrong.")
    mark_reported(desk, 1, "operator_to_province")


def test_what_may_be_done_is_what_has_something_to_be_done_to(store, desk):
    act = IncidentAct
    opened = open_one(store)
    assert opened.clocks == ()
    bare = opened.model_copy(update={"timeline": ()})
    assert possible_acts(desk, bare) == [act.NOTE, act.GRADE, act.MITIGATE, act.CLOSE], "no clock runs, and no line"
    graded = set_grade(desk, 1, LARGER)
    assert set(possible_acts(desk, graded)) == set(act) - {act.RUNBOOK}
    assert possible_acts(store.as_actor(REGULATOR), graded) == []
    assert act.REPORT not in possible_acts(desk, mark_reported(desk, 1, "operator_to_province"))
    mitigate(desk, 1)  # from now on a summary is due
    assert possible_acts(desk, close(desk, 1, "A worn sensor.")) == [act.NOTE, act.REPORT, act.CORRECT]


def test_who_was_first_is_not_overwritten(store, desk):
    open_one(store)
    seen = load_incident(desk, 1)[1]
    add_note(store.as_actor(OWNER), 1, "We have stopped the line.")
    with pytest.raises(ConflictError) as caught:
        set_grade(desk, 1, MAJOR, seen=seen)
    assert caught.value.code == "incident.moved"
    set_grade(desk, 1, MAJOR, seen=load_incident(desk, 1)[1])


def test_suppliers_and_strangers_see_no_incident_and_the_regulator_changes_none(store, desk):
    open_one(store)
    for other in (SUPPLIER, OTHER_OWNER):
        view = store.as_actor(other)
        assert list_incidents(view) == []
        for act in (lambda: load_incident(view, 1), lambda: add_note(view, 1, "x")):  # noqa: B023
            with pytest.raises(NotFoundError):
                act()
    regulator = store.as_actor(REGULATOR)
    assert [one.number for one in list_incidents(regulator)] == [1]
    with pytest.raises(RefusedError) as caught:
        add_note(regulator, 1, "x")
    assert caught.value.code == "incident.not_permitted"


def test_lists_leave_out_what_is_closed_and_other_services(store, desk):
    for _ in range(3):
        open_one(store)
    close(desk, 2, "Nothing.")
    numbers = lambda **asked: [one.number for one in list_incidents(desk, **asked)]  # noqa: E731
    assert (numbers(), numbers(closed=False)) == ([3, 2, 1], [3, 1])
    assert numbers(service="other") == []


def test_the_base_goes_on_with_the_newest_open_incident(store, desk):
    line = TimelineEntry(at=store.clock(), what=text("incident.noted"), organisation="base")
    view = store.as_actor(BASE)
    with view.transaction("reaction") as change:
        assert continue_open(change, view, "alarm", [line]) is None
    open_one(store)
    open_one(store)
    with view.transaction("reaction") as change:
        assert continue_open(change, view, "alarm", [line]).number == 2
    assert [len(load_incident(desk, number)[0].timeline) for number in (1, 2)] == [0, 1]


def test_no_line_is_no_line_to_correct(store, desk):
    open_one(store)
    with pytest.raises(InputError):
        correct(desk, 1, 1, "x")


def test_the_clocks_of_the_european_rule_run_by_grade(store, desk):
    open_one(store, reporter="provider", book="eu-ai-act-73")
    assert due(set_grade(desk, 1, LARGER)) == {"serious_incident": timedelta(days=15)}
    assert due(set_grade(desk, 1, MAJOR)) == {"serious_incident": timedelta(days=15), "death": timedelta(days=10)}


def test_a_report_is_drafted_from_what_is_written_down_first_then_follow_up_then_final(store, desk):
    open_one(store)
    add_note(desk, 1, "Line 3 stood still.", ("Cause",))
    first = draft_report(desk, 1, "en")
    said = {section.heading: section.lines for section in first.sections}
    assert (first.kind, said["What is not known yet"]) == ("first", ["Cause"])
    assert any("Line 3 stood still." in line for line in said["What was done"])
    assert said["Cause and lessons"] == ["No entry yet."]
    set_grade(desk, 1, LARGER)
    mark_reported(desk, 1, "operator_to_province")
    assert draft_report(desk, 1, "zh").title.startswith("第 1 号事件续报")
    close(desk, 1, "A worn sensor.")
    final = draft_report(desk, 1, "en")
    assert (final.kind, final.sections[-1].lines) == ("final", ["A worn sensor."])
    assert any("reported" in line for section in final.sections for line in section.lines)
    with pytest.raises(NotFoundError):
        draft_report(store.as_actor(OTHER_OWNER), 1, "en")


@pytest.mark.parametrize(
    "wrong",
    [
        {"runs_from": "report"},
        {"after": "later", "runs_from": "report"},
        {"reporters": ["nobody"]},
        {"minutes": 0},
    ],
)
def test_a_clock_book_that_makes_no_sense_is_refused(wrong):
    book = load_book("cn-network-security-2025").to_json_value()
    book["clocks"][0] |= wrong
    with pytest.raises((PilotbaseError, ValueError)):
        ClockBook.from_json_value(book)
