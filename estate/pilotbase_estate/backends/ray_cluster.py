"""A Ray cluster as this process sees it: called through a separate process, which Ray may end without ending ours.

While the cluster is away every call raises `BackendAwayError`, and the next one tries again. There is no connection
without a token, and none beyond this machine unless an address is configured. A host is what runs for us on a node.
"""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import Future, TimeoutError
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from pilotbase.documents.errors import InputError, PilotbaseError
from pilotbase.documents.extras import packages_of
from pilotbase_estate.backends.backend import BackendAwayError, BackendNode
from pilotbase_estate.documents.resources import Vector

FLOOR = (2, 54)
"""The first release without a known way in: CVE-2023-48022 (no authentication) and CVE-2026-27482 (open DELETE)."""
NAMESPACE = "pilotbase"
DISTRIBUTION = "pilotbase-estate"
ADDRESS = "PILOTBASE_RAY_ADDRESS"
LOCAL = "local"
OWN_NODE = "local"
"""The name of the one node of a cluster of this machine's own."""


@dataclass(frozen=True)
class Host:
    """A host to be made on a node."""

    kind: str
    """``module:Class``, which every node has installed as we do."""
    arguments: tuple[Any, ...]
    demand: Vector
    name: str = ""
    """A named one is made once, is found by every process, and stays when its maker exits."""
    node: str | None = None
    """Where; None: wherever there is room."""


@dataclass(frozen=True)
class Ended:
    """How a call to the cluster ended."""

    value: Any = None
    error: PilotbaseError | None = None


class _HostError(PilotbaseError):
    def __init__(self, code: str = "compute.worker_lost", /, **params: object) -> None:
        super().__init__(code, **params)


class HostGoneError(_HostError):
    """The node or process of the host no longer exists, and its work is lost."""


class HostSilentError(_HostError):
    """A host did not answer in time, or has not found a node yet."""


@dataclass(frozen=True)
class RaySettings:
    """``address``: ``host:port`` of the head, or ``local`` for a cluster of this machine's own."""

    address: str
    token: str
    start_seconds: float = 60.0
    """How long an attempt may take to begin on a node."""
    answer_seconds: float = 20.0
    """How long a node may be silent before it counts as lost."""
    room_seconds: float = 600.0
    """How long a trial's box may wait until a node has room for it."""


def settings_of(environment: Mapping[str, str]) -> RaySettings:
    """Return the settings from ``PILOTBASE_RAY_ADDRESS`` and ``RAY_AUTH_TOKEN``.

    Raises:
        InputError: ``compute.ray_no_token``: an address without a token.
    """
    address, token = environment.get(ADDRESS, LOCAL), environment.get("RAY_AUTH_TOKEN")
    if address != LOCAL and not token:
        raise InputError("compute.ray_no_token", address=address)
    return RaySettings(address, token or secrets.token_hex(32))


def prepare(settings: RaySettings) -> None:
    """Set this process's environment for Ray, which reads it once, when it is first imported."""
    os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=settings.token, RAY_USAGE_STATS_ENABLED="0")
    if settings.address == LOCAL:
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # the one setting that keeps Ray to the loopback


def require_version(found: str) -> None:
    """Require a release of Ray without a known way in.

    Raises:
        PilotbaseError: ``compute.ray_too_old``.
    """
    numbers = tuple(int(part) for part in found.split(".")[:2] if part.isdigit())
    if numbers < FLOOR:
        least = ".".join(map(str, FLOOR))
        raise PilotbaseError("compute.ray_too_old", found=found, least=least, packages=packages_of("ray", DISTRIBUTION))


_CONNECT_SECONDS = 90.0
_NODES_SECONDS = 40.0
_SLACK_SECONDS = 15.0
"""How much longer than the host itself the caller here waits for its answer."""
_PATIENCE = {"RAY_gcs_rpc_server_reconnect_timeout_s": "10"}
"""How long Ray keeps a process whose head is silent."""


class Cluster:
    """One cluster; safe to share between threads. Call `prepare` first."""

    def __init__(self, settings: RaySettings) -> None:
        self.settings = settings
        self._opening = threading.Lock()
        self._driver: _Driver | None = None

    @property
    def is_own(self) -> bool:
        """Return whether it is a cluster of this machine's own."""
        return self.settings.address == LOCAL

    def connect(self) -> None:
        """Connect, or start a cluster of this machine's own, unless already connected.

        Raises:
            PilotbaseError: ``compute.ray_too_old``; ``compute.driver_failed``: any failure other than silence.
            BackendAwayError: nobody answers there.
        """
        self._connected()

    def nodes(self, measured: bool = False) -> list[BackendNode]:
        """Return the nodes that are alive, as `ray_driver.Driver.nodes` does; raises as `connect`."""
        found: list[BackendNode] = self._asked("nodes", (measured,), _NODES_SECONDS)
        return found

    def make(self, host: Host) -> str:
        """Make a host, unless one of its name exists; return its address for calls; raises as `connect`."""
        return str(self._asked("make", (host,), self.settings.answer_seconds))

    def ask(self, key: str, method: str, *arguments: Any, seconds: float | None = None) -> Any:
        """Return what a host answers.

        Raises:
            HostGoneError: it no longer exists.
            HostSilentError: it has not answered within ``seconds``.
            PilotbaseError: ``compute.node_failed``: its own work failed; and as `connect`.
        """
        wait = seconds or self.settings.answer_seconds
        return self._asked("ask", (key, method, arguments, wait), wait)

    def remove(self, key: str) -> None:
        """Remove a host, if there is one; raises as `connect`."""
        self._asked("remove", (key,), self.settings.answer_seconds)

    def close(self) -> None:
        """Disconnect from the cluster; hosts without a name end."""
        with self._opening:
            if self._driver is not None:
                self._driver.end()
                self._driver = None

    def _asked(self, method: str, arguments: tuple[Any, ...], seconds: float) -> Any:
        return self._connected().asked(method, arguments, seconds + _SLACK_SECONDS)

    def _connected(self) -> _Driver:
        with self._opening:
            if self._driver is None or not self._driver.lives:
                self._driver = None
                driver = _Driver()
                try:
                    address = driver.asked("connect", (self.settings,), _CONNECT_SECONDS)
                except PilotbaseError:
                    driver.end()
                    raise
                if self.is_own:
                    os.environ[ADDRESS] = address  # for the processes that this one starts
                self._driver = driver
            return self._driver


class _Driver:
    """The process that speaks to the cluster, and the calls to it."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-m", "pilotbase_estate.backends.ray_driver", str(theirs.fileno())]
            self._process = subprocess.Popen(
                command,
                pass_fds=[theirs.fileno()],
                env={**os.environ, **_PATIENCE},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._connection = Connection(ours.detach())
        self._lock, self._number = threading.Lock(), 0
        self._asked: dict[int, Future[Any]] = {}
        self.lives = True
        threading.Thread(target=self._hear, name="answers of the cluster", daemon=True).start()

    def asked(self, method: str, arguments: tuple[Any, ...], seconds: float) -> Any:
        """Return the cluster's answer; raise the error that it reports, or `BackendAwayError` if it is silent."""
        answer: Future[Any] = Future()
        with self._lock:
            self._number += 1
            number = self._number
            self._asked[number] = answer
            try:
                if not self.lives:
                    raise OSError
                self._connection.send((number, method, arguments))
            except OSError:
                raise BackendAwayError() from None
        try:
            return answer.result(seconds)
        except TimeoutError:
            raise BackendAwayError() from None

    def end(self) -> None:
        """End the process."""
        self.lives = False
        self._process.kill()
        self._process.wait()

    def _hear(self) -> None:
        with suppress(EOFError, OSError):
            while True:
                number, ended = self._connection.recv()
                self._settle(self._asked.pop(number), ended)
        self.lives = False
        self._process.wait()
        with self._lock:
            left, self._asked = self._asked, {}
        for answer in left.values():
            self._settle(answer, Ended(error=BackendAwayError()))

    @staticmethod
    def _settle(answer: Future[Any], ended: Ended) -> None:
        if ended.error is not None:
            answer.set_exception(ended.error)
        else:
            answer.set_result(ended.value)
