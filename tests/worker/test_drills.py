"""Drills: timed, told, written down; nothing is moved unless it is for real, and no certificate ever."""

import json
import threading

import pytest
from typer.testing import CliRunner

from pilotbase.cli import app
from pilotbase.documents.errors import PilotbaseError, RefusedError
from pilotbase.watch.incidents import list_incidents
from pilotbase.worker.base import open_base
from pilotbase.worker.reactions.drills import await_drill, start_drill
from pilotbase.worker.reactions.feed import Reactions
from tests.catalogue.conftest import store
from tests.catalogue.records_for_tests import DESK, OWNER, SUPPLIER
from tests.worker.reactions_for_tests import Watched

__all__ = ["store"]


@pytest.fixture
def watched(store, tmp_path):
    watched = Watched(store, tmp_path)
    watched.two_versions()
    return watched


@pytest.mark.parametrize("for_real", [False, True])
def test_a_drill_is_decided_timed_written_down_and_told(watched, clock, for_real):
    digest, _ = start_drill(watched.view, "milling", for_real)
    clock.step(1.5)
    watched.react()
    watched.react_from_the_start()
    assert watched.moves == [("serving", 0), ("fallen_back", 1)][: 2 if for_real else 1]
    assert watched.suspended() == 0 and watched.told(OWNER) == watched.told(DESK) == ["drill_told"]
    done = await_drill(watched.view, digest, 1)
    assert list(done) == ["measure:fall_back", "incident", "notice"]
    what = done["measure:fall_back"].what
    assert what.params["seconds"] == "1.5" and ("演练" in what.render("zh")) is not for_real
    (incident,) = list_incidents(watched.view)
    assert (incident.drill, incident.state, incident.clocks) == (True, "closed", ())


def test_a_drill_in_an_open_incident_adds_nothing_to_it(watched):
    watched.warn()
    watched.react()
    before = watched.lines()
    start_drill(watched.view, "milling")
    watched.react()
    assert [[line.what.code for line in one.timeline] for one in list_incidents(watched.view)][1] == [
        f"reaction.{name}" for name in before
    ]


def test_a_drill_that_nobody_answers_says_so(watched):
    digest, _ = start_drill(watched.view, "milling")
    with pytest.raises(PilotbaseError) as caught:
        await_drill(watched.view, digest, 0.05)
    assert caught.value.code == "reaction.drill_unanswered" and "pilotbase worker" in caught.value.render()


def test_a_supplier_drills_nothing(watched):
    with pytest.raises(RefusedError):
        start_drill(watched.store.as_actor(SUPPLIER), "milling")


def test_the_command_waits_for_a_worker_and_prints_the_seconds(tmp_path, monkeypatch):
    monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / "home"))
    base = open_base(create=True, name="base")
    Watched.over(base).two_versions()
    stop = threading.Event()

    def work():
        while not stop.is_set():
            Reactions(base).round()
            stop.wait(0.05)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        spoken = CliRunner().invoke(app, ["watch", "drill", "milling"])
        timed = CliRunner().invoke(app, ["watch", "drill", "milling", "--json"])
    finally:
        stop.set()
        worker.join()
    assert spoken.exit_code == 0 and "outside a drill" in spoken.output
    assert list(json.loads(timed.output)) == ["measure:fall_back", "incident", "notice"]
    assert CliRunner().invoke(app, ["watch", "drill", "nothing"]).exit_code == 2
    base.lab.close()
