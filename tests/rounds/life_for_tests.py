"""A service lives some days of April: a client calls, labels come, people read and act, whatever is killed."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
import urllib.error
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import cycle
from typing import Any

import polars as pl
from sqlalchemy import func, select

from pilotbase.cli.demo import _tensor
from pilotbase.documents.loading import load_document
from pilotbase.documents.observation import LabelBatch
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.vocabularies import Colour, ServingState, Signal
from pilotbase.documents.watch import Replay
from pilotbase.notices.outbox import list_deliveries
from pilotbase.service.standing import standing_of
from pilotbase.watch.cohorts import list_cohorts
from pilotbase.watch.incidents import list_incidents
from pilotbase.watch.warnings import DECIDED, find_step, steps_of, warnings_of
from pilotbase.worker.base import Base
from pilotbase.worker.demo.examples import find_examples
from pilotbase.worker.demo.walk import DAYS_AFTER, EXAMPLE, LATER, _days
from pilotbase.worker.demo.walked_service import SERVICE, TERMS
from pilotbase.workspace import watch_tables as tables
from pilotbase.workspace.jobs import live_jobs
from tests.rounds.crew_for_tests import KINDS, PATIENCE, Crew

STEPS = ("arming", "call", "labels", "warned", "reaction", "incident", "ledger")
DAY_SECONDS = 1.05
_PASSING = ("hub.database_away", "workspace.busy", "workspace.request_done", "hub.idempotency_running")


@dataclass
class Kills:
    """Kills one process amid a step, at a moment that is drawn: each at each step once, then at random."""

    crew: Crew
    rounds: int
    draw: random.Random
    done: Counter[tuple[str, str]] = field(default_factory=Counter)
    _seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(lambda: 0.05))

    def over(self, step: str, act: Callable[[], None], at_once: bool = False) -> None:
        """Do ``act``, a step of the walk, while a process is killed, if there are rounds left for it."""
        pending = [kind for kind in KINDS if not self.done[kind, step]]
        reserved = sum(not self.done[pair] for pair in ((kind, other) for kind in KINDS for other in STEPS))
        kind = pending[0] if pending else self.draw.choice(KINDS)
        if self.rounds == 0 or (not pending and self.done.total() + reserved >= self.rounds):
            act()
            return
        self.crew.wait_ready(kind)
        moment = 0.0 if at_once else self.draw.uniform(0, self._seconds[step])
        self.done[kind, step] += 1
        killer = threading.Timer(moment, self.crew.kill, [kind])
        killer.start()
        began = time.monotonic()
        act()
        self._seconds[step] = min(1.0, time.monotonic() - began) if kind == "worker" else self._seconds[step]
        killer.join()


class Life:
    """The service over a crew of processes, as those see it who use it."""

    def __init__(self, base: Base, crew: Crew, entry: dict[str, Any], kills: Kills, label_seconds: int) -> None:
        self.base, self.view, self.crew, self.kills = base, base.lab.view, crew, kills
        self.key, self.tokens, self.session = entry["key"], entry["tokens"], entry["session"]
        self.terms = TERMS.model_copy(update={"label_seconds": label_seconds})
        self.scenario = load_document(Scenario, find_examples() / EXAMPLE / "scenario.yaml")
        self.days = list(_days(pl.read_csv(base.lab.folder("demo") / EXAMPLE / LATER)))
        self.answers: dict[str, list[Any]] = {}
        """Call → the answers that the client got."""
        self.labels: dict[str, Any] = {}
        """Case → the label whose coming was acknowledged."""
        self.notes: list[str] = []
        self.retries = Counter[str]()
        self.webhook = ""
        self._numbers = iter(range(10_000))

    def add_webhook(self, url: str) -> None:
        self.crew.wait_ready(*KINDS)
        self.webhook = self._hub("owner", "POST", "/api/webhooks", {"url": url})["identity"]

    def arm(self) -> None:
        """Replay the watch that the certificate of what answers allows, and arm it."""
        replays, found = f"/api/services/{SERVICE}/watch/replays", {}

        def replay() -> None:
            told = self._hub("desk", "POST", replays, self.terms.model_dump(mode="json"))
            found["digest"] = Replay.model_validate(told).digest()

        def arm() -> None:
            self._hub("desk", "POST", f"/api/services/{SERVICE}/watch/arming", {"replay": found["digest"]})

        self.kills.over("arming", replay)
        self.kills.over("arming", arm)

    def prepare(self) -> None:
        """Stop the service and start it again, and let the notices of a detector rest that has nothing to tell."""
        moves, silences = f"/api/services/{SERVICE}/moves", f"/api/services/{SERVICE}/silences"
        until = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        said = {"reason": "Nothing to tell.", "until": until, "detector": "drift:nothing"}
        for path, body in (
            (f"{moves}/stop", {"reason": "A gate is moved."}),
            (f"{moves}/start", {"reason": "It stands."}),
            (silences, said),
        ):
            self.kills.over("arming", partial(self._hub, "desk", "POST", path, body))

    def live(self, day: str, departures: pl.DataFrame) -> None:
        """Ask about the departures of a day, and say how they ended."""
        columns = {one.name: departures[one.name].to_list() for one in self.scenario.feature_fields}
        self.kills.over("call", lambda: self._call(day, columns))
        began = time.monotonic()
        self.crew.until(lambda: self._observed() >= sum(map(len, self.answers.values())), f"{day} is observed")
        ends = departures["arrival"].to_list()
        self.kills.over("labels", lambda: self._label(day, {f"{day}/{row}": end for row, end in enumerate(ends)}))
        time.sleep(max(0.0, DAY_SECONDS - (time.monotonic() - began)))

    def until_red(self, at_most: int) -> int:
        """Live day after day until the watch says red or as many were lived; return how many it took."""
        for lived, (day, departures) in enumerate(self.days[:at_most], 1):
            self.live(day, departures)
            if at_most == len(self.days):  # nobody knows yet on which day it will be
                self.crew.until(self._all_entered, f"{day} has entered")
                if self._is_red():
                    return lived
        self.crew.until(self._is_red, "red")
        return at_most

    def react(self) -> None:
        """Let the base react, and wait until it has."""
        for _ in KINDS:
            self.kills.over("warned", lambda: None, at_once=True)
        for _ in KINDS:
            self.kills.over("reaction", lambda: time.sleep(0.3))
        self.crew.until(self._has_reacted, "the base has reacted")
        assert standing_of(self.view, SERVICE).state is ServingState.FALLEN_BACK

    def handle(self) -> None:
        """Let the operator read page and document of the incident, and write a note."""
        (incident,) = list_incidents(self.view, SERVICE)
        said, number = f"note {len(self.notes)}", incident.number

        def act() -> None:
            assert said not in self._ask(
                f"{self.crew.url('web')}/incidents/{number}/", headers={"Cookie": self.session}
            )
            self._hub("desk", "POST", f"/api/incidents/{number}/notes", {"text": said})
            self.notes.append(said)

        self.kills.over("incident", act)

    def ledger(self) -> dict[str, Any]:
        """Return the figures of the ledger."""
        found: dict[str, Any] = {}
        self.kills.over("ledger", lambda: found.update(self._hub("desk", "GET", "/api/ledger")))
        return {"counts": found["counts"], "this_year": found["this_year"]}

    def go_on(self, lived: int) -> dict[str, Any]:
        """Live some days more under a new watch; return the ledger."""
        self.arm()
        for day, departures in self.days[lived : lived + DAYS_AFTER]:
            self.live(day, departures)
        self.crew.until(self._all_entered, "all has entered")
        for _ in KINDS:
            self.ledger()
        extra = cycle((self.handle, self.ledger, self._repeat_labels))
        while self.kills.done.total() < self.kills.rounds:
            next(extra)()
        found = self.ledger()
        self.crew.until(self._is_settled, "all is done and told", 2 * PATIENCE)
        return found

    def _call(self, day: str, columns: dict[str, list[Any]]) -> None:
        tensors = [_tensor(name, values) for name, values in columns.items()]
        url, headers = f"{self.crew.url('gateway')}/v2/models/{SERVICE}/infer", {"Authorization": f"Bearer {self.key}"}
        told = json.loads(self._ask(url, "POST", json.dumps({"id": day, "inputs": tensors}).encode(), headers))
        self.answers[day] = told["outputs"][0]["data"]

    def _label(self, day: str, labels: dict[str, Any]) -> None:
        batch = LabelBatch(service=SERVICE, batch=day, labels=labels)
        self._hub("owner", "POST", f"/api/services/{SERVICE}/labels", batch.to_json_value())
        self.labels |= labels

    def _repeat_labels(self) -> None:
        day = next(iter(self.answers))
        known = {case: end for case, end in self.labels.items() if case.startswith(f"{day}/")}
        self.kills.over("labels", lambda: self._label(day, known))

    def _hub(self, who: str, method: str, path: str, body: object = None) -> Any:
        """Ask the hub's API until it answers, always under the same Idempotency-Key."""
        headers = {"Authorization": f"Bearer {self.tokens[who]}", "Idempotency-Key": f"step {next(self._numbers)}"}
        sent = None if body is None else json.dumps(body).encode()
        return json.loads(self._ask(self.crew.url("web") + path, method, sent, headers))

    def _ask(
        self, url: str, method: str = "GET", body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> str:
        """Send a request until it is answered, as a client does whose connection broke."""
        told = {**(headers or {}), "Content-Type": "application/json"}
        request = urllib.request.Request(url, body, told, method=method)
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    return answer.read().decode()
            except urllib.error.HTTPError as error:
                found = error.read().decode()
                passing = error.code == 503 or any(code in found for code in _PASSING)
                assert passing, f"{method} {url}: {error.code} {found}"
            except (OSError, http.client.HTTPException):  # killed before or amid its answer
                pass
            assert time.monotonic() < deadline, f"{url} is not answered"
            self.retries[url.rpartition("/")[2]] += 1
            self.crew.revive()
            time.sleep(0.05)

    def _observed(self) -> int:
        with self.view.reading() as connection:
            return connection.scalar(select(func.count()).select_from(tables.observed_cases)) or 0

    def _all_entered(self) -> bool:
        with self.view.reading() as connection:
            return all(one.state == "entered" for one in list_cohorts(connection, SERVICE))

    def _is_red(self) -> bool:
        return any(one.colour is Colour.RED for one in self._risks())

    def _risks(self) -> Sequence[Any]:
        return [one for _, one in warnings_of(self.view, SERVICE, 1000) if one.signal is Signal.RISK]

    def _has_reacted(self) -> bool:
        red = [digest for digest, one in warnings_of(self.view, SERVICE, 1000) if one.colour is Colour.RED]
        with self.view.reading() as connection:
            return all("notice" in steps_of(connection, digest) for digest in red) and not live_jobs(self.view)

    def _is_settled(self) -> bool:
        with self.view.reading() as connection:
            causes = [digest for digest, _ in warnings_of(self.view, SERVICE, 1000)]
            if not all(find_step(connection, cause, DECIDED) for cause in causes):
                return False
        owner = self.base.lab.store.as_actor(self.as_owner)
        told = {one.state for one in list_deliveries(owner, self.webhook, 200)}
        return not live_jobs(self.view) and told == {"delivered"}

    @property
    def as_owner(self):  # type: ignore[no-untyped-def]
        from pilotbase.documents.vocabularies import Role
        from pilotbase.workspace.actors import actor

        return actor("three-airports-desk", Role.DEMAND_OWNER)
