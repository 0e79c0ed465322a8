"""Service levels: outages at once and by count, broken promises by days, nothing of what the caller is to blame for."""

from dataclasses import replace

import numpy as np
import pytest

from pilotbase.documents.vocabularies import CallEnd, Colour, Signal
from pilotbase.watch.detectors.level import CallSeries, LevelDetector, LevelWatch
from pilotbase.watch.incidents import default_runbook, rule_for
from pilotbase.watch.observations import ingest
from pilotbase.watch.packs import packed
from pilotbase.watch.running import run
from pilotbase.watch.status import status_of
from tests.watch.services_for_tests import observed
from tests.watch.worlds_for_tests import World

YEAR, DAY = 365, 86_400
MONDAY = 1_767_571_200.0
AVAILABLE = LevelWatch(Signal.AVAILABILITY, Colour.ORANGE, Colour.RED)


def promising(share: float) -> LevelDetector:
    return LevelDetector(replace(AVAILABLE, promised=1 - share))


def calls(bad, every: float = 10.0, start: float = MONDAY) -> CallSeries:
    return CallSeries(start + every * np.arange(len(bad)), np.array(bad, dtype=bool))


def colours(changes) -> list[Colour]:
    return [change.colour for change in changes]


def test_a_service_that_is_wholly_down_is_orange_within_a_minute_and_green_once_it_answers():
    detector = LevelDetector(AVAILABLE)
    assert not detector.update(calls([False] * 100))
    down = detector.update(calls([True] * 50, start=MONDAY + 1000))
    assert colours(down) == [Colour.ORANGE] and down[0].seen - 100 <= 6
    assert colours(detector.update(calls([False] * 20, start=MONDAY + 1500))) == [Colour.GREEN]


def test_more_failures_than_answers_are_an_outage_too_and_fewer_are_none():
    random = np.random.default_rng(1)
    half, few = random.random(2000) < 0.7, random.random(20_000) < 0.1
    assert Colour.ORANGE in colours(LevelDetector(AVAILABLE).update(calls(half)))
    assert not LevelDetector(AVAILABLE).update(calls(few))


def test_a_glitch_of_a_moment_is_no_outage():
    glitch = [*([False] * 100), *([True] * 200), *([False] * 100)]
    assert not LevelDetector(AVAILABLE).update(calls(glitch, every=0.1))


def a_year(random, hourly: int, truth: float, outages: bool) -> CallSeries:
    """Calls of a year, ``truth`` of them answered: independently, or but for outages of three hours."""
    count = YEAR * 24 * hourly
    if not outages:
        return calls(random.random(count) >= truth, every=3600 / hourly)
    hours = np.zeros(YEAR * 24, dtype=bool)
    starts = np.flatnonzero(random.random(YEAR * 8) < 1 - truth) * 3
    for start in starts:
        hours[start : start + 3] = True
    return calls(np.repeat(hours, hourly), every=3600 / hourly)


@pytest.mark.prove
@pytest.mark.parametrize("outages", [False, True])
def test_a_promise_that_is_kept_is_hardly_ever_called_broken_even_by_outages_of_hours(outages):
    """Promise .995, truth .996: by requests a false alarm is sure, by days its probability is at most .013."""
    random = np.random.default_rng(outages)
    red = sum(_is_red(promising(0.995), a_year(random, 2, 0.996, outages)) for _ in range(60))
    assert red <= 3


def test_a_promise_that_is_broken_is_red_within_weeks_and_stays_so():
    detector = promising(0.995)
    bad = a_year(np.random.default_rng(5), 30, 0.98, outages=False)
    change = next(one for one in detector.update(bad) if one.colour is Colour.RED)
    assert change.seen < 24 * 24 * 30
    assert detector.colour is Colour.RED
    assert "0.5 %" in change.reason.render("en")


def test_without_a_promise_nothing_is_red():
    assert not _is_red(LevelDetector(AVAILABLE), a_year(np.random.default_rng(5), 30, 0.9, outages=False))


def _is_red(detector: LevelDetector, year: CallSeries) -> bool:
    return Colour.RED in colours(detector.update(year))


@pytest.fixture
def world(store, tmp_path) -> World:
    return World(store, tmp_path)


def bring(world, clock, *ends: CallEnd, every: float = 10.0) -> None:
    """Let calls of one case end so, one after the other."""
    batches = []
    for end in ends:
        clock.step(every)
        name = f"call-{clock.now:%d%H%M%S}"
        batch = observed(name, clock.now, {name: "fine"}) if end.is_answer else observed(name, clock.now, {name: None})
        batches.append(packed(batch.model_copy(update={"end": end, "answers": batch.answers if end.is_answer else ()})))
    ingest(world.view, batches)
    run(world.view, "milling")


def signals(world) -> dict[str, Colour]:
    return {one.detector: one.colour for one in status_of(world.view, "milling").detectors}


def test_an_outage_is_a_warning_and_by_the_usual_runbook_an_incident(world, clock):
    world.arm()
    assert not status_of(world.view, "milling").has_data
    bring(world, clock, CallEnd.ANSWERED, *[CallEnd.TIMED_OUT] * 8)
    assert signals(world)["availability"] is Colour.ORANGE
    assert signals(world)["errors"] is Colour.GREEN
    raised = {one.warning.detector: one.warning for one in status_of(world.view, "milling").warnings}
    warning = raised["availability"]
    assert (warning.signal, warning.colour) == (Signal.AVAILABILITY, Colour.ORANGE)
    assert rule_for(default_runbook("milling"), warning.signal, warning.colour).incident
    today = {one.detector: one.today for one in status_of(world.view, "milling").detectors}
    assert (today["availability"].calls, today["availability"].bad) == (9, 8)
    bring(world, clock, *[CallEnd.ANSWERED] * 12)
    assert signals(world)["availability"] is Colour.GREEN


def test_calls_that_a_person_takes_over_are_told_and_are_no_outage(world, clock):
    world.arm()
    bring(world, clock, *[CallEnd.HUMAN] * 8)
    assert signals(world)["hand_over"] is Colour.YELLOW
    assert "availability" not in signals(world)


@pytest.mark.parametrize("end", [CallEnd.BROKE_CONTRACT, CallEnd.CANCELLED])
def test_what_callers_do_wrong_turns_nothing(world, clock, end):
    world.arm()
    bring(world, clock, *[CallEnd.ANSWERED] * 5, *[end] * 300)
    assert not status_of(world.view, "milling").warnings
    assert status_of(world.view, "milling").has_data


@pytest.mark.prove
def test_a_promise_of_the_terms_is_watched_by_days(world, clock):
    world.arm(availability=0.99)
    for _ in range(25):
        bring(world, clock, CallEnd.FAILED, *[CallEnd.ANSWERED] * 9, every=8640)
    assert signals(world)["availability"] is Colour.RED
