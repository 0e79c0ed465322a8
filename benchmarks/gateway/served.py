"""The servers of a run: the fixed upstream, our gateway over its own base, and the peer; one process each."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.environments import peer_environment, peer_python
from benchmarks.publishing import ROOT

PEER = "litellm"
_START_SECONDS = 180
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Server:
    """A process that answers."""

    url: str
    process: int
    key: str = "none"

    def cpu_seconds(self) -> float:
        """Return its CPU usage, of all its threads."""
        fields = Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def memory_mib(self) -> float:
        """Return how much memory it holds."""
        pages = int(Path(f"/proc/{self.process}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


@contextmanager
def upstream(folder: Path) -> Iterator[Server]:
    """Serve the fixed upstream."""
    port = _free_port()
    words = ["benchmarks.gateway.upstream:application", "--port", str(port), "--no-access-log", "--lifespan", "off"]
    command = [sys.executable, "-m", "uvicorn", *words, "--log-level", "error"]
    with _running(command, os.environ, folder / "upstream.log", port, "/") as process:
        yield Server(f"http://127.0.0.1:{port}", process)


@contextmanager
def gateway(home: Path) -> Iterator[Server]:
    """Serve the base in ``home`` with ``pilotbase gateway``."""
    port = _free_port()
    command = [sys.executable, "-c", "from pilotbase.cli import main; main()", "gateway", "--port", str(port)]
    environment = {**os.environ, "PILOTBASE_HOME": str(home), "PILOTBASE_GATEWAY_ALLOW": "127.0.0.1"}
    with _running(command, environment, home / "gateway.log", port, "/health/ready") as process:
        yield Server(f"http://127.0.0.1:{port}", process)


@contextmanager
def peer(folder: Path, endpoint: str) -> Iterator[Server]:
    """Serve the peer with defaults: one worker, no database, no callbacks, no retries, one key."""
    port, key = _free_port(), f"sk-{secrets.token_hex(16)}"
    model = {"model": "openai/fixed", "api_base": endpoint, "api_key": "none"}
    settings = {
        "model_list": [{"model_name": "fixed", "litellm_params": model}],
        "general_settings": {"master_key": key},
        "litellm_settings": {"num_retries": 0, "telemetry": False},
    }
    (folder / "litellm.yaml").write_text(json.dumps(settings))
    words = ["--config", str(folder / "litellm.yaml"), "--host", "127.0.0.1", "--port", str(port)]
    command = [str(peer_python(PEER).parent / "litellm"), *words, "--num_workers", "1"]
    environment = {**peer_environment(), "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
    with _running(command, environment, folder / "litellm.log", port, "/health/liveliness") as process:
        yield Server(f"http://127.0.0.1:{port}", process, key)


def peer_version() -> str:
    """Return the peer's version."""
    program = f"from importlib import metadata; print(metadata.version({PEER!r}))"
    done = subprocess.run([str(peer_python(PEER)), "-c", program], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@contextmanager
def _running(command: list[str], environment: Mapping[str, str], log: Path, port: int, ready: str) -> Iterator[int]:
    with open(log, "wb") as stream:
        server = subprocess.Popen(command, env=dict(environment), stdout=stream, stderr=stream, cwd=ROOT)
    try:
        _wait_until_ready(f"http://127.0.0.1:{port}{ready}", server, log)
        yield server.pid
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()


def _wait_until_ready(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(log.read_text()[-2000:]) from None
            time.sleep(0.1)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]
