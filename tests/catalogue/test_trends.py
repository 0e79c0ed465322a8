"""Trends and cohorts: what happened in which month, and what became of what was proposed in a quarter."""

from datetime import UTC, datetime

from pilotbase.catalogue.trends import COHORT, trends
from pilotbase.workspace.journeys import Journeys
from pilotbase.workspace.tables import MILESTONES

NOW = datetime(2026, 5, 10, tzinfo=UTC)


def trial(verdict="accept", state="certified", **reached):
    at = {name: int(datetime(*day, tzinfo=UTC).timestamp() * 1e6) for name, day in reached.items()}
    return state, verdict, tuple(at.get(name) for name in MILESTONES)


def journeys(*trials):
    states, verdicts, moments = zip(*trials, strict=True)
    none = (None,) * len(trials)
    return Journeys(none, none, states, verdicts, none, none, none, tuple(zip(*moments, strict=True)))


FAST = trial(demanded=(2026, 4, 1), proposed=(2026, 4, 2), agreed=(2026, 4, 3), reported=(2026, 4, 9),
             certified=(2026, 4, 11))  # fmt: skip
SLOW = trial(demanded=(2025, 1, 1), proposed=(2025, 2, 1), agreed=(2025, 2, 3), reported=(2025, 3, 9),
             certified=(2025, 4, 11), served=(2025, 5, 1))  # fmt: skip
FAILED = trial("reject", "reported", demanded=(2026, 3, 31), proposed=(2026, 4, 30), reported=(2026, 5, 1))
LEFT = trial("", "declined", demanded=(2026, 3, 31), proposed=(2026, 4, 30))
SCENARIOS = Journeys((), (), (), (), (), (), (), ())


def test_a_month_has_what_happened_in_it_and_a_year_is_compared_with_the_one_before():
    found = {one.name: one for one in trends(journeys(FAST, SLOW, FAILED, LEFT), SCENARIOS, NOW).months}
    assert found["days"].months[-2:] == (10.0, None) and len(found["days"].months) == 12
    assert (found["days"].year, found["days"].before) == (10.0, 100.0)
    assert found["verdicts"].months[-2:] == (1, 1) and (found["verdicts"].year, found["verdicts"].before) == (2, 1)
    assert (found["prevented"].year, found["prevented"].before) == (1, 0)
    assert found["opened"].year == 0


def test_a_cohort_is_what_was_proposed_in_a_quarter_with_how_far_it_has_come():
    old, new = trends(journeys(FAST, SLOW, FAILED, LEFT), SCENARIOS, NOW).cohorts
    assert (old.year, old.quarter, old.ended) == (2025, 1, 0)
    assert dict(zip(COHORT, old.reached, strict=True))["served"] == 1
    assert (new.year, new.quarter, new.ended) == (2026, 2, 1)
    assert dict(zip(COHORT, new.reached, strict=True)) | {"frozen": 0} == {
        "proposed": 3, "agreed": 1, "frozen": 0, "reported": 2, "accepted": 0, "certified": 1, "served": 0
    }  # fmt: skip


def test_a_base_without_trials_has_no_cohort_and_empty_months():
    empty = Journeys((), (), (), (), (), (), (), ((),) * len(MILESTONES))
    found = trends(empty, SCENARIOS, NOW)
    assert found.cohorts == () and {one.year for one in found.months} == {0, None}
