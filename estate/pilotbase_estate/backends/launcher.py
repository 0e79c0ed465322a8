"""The launcher: one process that has imported what attempts need, and forks for each.

``python -m pilotbase_estate.backends.launcher`` reads folders of attempts, one a line, and answers each line once the
attempt's process holds its lock or has exited. An attempt whose line begins with ``+`` ends with the launcher; the
launcher ends with the process that started it, because its input then ends.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import NoReturn

from pilotbase_estate.backends import member
from pilotbase_estate.backends.attempt_folder import AttemptFolder

BOUND = "+"
_NULL = "/dev/null"


class Launcher:
    """A launcher's process and how to call it; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def launch(self, folder: Path, bound: bool) -> None:
        """Start the process of an attempt; return once it holds its lock or has exited."""
        line = f"{BOUND if bound else ''}{folder}\n".encode()
        with self._lock:
            for _ in range(2):
                process = self._running()
                assert process.stdin is not None
                assert process.stdout is not None
                try:
                    process.stdin.write(line)
                    process.stdin.flush()
                except BrokenPipeError:
                    continue
                if process.stdout.readline():
                    return

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                cwd="/",
            )
        return self._process


def main() -> None:
    """Fork for each line until the input ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        folder, ready = line.strip(), os.pipe()
        if os.fork() == 0:
            os.close(ready[0])
            _become_member(folder, ready[1])
        os.close(ready[1])
        os.read(ready[0], 1)
        os.close(ready[0])
        sys.stdout.write("\n")
        sys.stdout.flush()


def _become_member(folder: str, ready: int) -> NoReturn:
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        parent = os.getppid() if folder.startswith(BOUND) else None
        os.setsid()
        for descriptor in (0, 1):
            os.dup2(os.open(_NULL, os.O_RDWR), descriptor)
        code = member.main(AttemptFolder(Path(folder.removeprefix(BOUND))), parent, lambda: os.close(ready))
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
