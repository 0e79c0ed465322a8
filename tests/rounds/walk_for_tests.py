"""A record on its way from proposal to certificate: people by the API, jobs by the worker, whatever is killed."""

from __future__ import annotations

import json
import random
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pilotbase.catalogue.advancing import advance
from pilotbase.catalogue.records import load_record
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import Record
from pilotbase.documents.scenario import Scenario
from pilotbase.worker.base import Base
from pilotbase.worker.intake.kept_files import take_application, take_scenario
from pilotbase.workspace.failures import UnreachableError
from tests.catalogue.records_for_tests import DESK, MACHINE, OWNER, SUPPLIER
from tests.trial.conftest import SCENARIO as SCENARIO_TEXT
from tests.trial.conftest import writing_application

APPLICATION = "application:acme/alarm"
PATIENCE = 180.0
"""Seconds after which something counts as stuck, on a busy machine."""
T = TypeVar("T")


def patiently(act: Callable[[], T]) -> T:
    """Return what ``act`` gives, once the database is there."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return act()
        except UnreachableError:
            assert time.monotonic() < deadline, "the database does not come back"
            time.sleep(0.05)


def write_scenario(place: Path, number: int) -> Path:
    """Write scenario ``small-alarm-<number>`` with cases of its own."""
    folder, draw = place / f"scenario-{number}", random.Random(number)
    folder.mkdir()
    content = SCENARIO_TEXT.format(cases=100).replace("name: small-alarm", f"name: small-alarm-{number}")
    (folder / "scenario.yaml").write_text(content)
    lines = ["case_id,pressure,age,site,failure"]
    for case in range(450):
        pressure = draw.uniform(0, 10)
        broken = (pressure > 6) != (draw.random() < 0.03)
        site = "north" if draw.random() < 0.5 else "south"
        lines.append(f"c{case},{pressure:.5f},{draw.randrange(900)},{site},{'broken' if broken else 'fine'}")
    (folder / "cases.csv").write_text("\n".join(lines) + "\n")
    return folder


def publish(base: Base, place: Path, scenarios: int) -> None:
    """Open so many scenarios and submit one application."""
    store = base.lab.store
    for number in range(scenarios):
        subject = f"scenario:plant/small-alarm-{number}"
        take_scenario(base, store.as_actor(OWNER), write_scenario(place, number))
        advance(store.as_actor(OWNER), subject, Act.SCENARIO_SUBMIT)
        advance(store.as_actor(DESK), subject, Act.SCENARIO_OPEN)
    take_application(base, store.as_actor(SUPPLIER), writing_application(place)(), "scenario:plant/small-alarm-0")
    advance(store.as_actor(SUPPLIER), APPLICATION, Act.APPLICATION_SUBMIT)


@dataclass
class Walk:
    """One commission. `steps` gives the next thing to do; between two of them anything may be killed."""

    base: Base
    port: int
    tokens: dict[str, str]
    number: int
    name: str = ""
    retries: int = 0
    failures: list[str] = field(default_factory=list)
    """Reasons that a record named when its job came to nothing; it was ordered again."""

    @property
    def subject(self) -> str:
        return f"commission:{self.name}"

    def record(self, subject: str | None = None) -> Record:
        view = self.base.lab.store.as_actor(MACHINE)
        return patiently(lambda: load_record(view, subject or self.subject)[0])

    def steps(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """Yield each step, by its act or the job that it waits for, with what does it."""
        yield "commission.propose", self._propose
        yield "commission.agree", lambda: self._act("owner", "commission.agree")
        named = {"organisation": "institute", "person": "p-reviewer"}
        yield "reviewer.name", lambda: self._act("desk", "reviewer.name", named)
        yield "plan.draft", self._draft
        yield "interest.declare", lambda: self._act("reviewer", "interest.declare", {"has_interest": False})
        yield "plan.approve", lambda: self._act("reviewer", "plan.approve")
        yield "plan.freeze", lambda: self._act("planner", "plan.freeze")
        yield "job freeze", lambda: self._await("frozen", "plan_approved", "plan.freeze")
        yield "trial.queue", lambda: self._act("planner", "trial.queue")
        yield "job trial", lambda: self._await("reported", "frozen", "trial.queue")
        yield "acceptance.give", self._accept
        yield "certificate.sign", lambda: self._act("signer", "certificate.sign")
        yield "job certificate", lambda: self._await("certified", "accepted", "certificate.sign")

    def _propose(self) -> None:
        scenario = f"scenario:plant/small-alarm-{self.number}"
        terms = {
            "document": "commission/1",
            "scenario": scenario,
            "application": APPLICATION,
            "scenario_version": self.record(scenario).documents["scenario"],
            "application_version": self.record(APPLICATION).documents["application"],
            "scope": "One trial.",
            "price": {"amount": "100"},
            "results": "supplier",
            "deadline": "2099-01-31",
        }
        self.name = self._post("supplier", "/api/trials", terms)["subject"].partition(":")[2]

    def _draft(self) -> None:
        documents = self.record().documents
        view = self.base.lab.store.as_actor(MACHINE)
        rules = [one.rule for one in patiently(lambda: view.load(documents["scenario"], Scenario)).criteria]
        facts = {"commission": self.subject, "scenario_version": documents["scenario"], "folder": documents["folder"]}
        self._act("planner", "plan.draft", {**facts, "criteria": rules})

    def _accept(self) -> None:
        told = {"document": "acceptance/1", "report": self.record().documents["report"], "organisation": "plant"}
        self._act("owner", "acceptance.give", {**told, "decision": "accepted", "at": "2026-05-01T12:00:00Z"})

    def _act(self, who: str, act: str, body: object = None) -> None:
        self._post(who, f"/api/trials/{self.name}/acts/{act}", body or {})

    def _await(self, state: str, failed: str, order: str) -> None:
        """Wait until the worker has brought the record to ``state``; a failure says why, and is ordered again."""
        deadline = time.monotonic() + PATIENCE
        while (record := self.record()).state != state:
            assert time.monotonic() < deadline, f"{self.subject} is stuck in {record.state}"
            if record.state == failed:
                reason = record.history[-1].reason
                assert reason is not None, f"{order} came to nothing without a reason"
                self.failures.append(f"{order}: {reason.render('en')}")
                self._act("signer" if order == "certificate.sign" else "planner", order)
            time.sleep(0.05)

    def _post(self, who: str, path: str, body: object) -> Any:
        """Send a request until it is answered, always under the same Idempotency-Key."""
        key = f"{self.number} {path} {len(self.failures)}"
        headers = {
            "Authorization": f"Bearer {self.tokens[who]}",
            "Content-Type": "application/json",
            "Idempotency-Key": key,
        }
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", json.dumps(body).encode(), headers, method="POST"
        )
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    return json.loads(answer.read())
            except urllib.error.HTTPError as error:
                told = error.read().decode()
                assert error.code == 503, f"{path}: {error.code} {told}"
                assert json.loads(told)["code"] in ("hub.database_away", "workspace.busy"), told
            except (OSError, ValueError):  # killed before or amid its answer
                pass
            assert time.monotonic() < deadline, f"{path} is not answered"
            self.retries += 1
            time.sleep(0.05)
