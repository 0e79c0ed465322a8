"""The duty desk: the most serious first, to whose desk it is, in a fixed number of questions."""

from datetime import timedelta

import pytest
from sqlalchemy import event, insert

from pilotbase.documents.vocabularies import Colour, EventGrade, ResponseLevel, Signal
from pilotbase.watch.incidents import close, set_grade
from pilotbase.worker.services.duty_desk import duty_desk, told_desk
from pilotbase.workspace.tables import watch_tables
from tests.catalogue.conftest import any_store
from tests.catalogue.records_for_tests import DESK, OTHER_OWNER, OWNER, REGULATOR, REVIEWER, SUPPLIER
from tests.watch.incidents_for_tests import keep_service
from tests.worker.reactions_for_tests import Watched

__all__ = ["any_store"]


@pytest.fixture
def watched(any_store, tmp_path):
    watched = Watched(any_store, tmp_path)
    watched.two_versions()
    keep_service(any_store, "calm")
    keep_service(any_store, "theirs", organisation="hospital")
    return watched


def names(watched, who):
    return [line.service.name for line in duty_desk(watched.store.as_actor(who))]


def test_each_sees_their_own_desk_the_most_serious_first(watched):
    watched.warn()
    watched.react()
    assert names(watched, DESK) == names(watched, REGULATOR) == ["milling", "calm", "theirs"]
    assert names(watched, OWNER) == ["milling", "calm"] and names(watched, OTHER_OWNER) == ["theirs"]
    assert names(watched, SUPPLIER) == names(watched, REVIEWER) == []


def test_a_line_says_colour_standing_what_was_done_and_what_is_due(watched, clock):
    began = watched.warn(Colour.YELLOW, "drift:torque", signal=Signal.DRIFT).at
    clock.step(60)
    red = watched.warn()
    watched.react()
    line = duty_desk(watched.view)[0]
    assert (line.colour, line.since, line.standing.state, line.watched) == (Colour.RED, red.at, "fallen_back", False)
    assert [one.at for one in line.warnings] == [red.at, began]
    assert (line.done[0].last.what.code, line.done[0].times, len(line.done)) == ("reaction.notified", 2, 5)
    set_grade(watched.store.as_actor(DESK), 1, (EventGrade.LARGER, ResponseLevel.II))
    close(watched.store.as_actor(DESK), 1, "A worn sensor.")
    clock.step(5 * 3600)
    line = duty_desk(watched.view)[0]
    assert line.incidents == ()
    assert [(one.clock.clock, one.overdue) for one in line.clocks] == [
        ("operator_to_province", True),
        ("closing_summary", False),
    ]
    watched.warn(Colour.GREEN)
    watched.react()
    assert duty_desk(watched.view)[0].colour is Colour.YELLOW


def test_what_is_done_again_and_again_stands_once_and_hides_nothing_else(watched, clock):
    watched.warn()
    watched.react()
    for _ in range(12):
        for colour in (Colour.YELLOW, Colour.GREEN):
            clock.step(60)
            watched.warn(colour, "drift:torque", signal=Signal.DRIFT)
            watched.react()
    over, told, *others = [one.what.render() for one in duty_desk(watched.view)[0].done]
    assert over.endswith(f"a person must decide (12 times, last {clock():%Y-%m-%d %H:%M} UTC)")
    assert told.startswith("Owner and operator notified (13 times, last ")
    assert "Incident 1" in others and "Certificate suspended" in others
    (line, *_) = told_desk(watched.view, "zh").items
    assert line.done[0].endswith(f"（12 次，最近一次 {clock():%Y-%m-%d %H:%M} UTC）")


def test_what_no_reaction_has_seen_yet_is_red_all_the_same(watched):
    warning = watched.warn()
    row = {"service": "milling", "detector": warning.detector, "signal": "risk", "promise": "", "state": b""}
    with watched.store.database.write() as connection:
        connection.execute(insert(watch_tables.watch_states).values(**row, seen=1, colour="red", value=1.0))
    line = duty_desk(watched.view)[0]
    assert (line.colour, line.done) == (Colour.RED, ())


def test_more_services_ask_no_more_questions(watched):
    def asked():
        statements = []
        engine = watched.store.database._current_engine()
        note = lambda *given: statements.append(given[2])  # noqa: E731
        event.listen(engine, "before_cursor_execute", note)
        duty_desk(watched.view)
        event.remove(engine, "before_cursor_execute", note)
        return len(statements)

    watched.warn()
    watched.react()
    before = asked()
    for number in range(6):
        keep_service(watched.store, f"more-{number}")
        watched.warn(service=f"more-{number}", at=watched.now() + timedelta(seconds=number))
    watched.react()
    assert len(duty_desk(watched.view)) == 9 and asked() == before
