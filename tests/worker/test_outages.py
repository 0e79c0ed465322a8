"""A worker whose database is away or whose disk is full waits, says so in its log, and goes on."""

import json
import logging
import threading
from dataclasses import replace

from pilotbase.hub.configuration import JsonLines
from pilotbase.worker.jobs import worker as queue
from pilotbase.workspace.failures import DiskFullError, UnreachableError
from pilotbase.workspace.jobs import jobs_of
from tests.catalogue.records_for_tests import OWNER
from tests.worker.commissions_for_tests import COMMISSION


def test_a_worker_outlives_a_database_that_is_away_and_a_full_disk(ordered, monkeypatch, caplog):
    erased = UnreachableError("workspace.database_unreachable", path="db", reason="gone")
    troubles = [erased, DiskFullError("workspace.disk_full", path="db")]
    claim = queue.claim

    def troubled(*words):
        if troubles:
            raise troubles.pop(0)
        return claim(*words)

    monkeypatch.setattr(queue, "claim", troubled)
    monkeypatch.setattr(queue, "AWAY_SECONDS", 0.01)
    monkeypatch.setitem(queue.HANDLERS, "freeze", lambda *_: None)
    ordered.freeze()
    stop = threading.Event()
    with caplog.at_level(logging.INFO, "pilotbase.worker"):
        replace(ordered.worker, on_end=lambda *_: stop.set()).work(stop)
    assert [job.state for job in jobs_of(ordered.view(OWNER), COMMISSION)] == ["done"]
    away, full, ended = caplog.records
    assert (away.levelname, full.levelname) == ("WARNING", "WARNING")
    line = json.loads(JsonLines().format(ended))
    assert {"job": 1, "kind": "freeze", "subject": COMMISSION, "state": "done"}.items() <= line.items()
    assert line["seconds"] >= 0


def test_a_job_that_loses_its_database_waits_and_tells_no_address(ordered, monkeypatch):
    def lost(*_):
        raise UnreachableError("workspace.database_unreachable", path="postgresql://db.internal", reason="gone")

    monkeypatch.setitem(queue.HANDLERS, "freeze", lost)
    ordered.freeze()
    _, state = ordered.worker.work_once()
    (job,) = jobs_of(ordered.view(OWNER), COMMISSION)
    assert (state, job.state, job.attempt) == ("queued", "queued", 1)
    assert "db.internal" not in job.reason.render("zh")
    assert "数据库" in job.reason.render("zh")
