"""kill -9 of the worker at any moment: the job goes on with the same attempt, never a second verdict, nothing stuck."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from pilotbase.catalogue.records import load_record
from pilotbase.certificate.status import IssuedCertificate
from pilotbase.documents.permissions import Act
from pilotbase.documents.progress import ignore_progress
from pilotbase.documents.report import Report
from pilotbase.worker.jobs.handlers import HANDLERS
from pilotbase.workspace.checks.reconciliation import verify_store
from pilotbase.workspace.failures import StaleLeaseError
from pilotbase.workspace.jobs import JobState, claim, finish, jobs_of
from tests.catalogue.records_for_tests import DESK, OWNER, PLANNER
from tests.trial.conftest import GOOD
from tests.worker.commissions_for_tests import COMMISSION, MACHINE, Ordered

SLOW = "import time\ndef predict(batch):\n    time.sleep(0.1)\n" + GOOD.split("\n", 1)[1]
COMMAND = [sys.executable, "-c", "from pilotbase.cli import main; main()", "worker", "--once", "--lease", "1"]


def start_worker(home) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PILOTBASE_HOME": str(home)}
    return subprocess.Popen(COMMAND, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def finish_what_is_queued(ordered: Ordered, home) -> None:
    """Start workers until nothing is left; each waits for the lease of the one that was killed to run out."""
    deadline = time.monotonic() + 60
    while not jobs_of(ordered.view(OWNER), COMMISSION)[0].ended:
        assert time.monotonic() < deadline, "the job is stuck"
        worker = start_worker(home)
        _, said = worker.communicate(timeout=60)
        assert worker.returncode == 0, said.decode()


def moments(seed: int) -> list[float]:
    draw = random.Random(seed)
    return [draw.uniform(0.3, 4.0) for _ in range(2)]


@pytest.fixture
def queued(base, write_scenario, write_application) -> Ordered:
    """A trial in the queue, of an application that takes its time."""
    ordered = Ordered(base)
    ordered.open(write_scenario(), write_application(SLOW))
    ordered.propose()
    ordered.approve()
    ordered.freeze()
    ordered.work()
    ordered.do(PLANNER, Act.TRIAL_QUEUE)
    return ordered


@pytest.mark.prove
@pytest.mark.parametrize("seed", range(30))
def test_a_worker_killed_twice_leaves_one_report_of_one_attempt(queued, home, seed):
    for moment in moments(seed):
        worker = start_worker(home)
        try:
            worker.wait(timeout=moment)
        except subprocess.TimeoutExpired:
            worker.send_signal(signal.SIGKILL)
        worker.communicate()
    finish_what_is_queued(queued, home)
    (job,) = [job for job in jobs_of(queued.view(OWNER), COMMISSION) if job.kind == "trial"]
    assert (job.state, job.attempt) == (JobState.DONE, 1)
    record = load_record(queued.view(MACHINE), COMMISSION)[0]
    assert record.state == "reported"
    assert [step.act for step in record.history].count(Act.TRIAL_REPORT) == 1
    report = queued.view(OWNER).load(record.documents["report"], Report)
    assert report.attempt.number == 1
    assert len([one for one in queued.view(MACHINE).find("report") if one.load(Report).view == "full"]) == 2
    verify_store(queued.base.lab.store)


@pytest.mark.prove
def test_a_worker_that_is_told_to_end_gives_its_job_back_at_once(queued, home):
    worker = start_worker(home)
    deadline = time.monotonic() + 60
    while queued.record().state != "running":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    worker.send_signal(signal.SIGTERM)
    worker.communicate(timeout=30)
    job = jobs_of(queued.view(OWNER), COMMISSION)[0]
    assert (job.state, job.reason.code) == (JobState.QUEUED, "job.worker_stopped")
    finish_what_is_queued(queued, home)
    assert queued.record().state == "reported"


STEPS = {
    "freeze": (Act.PLAN_FREEZE, PLANNER, Act.PLAN_FROZEN, "frozen"),
    "trial": (Act.TRIAL_QUEUE, PLANNER, Act.TRIAL_REPORT, "reported"),
    "certificate": (None, None, Act.CERTIFICATE_ISSUE, "certified"),
    "revocation": (Act.CERTIFICATE_REVOKE, DESK, Act.CERTIFICATE_REVOKE, "revoked"),
}


def test_a_worker_that_dies_before_it_can_say_done_leaves_nothing_twice(ordered):
    """Each kind of job is done whole, then its worker is gone: whoever takes over finds it done."""
    view = ordered.base.lab.view
    for kind, (order, who, act, state) in STEPS.items():
        if order is None:
            ordered.accept()
        else:
            ordered.do(who, order)
        dead = claim(view, "w1", 30)
        assert dead.job.kind == kind
        HANDLERS[kind](ordered.base, dead.job, ignore_progress)
        assert ordered.work() == [(kind, "done")]
        record = ordered.record()
        assert record.state == state
        assert [step.act for step in record.history].count(act) == 1
        with pytest.raises(StaleLeaseError):
            finish(view, dead, JobState.FAILED)
    issued = [one for one in view.find("issued-certificate") if one.load(IssuedCertificate)]
    assert len(issued) == 1
    verify_store(ordered.base.lab.store)
