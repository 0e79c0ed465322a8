"""A hub, a worker and a PostgreSQL of their own, each of which can be killed at any moment and starts again."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "workspace"))
from stores_for_tests import _as, _binaries, _die_with_us, reason_to_skip

__all__ = ["Machine", "Postgres", "reason_to_skip"]

ROOT = Path(__file__).parents[2]


class Postgres:
    """A server on a Unix socket in a folder of its own; killed, it recovers from its own log."""

    def __init__(self) -> None:
        self._user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        self.folder = Path(tempfile.mkdtemp(prefix="pb-pg-", dir="/tmp"))
        os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
        self._binaries, self._data = _binaries(self.folder, self._user.pw_uid), self.folder / "data"
        words = ["-D", self._data, "-A", "trust", "-U", "pilot", "-E", "UTF8", "--locale=C", "--no-sync"]
        self._run(["initdb", *words])
        self.start()

    @property
    def url(self) -> str:
        return f"postgresql://pilot@/postgres?host={self.folder}"

    def start(self) -> None:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": self.folder,
            "fsync": "off",  # what a killed process has written, the kernel keeps
            "dynamic_shared_memory_type": "mmap",
            "shared_buffers": "16MB",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        deadline = time.monotonic() + 60
        self._server = self._launch(options)
        while not self._is_ready():
            assert time.monotonic() < deadline, (self.folder / "log").read_text()[-2000:]
            if self._server.poll() is not None:  # a process of the killed server still holds its memory
                self._server = self._launch(options)
            time.sleep(0.01)

    def _launch(self, options: list[str]) -> subprocess.Popen[bytes]:
        with open(self.folder / "log", "ab") as log:
            return subprocess.Popen(
                [self._binaries / "postgres", "-D", self._data, *options],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                preexec_fn=_die_with_us,
                **_as(self._user),
            )

    def kill(self) -> None:
        """SIGKILL the server and all its processes at once."""
        for number in [self._server.pid, *children_of(self._server.pid)]:
            kill(number)
        self._server.wait()

    def remove(self) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _is_ready(self) -> bool:
        lines = (self._data / "postmaster.pid").read_text().split() if (self._data / "postmaster.pid").exists() else []
        return bool(lines) and lines[0] == str(self._server.pid) and "ready" in lines

    def _run(self, command: list[object]) -> None:
        words = [str(self._binaries / str(command[0])), *map(str, command[1:])]
        subprocess.run(words, check=True, capture_output=True, cwd=self.folder, **_as(self._user))


class Machine:
    """The three processes of a hub; `kill` any of them, and it is started again at once."""

    def __init__(self, home: Path, database: Postgres | None) -> None:
        self.home, self.database = home, database
        self.port, self.log = _free_port(), Path(tempfile.mkstemp(prefix="pb-log-")[1])
        self._forks = subprocess.Popen(
            [sys.executable, "-m", "tests.rounds.forks", str(self.port)],
            cwd=ROOT,
            env={**os.environ, "PILOTBASE_HOME": str(home), "PILOTBASE_HUB_LOG": "plain"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=open(self.log, "wb"),  # noqa: SIM115 - the processes write to it
            text=True,
        )
        self.tokens: dict[str, str] = self._answer()
        self._lock = threading.RLock()
        self._running = {kind: self._fork(kind) for kind in ("web", "worker")}
        self.burnt = Counter[str]()
        """How many processes have killed themselves before a statement."""
        self._closing = threading.Event()
        threading.Thread(target=self._keep, daemon=True).start()

    def arm(self, kind: str, statements: int) -> None:
        """Let ``web`` or ``worker`` be one that kills itself before its so many-th statement from now."""
        with self._lock:
            self._end(kind)
            self._running[kind] = self._fork(kind, statements)

    def kill(self, victim: str) -> None:
        """SIGKILL ``web``, ``worker``, ``worker and all below it`` or ``database``, and start it again."""
        if victim == "database":
            assert self.database is not None
            self.database.kill()
            self.database.start()
            return
        kind = victim.partition(" ")[0]
        with self._lock:
            self._end(kind, children_of(self._running[kind]) if victim != kind else [])
            self._running[kind] = self._fork(kind)

    def close(self) -> None:
        self._closing.set()
        self._forks.kill()
        self._forks.wait()
        self.log.unlink(missing_ok=True)

    def _keep(self) -> None:
        """Start again what has killed itself."""
        while not self._closing.wait(0.02):
            with self._lock:
                for kind, number in self._running.items():
                    if not is_alive(number):
                        self.burnt[kind] += 1
                        self._running[kind] = self._fork(kind)

    def _end(self, kind: str, below: Sequence[int] = ()) -> None:
        for number in [self._running[kind], *below]:
            kill(number)
        while is_alive(self._running[kind]):  # its port is free once it is gone
            time.sleep(0.002)

    def _fork(self, kind: str, fuse: int = 0) -> int:
        assert self._forks.stdin is not None
        self._forks.stdin.write(f"{kind} {fuse}\n")
        self._forks.stdin.flush()
        return int(self._answer())

    def _answer(self):  # type: ignore[no-untyped-def] # JSON
        assert self._forks.stdout is not None
        line = self._forks.stdout.readline()
        assert line, self.log.read_text()[-3000:]
        return json.loads(line)


def kill(number: int) -> None:
    try:
        os.kill(number, signal.SIGKILL)
    except ProcessLookupError:
        return


def is_alive(number: int) -> bool:
    return Path(f"/proc/{number}").exists()


def children_of(number: int) -> list[int]:
    """Return the processes below one, also those below them."""
    try:
        tasks = [task.name for task in Path(f"/proc/{number}/task").iterdir()]
        words = [Path(f"/proc/{number}/task/{task}/children").read_text().split() for task in tasks]
    except OSError:
        return []
    direct = [int(word) for found in words for word in found]
    return [*direct, *(below for child in direct for below in children_of(child))]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
