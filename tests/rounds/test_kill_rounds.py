"""kill -9 of worker, web process and database at any step: no lost submission, no double verdict, no stuck job."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from sqlalchemy import select

from pilotbase.catalogue.records import load_record
from pilotbase.documents.permissions import Act
from pilotbase.documents.report import Report
from pilotbase.worker.base import Base, open_base
from pilotbase.workspace import tables
from pilotbase.workspace.checks.reconciliation import verify_store
from pilotbase.workspace.home import HomeSettings, init_home
from pilotbase.workspace.jobs import JobState, jobs_of, live_jobs
from tests.catalogue.records_for_tests import MACHINE
from tests.rounds.machine_for_tests import Machine, Postgres, reason_to_skip
from tests.rounds.walk_for_tests import PATIENCE, Walk, patiently, publish

ONCE = (
    Act.COMMISSION_PROPOSE,
    Act.COMMISSION_AGREE,
    Act.PLAN_APPROVE,
    Act.PLAN_FROZEN,
    Act.TRIAL_REPORT,
    Act.ACCEPTANCE_GIVE,
    Act.CERTIFICATE_ISSUE,
)
VICTIMS = {
    "people": ("web", "web at a statement", "web at a statement", "database"),
    "job": ("worker", "worker at a statement", "database", "worker and all below it"),
}
STATEMENTS = {"web at a statement": (60, 1), "worker at a statement": (150, 8)}
"""A step of a person takes about 60 statements and one write, a job some hundreds and a few."""


@dataclass
class Rounds:
    """Kills one process amid each step: at a moment that is drawn, before one of its statements, or after a write."""

    machine: Machine
    draw: random.Random
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    """One thread for all: what a thread starts is told to end when the thread ends."""
    killed: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=lambda: {"people": 0.06, "job": 3.0})

    @property
    def total(self) -> int:
        return self.killed.total() + self.machine.burnt.total()

    def over(self, step: str, act) -> None:
        kind = "job" if step.startswith("job ") else "people"
        victim = self.draw.choice(VICTIMS[kind])
        if victim in STATEMENTS:
            statements, writes = STATEMENTS[victim]
            fuse = self.draw.choice((self.draw.randint(1, statements), -self.draw.randint(1, writes)))
            self.machine.arm(victim.partition(" ")[0], fuse)
            act()
            return
        moment = self.draw.uniform(0, self.seconds[kind])
        killer = self.pool.submit(self._kill, victim, moment)
        start = time.monotonic()
        act()
        killer.result()
        if kind == "job":  # killed or not, it tells how long such a job takes here
            self.seconds[kind] = min(0.7 * self.seconds[kind] + 0.3 * (time.monotonic() - start), 15.0)

    def _kill(self, victim: str, moment: float) -> None:
        time.sleep(moment)
        self.machine.kill(victim)
        self.killed[victim] += 1


@pytest.fixture
def database() -> Iterator[Postgres]:
    reason = reason_to_skip()
    if reason:
        pytest.skip(reason)
    server = Postgres()
    yield server
    server.remove()


@pytest.fixture
def base(database, tmp_path, monkeypatch) -> Iterator[Base]:
    monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / "home"))
    init_home(tmp_path / "home", HomeSettings(store_url=database.url))
    opened = open_base(create=True, name="base")
    yield opened
    opened.lab.close()


@pytest.fixture
def machine(base, database) -> Iterator[Machine]:
    started = Machine(base.home.path, database)
    yield started
    started.close()


def walked(base: Base, machine: Machine, rounds: Rounds, number: int, until: str = "") -> Walk:
    walk = Walk(base, machine.port, machine.tokens, number)
    for step, act in walk.steps():
        rounds.over(step, act)
        if step == until:
            break
    return walk


def require_sound(base: Base, walk: Walk, state: str) -> None:
    """See that the record stands where it should, each step once, each job ended, one verdict, one certificate."""
    view = base.lab.store.as_actor(MACHINE)
    record = load_record(view, walk.subject)[0]
    assert record.state == state
    acts = Counter(step.act for step in record.history)
    assert [act for act in ONCE if acts[act] > 1] == []
    jobs, deadline = jobs_of(view, walk.subject), time.monotonic() + PATIENCE
    while not all(job.ended for job in jobs):  # its worker may have died before it could say done
        assert time.monotonic() < deadline, f"stuck: {jobs}"
        time.sleep(0.1)
        jobs = jobs_of(view, walk.subject)
    assert all(job.reason is not None for job in jobs if job.state is not JobState.DONE), jobs
    reports = [one.load(Report) for one in view.find("report", limit=10_000)]
    of_plan = [
        one for one in reports if one.plan == record.documents.get("plan") and one.view == "full" and one.evidence
    ]
    assert len(of_plan) == (1 if "report" in record.documents else 0)
    issued = view.find("issued-certificate", limit=10_000)
    assert sum(one.digest == record.documents.get("certificate") for one in issued) == (state == "certified")


def require_nothing_left(base: Base, walks: list[Walk]) -> None:
    """See that what was submitted is there once, nothing waits for a worker, and the log agrees with the store."""
    view = base.lab.store.as_actor(MACHINE)
    assert live_jobs(view) == []
    with base.lab.store.database.read() as connection:
        records = select(tables.listings.c.subject).where(tables.listings.c.kind == "commission")
        assert set(connection.scalars(records)) == {walk.subject for walk in walks}
    certified = [walk for walk in walks if load_record(view, walk.subject)[0].state == "certified"]
    assert len(view.find("issued-certificate", limit=10_000)) == len(certified)
    verify_store(base.lab.store)


@pytest.mark.prove
def test_a_few_rounds_up_to_the_frozen_plan(base, machine, tmp_path):
    publish(base, tmp_path, 1)
    rounds = Rounds(machine, random.Random(3))
    walk = walked(base, machine, rounds, 0, until="job freeze")
    assert rounds.total >= 4
    patiently(lambda: require_sound(base, walk, "frozen"))
    require_nothing_left(base, [walk])


@pytest.mark.prove
def test_two_hundred_rounds_from_proposal_to_certificate(base, machine, tmp_path):
    publish(base, tmp_path, 24)
    rounds, walks, began = Rounds(machine, random.Random(20)), [], time.monotonic()
    while rounds.total < 200:
        walks.append(walked(base, machine, rounds, len(walks)))
        patiently(lambda: require_sound(base, walks[-1], "certified"))
    require_nothing_left(base, walks)
    killed = f"{dict(rounds.killed)}, before a statement {dict(machine.burnt)}"
    print(f"{rounds.total} kills: {killed}; {len(walks)} records in {time.monotonic() - began:.0f} s")
    print(
        f"{sum(walk.retries for walk in walks)} requests sent again; ordered again: {[walk.failures for walk in walks]}"
    )
