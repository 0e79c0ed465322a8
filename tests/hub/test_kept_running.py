"""``pilotbase serve`` keeps its worker running, and people are told when none is there."""

import logging
import os
import re
import signal
import time
from datetime import timedelta

import pytest

from pilotbase.documents.vocabularies import Role, WorkKind
from pilotbase.hub.serving import serving
from pilotbase.sandbox.box.supervisor import children
from pilotbase.worker.base import open_base
from pilotbase.workspace.actors import actor
from pilotbase.workspace.jobs import JobState, claim, enqueue, ordered_jobs
from tests.catalogue.records_for_tests import DESK
from tests.hub.test_overview import page
from tests.hub.walk_for_tests import Hub
from tests.hub.worlds_for_tests import world


def worker_of(hub, other_than=0, seconds=60) -> int:
    """Return the worker that ``serve`` runs, once it is there."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for pid in children(hub.process.pid):
            with open(f"/proc/{pid}/cmdline", "rb") as words:
                if pid != other_than and b"worker" in words.read().split(b"\0"):
                    return pid
        time.sleep(0.1)
    raise AssertionError((hub.home / "serve.log").read_text("utf-8", "replace"))


@pytest.mark.prove
def test_a_worker_that_is_killed_comes_back_and_does_the_next_job(tmp_path, monkeypatch):
    monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / "home"))
    hub = Hub(tmp_path / "home")
    try:
        killed = worker_of(hub)
        os.kill(killed, signal.SIGKILL)
        base = open_base()
        view = base.lab.store.as_actor(actor(base.trust.issuer, Role.OPERATOR, person="p-desk"))
        with view.transaction("test.ordered") as change:
            enqueue(change, WorkKind("what_if"), "work:next", {})
        assert worker_of(hub, killed) != killed
        deadline = time.monotonic() + 60
        while not (job := ordered_jobs(view, "work:next")[0]).ended:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert job.state is JobState.FAILED and job.reason is not None
        base.lab.close()
    finally:
        hub.stop()
    told = (hub.home / "serve.log").read_text()
    assert "pilotbase serve --invite" in told, "nobody can sign in yet"
    assert "the worker ended with -9; another is started in 2 s" in told


@pytest.mark.prove
def test_what_ends_at_once_five_times_is_told_and_not_spun(monkeypatch, caplog):
    monkeypatch.setattr(serving, "_RESTART_SECONDS", 0.01)
    with caplog.at_level(logging.WARNING, "pilotbase.hub"), serving.kept_running("worker", "--no-such-option"):
        deadline = time.monotonic() + 60
        while len(caplog.records) < 5 and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(2)
    levels = [record.levelno for record in caplog.records]
    assert levels == [logging.WARNING] * 4 + [logging.ERROR]
    assert "300 s" in caplog.text and "5 times in a row" in caplog.text


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    with world(tmp_path_factory.mktemp("kept")) as found:
        found.trial.reach("certified")
        yield found


def test_the_overview_tells_operators_that_no_worker_is_there(made):
    from pilotbase.hub.base import base

    shown = page(made, "/overview/")
    assert re.search(r"id=\"no-worker\".*?No worker has reported yet; waiting jobs: 3\.", shown), shown[:4000]
    store = base().lab.store
    with made.trial.store.as_actor(DESK).transaction("test.jobs") as change:
        enqueue(change, WorkKind.DESCRIBE, "work:x", {})
    claim(store.as_actor(DESK), "w1", 30)
    shown = page(made, "/overview/")
    assert "no-worker" not in shown and "A worker last reported" in shown
    before, later = store.clock, store.clock() + timedelta(seconds=40)
    object.__setattr__(store, "clock", lambda: later)
    try:
        shown = page(made, "/overview/", language="zh")
        assert re.search(r'id="no-worker".*?自 .+ 起没有收到任何工作进程的信号；等待中的任务：4', shown)
        assert "no-worker" not in page(made, "/overview/", "regulator")
    finally:
        object.__setattr__(store, "clock", before)
