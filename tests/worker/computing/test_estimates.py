"""What a job costs is told before it is handed in, and narrowed by earlier runs; above a limit consent is asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pilotbase.cli import app
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.estimate import Ceiling, PriceList
from pilotbase.documents.vocabularies import Role
from pilotbase.worker.base import Base, open_base
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.store import View
from pilotbase_estate.backends.backend import Metered
from pilotbase_estate.computing.estimates import consent_by, estimate_job
from pilotbase_estate.computing.orders import WorkOrder
from pilotbase_estate.documents.pool import Pool
from pilotbase_estate.documents.resources import Resources
from pilotbase_estate.queue import rows
from pilotbase_estate.queue.pools import set_pool
from pilotbase_estate.queue.rows import Ending, QueueState
from pilotbase_estate.queue.submitting import JobRequest, submit
from pilotbase_estate.vouchers.wallet import set_prices

POOL = {
    "document": "pool/1",
    "name": "hall",
    "title": "Hall",
    "machines": [{"name": "m", "count": 2, "capacity": {"cpu": 4, "memory": "8 GiB"}}],
    "quotas": [{"organisation": "mill", "guarantee": {"cpu": 1}}, {"organisation": "port", "guarantee": {"cpu": 1}}],
}
PRICES = {"document": "price-list/1", "pool": "hall", "supplier": "centre", "prices": {"cpu": 100}}
"""One yuan a core-hour."""
ASKED = JobRequest("hall", Resources.model_validate({"cpu": 2}), 10 * 3600.0)
ORDER = WorkOrder(folder="sha256:" + "a" * 64, entry=("train.py", "--fast"))


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Base:
    monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PILOTBASE_LANGUAGE", "en")
    made = open_base(create=True, name="test-base")
    set_pool(made.lab.view, Pool.model_validate(POOL))
    return made


def who(base: Base, organisation: str = "mill") -> View:
    return base.lab.store.as_actor(Actor(organisation, frozenset({Role.SUPPLIER})))


def ran(base: Base, view: View, order: WorkOrder, hours: float) -> None:
    """Let a program have run to its end, by the counters of a backend: so long on one core."""
    asked = JobRequest("hall", Resources.model_validate({"cpu": 2}), 36_000.0, work=json.dumps(order.to_json_value()))
    job, took = submit(view, asked), round(hours * 3_600_000)
    now = base.lab.store.clock()
    with base.lab.store.database.write() as connection:
        rows.insert_attempt(connection, job, ("m-1",), now)
        rows.update_job(connection, job.name, state=QueueState.DONE.value, attempt=1, ended_at=now)
        done = rows.find_job(connection, job.name)
        assert done is not None
        rows.end_attempt(connection, done, Ending.DONE, Metered(took, took, 0), now)


def test_the_most_is_told_and_earlier_runs_of_the_same_program_narrow_it(base: Base) -> None:
    view = who(base)
    first = estimate_job(view, ASKED, ORDER)
    assert (first.most_seconds, first.most_money, first.runs, first.wall) == (36_000, None, 0, None)
    set_prices(base.lab.view, PriceList.model_validate(PRICES))
    assert estimate_job(view, ASKED, ORDER).most_money == 2000, "two cores for ten hours"
    for hours in (1.0, 1.1, 0.9, 1.0, 1.05):
        ran(base, view, ORDER, hours)
    found = estimate_job(view, ASKED, ORDER)
    assert found.runs == 5
    assert found.wall is not None
    assert found.money is not None
    assert found.wall.low < 3600 < found.wall.high < 2 * 3600
    assert found.money.low < 100 < found.money.high < 200, "one core was used, by the counters"
    other = WorkOrder(folder="sha256:" + "b" * 64, entry=("train.py", "--slow"))
    assert estimate_job(view, ASKED, other).runs == 5, "of another version of the program"
    assert estimate_job(view, ASKED, WorkOrder(folder=other.folder, entry=("else.py",))).runs == 0
    assert estimate_job(who(base, "port"), ASKED, ORDER).runs == 0, "nobody is told of another's runs"


def test_above_the_limit_consent_is_asked_and_below_it_is_not(base: Base) -> None:
    view = who(base)
    set_prices(base.lab.view, PriceList.model_validate(PRICES))
    with pytest.raises(RefusedError) as error:
        consent_by(view, ASKED)(ORDER)
    assert error.value.code == "compute.consent_needed"
    said = error.value.render("en")
    assert "10 h; 20.00 CNY" in said
    assert "above 4 h" in said
    for hours in (1.0, 1.1, 0.9, 1.0, 1.05):
        ran(base, view, ORDER, hours)
    consent_by(view, ASKED)(ORDER)
    with pytest.raises(RefusedError):
        consent_by(view, ASKED, Ceiling(money=50))(ORDER)
    consent_by(view, ASKED, Ceiling(money=50, currency="EUR"))(ORDER)


def test_the_command_tells_asks_and_takes_consent(base: Base, tmp_path: Path) -> None:
    folder = tmp_path / "program"
    folder.mkdir()
    (folder / "train.py").write_text("print()")
    words = ["compute", "submit", "hall", str(folder), "train.py", "--as", "mill", "--hours", "10"]
    told = CliRunner().invoke(app, [*words, "--estimate"])
    assert told.exit_code == 0
    assert "at most 10 h" in told.output
    held = CliRunner().invoke(app, words)
    assert held.exit_code == 5, held.output
    assert "--yes" in held.output
    assert CliRunner().invoke(app, ["compute", "jobs", "hall"]).output == "", "nothing was handed in"
    assert CliRunner().invoke(app, [*words, "--yes"]).exit_code == 0
    assert CliRunner().invoke(app, [*words, "--ask-above", "12 h"]).exit_code == 0
