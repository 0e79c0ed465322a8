"""Every kind of job is done by the process that people start: ``pilotbase worker``, not by a call of a function."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import update

from pilotbase.documents.texts import LANGUAGES, Text
from pilotbase.documents.vocabularies import WorkKind
from pilotbase.worker.jobs.handlers import HANDLERS
from pilotbase.workspace import tables
from pilotbase.workspace.jobs import JobState, enqueue, ordered_jobs
from tests.catalogue.records_for_tests import OWNER

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from pilotbase.cli import main; main()", "worker"]


@contextmanager
def running_worker(home: Path, said=subprocess.PIPE) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "PILOTBASE_HOME": str(home), "PILOTBASE_HUB_LOG": "plain"}
    with (home.parent / "worker.log").open("w") as log:
        process = subprocess.Popen(COMMAND, env=environment, stdout=said, stderr=log, text=True)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def order(base, kind: WorkKind) -> None:
    with base.lab.store.as_actor(OWNER).transaction("test.ordered") as change:
        enqueue(change, kind, f"work:{kind}", {})


def ended(base, process) -> dict[str, JobState]:
    """Return kind → how its job ended, once all have."""
    view, deadline = base.lab.store.as_actor(OWNER), time.monotonic() + 60
    while True:
        jobs = {kind.value: ordered_jobs(view, f"work:{kind}") for kind in WorkKind}
        if all(one.ended for found in jobs.values() for one in found):
            return {kind: found[0] for kind, found in jobs.items() if found}
        assert process.poll() is None, "a job has ended its worker"
        assert time.monotonic() < deadline, "the worker is stuck"
        time.sleep(0.1)


def test_every_kind_has_its_handler():
    assert set(HANDLERS) == set(WorkKind)


def test_a_job_of_any_kind_that_cannot_be_done_fails_with_a_reason_and_the_worker_lives(base, home):
    for kind in WorkKind:
        order(base, kind)
    with running_worker(home) as worker:
        jobs = ended(base, worker)
        assert {kind: job.state.value for kind, job in jobs.items()} == dict.fromkeys(map(str, WorkKind), "failed")
        assert all(job.reason.render(language) for job in jobs.values() for language in LANGUAGES)
        assert worker.poll() is None
        worker.terminate()
        said = worker.communicate(timeout=30)[0]
        assert worker.returncode == 0
    unsaid = [kind for kind in WorkKind if Text(code=f"job.kind.{kind}").render("en") not in said]
    assert len(unsaid) <= 1, "only the line of the last job may be cut off by the end"


@pytest.mark.prove
def test_jobs_whose_rows_cannot_be_read_fail_in_words_and_the_worker_lives(base, home):
    for kind in WorkKind:
        order(base, kind)
    with base.lab.store.database.write() as connection:
        connection.execute(update(tables.work).values(payload=b"no JSON"))
    with running_worker(home) as worker:
        jobs = ended(base, worker).values()
        assert {(job.state.value, job.reason.code) for job in jobs} == {("failed", "job.unreadable")}
        assert worker.poll() is None


@pytest.mark.prove
def test_a_worker_whose_words_nobody_takes_works_on(base, home):
    """Its standard output is gone, such as a terminal that was closed: each line it tells of a job fails."""
    reading, writing = os.pipe()
    with running_worker(home, writing) as worker:
        os.close(writing)
        while b"ready" not in os.read(reading, 1 << 16):
            pass
        os.close(reading)
        for kind in (WorkKind.BUNDLE, WorkKind.DESCRIBE, WorkKind("what_if")):
            order(base, kind)
        assert {job.state for job in ended(base, worker).values()} == {JobState.FAILED}
        assert worker.poll() is None


FLOWS = (
    "tests/worker/test_queue.py::test_a_whole_trial_from_files_to_certificate_and_revocation",
    "tests/worker/test_consent.py::test_a_refusal_ends_the_attempt_by_the_next_job",
    "tests/hub/test_trials_live.py::test_owner_operator_and_regulator_take_the_bundle_and_nobody_else",
    "tests/hub/test_trials_live.py::test_the_board_from_the_hub",
    "tests/hub/test_tenders.py::test_a_tender_from_the_hub",
    "tests/hub/test_descriptions.py::test_from_files_on_a_page_to_a_published_dataset",
    "tests/hub/test_descriptions.py::test_the_owner_measures_sees_first_and_publishes",
    "tests/hub/test_statistics.py::test_the_price_is_shown_before_it_is_paid_and_nothing_is_spent_until_it_is_confirmed",
    "tests/hub/test_labelling.py::test_an_export_of_label_studio_is_taken_whole_or_not_at_all",
    "tests/hub/test_labelling.py::test_who_decides_sees_disagreements_alone_without_names",
    "tests/hub/test_expert_panels.py::test_a_hospital_gets_its_verdict_from_experts_on_the_hub",
    "tests/hub/test_what_if.py::test_without_other_rules_policies_are_compared_on_the_pool_as_it_is",
    "tests/hub/test_sites.py",
)
"""Tests that order each kind of work as people do; here the process does it."""


@pytest.mark.prove
def test_each_kind_of_work_is_done_by_the_real_process(tmp_path):
    kept = tmp_path / "done.jsonl"
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "tests.worker.real_worker_for_tests", *FLOWS]
    environment = {**os.environ, "PILOTBASE_TEST_DONE": str(kept), "PYTEST_ADDOPTS": ""}
    tried = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=1800)
    assert kept.exists() and tried.returncode == 0, tried.stdout[-3000:]
    done = {kind for kind, state in map(json.loads, kept.read_text().splitlines()) if state == "done"}
    assert done == set(map(str, WorkKind)), tried.stdout[-3000:]
