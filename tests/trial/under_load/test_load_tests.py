"""Load tests: no wait is left out, a noisy host and an application that wavers say nothing, a slow one fails."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.limits import EndReason, IsolationLevel, Limits
from pilotbase.documents.probes import LoadTest, LoadTested, Void
from pilotbase.documents.vocabularies import Outcome, Verdict
from pilotbase.protocols.frames import AnswerBatch
from pilotbase.sandbox.box.ends import BoxEnd, BoxEnded
from pilotbase.sandbox.box.settings import LogPolicy
from pilotbase.sandbox.box.supervisor import BoxUsage
from pilotbase.trial import under_load
from pilotbase.trial.probes import load_test
from pilotbase.trial.running import BoxTerms
from pilotbase.trial.under_load import (
    HERE,
    Bench,
    arrivals,
    drive,
    lasting,
    load_figures,
    run_load_test,
    running_on,
)
from pilotbase.worker.trials.proving import prove, rehearse_in
from pilotbase.worker.trials.replaying import replay_trial
from tests.trial.conftest import GOOD

QUIET = (0.001,) * 20
TEST = LoadTest(rate=50, seconds=20, warm_up=1, starts=2)
FEATURES = {"torque": np.arange(7.0)}


class Clock:
    """A bench on which time passes only where somebody works or waits."""

    def __init__(self, calibrations=(QUIET, QUIET), late=0.0):
        self.time, self.calibrations, self.late = 100.0, iter(calibrations), late
        wait, calibrate = self.wait_until, lambda: next(self.calibrations)
        self.bench = Bench(now=lambda: self.time, wait_until=wait, calibrate=calibrate, joules=lambda: self.time * 10)

    def wait_until(self, moment):
        self.time = max(self.time, moment) + self.late


class Server:
    """An application that takes so many seconds for its request number so and so."""

    def __init__(self, clock, seconds, start=0.5, dies_at=None):
        self.clock, self.seconds, self.start, self.dies_at = clock, seconds, start, dies_at
        self.asked = self.starts = self.rows = 0
        self.memory = 100

    def __call__(self):
        self.clock.time += self.start
        self.starts += 1
        self.gone = False
        return self

    def predict(self, batch):
        if self.gone or self.asked == self.dies_at:
            self.dies_at = None
            raise BoxEnded(BoxEnd(EndReason.APPLICATION_EXIT, 0, ""))
        self.clock.time += self.seconds(self.asked, self.clock.time)
        self.asked, self.rows, self.memory = self.asked + 1, batch.rows, self.memory + 1
        return AnswerBatch(np.zeros(batch.rows))

    def usage(self):
        return BoxUsage(self.clock.time, self.asked * 0.002, self.memory)

    def cancel(self):
        self.gone = True

    def close(self):
        self.gone = True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def measured(seconds, clock=None, test=TEST, **server):
    clock = clock or Clock()
    serves = Server(clock, seconds, **server)
    return run_load_test(serves, test, FEATURES, b"seed", clock.bench), serves


def test_requests_come_at_their_own_pace_whoever_asks():
    due = arrivals(200, 100, b"seed")
    assert len(due) == pytest.approx(20_000, rel=0.03) and (np.diff(due) > 0).all() and due[-1] < 100
    gaps = np.diff(due)
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.05), "as independently as people come"
    assert np.array_equal(due, arrivals(200, 100, b"seed")) and not np.array_equal(due, arrivals(200, 100, b"other"))


def test_a_request_that_waits_behind_a_slow_one_counts_its_waiting():
    """Closed loop, the 100 requests due while one took a second would each have counted 1 ms."""
    clock = Clock()
    due = np.arange(0, 2, 0.01)

    def ask(number):
        clock.time += 1.0 if number == 50 else 0.001
        return True

    driven = drive(due, ask, clock.bench, patience=5)
    latencies = np.array(driven.latencies)
    assert latencies[49] == pytest.approx(0.001) and latencies[50] == pytest.approx(1.0)
    assert latencies[51] == pytest.approx(1.0 - 0.01 + 0.001) and latencies[100] > 0.4
    assert (latencies > 0.1).sum() > 90


TARGETED = LoadTest(rate=2, seconds=5, warm_up=0, starts=1, target=0.1, step_seconds=120)


def test_the_rate_rises_until_the_target_is_missed_and_is_narrowed():
    """One server that takes 20 ms serves 50 a second at most, and a queue of 0.1 s is full some way before that."""
    tested, _ = measured(lambda *_: 0.02, test=TARGETED.model_copy(update={"rows": 3}))
    figures = load_figures(tested)
    steps = sorted(figures.steps, key=lambda one: one.rate)
    assert [one.held for one in steps] == sorted((one.held for one in steps), reverse=True)
    assert 20 < figures.held / 3 < 45 and figures.held / 3 == max(one.rate for one in steps if one.held)
    missed = min(one.rate for one in steps if not one.held)
    assert missed / (figures.held / 3) < 1.1
    assert all((one.p99 is not None and one.p99 <= 0.1) is one.held for one in steps)


def test_who_is_too_slow_at_the_first_rate_serves_none_within_the_target():
    tested, _ = measured(lambda *_: 0.15, test=TARGETED)
    assert load_figures(tested).held == 0 and len(tested.steps) == 1


@pytest.mark.prove
def test_a_box_may_live_as_long_as_the_test_lasts(base, write_scenario, write_application, monkeypatch):
    """A soak is longer than a run may be: else the application would be ended by a limit that is not the soak's."""
    seen = []

    def load(candidate, terms, _, features, seed):
        test = LoadTest(rate=20, seconds=1.5, warm_up=0, starts=1)
        short = replace(terms, limits=terms.limits.model_copy(update={"wall_seconds": 1.0}))
        seen.append(under_load.load_candidate(candidate, short, test, features, seed))
        return seen[-1]

    monkeypatch.setattr(load_test, "load_candidate", load)
    rehearse_in(base, write_scenario(change=loaded_scenario), write_application(GOOD))
    (found,) = seen
    assert None not in found.latencies
    day = LoadTest(rate=20, seconds=86_400, target=0.1, step_seconds=3600)
    terms = BoxTerms(None, Limits(), IsolationLevel.L2, 1, LogPolicy.WITHHELD)
    assert lasting(terms, day, 4).limits.wall_seconds > 2 * 86_400
    assert Limits.model_validate(lasting(terms, day, 1024).limits.model_dump()).cpu_seconds > 0


def test_who_dies_while_the_rate_rises_is_asked_no_further():
    tested, _ = measured(lambda *_: 0.001, test=TARGETED, dies_at=900)
    assert [one.held for one in tested.steps] == [True] * len(tested.steps) and len(tested.steps) < 4


def test_without_a_target_no_rate_is_tried_and_a_criterion_on_it_is_refused(base, write_scenario, write_application):
    tested, _ = measured(lambda *_: 0.001)
    assert tested.steps is None and load_figures(tested).held is None
    change = lambda content: loaded_scenario(content).replace("load.p99 <= 50 ms", "load.held >= 10 cases/s")  # noqa: E731
    with pytest.raises(InputError) as refused:
        prove(base, write_scenario(change=change), write_application())
    assert "trial.load_test.target" in refused.value.render("zh")


def test_the_box_and_who_asks_have_processors_of_their_own_while_it_lasts():
    here = os.sched_getaffinity(0)
    places = HERE.apart(1)
    if len(here) < 2:
        assert places is None
        return
    assert places.box | places.asking == here and not places.box & places.asking
    assert HERE.apart(len(here)) is None, "a box that uses every processor shares them"
    with running_on(places.box):
        started = subprocess.run([sys.executable, "-c", AFFINITY], capture_output=True, text=True, check=True)
        assert set(map(int, started.stdout.split())) == places.box
    assert os.sched_getaffinity(0) == here


AFFINITY = "import os; print(*os.sched_getaffinity(0))"


def test_what_never_left_was_never_answered():
    clock = Clock()

    def ask(number):
        clock.time += 1.0
        return True

    driven = drive(np.arange(0, 1, 0.01), ask, clock.bench, patience=2)
    assert len(driven.latencies) == 100 and driven.latencies.count(None) == 97


def test_a_steady_application_is_measured():
    found, server = measured(lambda number, now: 0.004, test=TEST.model_copy(update={"rows": 3}))
    figures = load_figures(found)
    assert figures.void is None and figures.unanswered == 0 and server.rows == 3
    assert 0.0039 < figures.p50 < 0.006 and figures.p99 < 0.05
    assert figures.throughput == pytest.approx(50, rel=0.15)
    assert figures.cold_start == pytest.approx(0.504) and figures.recovery == pytest.approx(0.504)
    assert server.starts == TEST.starts + 1
    assert figures.memory_growth == len(found.latencies)
    assert figures.cpu_per_thousand == pytest.approx(2.0 / 3)
    assert figures.joules > 0 and len(figures.blocks) == 20


def test_an_application_that_wavers_from_block_to_block_says_nothing():
    figures = load_figures(measured(lambda number, now: 0.012 if int(now) % 3 else 0.001)[0])
    assert figures.void is Void.UNSTEADY and figures.unsteadiness > 2
    draw = np.random.default_rng(1)
    jitter = load_figures(measured(lambda number, now: float(draw.exponential(0.003)))[0])
    assert jitter.void is None, "chance from request to request is no waver: it stands in the 99th percentile"


def test_an_application_that_does_not_keep_up_is_slow_and_no_void_test():
    figures = load_figures(measured(lambda number, now: 0.04)[0])
    assert figures.void is None and figures.p99 > 5


@pytest.mark.parametrize(
    ("before", "after"),
    [((0.001,) * 15 + (0.004,) * 5, QUIET), (QUIET, (0.001,) * 15 + (0.004,) * 5), (QUIET, (0.0016,) * 20)],
)
def test_a_host_that_is_not_quiet_says_nothing(before, after):
    figures = load_figures(measured(lambda number, now: 0.004, Clock((before, after)))[0])
    assert figures.void is Void.NOISY_HOST


def test_requests_that_leave_late_by_our_own_fault_say_nothing():
    figures = load_figures(measured(lambda number, now: 0.004, Clock(late=0.02))[0])
    assert figures.void is Void.LATE_CLOCK


def test_an_application_that_dies_under_load_fails():
    figures = load_figures(measured(lambda number, now: 0.004, dies_at=300)[0])
    assert figures.void is None and figures.unanswered > 500 and figures.p99 is None
    assert figures.recovery is not None


def test_an_application_that_never_answers_again_did_not_recover():
    clock = Clock()
    server = Server(clock, lambda number, now: 0.004)
    alive = server.__call__

    def start():
        if server.starts == TEST.starts:
            raise BoxEnded(BoxEnd(EndReason.LOAD_FAILED, 0, ""))
        return alive()

    assert load_figures(run_load_test(start, TEST, FEATURES, b"seed", clock.bench)).recovery is None


def raw(latencies):
    due = np.linspace(0, 19.9, len(latencies)).round(3)
    return LoadTested(
        test=TEST, latencies=tuple(latencies), due=tuple(due.tolist()), calibration=(QUIET, QUIET), starts=(0.4, 0.6),
        recovery=0.7, memory=(100, 300),
    )  # fmt: skip


CRITERIA = """criteria:
  - {rule: load.p99 <= 50 ms}
  - {rule: load.p95(requests=10) <= 50 ms}
  - {rule: start.cold <= 1 s}
  - {rule: recovery <= 2 s}
  - {rule: memory.growth <= 1 MiB}
"""


def loaded_scenario(content):
    terms = "trial:\n  load_test: {rate: 50, seconds: 20, warm_up: 1, starts: 2}\n"
    return content.replace("criteria:\n", CRITERIA).replace("trial:\n", terms)


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("latencies", "outcome", "verdict"),
    [
        ([0.01] * 1000, Outcome.PASS, Verdict.ACCEPT),
        ([0.01] * 980 + [0.2] * 20, Outcome.FAIL, Verdict.REJECT),
        pytest.param([0.01, 0.01, 0.01, 0.05, 0.05, 0.05] * 160, Outcome.PASS, Verdict.ACCEPT, marks=pytest.mark.prove),
        pytest.param(
            ([0.01] * 50 + [0.04] * 50) * 10, Outcome.NOT_MEASURED, Verdict.INCONCLUSIVE, marks=pytest.mark.prove
        ),
        pytest.param([0.01] * 900 + [None] * 100, Outcome.FAIL, Verdict.REJECT, marks=pytest.mark.prove),
    ],
)
def test_criteria_under_load_enter_the_verdict_and_are_replayed(
    latencies, outcome, verdict, base, write_scenario, write_application, tmp_path, monkeypatch
):
    """The same application fails where the load test does: a void one is never a pass."""
    monkeypatch.setattr(load_test, "load_candidate", lambda *_: raw(latencies))
    report = in_process(base, write_scenario(change=loaded_scenario), write_application(), tmp_path / "out")
    assert report.criteria[0].outcome is outcome and report.verdict is verdict
    section = report.sections[4]
    assert section.outcome is not Outcome.PASS or outcome is Outcome.PASS
    if outcome is Outcome.NOT_MEASURED:
        said = {finding.check: finding.sentence.render("en") for finding in section.findings}
        assert "void" in said["load_test"]
    replayed = replay_trial(tmp_path / "out")
    assert replayed.verdict == verdict


def in_process(base, scenario, application, out):
    """Prove in this process, so that what is stood in for here is stood in for there."""
    from pilotbase.trial.scorer import score_trial

    def run(lab, plan, on_progress, **_):
        return score_trial(lab, plan, on_progress)

    return prove(base, scenario, application, out, run=run).report


def test_a_load_test_is_made_once_whatever_becomes_of_the_scorer(
    base, write_scenario, write_application, tmp_path, monkeypatch
):
    made = []

    def load(*_):
        made.append(1)
        return raw([0.01] * 1000)

    monkeypatch.setattr(load_test, "load_candidate", load)
    monkeypatch.setattr("pilotbase.trial.phases.judging.reveal_order", crash)
    scenario, application = write_scenario(change=loaded_scenario), write_application()
    with pytest.raises(KeyboardInterrupt):
        in_process(base, scenario, application, tmp_path / "out")
    monkeypatch.undo()
    monkeypatch.setenv("PILOTBASE_HOME", str(base.lab.home.path))
    monkeypatch.setattr(load_test, "load_candidate", load)
    report = in_process(base, scenario, application, tmp_path / "out")
    assert report.verdict is Verdict.ACCEPT and len(made) == 2, "one of the rehearsal, one of the trial"


@pytest.mark.prove
def test_a_host_that_is_not_quiet_spends_no_attempt(base, write_scenario, write_application, tmp_path, monkeypatch):
    noisy = raw([0.01] * 1000).model_copy(update={"calibration": ((0.001,) * 15 + (0.009,) * 5, QUIET)})
    found = [raw([0.01] * 1000), noisy, noisy, noisy, noisy, noisy, raw([0.01] * 1000)]
    monkeypatch.setattr(load_test, "load_candidate", lambda *_: found.pop(0))
    scenario, application = write_scenario(change=loaded_scenario), write_application()
    with pytest.raises(RefusedError) as refused:
        in_process(base, scenario, application, tmp_path / "out")
    assert refused.value.code == "trial.host_not_quiet" and len(found) == 3
    assert "主机不安静" in refused.value.render("zh")
    report = in_process(base, scenario, application, tmp_path / "out")
    assert report.verdict is Verdict.ACCEPT and report.attempt.number == 1 and not found


@pytest.mark.prove
def test_a_void_test_on_which_nothing_rests_is_said_to_be_void_and_holds_nobody_up(
    base, write_scenario, write_application, tmp_path, monkeypatch
):
    noisy = raw([0.01] * 1000).model_copy(update={"calibration": ((0.001,) * 15 + (0.009,) * 5, QUIET)})
    made = []
    monkeypatch.setattr(load_test, "load_candidate", lambda *_: made.append(1) or noisy)
    scenario = write_scenario(change=lambda content: loaded_scenario(content).replace(CRITERIA, "criteria:\n"))
    report = in_process(base, scenario, write_application(), tmp_path / "out")
    assert report.verdict is Verdict.ACCEPT and len(made) == 2, "one of the rehearsal, one of the trial"
    said = {finding.check: finding for finding in report.sections[4].findings}["load_test"]
    assert said.outcome is Outcome.INCONCLUSIVE and "void" in said.sentence.render("en")


def crash(*_):
    raise KeyboardInterrupt


def test_figures_of_a_load_test_need_one(base, write_scenario, write_application):
    scenario = write_scenario(change=lambda content: content.replace("criteria:\n", CRITERIA))
    with pytest.raises(InputError) as refused:
        prove(base, scenario, write_application())
    assert "trial.load_test" in refused.value.render("zh")


def test_a_box_is_loaded_killed_and_started_again(base, write_scenario, write_application, monkeypatch):
    """The real box, a short test; what this host is like today is not asked."""
    short = LoadTest(rate=40, seconds=1, warm_up=0.2, starts=1, block_seconds=0.2)
    quiet = Bench(HERE.now, HERE.wait_until, lambda: QUIET, HERE.joules)
    seen = []

    def load(candidate, terms, test, features, seed):
        seen.append(under_load.load_candidate(candidate, terms, short, features, seed, quiet))
        return seen[-1]

    monkeypatch.setattr(load_test, "load_candidate", load)
    report = rehearse_in(base, write_scenario(change=loaded_scenario), write_application(GOOD)).report
    (found,) = seen
    figures = load_figures(found)
    assert report.load_test == figures and figures.unanswered == 0 and figures.requests > 10
    assert 0 < figures.p50 < 1 and 0 < figures.cold_start < 20 and 0 < figures.recovery < 20
    assert figures.pinned is (len(os.sched_getaffinity(0)) > 1)


def load_for_real(monkeypatch, test):
    """Load boxes by this test; what this host is like today is not asked."""
    quiet = Bench(HERE.now, HERE.wait_until, lambda: QUIET, HERE.joules)
    monkeypatch.setattr(
        load_test,
        "load_candidate",
        lambda who, terms, _, *rest: under_load.load_candidate(who, terms, test, *rest, quiet),
    )


JITTERY = """
import time
BEGAN = time.monotonic()

def predict(batch):
    time.sleep(0.03 if int((time.monotonic() - BEGAN) / 0.6) % 2 else 0.002)
    return ["broken" if pressure > 6 else "fine" for pressure in batch["pressure"]]
"""


@pytest.mark.prove
def test_a_jittery_application_in_a_real_box_is_void_and_not_passed(
    base, write_scenario, write_application, tmp_path, monkeypatch
):
    """Slow for six tenths of a second, quick for the next: its 99th percentile would pass, and says nothing."""
    load_for_real(monkeypatch, LoadTest(rate=20, seconds=6, warm_up=0.2, starts=1, block_seconds=0.6))
    scenario, application = write_scenario(change=loaded_scenario), write_application(JITTERY)
    report = in_process(base, scenario, application, tmp_path / "out")
    assert report.load_test.void in (Void.UNSTEADY, Void.LATE_CLOCK) and report.load_test.p99 is not None
    assert report.criteria[0].outcome is Outcome.NOT_MEASURED and report.verdict is Verdict.INCONCLUSIVE
    assert replay_trial(tmp_path / "out").verdict is Verdict.INCONCLUSIVE


@pytest.mark.prove
def test_an_application_in_a_real_box_passes_performance_and_fails_production(
    base, write_scenario, write_application, tmp_path, monkeypatch
):
    load_for_real(monkeypatch, LoadTest(rate=2, seconds=6, warm_up=0.2, starts=1, block_seconds=1))
    slow = GOOD.replace("def predict(batch):", "def predict(batch):\n    __import__('time').sleep(0.12)")
    report = in_process(base, write_scenario(change=loaded_scenario), write_application(slow), tmp_path / "out")
    assert report.load_test.void is None and report.verdict is Verdict.REJECT
    outcomes = {section.verification.value: section.outcome for section in report.sections}
    assert outcomes["function"] is Outcome.PASS and outcomes["production"] is Outcome.FAIL
