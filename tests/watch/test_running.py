"""Detectors read what is new, each case once, cohorts whole; a warning is written when a colour changes."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from pilotbase.documents.errors import InputError, PilotbaseError, RefusedError
from pilotbase.documents.vocabularies import Colour, RedBy, Signal
from pilotbase.documents.watch import ReferenceProfile, Watch
from pilotbase.watch import running
from pilotbase.watch.arming import arm, disarm, last_replay, prepare_watch, replay_watch
from pilotbase.watch.cohorts import CohortState, list_cohorts
from pilotbase.watch.following import follow
from pilotbase.watch.labels import counts_of
from pilotbase.watch.observations import ingest
from pilotbase.watch.packs import packed
from pilotbase.watch.running import close_all_cohorts, run, run_once, watched_services
from pilotbase.watch.standings import detectors_of, path_of, service_of, standing_of
from pilotbase.watch.status import alarm_history, list_warnings, path
from pilotbase.watch.warnings import standing_warnings, warnings_of
from pilotbase.workspace import watch_tables as tables
from pilotbase.workspace.failures import ConflictError, NotFoundError
from tests.watch.services_for_tests import ACME, EARLIER, OTHER, PLANT, labelled, observed, take_in
from tests.watch.worlds_for_tests import DAY, TERMS, World

RISK = "risk:accuracy >= 0.85"


@pytest.fixture
def world(store, tmp_path):
    return World(store, tmp_path)


@pytest.fixture
def any_world(any_store, tmp_path):
    return World(any_store, tmp_path)


def told(world, detector=None):
    """Colours that were written, oldest first."""
    found = [one for _, one in reversed(warnings_of(world.view, "milling"))]
    return [(one.detector, one.colour.value) for one in found if detector in (None, one.detector)]


def seen(world):
    with world.view.reading() as connection:
        return {one.detector: one.seen for one in detectors_of(connection, "milling")}


def test_a_watch_is_made_of_the_certificate(world):
    watch = prepare_watch(world.lab, world.view, "milling", TERMS)
    (risk,) = watch.risks
    assert (risk.criterion, risk.r0, risk.alpha) == ("accuracy >= 0.85", pytest.approx(0.15), 0.05)
    assert {rule: reason.code for rule, reason in watch.unpromised.items()} == {
        "latency.p95 <= 100 ms": "detector.of_a_run",
        "gap(accuracy by shift) <= 0.2": "detector.gap",
    }
    assert (watch.latency_ms, watch.latency_quantile, watch.version) == (100, 0.95, f"sha256:{'1' * 64}")
    assert watch.armed_at is None


def test_a_bad_week_turns_red_and_a_good_one_says_nothing(any_world, clock):
    any_world.arm()
    for _ in range(3):
        any_world.bring(200, wrong=0.05)
        any_world.pass_days(clock, 1)
    any_world.pass_days(clock, 2)
    assert told(any_world) == []
    assert seen(any_world)[RISK] == 600
    for _ in range(3):
        any_world.bring(200, wrong=0.5)
        any_world.pass_days(clock, 1)
    any_world.pass_days(clock, 2)
    assert told(any_world, RISK)[-1] == (RISK, "red")
    red = next(one for one in list_warnings(any_world.view, "milling") if one.warning.colour is Colour.RED)
    assert red.warning.excess == pytest.approx(200 * (float(red.warning.reason.params["mean"]) - 0.15), rel=0.01)
    assert "runbook" in red.next.render("en") and "预案" in red.next.render("zh")
    with any_world.view.reading() as connection:
        assert standing_of(connection, "milling").colour is Colour.RED
        assert [point.seen for point in path_of(connection, "milling", RISK)][-1] == 1200


def test_errors_that_are_labelled_first_do_not_alarm(world, clock):
    """Correction 12: with only the wrong ones labelled so far, nothing enters before the window has closed."""
    world.arm(label_seconds=30 * 86_400)
    for _ in range(5):
        world.bring(100, wrong=0.12, labels=0.12)
        run(world.view, "milling")
        assert RISK not in seen(world)
        world.pass_days(clock, 1)
    world.pass_days(clock, 31)
    assert seen(world)[RISK] == 500
    assert told(world, RISK) == []


def test_a_missing_label_counts_as_correct_and_is_told(world, clock):
    world.arm()
    world.bring(100, wrong=1.0, labels=0.1)
    world.pass_days(clock, 3)
    assert told(world, RISK) == []
    with world.view.reading() as connection:
        (cohort,) = list_cohorts(connection, "milling")
    assert (cohort.state, cohort.cases, cohort.labelled, cohort.missing) == (CohortState.ENTERED, 100, 10, 90)


def test_answers_of_others_are_no_evidence(world, clock):
    world.arm()
    world.bring(50, wrong=0.0)
    take_in(world.view, observed("other", clock.now, {f"o{i}": "fine" for i in range(400)}, version=EARLIER))
    take_in(world.view, labelled("l-other", {f"o{i}": "broken" for i in range(400)}))
    world.pass_days(clock, 3)
    assert seen(world)[RISK] == 50
    assert told(world, RISK) == []


def test_each_case_is_read_once_whatever_happens_between(world, clock, monkeypatch):
    world.arm()
    monkeypatch.setattr(running, "STEP_CASES", 50)
    for _ in range(4):
        world.bring(100, wrong=0.4, moved=1.0)
    write = running._write
    killed = iter([True, False] * 50)

    def dies(*arguments):
        if next(killed):
            raise KeyboardInterrupt
        write(*arguments)

    monkeypatch.setattr(running, "_write", dies)
    clock.now += 3 * DAY
    for _ in range(20):
        try:
            close_all_cohorts(world.view)
            run_once(world.view, "milling")
        except KeyboardInterrupt:
            continue
    monkeypatch.setattr(running, "_write", write)
    run(world.view, "milling")
    every = ("contract", "drift", "latency", "availability", "errors", "hand_over")
    assert seen(world) == {RISK: 400, **dict.fromkeys(every, 400), "silence": seen(world)["silence"]}
    once = told(world)
    assert len(once) == len(set(once)), "no turn is told twice"
    assert (RISK, "red") in once
    assert ("drift:x", "orange") in once


def test_of_two_workers_one_writes(world, clock):
    world.arm()
    world.bring(100, wrong=0.1)
    with world.view.reading() as connection:
        before = standing_of(connection, "milling")
    watch = world.view.load(before.watch, Watch)
    slow = follow(watch, None, world.view.load(watch.profile, ReferenceProfile))
    reached = running._follow_stream(world.view, before, slow)
    world.bring(100, wrong=0.1)
    run(world.view, "milling")
    running._write(world.view, before, slow, reached)
    assert seen(world)["drift"] == 200, "the one that was overtaken has written nothing"


def test_slow_calls_and_broken_contracts_are_orange_never_red(world, clock):
    world.arm()
    world.bring(600, wrong=0.0, milliseconds=500)
    take_in(
        world.view,
        observed(
            "new-schema", clock.now, {f"n{i}": "fine" for i in range(300)}, inputs={"x": ["one"] * 300, "y": [1] * 300}
        ),
    )
    run(world.view, "milling")
    assert {(one.signal, one.colour) for one in standing_warnings(world.view, "milling").values()} >= {
        (Signal.LATENCY, Colour.ORANGE),
        (Signal.CONTRACT, Colour.ORANGE),
    }
    assert "red" not in {colour for _, colour in told(world)}
    (broken,) = [one for one in standing_warnings(world.view, "milling").values() if one.signal is Signal.CONTRACT]
    assert "column y is not in the contract (300 cases)" in broken.reason.render("en")
    assert "列 y 不在数据契约之内" in broken.reason.render("zh")


def test_what_the_contract_does_not_know_is_refused_or_counted(world, clock):
    """A label that counted as none would make its case a correct one; an answer that is none costs an abstention."""
    batches = [
        observed("o1", clock.now, {"c1": "fine", "c2": "perhaps", "c3": None}),
        labelled("l1", {"c1": "broken", "c2": "maybe"}),
        labelled("l2", {"c1": "broken", "c2": None}),
    ]
    taken = ingest(world.view, batches)
    assert (taken.cases, taken.labels, taken.unread_answers) == (3, 2, 1)
    (refused,) = taken.refused
    said = refused.reason.render("en")
    assert refused.batch == "l1" and "maybe" in said and "c2" in said and "broken, fine" in said
    assert "maybe" in refused.reason.render("zh")
    with world.view.reading() as connection:
        counted = {one.what.value: one.count for one in counts_of(connection, "milling")}
    assert (counted["unread_label"], counted["unread_answer"]) == (1, 1)


def test_one_bad_group_is_red_though_all_together_are_well(store, clock, tmp_path):
    world = World(store, tmp_path, "worst(accuracy by shift) >= 0.7")
    world.arm()
    shifts = ["night" if row % 4 == 0 else "day" for row in range(800)]
    ids = [f"g{row}" for row in range(800)]
    inputs = {"x": [0.0] * 800, "shift": shifts}
    take_in(world.view, observed("groups", clock.now, dict.fromkeys(ids, "fine"), inputs=inputs))
    truth = {one: "broken" if shift == "night" else "fine" for one, shift in zip(ids, shifts, strict=True)}
    take_in(world.view, labelled("l-groups", truth))
    world.pass_days(clock, 3)
    red = [name for name, colour in told(world) if colour == "red"]
    assert red == ["risk:worst(accuracy by shift) >= 0.7:night"], "a quarter of all is within 0.3"


def test_a_slow_call_of_many_cases_is_one_slow_call(world, clock):
    world.arm()
    answers = {f"n{case}": "fine" for case in range(300)}
    inputs = {"x": [0.0] * 300, "shift": ["day"] * 300}
    slow = packed(observed("slow", clock.now, answers, inputs=inputs))
    ingest(world.view, [replace(slow, pack=replace(slow.pack, milliseconds=[5000.0] * 300))])
    run(world.view, "milling")
    assert (seen(world)["latency"], seen(world)["contract"]) == (1, 300)
    assert told(world, "latency") == []


def test_silence_is_told_once_and_ends_when_something_is_heard(world, clock):
    world.arm(silence_seconds=600)
    run(world.view, "milling")
    clock.step(601)
    run(world.view, "milling")
    run(world.view, "milling")
    assert told(world) == [("silence", "yellow")]
    world.bring(5, wrong=0.0)
    run(world.view, "milling")
    assert told(world) == [("silence", "yellow"), ("silence", "green")]


def test_arming_shows_first_what_would_have_been_warned_of(world, clock):
    for _ in range(4):
        world.bring(150, wrong=0.6)
        world.pass_days(clock, 1)
    with pytest.raises(RefusedError) as caught:
        arm(world.view, "milling")
    assert caught.value.code == "watching.not_replayed"
    watch = prepare_watch(world.lab, world.view, "milling", TERMS)
    found = replay_watch(world.lab, world.view, watch)
    assert (found.source, found.cases, found.cohorts, found.labelled) == ("history", 600, 3, 450)
    assert "red" in {turn.colour.value for turn in found.turns if turn.detector == RISK}
    assert told(world) == [], "a replay warns nobody"
    replay_watch(world.lab, world.view, watch.model_copy(update={"tolerance": 0.1}))
    with pytest.raises(ConflictError):
        arm(world.view, "milling", found.digest())
    armed = arm(world.view, "milling", last_replay(world.view, "milling").digest())
    assert armed.armed_at == clock.now
    run(world.view, "milling")
    assert RISK not in seen(world), "history is not entered again"


def test_a_replay_cuts_cases_into_the_cohorts_that_are_asked_for(world, clock):
    for _ in range(4):
        world.bring(50, wrong=0.1)
        clock.now += DAY
    clock.now += 60 * DAY
    found = {}
    for seconds in (3600, 86_400, 10 * 86_400):
        terms = TERMS.model_copy(update={"cohort_seconds": seconds})
        found[seconds] = replay_watch(world.lab, world.view, prepare_watch(world.lab, world.view, "milling", terms))
    assert {one.entered for one in found.values()} == {200}
    assert found[3600].cohorts == found[86_400].cohorts == 4
    assert found[10 * 86_400].cohorts in (1, 2)


def test_a_replay_tells_how_much_cases_of_a_day_depend_on_each_other(world, clock):
    for day in range(8):
        world.bring(100, wrong=0.5 if day % 2 else 0.0)
        clock.now += DAY
    clock.now += 9 * DAY
    found = replay_watch(world.lab, world.view, prepare_watch(world.lab, world.view, "milling", TERMS))
    (alike,) = found.dependence
    assert (alike.of, alike.blocks, alike.cases, alike.beyond_chance) == (RedBy.PERIOD, 8, 800, True)
    assert alike.factor > 10
    assert "watching.dependent_period" in {one.code for one in found.cautions}
    by_day = TERMS.model_copy(update={"red_by": RedBy.PERIOD, "unit": "shift"})
    watch = prepare_watch(world.lab, world.view, "milling", by_day)
    assert watch.risks[0].periods == 100 - 17, "the certificate holds so many days yet"
    again = replay_watch(world.lab, world.view, watch)
    assert [one.of for one in again.dependence] == [RedBy.PERIOD, RedBy.UNIT]
    assert "watching.dependent_period" not in {one.code for one in again.cautions}


def test_red_by_unit_needs_a_unit(world):
    with pytest.raises(InputError) as caught:
        prepare_watch(world.lab, world.view, "milling", TERMS.model_copy(update={"red_by": RedBy.UNIT}))
    assert caught.value.code == "watching.unit_missing"


def test_without_history_the_public_sample_is_replayed(world):
    found = replay_watch(world.lab, world.view, prepare_watch(world.lab, world.view, "milling", TERMS))
    assert (found.source, found.cases) == ("public_sample", 4000)
    assert [one.code for one in found.cautions] == [
        "watching.no_history",
        "watching.drift_on_sample",
        "detector.small_reference",
    ]
    assert found.turns == ()


def test_the_history_of_an_alarm_outlives_a_new_arming(world, clock):
    world.arm()
    for wrong in (0.05, 0.5, 0.5):
        world.bring(200, wrong=wrong)
        world.pass_days(clock, 1)
    world.pass_days(clock, 2)
    world.arm()
    world.bring(200, wrong=0.05)
    world.pass_days(clock, 3)
    service = service_of(world.view, "milling")
    found = alarm_history(world.view, service, RISK, acts=True)
    assert [one.accepted for one in found.means] == pytest.approx([0.15] * 4)
    assert [(one.cases, one.labelled) for one in found.means] == [(200, 200)] * 4
    assert [one.mean > 0.3 for one in found.means] == [False, True, True, False]
    assert len(found.exceeded) == 4 and found.path[-1].seen == 200
    assert [one.what.code for one in found.events].count("chart.alarm.armed") == 2
    assert Colour.RED in {one.colour for one in found.events}
    with world.view.reading() as connection:
        assert [point.seen for point in path_of(connection, "milling", RISK)][-1] == 200
    assert [point.seen for point in path(world.view, "milling", RISK)] == [100, 200], "of this arming alone"


def test_arming_anew_takes_warnings_back_and_disarmed_warns_of_nothing(world, clock):
    world.arm(silence_seconds=600)
    clock.step(601)
    run(world.view, "milling")
    world.arm(silence_seconds=600)
    assert told(world) == [("silence", "yellow"), ("silence", "green")]
    disarm(world.view, "milling")
    clock.step(10_000)
    assert watched_services(world.view) == []
    run(world.view, "milling")
    assert len(told(world)) == 2
    with pytest.raises(RefusedError):
        disarm(world.view, "milling")


def test_arming_is_the_operators_and_warnings_are_for_who_sees_the_service(world, clock):
    world.arm(silence_seconds=600)
    clock.step(601)
    run(world.view, "milling")
    for who, code in ((PLANT, "workspace.operator_only"), (OTHER, "service.none_seen")):
        for act in (lambda view: arm(view, "milling"), lambda view: disarm(view, "milling")):
            with pytest.raises(PilotbaseError) as caught:
                act(world.store.as_actor(who))
            assert caught.value.code == code
    assert [len(warnings_of(world.store.as_actor(who), "milling")) for who in (PLANT, ACME, OTHER)] == [1, 1, 0]
    with pytest.raises(NotFoundError):
        prepare_watch(world.lab, world.store.as_actor(OTHER), "milling", TERMS)


def test_everything_that_was_warned_of_stands_in_the_log(world, clock):
    world.arm(silence_seconds=600)
    clock.step(601)
    run(world.view, "milling")
    with world.view.reading() as connection:
        assert connection.scalars(select(tables.watches.c.colour)).all() == ["yellow"]
    assert {entry.action for entry in world.view.log_entries()} >= {"watch.replayed", "watch.armed", "watch.warned"}
