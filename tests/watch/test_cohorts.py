"""Cohorts close whole: what comes later is kept, told, and no evidence."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from pilotbase.documents.watch import Watch
from pilotbase.watch.cohorts import CohortState, close_due, list_cohorts, next_closed
from pilotbase.watch.labels import cases_of
from pilotbase.watch.observations import ingest
from pilotbase.watch.running import close_cohorts
from pilotbase.workspace import watch_tables as tables
from tests.watch.services_for_tests import ago, labelled, observed, open_service, take_in

WINDOW = timedelta(seconds=Watch(service="milling").label_seconds)
DAY = timedelta(days=1)


def labels(view):
    """Case → label of every closed cohort."""
    with view.reading() as connection:
        closed = [one for one in list_cohorts(connection, "milling") if one.state is not CohortState.OPEN]
        packs = [pack for cohort in closed for pack in cases_of(connection, cohort)]
    return {case: label for one in packs for case, label in zip(one.pack.ids, one.labels, strict=True)}


@pytest.fixture
def view(any_store):
    return open_service(any_store)


def test_the_newest_label_counts_until_the_window_has_closed(view, clock):
    take_in(view, observed("b1", clock.now, {"c1": "ok", "c2": "ok", "c3": "ok"}))
    take_in(view, labelled("l1", {"c1": "ok", "c2": "ok", "c3": "ok"}), labelled("l2", {"c1": "broken", "c2": None}))
    clock.now += DAY + WINDOW
    late = ingest(view, [labelled("l3", {"c1": "ok", "c3": "broken"})])
    assert (late.labels, late.late_labels) == (2, 2), "late even before anybody has noted that it closed"
    close_cohorts(view, "milling")
    with view.reading() as connection:
        (cohort,) = list_cohorts(connection, "milling")
    assert cohort.cases == 3
    take_in(view, labelled("l4", {"c2": "ok"}))
    assert labels(view) == {"c1": "broken", "c2": None, "c3": "ok"}, "whoever closes it late"


def test_cases_that_come_after_their_cohort_has_closed_enter_none(view, clock):
    at = clock.now
    take_in(view, observed("b1", at, {"c1": "ok"}))
    clock.now += DAY + WINDOW
    assert ingest(view, [observed("b2", at, {"c2": "ok"})]).late_cases == 1, "whether it was noted or not"
    close_cohorts(view, "milling")
    assert ingest(view, [observed("b3", at, {"c3": "ok"})]).late_cases == 1
    assert list(labels(view)) == ["c1"]
    with view.reading() as connection:
        assert len(connection.scalars(select(tables.observed_cases.c.key)).all()) == 3, "they are kept"


def test_history_waits_for_labels_from_when_it_came(view, clock):
    take_in(view, observed("b1", ago(clock.now, days=100), {"c1": "ok"}))
    clock.now += WINDOW - timedelta(seconds=1)
    with view.transaction("t") as change:
        assert close_due(change.connection, "milling", change.now) == 0
    clock.now += timedelta(seconds=1)
    with view.transaction("t") as change:
        assert close_due(change.connection, "milling", change.now) == 1


def test_cohorts_are_entered_in_the_order_in_which_they_closed(view, clock):
    armed = clock.now
    take_in(view, observed("b2", clock.now, {"c2": "ok"}), observed("b1", ago(clock.now, days=3), {"c1": "ok"}))
    clock.now += 2 * DAY + WINDOW
    close_cohorts(view, "milling")
    with view.reading() as connection:
        first = next_closed(connection, "milling", armed)
        assert first.begins_at < armed - 2 * DAY
        assert next_closed(connection, "milling", clock.now) is None, "what closed before arming is history"
