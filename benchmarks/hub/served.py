"""A hub for one run: a home, a store on SQLite or PostgreSQL, accounts, and `pilotbase serve` over them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pilotbase.workspace.home import HomeSettings, init_home

_COMMAND = [sys.executable, "-c", "from pilotbase.cli import main; main()"]
_START_SECONDS = 300
"""Seconds to wait for a hub, which starts slowly on a busy machine; a hub that has ended is reported at once."""


def make_home(folder: Path, postgres_url: str | None) -> str:
    """Make a home in ``folder`` and return the address of its empty store."""
    return init_home(folder, HomeSettings(store_url=postgres_url)).store_url


def let_people_in(folder: Path, organisations: int) -> None:
    """Make one account for each organisation, and those of operator and regulator."""
    command = [sys.executable, "-m", "benchmarks.hub.accounts", str(organisations)]
    subprocess.run(command, check=True, env=_environment(folder))


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, float, int]]:
    """Yield the address of a hub over the home in ``folder``, the seconds until it was ready, and its process."""
    url, port = _free_address()
    command = [*_COMMAND, "serve", "--port", port, "--no-worker", "--no-gateway"]
    with _running(command, _environment(folder), folder / "serve.log", f"{url}/health/ready") as (seconds, process):
        yield url, seconds, process


@contextmanager
def serving_peer(database: Path) -> Iterator[str]:
    """Yield the address of the peer over a store on SQLite, served as the hub is."""
    url, port = _free_address()
    command = [sys.executable, "-m", "uvicorn", "benchmarks.hub.peer:application", "--port", port, "--no-access-log"]
    environment = {**os.environ, "PEER_DATABASE": str(database)}
    with _running([*command, "--lifespan", "off"], environment, database.with_name("peer.log"), url):
        yield url


@contextmanager
def _running(command: list[str], environment: dict[str, str], log: Path, ready: str) -> Iterator[tuple[float, int]]:
    begun = time.perf_counter()
    with open(log, "wb") as stream:
        server = subprocess.Popen(command, env=environment, stdout=stream, stderr=stream)
    try:
        _wait_until_ready(ready, server, log)
        yield time.perf_counter() - begun, server.pid
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(30)


def _environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "PILOTBASE_HOME": str(folder)}


def _wait_until_ready(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(log.read_text()[-2000:]) from None
            time.sleep(0.02)


def _free_address() -> tuple[str, str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    return f"http://127.0.0.1:{port}", port
