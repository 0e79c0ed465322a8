"""Hub, worker and gateway of a base as processes of their own; each may be killed, and is started again when missed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.rounds.fused import places_of
from tests.rounds.machine_for_tests import ROOT, _free_port, children_of, is_alive, kill

KINDS = ("worker", "web", "gateway")
PATIENCE = 120.0
"""Seconds after which something counts as stuck, on a busy machine."""


class Crew:
    """The three processes of the base in ``home``; ``fuses``: kind → actions around which each ends itself."""

    def __init__(self, home: Path, fuses: dict[str, tuple[str, ...]] | None = None) -> None:
        self.home, self.fuses, self._lit = home, fuses or {}, True
        self.ports = {"web": _free_port(), "gateway": _free_port()}
        self.killed = Counter[str]()
        self.left_behind: set[int] = set()
        """What was below a process that was killed; it ends by itself."""
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._began: dict[str, int] = {}
        for kind in KINDS:
            self._start(kind)

    def url(self, kind: str) -> str:
        return f"http://127.0.0.1:{self.ports[kind]}"

    def log(self, kind: str) -> Path:
        return self.home.parent / f"{kind}.log"

    def burnt(self, kind: str) -> list[str]:
        """Return the places at which processes of this kind have ended themselves."""
        file = self.home.parent / f"{kind}.burnt"
        return file.read_text().splitlines() if file.exists() else []

    def unburnt(self) -> set[str]:
        """Return the places that no process came to."""
        return {
            f"{kind}: {place}"
            for kind, actions in self.fuses.items()
            for place in places_of(actions) - set(self.burnt(kind))
        }

    def kill(self, kind: str) -> None:
        """SIGKILL one process; who misses it calls `revive`."""
        number = self._running[kind].pid
        self.left_behind |= set(children_of(number))
        self.killed[kind] += 1
        kill(number)

    def revive(self) -> None:
        """Start again whatever does not run any more."""
        for kind, process in self._running.items():
            if process.poll() is not None:
                assert process.returncode == -signal.SIGKILL, f"the {kind} ended by itself\n{self._said(kind)}"
                self._start(kind)

    def wait_ready(self, *kinds: str) -> None:
        """Return once these processes work."""
        self.until(lambda: all(map(self._is_ready, kinds)), f"{kinds} ready")

    def until(self, condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
        """Return once ``condition`` holds; processes that have ended are started again meanwhile."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain until {what}\n{self._said('worker')}"
            self.revive()
            time.sleep(0.02)

    def end(self) -> None:
        """Tell all three to end, and see that they do."""
        self._lit = False
        self.wait_ready(*KINDS)
        for process in self._running.values():
            process.terminate()
        for kind, process in self._running.items():
            assert process.wait(60) in (0, -signal.SIGTERM, -signal.SIGKILL), self._said(kind)

    def close(self) -> None:
        for kind, process in self._running.items():
            if process.poll() is None:
                self.left_behind |= set(children_of(self._running[kind].pid))
                process.kill()
            process.wait()

    def run(self, *command: str) -> str:
        """Run a ``pilotbase`` command to its end and return what it said."""
        words = [sys.executable, "-c", "from pilotbase.cli import main; main()", *command]
        done = subprocess.run(words, cwd=ROOT, env=self._environment(), capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _start(self, kind: str) -> None:
        commands = {
            "web": ["serve", "--port", str(self.ports["web"]), "--no-worker", "--no-gateway"],
            "worker": ["worker", "--lease", "2"],
            "gateway": ["gateway", "--port", str(self.ports["gateway"])],
        }
        burnt, actions = self.home.parent / f"{kind}.burnt", ",".join(self.fuses.get(kind, ()) if self._lit else ())
        words = [sys.executable, "-m", "tests.rounds.fused", burnt, actions, *commands[kind]]
        with self.log(kind).open("ab") as log:
            self._began[kind] = log.seek(0, os.SEEK_END)
            self._running[kind] = subprocess.Popen(
                words, cwd=ROOT, env=self._environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def _environment(self) -> dict[str, str]:
        accounts = f"sqlite:///{self.home / 'hub.db'}"
        hub = {"DATABASE": accounts, "LOG": "plain", "WEBHOOK_ALLOW": "127.0.0.1", "TOKEN_REQUESTS": "9999"}
        settings = {f"PILOTBASE_HUB_{name}": value for name, value in hub.items()}
        return {**os.environ, "PILOTBASE_HOME": str(self.home), **settings}

    def _is_ready(self, kind: str) -> bool:
        if kind == "worker":
            return self.log(kind).stat().st_size > self._began[kind]
        try:
            urllib.request.urlopen(f"{self.url(kind)}/health/ready", timeout=60).close()
        except OSError:
            return False
        return True

    def _said(self, kind: str) -> str:
        return self.log(kind).read_text()[-3000:] if self.log(kind).exists() else ""


def still_alive(numbers: set[int]) -> set[int]:
    """Return which of the processes have not ended within a moment."""
    deadline = time.monotonic() + 60
    while (alive := {one for one in numbers if is_alive(one)}) and time.monotonic() < deadline:
        time.sleep(0.1)
    return alive
