"""Fifty people at once: each reads, thinks, searches, and writes now and then; records the hub's answers and times."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from benchmarks.hub.accounts import OPERATOR, REGULATOR
from benchmarks.hub.browser import Answer, Browser
from benchmarks.hub.content import application, prose, scenario
from benchmarks.hub.fill import Size
from benchmarks.hub.pages import Page, pages
from pilotbase.documents.base import Document

USERS = 50
THINKING = (1.0, 3.0)
"""Seconds between an answer and what the person does next."""
_WRITES = 0.15
"""The share of writes in what owners and suppliers do."""


@dataclass
class Seen:
    """What happened to all users together. The interpreter's own lock protects appends to the lists."""

    reads: list[float] = field(default_factory=list)
    """Milliseconds."""
    writes: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, answer: Answer, expected: set[int], what: str, *, writes: bool = False) -> None:
        """Count one answer."""
        (self.writes if writes else self.reads).append(answer.milliseconds)
        if answer.status not in expected:
            self.fail(f"{what}: {answer.status}")

    def fail(self, what: str) -> None:
        """Count an error."""
        with self.lock:
            self.errors[what] += 1


def run_users(url: str, size: Size, seconds: float) -> Seen:
    """Let `USERS` people use the hub at ``url`` for so many seconds, and return what happened."""
    seen, people = Seen(), _people(size)
    assert len(people) == USERS
    clock = {"end": 0.0}
    ready = threading.Barrier(USERS + 1, action=lambda: clock.update(end=time.monotonic() + seconds))
    users = [User(url, size, role, name, number) for number, (role, name) in enumerate(people)]
    threads = [threading.Thread(target=user.live, args=(seen, ready, clock)) for user in users]
    for thread in threads:
        thread.start()
        time.sleep(0.4)  # log-ins under way count as failed ones of one address until they succeed
    ready.wait()
    for thread in threads:
        thread.join()
    return seen


class User:
    """One person with a browser."""

    def __init__(self, url: str, size: Size, role: str, name: str | None, number: int) -> None:
        self.browser, self.role, self.name, self.number = Browser(url, ("en", "zh")[number % 2]), role, name, number
        self.size, self.luck = size, random.Random(number)
        self.pages = [page for page in pages(size) if role in page.roles and page.name != "one application"]
        self.written = 0

    def live(self, seen: Seen, ready: threading.Barrier, clock: dict[str, float]) -> None:
        """Log in, wait for the others, then do one thing after the other until it is time to go."""
        try:
            self.browser.get("/") if self.name is None else self.browser.log_in(self.name)
        except (OSError, AssertionError, http.client.HTTPException) as error:
            seen.fail(f"log-in: {error!r}")
        ready.wait()
        while time.monotonic() < clock["end"]:
            try:
                self._act(seen)
            except (OSError, http.client.HTTPException) as error:
                seen.fail(repr(error))
            time.sleep(self.luck.uniform(*THINKING))

    def _act(self, seen: Seen) -> None:
        if self.role in ("owner", "supplier") and self.luck.random() < _WRITES:
            self._write(seen)
            return
        page: Page = self.luck.choice(self.pages)
        path = page.path(self.luck)
        seen.add(self.browser.get(path), {200}, page.name)

    def _write(self, seen: Seen) -> None:
        """Register a scenario or an application, then hand it in."""
        name, self.written = f"w{self.number}-{self.written}", self.written + 1
        words = {**prose(self.luck, self.number), "name": name, "sector": "energy", "folder": f"sha256:{'0' * 64}"}
        owner = str(self.name)
        made: Document
        if self.role == "owner":
            section, act, made = "scenarios", "scenario.submit", scenario({**words, "owner": owner})
        else:
            section, act, made = "applications", "application.submit", application({**words, "supplier": owner})
        address = f"/api/{section}/{owner}/{name}"
        seen.add(self.browser.send("PUT", address, made.canonical()), {200}, f"PUT {section}", writes=True)
        handed = self.browser.send("POST", f"{address}/acts/{act}", json.dumps({"note": "ready"}).encode())
        seen.add(handed, {200}, act, writes=True)


def _people(size: Size) -> list[tuple[str, str | None]]:
    owners = [("owner", size.owner(number)) for number in range(20)]
    suppliers = [("supplier", size.supplier(number)) for number in range(20)]
    others = [("operator", OPERATOR)] * 3 + [("regulator", REGULATOR)] * 2 + [("visitor", None)] * 5
    return [*owners, *suppliers, *others]
